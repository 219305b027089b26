//! Shows `sim` finding the bug of the throttle, replaying it, and passing the corrected twin.

use sim_examples::{show::show, throttle};

fn main() {
    show("throttle", throttle::broken, throttle::corrected);
}
