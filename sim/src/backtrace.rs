//! Where the program under test is, as frames of its own: what a call of libc cannot tell by `#[track_caller]`.
//!
//! Only the addresses are taken on the fiber, whose stack may be small; their names are looked up on a thread of
//! the machine, once a process. Left out are the frames of std, of the runtime and of what drives it, so that the
//! text is the same whether `RUST_BACKTRACE` is set or not, and from whichever thread the run is driven. No
//! address reaches it.

use crate::context;
use std::{
    collections::BTreeMap,
    ffi::c_void,
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
};

/// Frames that are looked at, and those that are shown.
const DEPTH: usize = 256;
const SHOWN: usize = 12;

/// Crates whose frames are not the program's: std, the simulation and what it is made of.
const STD: [&str; 5] = ["std", "core", "alloc", "rustc_demangle", "backtrace"];
const OURS: [&str; 8] = [
    "sim",
    "sim_sys",
    "sim_choice",
    "sim_time",
    "sim_history",
    "corosensei",
    "tokio",
    "pin_project",
];

/// Functions below which there is nothing of the task: its poll, and the first of a fiber.
const ENDS: [&str; 3] = ["::poll_task", "context::poll_blocking", "sim_sys::fiber::call"];

/// A function that is on the stack.
#[derive(Clone)]
struct Frame {
    name: String,
    /// File, line and column, if the program has them.
    place: Option<String>,
    owner: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Program,
    Std,
    Ours,
    /// Nothing below is of the task.
    End,
}

/// The stack of the running task, as far as it is the program's.
#[derive(Clone)]
pub(crate) struct Backtrace {
    /// The function of std that the program called, if it did.
    pub(crate) called: Option<String>,
    frames: Vec<Frame>,
}

impl Backtrace {
    /// The stack of whoever calls.
    #[cold]
    pub(crate) fn here() -> Backtrace {
        context::outside(|| {
            let mut addresses = Vec::new();
            backtrace::trace(|frame| {
                addresses.push(frame.ip().addr());
                addresses.len() < DEPTH
            });
            Backtrace::of(&addresses)
        })
    }

    /// Of the addresses of calls, the innermost first.
    fn of(addresses: &[usize]) -> Backtrace {
        let mut called = None;
        let mut frames: Vec<Frame> = Vec::new();
        for frame in named(addresses) {
            match frame.owner {
                Owner::End => break,
                Owner::Program => frames.push(frame),
                Owner::Std if frames.is_empty() => called = Some(plain(&frame.name)),
                // The mirror of std.
                Owner::Ours if frames.is_empty() && frame.name.contains("sim::std::") => {
                    called = Some(plain(&frame.name));
                }
                Owner::Std | Owner::Ours => {}
            }
        }
        frames.truncate(SHOWN);
        Backtrace { called, frames }
    }

    /// The innermost frame, which tells calls apart.
    pub(crate) fn place(&self) -> Option<&str> {
        self.frames.first().map(|frame| frame.place.as_ref().unwrap_or(&frame.name).as_str())
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Frame { name, place, .. } in &self.frames {
            match place {
                Some(place) => write!(f, "\n    at {place}, in {name}")?,
                None => write!(f, "\n    in {name}")?,
            }
        }
        Ok(())
    }
}

/// The functions at these addresses, those that were inlined there too.
fn named(addresses: &[usize]) -> Vec<Frame> {
    static KNOWN: Mutex<BTreeMap<usize, Vec<Frame>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let new: Vec<usize> = {
        let known = known();
        addresses.iter().copied().filter(|address| !known.contains_key(address)).collect()
    };
    if !new.is_empty() {
        // Without a thread there are no names: no reason to fail.
        let names = thread::Builder::new().name("sim-names".into()).spawn(move || {
            new.into_iter().map(|address| (address, look_up(address))).collect::<Vec<_>>()
        });
        let names = names.ok().and_then(|thread| thread.join().ok()).unwrap_or_default();
        known().extend(names);
    }
    let known = known();
    let of = |address: &usize| known.get(address).cloned().unwrap_or_default();
    addresses.iter().flat_map(of).collect()
}

fn look_up(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(address as *mut c_void, |symbol| {
        // Without the hash of the compiler's.
        let name = symbol.name().map(|name| format!("{name:#}")).unwrap_or_default();
        let place =
            symbol.filename().zip(symbol.lineno()).map(|(file, line)| match symbol.colno() {
                Some(column) => format!("{}:{line}:{column}", shortened(file)),
                None => format!("{}:{line}", shortened(file)),
            });
        let owner = owner(&name, symbol.filename());
        frames.push(Frame { name, place, owner });
    });
    frames
}

fn owner(name: &str, file: Option<&Path>) -> Owner {
    let krate = krate(name);
    if krate.starts_with("sim") && ENDS.iter().any(|end| name.contains(end)) {
        return Owner::End;
    }
    if OURS.contains(&krate) {
        return Owner::Ours;
    }
    if STD.contains(&krate) || file.is_some_and(is_of_std) {
        return Owner::Std;
    }
    // What was inlined may have a name without its crate; what has neither crate nor file is C's.
    match (krate, file) {
        ("", None) => Owner::Std,
        ("", Some(file)) if is_ours(file) => Owner::Ours,
        _ => Owner::Program,
    }
}

/// Whether it is of std, as its builds name their files.
fn is_of_std(file: &Path) -> bool {
    file.starts_with("/rustc") || file.to_string_lossy().contains("/lib/rustlib/src/rust/")
}

fn is_ours(file: &Path) -> bool {
    const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let file = file.to_string_lossy();
    file.starts_with(HERE)
        || ["/sim-sys", "/backtrace-", "/corosensei-"].iter().any(|it| file.contains(it))
}

/// The crate of a function; of a method, that of its type.
fn krate(name: &str) -> &str {
    let mut rest = name;
    loop {
        let stripped = rest.trim_start_matches(['<', '&', '(', '[', '*', ' ']);
        let stripped = ["mut ", "dyn ", "const ", "impl "]
            .iter()
            .fold(stripped, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
        if stripped.len() == rest.len() {
            break;
        }
        rest = stripped;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if rest[end..].starts_with("::") { &rest[..end] } else { "" }
}

/// A function's name as it is written in the source: without generic arguments, and a method by its type.
fn plain(name: &str) -> String {
    let mut text = String::new();
    let mut depth = 0_u32;
    // The type of a method stands in the brackets at the start, maybe with a trait.
    let typed = name.starts_with('<');
    let mut at_type = typed;
    let mut last = ' ';
    for letter in name.chars() {
        match letter {
            '<' => depth += 1,
            // Not that of an arrow.
            '>' if last != '-' => {
                depth = depth.saturating_sub(1);
                at_type &= depth > 0;
            }
            ' ' if typed && depth == 1 && text.ends_with(|c: char| c.is_alphanumeric()) => {
                at_type = false
            }
            _ if depth == 0 || depth == 1 && at_type => text.push(letter),
            _ => {}
        }
        last = letter;
    }
    text.replace("::::", "::").trim_end_matches(':').to_string()
}

/// A path as it is written in the workspace, or from the name of its package on.
fn shortened(file: &Path) -> String {
    static ROOT: OnceLock<Option<PathBuf>> = OnceLock::new();
    // Tests run in the folder of their package, and places in the source start at the workspace's.
    let root = ROOT.get_or_init(|| {
        let here = std::env::current_dir().ok()?;
        let root = here.ancestors().filter(|folder| folder.join("Cargo.lock").exists()).last()?;
        Some(root.to_path_buf())
    });
    let inside = root.as_ref().and_then(|root| file.strip_prefix(root).ok());
    let text = inside.unwrap_or(file).to_string_lossy();
    // Of cargo's sources: registry/src/<index>/<package>.
    match text.split_once("/registry/src/").and_then(|(_, rest)| rest.split_once('/')) {
        Some((_, package)) => package.to_string(),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_a_function_is() {
        let check = |name, expected| assert_eq!(krate(name), expected, "{name}");
        check("app::server::run::{{closure}}", "app");
        check("<app::Server as core::ops::Drop>::drop", "app");
        check("<&mut app::Server as core::future::Future>::poll", "app");
        check("<core::pin::Pin<P> as core::future::future::Future>::poll", "core");
        check("<&dyn std::io::Write>::write", "std");
        check("open64", "");
        check("<T as app::Trait>::call", "");
    }

    #[test]
    fn names_without_generic_arguments() {
        let check = |name, expected| assert_eq!(plain(name), expected, "{name}");
        check("std::fs::write::<&str, &[u8]>", "std::fs::write");
        check("connect<&str>", "connect");
        check("<std::process::Command>::status", "std::process::Command::status");
        check("<std::sync::Mutex<fn() -> u8>>::lock", "std::sync::Mutex::lock");
        check("<std::fs::File as std::io::Read>::read", "std::fs::File::read");
        check("std::thread::sleep", "std::thread::sleep");
    }
}
