//! Shows `sim` finding the stale read by the history of all calls, replaying it, and passing the corrected twin.

use sim_examples::{show::show, stale_read};

fn main() {
    show("stale_read", stale_read::broken, stale_read::corrected);
}
