#[sim::test(sedes = 10)]
async fn misspelt() {}

fn main() {}
