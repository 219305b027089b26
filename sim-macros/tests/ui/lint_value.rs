#[sim::test(allow = "all")]
async fn wrong_form() {}

fn main() {}
