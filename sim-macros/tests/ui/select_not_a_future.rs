async fn plain_value() {
    sim::select! {
        _ = 1 => {}
    }
}

fn main() {}
