#[sim::test(seeds = 0)]
async fn nothing() {}

fn main() {}
