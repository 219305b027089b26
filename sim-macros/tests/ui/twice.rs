#[sim::test(seeds = 1, seeds = 2)]
async fn undecided() {}

fn main() {}
