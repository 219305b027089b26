//! Shows `sim` finding the task that keeps a lock for ever, replaying it, and passing the corrected twin.

use sim::{Config, Level};
use sim_examples::{kept_lock, show::show_with};

fn main() {
    let config = Config::from_env().lint("leaked_task", Level::Deny);
    show_with(config, "kept lock", kept_lock::broken, kept_lock::corrected);
}
