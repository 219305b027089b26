#[sim::test(strategy = "luck")]
async fn lucky() {}

fn main() {}
