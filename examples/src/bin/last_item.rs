//! Shows `sim` finding the item that is sold twice, replaying it, and passing the corrected twin.

use sim_examples::{last_item, show::show};

fn main() {
    show("last item", last_item::broken, last_item::corrected);
}
