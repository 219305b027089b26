//! Shows `sim` finding the loop that keeps its worker, replaying it, and passing the corrected twin.

use sim::{Config, time::Duration};
use sim_examples::{busy_loop, show::show_with};

fn main() {
    // So long a poll is allowed to take; the default is a minute.
    let config = Config::from_env().poll_limit(Duration::from_secs(1));
    show_with(config, "busy loop", busy_loop::broken, busy_loop::corrected);
}
