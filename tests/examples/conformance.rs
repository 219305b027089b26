//! Writes what programs see of sockets, on Linux and in a simulation, as a table in Markdown. Rows that differ are told
//! line by line beside it.
//!
//! ```text
//! cargo run -p sim-tests --example conformance > docs/conformance.md
//! ```

#[macro_use]
#[path = "../conformance/mod.rs"]
mod conformance;

use conformance::{Row, rows};

fn main() {
    let rows = rows();
    let agree = rows.iter().filter(|row| row.agrees()).count();
    print!("{}", head(rows.len(), agree));
    for row in &rows {
        println!("{}", line(row));
    }
    for row in rows.iter().filter(|row| !row.agrees()) {
        eprintln!("{row}");
    }
}

fn head(all: usize, agree: usize) -> String {
    format!(
        "# Sockets, beside those of Linux\n\n\
         Each case is compiled twice, for tokio on Linux's sockets and for `sim`, and notes what it sees: values, kinds and \
         numbers\nof errors, ends of streams. Of {all} cases {agree} are equal, line by line; those of `sim` under 20 seeds \
         each.\n\nMade by `cargo run -p sim-tests --example conformance > docs/conformance.md`, from the files of\n\
         `tests/conformance`. A test runs them all (`cargo test -p sim-tests --test conformance`, on a Linux with IPv6).\n\n\
         What cases do not compare: times, which ports were free, sizes of buffers that nobody set (they are the machine's \
         settings),\nwhat needs rights, and paths whose folders are not there.\n\n\
         | group | case | equal | seen on Linux |\n|---|---|---|---|\n"
    )
}

fn line(row: &Row) -> String {
    let equal = if row.agrees() { "yes" } else { "no" };
    let seen = row.linux.0.join("; ").replace('|', "\\|");
    format!("| {} | {} | {equal} | {seen} |", row.group, row.title())
}
