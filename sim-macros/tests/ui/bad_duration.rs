#[sim::test(time_limit = "1 hour")]
async fn long() {}

fn main() {}
