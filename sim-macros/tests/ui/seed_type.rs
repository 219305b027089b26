#[sim::test(seed = "many")]
async fn text() {}

fn main() {}
