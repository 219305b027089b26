//! Shows `sim` finding the bug of the bank, replaying it, and passing the corrected twin.

use sim_examples::{bank, show::show};

fn main() {
    show("bank", bank::broken, bank::corrected);
}
