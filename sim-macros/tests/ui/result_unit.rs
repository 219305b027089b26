#[sim::main]
async fn main() {
    std::env::args().count()
}
