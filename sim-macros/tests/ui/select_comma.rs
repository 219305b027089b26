async fn run_together() {
    sim::select! {
        one = async { 1 } => one
        two = async { 2 } => two,
    };
}

fn main() {}
