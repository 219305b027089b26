//! Places in a test's own source that reports have to name: a mark is a comment at the end of a line, and `{mark}` in an
//! expectation stands for the file and the line of that mark.

/// An expectation with its marks replaced by places in `file`, whose text is `source`.
///
/// # Panics
///
/// Panics if there is not one line with such a mark.
#[must_use]
pub fn with_places(file: &str, source: &str, expected: &str) -> String {
    let place = |mark: &str| {
        let comment = format!("// {mark}");
        let lines = source.lines().enumerate().filter(|line| line.1.ends_with(&comment));
        let found: Vec<usize> = lines.map(|line| line.0 + 1).collect();
        assert_eq!(found.len(), 1, "{mark}: {found:?}");
        format!("{file}:{}", found[0])
    };
    let mut text = String::new();
    let mut rest = expected;
    while let Some((before, after)) = rest.split_once('{') {
        let (mark, after) = after.split_once('}').expect("a mark ends");
        text += before;
        text += &place(mark);
        rest = after;
    }
    text + rest
}
