//! Shows `sim` finding the bug of `redis_lock`, replaying it, and passing the corrected twin.

use sim_clients::redis_lock;
use sim_examples::show::show;

fn main() {
    show("redis_lock", redis_lock::broken, redis_lock::corrected);
}
