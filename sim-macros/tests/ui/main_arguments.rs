#[sim::main]
async fn main(words: Vec<String>) {}
