#[sim::test(current_thread)]
async fn bare() {}

fn main() {}
