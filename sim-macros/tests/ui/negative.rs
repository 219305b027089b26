#[sim::test(seeds = -1)]
async fn below_zero() {}

fn main() {}
