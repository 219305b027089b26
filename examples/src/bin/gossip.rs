//! Shows `sim` finding the machine that nobody believes to be alive, replaying it, and passing the corrected twin.

use sim::Config;
use sim_examples::{gossip, show::show_with};

fn main() {
    // A hundred machines for a virtual minute take a while.
    let config = Config::from_env().seeds(10).strategy("random");
    show_with(config, "gossip", gossip::broken, gossip::corrected);
}
