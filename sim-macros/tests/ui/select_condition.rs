async fn no_if() {
    sim::select! {
        _ = async {}, true => {}
    }
}

fn main() {}
