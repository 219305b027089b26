//! Shows `sim` finding the bug of the philosophers, replaying it, and passing the corrected twin.

use sim_examples::{philosophers, show::show};

fn main() {
    show("philosophers", philosophers::broken, philosophers::corrected);
}
