//! The list of the ported programs, as a page in Markdown.

use super::{PORTED, ported};
use std::fmt::Write;

const HEAD: &str = "\
# Ported bugs

Small concurrency bugs of benchmarks, papers and issue trackers, each ported in words and code of our own to
`tests/bugs/`. `cargo run --release -p sim-tests --example table` prints how many runs each strategy takes to find
each; `cargo test -p sim-tests --test ported_bugs` checks that each is found and fails as it should, and that each
correction passes.

*Preemptions* is the least number of times that a running task or thread has to be interrupted where it could have
gone on. A bug that needs none is a matter of the order in which tasks start or wake; one that needs some needs a switch
within a poll, which a simulation that switches only at a pending await does not make. *Cancels* marks those that need
a task or future to be cancelled, *twin* those whose correction is there too.

This page is written by `cargo run -p sim-tests --example table -- --page > docs/bugs.md`, and checked by a test.
";

/// The page: what `docs/bugs.md` holds.
pub fn page() -> String {
    let mut page = String::from(HEAD);
    let (all, twins) = (ported().count(), ported().filter(|bug| bug.fixed.is_some()).count());
    let missed = ported().filter(|bug| bug.missed().is_some()).count();
    let _ = writeln!(
        page,
        "\n{all} programs, {twins} twins; {missed} are missed by the default strategy, always or at times."
    );
    for family in PORTED {
        let _ = writeln!(page, "\n## {}\n", family[0].family);
        page.push_str("| program | source | class | preemptions | cancels | failure | twin |\n");
        page.push_str("|---|---|---|--:|---|---|---|\n");
        for bug in *family {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} | {:?} | {} |",
                bug.name,
                bug.source,
                bug.class,
                bug.preemptions,
                yes(bug.cancellation),
                bug.kind,
                yes(bug.fixed.is_some()),
            );
        }
    }
    page.push_str("\n## Missed\n\n| program | why |\n|---|---|\n");
    for bug in ported() {
        if let Some(reason) = bug.missed() {
            let _ = writeln!(page, "| `{}` | {reason} |", bug.name);
        }
    }
    page
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "" }
}
