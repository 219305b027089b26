//! Calls of libc that reach out of the simulation: the lint `escape`.
//!
//! Only those count that a task or thread of a checked run makes. Behind runtimes that were made outside of a
//! simulation real threads take part, and nothing is said; nor where `sim::outside` has been asked for.

use super::{NONE, World};
use crate::{
    backtrace::Backtrace,
    check::{FailureKind, Level},
};
use sim_sys::os::{Escape, Reach};
use std::path::Path;

/// Files that say what machine this is, and that others than the program under test read within its calls: std for the
/// number of processors, allocators for their settings, and whoever names the frames of a backtrace. They are the same
/// in every run.
const OF_THE_MACHINE: [&str; 9] = [
    "/proc/self/maps",
    "/proc/self/exe",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/proc/cpuinfo",
    "/proc/sys/",
    "/sys/",
    "/etc/localtime",
    "/usr/share/zoneinfo/",
];
const ENTROPY: [&str; 3] = ["/dev/urandom", "/dev/random", "/dev/hwrng"];

impl World {
    /// Whether a call may reach out. One that may not is reported, and the run ends.
    pub(super) fn judge_escape(&self, escape: &Escape<'_>) -> bool {
        let inside = self.running().slot != NONE && sim_sys::fiber::on_fiber();
        if !inside || self.ambient.get() || is_harmless(escape) {
            return true;
        }
        let level = self.limits.borrow().lints.level(FailureKind::Escape);
        if level == Level::Allow {
            return true;
        }
        if self.is_stopping() {
            self.step_at_end();
            return level == Level::Warn;
        }
        let backtrace = Backtrace::here();
        let (what, instead) = told(escape);
        let by = backtrace.called.as_ref().map(|called| format!(", by {called}"));
        let message = format!(
            "{} reaches out of the simulation: it {what} ({}{}), which no seed reproduces{backtrace}\n  instead: {instead}; \
             or `sim::outside(|| ..)` around the call, or `allow(escape)`, lets it go on to the machine",
            self.task_and_site(self.running().number),
            escape.call,
            by.unwrap_or_default(),
        );
        let key = format!("escape {} {:?}", escape.call, backtrace.place());
        !self.lint_once(FailureKind::Escape, key, message, Some(self.running().number))
    }

    /// The run is over, but a poll is brought to its end: it must not go on for ever.
    pub(super) fn step_at_end(&self) {
        if let Some(world) = self.this() {
            world.point(None);
        }
    }
}

fn is_harmless(escape: &Escape<'_>) -> bool {
    let path = escape.operand;
    match escape.reach {
        Reach::Write => path == "/dev/null",
        Reach::Read => {
            path == "/dev/null"
                || OF_THE_MACHINE.iter().any(|known| path.starts_with(known))
                || is_code(Path::new(path))
        }
        _ => false,
    }
}

/// Whether it is read to name the frames of a backtrace: the program, its libraries, and what describes them.
fn is_code(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let described = ["so", "debug", "dwp", "dwo"];
    name.contains(".so.")
        || path.extension().is_some_and(|end| described.iter().any(|known| end == *known))
        || path.starts_with("/usr/lib/debug")
        || std::env::current_exe().is_ok_and(|program| program == path)
}

/// What a call does, and what to do in its place.
fn told(escape: &Escape<'_>) -> (String, &'static str) {
    let Escape { call, reach, operand } = *escape;
    match reach {
        Reach::Thread => (
            "starts a thread of the machine".into(),
            "`sim::std::thread::spawn` or `sim::task::spawn_blocking`, whose threads the schedule decides over",
        ),
        Reach::Process => (
            match operand {
                "" => "starts a process".into(),
                program => format!("starts the process {program:?}"),
            },
            "a task that plays the process's part",
        ),
        Reach::Socket => {
            let what = match call {
                "bind" => format!("binds a socket to {operand}"),
                "connect" => format!("connects a socket to {operand}"),
                "sendto" => format!("sends to {operand}"),
                _ => "makes a pair of sockets".into(),
            };
            (what, "`sim::io::duplex`, which is a connection in memory")
        }
        Reach::Name => {
            (format!("looks up the host {operand:?}"), "an address that is written down")
        }
        Reach::Reactor => (
            "makes what another runtime waits for sockets with".into(),
            "the runtime that the test runs on, by way of `use sim as tokio`",
        ),
        Reach::Read if ENTROPY.contains(&operand) => (
            format!("reads the machine's entropy from {operand:?}"),
            "getrandom(2), rand or `sim::rand::rng`, whose bytes come from the seed",
        ),
        Reach::Read => {
            let what = if call == "opendir" { "lists the folder" } else { "reads the file" };
            (format!("{what} {operand:?}"), "read it before the test begins, or `include_bytes!`")
        }
        Reach::Write => {
            let what = match call {
                "mkdir" | "mkdirat" => "makes the folder",
                "unlink" | "unlinkat" | "remove" | "rmdir" => "removes",
                "rename" | "renameat" | "renameat2" => "renames",
                "link" | "linkat" | "symlink" | "symlinkat" => "links",
                "chmod" | "chown" | "utimensat" => "changes what is said of",
                _ => "writes the file",
            };
            (format!("{what} {operand:?}"), "keep it in memory, and look at it there")
        }
    }
}
