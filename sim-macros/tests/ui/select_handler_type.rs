async fn two_types() -> u32 {
    sim::select! {
        one = async { 1_u32 } => one,
        two = async { "two" } => two,
    }
}

fn main() {}
