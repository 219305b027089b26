//! Shows `sim` finding the bug of `retried_order`, replaying it, and passing the corrected twin.

use sim_clients::retried_order;
use sim_examples::show::show;

fn main() {
    show("retried_order", retried_order::broken, retried_order::corrected);
}
