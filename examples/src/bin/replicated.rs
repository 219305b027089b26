//! Shows `sim` finding the read of a leader that was cut off, replaying it, and passing the corrected twin.

use sim_examples::{replicated, show::show};

fn main() {
    show("replicated store", replicated::broken, replicated::corrected);
}
