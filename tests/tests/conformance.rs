//! Sockets of `sim` do what those of Linux do, case by case.

#![cfg(target_os = "linux")]

#[macro_use]
#[path = "../conformance/mod.rs"]
mod conformance;

#[test]
fn sockets_do_what_linux_does() {
    let rows = conformance::rows();
    let different: Vec<String> =
        rows.iter().filter(|row| !row.agrees()).map(ToString::to_string).collect();
    assert!(different.is_empty(), "{} cases differ\n{}", different.len(), different.join("\n"));
    let listed = include_str!("../../docs/conformance.md");
    let listed: Vec<&str> = listed.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let now: Vec<String> =
        rows.iter().map(|row| format!("| {} | {} | yes |", row.group, row.title())).collect();
    let is_current = listed.len() == now.len()
        && listed.iter().zip(&now).all(|(line, row)| line.starts_with(row.as_str()));
    assert!(
        is_current,
        "docs/conformance.md has other cases; its second paragraph says how it is made"
    );
}
