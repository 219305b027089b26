//! What a wrong attribute or `select!` says: each file of `ui` fails to compile with its `.stderr`.

#[test]
fn mistakes_are_told_where_they_stand() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
