//! Prints what programs see of sockets, on Linux and in a simulation, as a table in Markdown.
//!
//! ```text
//! cargo run -p sim-tests --example conformance            # docs/conformance.md
//! ```

#[macro_use]
#[path = "../conformance/mod.rs"]
mod conformance;

fn main() {
    let rows = conformance::rows();
    let agree = rows.iter().filter(|row| row.agrees()).count();
    println!("# Sockets, beside those of Linux\n");
    println!(
        "Each case is compiled twice, for tokio on Linux's sockets and for `sim`, and notes what it sees. Of {} cases\n{} \
         are equal. Made by `cargo run -p sim-tests --example conformance`.\n",
        rows.len(),
        agree
    );
    println!("| group | case | equal | seen on Linux |\n|---|---|---|---|");
    for row in &rows {
        let equal = if row.agrees() { "yes" } else { "no" };
        let seen = row.linux.0.join("; ").replace('|', "\\|");
        println!("| {} | {} | {equal} | {seen} |", row.group, row.name.replace('_', " "));
    }
    for row in rows.iter().filter(|row| !row.agrees()) {
        eprintln!("{row}");
    }
}
