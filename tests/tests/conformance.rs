//! Sockets of `sim` do what those of Linux do, case by case.

#[macro_use]
#[path = "../conformance/mod.rs"]
mod conformance;

#[test]
fn sockets_do_what_linux_does() {
    let different: Vec<String> =
        conformance::rows().iter().filter(|row| !row.agrees()).map(ToString::to_string).collect();
    assert!(different.is_empty(), "{} cases differ\n{}", different.len(), different.join("\n"));
}
