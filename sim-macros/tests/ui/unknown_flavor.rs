#[sim::test(flavor = "multi")]
async fn flavour() {}

fn main() {}
