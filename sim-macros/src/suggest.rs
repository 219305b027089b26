//! "did you mean": the known name that is nearest to a wrong one.

/// ` (did you mean `x`?)` for a near miss, else nothing.
pub(crate) fn suggest(wrong: &str, known: &[&str]) -> String {
    match nearest(wrong, known) {
        Some(name) => format!(" (did you mean `{name}`?)"),
        None => String::new(),
    }
}

/// The known name that has the same letters but for a few, or that begins with the wrong one.
fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase().replace('-', "_");
    // A swap of neighbours, as in `ptc`, is two changes.
    let most = 2.max(wrong.len() / 3).min(wrong.len().saturating_sub(1));
    let near = known
        .iter()
        .copied()
        .min_by_key(|name| (distance(&wrong, name), name.len().abs_diff(wrong.len())));
    let begun = || known.iter().copied().find(|name| wrong.len() >= 3 && name.starts_with(&wrong));
    near.filter(|name| distance(&wrong, name) <= most).or_else(begun)
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

    fn check(wrong: &str, expected: Option<&str>) {
        let known = ["seeds", "seed", "strategy", "multi_thread", "pct"];
        assert_eq!(nearest(wrong, &known), expected, "{wrong}");
    }

    #[test]
    fn near_misses_are_suggested() {
        check("strategie", Some("strategy"));
        check("sedes", Some("seeds"));
        check("Seed", Some("seed"));
        check("ptc", Some("pct"));
        check("multi", Some("multi_thread"));
        check("multi-thread", Some("multi_thread"));
    }

    #[test]
    fn what_is_far_from_all_is_not() {
        check("banana", None);
        check("a", None);
        check("", None);
    }
}
