//! A program that states properties, of which no test comes to all.

/// Takes a request, and says so.
pub fn serve(request: u32) {
    sim::assert_reachable!("a request is served");
    sim::assert_sometimes!(request > 100, "a large request");
}

/// Nobody calls it.
pub fn recover<T>(_: T) {
    sim::assert_always!(true, "recovery is complete");
}
