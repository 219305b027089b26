#[sim::main]
async fn main() -> Result<(), String> {
    if std::env::args().count() > 5 {
        return Err("too many words".into());
    }
    Err(2)
}
