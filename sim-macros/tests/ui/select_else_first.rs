async fn order() {
    sim::select! {
        else => {}
        _ = async {} => {}
    }
}

fn main() {}
