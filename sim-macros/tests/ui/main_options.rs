#[sim::main(seeds = 5)]
async fn main() {}
