fn main() {
    let name = String::from("made at run time");
    sim::assert_always!(true, &name);
}
