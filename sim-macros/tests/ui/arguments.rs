#[sim::test]
async fn with_arguments(input: u32) {}

fn main() {}
