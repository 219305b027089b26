async fn nothing() {
    sim::select! {}
}

fn main() {}
