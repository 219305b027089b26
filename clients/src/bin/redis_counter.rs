//! Shows `sim` finding the bug of `redis_counter`, replaying it, and passing the corrected twin.

use sim_clients::redis_counter;
use sim_examples::show::show;

fn main() {
    show("redis_counter", redis_counter::broken, redis_counter::corrected);
}
