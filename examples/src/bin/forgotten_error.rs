//! Shows `sim` finding the forgotten error, replaying it, and passing the corrected twin.

use sim_examples::{forgotten_error, show::show};

fn main() {
    show("forgotten error", forgotten_error::broken, forgotten_error::corrected);
}
