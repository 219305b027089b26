#[sim::test(deny(leaked_tusk))]
async fn elephant() {}

fn main() {}
