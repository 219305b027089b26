fn main() {
    sim::assert_reachable!();
    sim::assert_reachable!("with details", "{}", 1);
}
