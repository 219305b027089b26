async fn half() {
    sim::select! {
        _ = async {}
    }
}

fn main() {}
