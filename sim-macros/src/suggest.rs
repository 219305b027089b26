//! "did you mean": the known name that is nearest to a wrong one.

/// ` (did you mean `x`?)` for a near miss, else nothing.
pub(crate) fn suggest(wrong: &str, known: &[&str]) -> String {
    let nearest = known.iter().min_by_key(|name| distance(wrong, name));
    match nearest {
        Some(name) if distance(wrong, name) <= 2.max(wrong.len() / 3) => {
            format!(" (did you mean `{name}`?)")
        }
        _ => String::new(),
    }
}

/// Levenshtein's distance: how many letters have to be changed, added or taken away.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_suggested() {
        let known = ["seed", "seeds", "strategy"];
        assert_eq!(suggest("strategie", &known), " (did you mean `strategy`?)");
        assert_eq!(suggest("banana", &known), "");
    }
}
