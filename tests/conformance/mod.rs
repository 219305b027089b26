//! What programs see of sockets, compared with the real thing: each case is compiled twice, against tokio on the
//! sockets of this machine and against `sim`, and what it noted has to be equal line by line.
//!
//! A case notes values, kinds and numbers of errors, and ends of streams; nothing that depends on time or on
//! which ports were free.

#![expect(unreachable_pub, reason = "a module of a test and of an example, each of them a crate")]
#![expect(clippy::duplicate_mod, reason = "each file is compiled for both sides")]

use std::{fmt::Debug, future::Future, io, pin::Pin};

/// What a case has seen, a line each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(pub Vec<String>);

impl Notes {
    /// Notes a value.
    pub fn see(&mut self, what: &str, value: impl Debug) {
        self.0.push(format!("{what}: {value:?}"));
    }

    /// Notes a result: its value, or the error's kind and number; gives the value.
    pub fn result<T: Debug>(&mut self, what: &str, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.0.push(format!("{what}: Ok({value:?})"));
                Some(value)
            }
            Err(error) => {
                self.error(what, &error);
                None
            }
        }
    }

    /// As [`result`](Notes::result), of a value that cannot be compared.
    pub fn whether<T>(&mut self, what: &str, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => {
                self.0.push(format!("{what}: Ok"));
                Some(value)
            }
            Err(error) => {
                self.error(what, &error);
                None
            }
        }
    }

    fn error(&mut self, what: &str, error: &io::Error) {
        let number = error.raw_os_error();
        // tokio's own errors have a text that programs may match on; the system's text is its number's.
        match number {
            Some(number) => self.0.push(format!("{what}: Err({:?}, {number})", error.kind())),
            None => self.0.push(format!("{what}: Err({:?}, {error})", error.kind())),
        }
    }
}

/// A case, and how it runs.
pub struct Case {
    /// What it is about.
    pub name: &'static str,
    /// Runs it.
    pub run: fn() -> Pin<Box<dyn Future<Output = Notes> + Send>>,
}

macro_rules! cases {
    ($($(#[$doc:meta])* fn $name:ident($notes:ident) $body:block)*) => {
        /// All cases of this file.
        pub const CASES: &[$crate::conformance::Case] = &[$($crate::conformance::Case {
            name: stringify!($name),
            run: || Box::pin(async {
                let mut $notes = $crate::conformance::Notes::default();
                $body
                $notes
            }),
        }),*];
    };
}

/// The files of cases, and all of them on both sides.
macro_rules! groups {
    ($($group:ident)*) => {
        /// The sockets of this machine, by tokio.
        #[path = "."]
        mod real {
            use super::on_linux as rt;
            mod ends;
            $(pub mod $group;)*
        }

        /// Those of a simulation.
        #[path = "."]
        mod simulated {
            use super::in_simulation as rt;
            mod ends;
            $(pub mod $group;)*
        }

        /// The cases of each file: its name, those for Linux, those for a simulation.
        const GROUPS: &[(&str, &[Case], &[Case])] =
            &[$((stringify!($group), real::$group::CASES, simulated::$group::CASES)),*];
    };
}

groups! { tcp udp unix families options names polls halves copying }

/// What cases are written against, with tokio.
mod on_linux {
    pub use real_tokio::{io, join, net, spawn, task};
    use std::future::Future;

    /// Until what was sent over loopback has arrived, and what it brought about. A datagram to oneself goes behind it:
    /// the kernel may leave loopback's queue to a thread of its own. The reactor is asked at each turn.
    pub async fn settle() {
        let socket = net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let here = socket.local_addr().expect("it is bound");
        for _ in 0..8 {
            socket.send_to(b"behind", here).await.expect("there is room");
            socket.recv(&mut [0; 8]).await.expect("it arrives");
            for _ in 0..25 {
                task::yield_now().await;
            }
        }
    }

    /// What the future gives, if it does so without waiting for anything that does not come.
    pub async fn soon<F: Future>(future: F) -> Option<F::Output> {
        real_tokio::select! {
            biased;
            output = future => Some(output),
            () = settle() => None,
        }
    }

    /// A folder on the disk, which goes with this value.
    pub struct Folder(tempfile::TempDir);

    impl Folder {
        pub fn new() -> Folder {
            Folder(tempfile::tempdir().expect("a temporary folder"))
        }

        pub fn path(&self, name: &str) -> std::path::PathBuf {
            self.0.path().join(name)
        }
    }
}

/// What cases are written against, in a simulation.
mod in_simulation {
    pub use sim::{io, join, net, spawn, task};
    use std::{future::Future, time::Duration};

    /// Until what was sent over loopback has arrived, and what it brought about.
    pub async fn settle() {
        sim::time::sleep(Duration::from_millis(20)).await;
    }

    /// What the future gives, if it does so without waiting for anything that does not come.
    pub async fn soon<F: Future>(future: F) -> Option<F::Output> {
        sim::time::timeout(Duration::from_millis(20), future).await.ok()
    }

    /// A folder of the node.
    pub struct Folder;

    impl Folder {
        pub fn new() -> Folder {
            Folder
        }

        pub fn path(&self, name: &str) -> std::path::PathBuf {
            std::path::PathBuf::from("/tmp").join(name)
        }
    }
}

/// One case, and what both saw.
pub struct Row {
    /// The file that it is in.
    pub group: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What was seen on Linux.
    pub linux: Notes,
    /// What was seen in the simulation, or how that failed.
    pub sim: Result<Notes, String>,
}

impl Row {
    /// Its name, in words.
    pub fn title(&self) -> String {
        self.name.replace('_', " ")
    }

    /// Whether both saw the same.
    pub fn agrees(&self) -> bool {
        self.sim.as_ref() == Ok(&self.linux)
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} {}", self.group, self.name)?;
        match &self.sim {
            Err(failure) => writeln!(f, "  failed: {failure}"),
            Ok(sim) => {
                let lines = self.linux.0.len().max(sim.0.len());
                for line in 0..lines {
                    let side = |notes: &Notes| notes.0.get(line).cloned().unwrap_or_default();
                    let (linux, sim) = (side(&self.linux), side(sim));
                    if linux != sim {
                        writeln!(f, "  linux {linux}\n  sim   {sim}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// All cases, run on both.
pub fn rows() -> Vec<Row> {
    let machine = real_tokio::runtime::Builder::new_current_thread().enable_all().build();
    let machine = machine.expect("a runtime");
    let mut rows = Vec::new();
    for (group, real, simulated) in GROUPS {
        for (real, simulated) in real.iter().zip(*simulated) {
            let linux = machine.block_on((real.run)());
            rows.push(Row { group, name: real.name, linux, sim: simulate(simulated) });
        }
    }
    rows
}

/// What the case sees in a simulation: the same in all runs, or that is what failed.
fn simulate(case: &Case) -> Result<Notes, String> {
    let run = case.run;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
    let keep = seen.clone();
    let report = sim::check(sim::Config::new().seeds(20), move || {
        let keep = keep.clone();
        async move {
            let notes = run().await;
            let mut kept = keep.lock().expect("nobody panics with it");
            if let Some(former) = &*kept {
                assert_eq!(former, &notes, "it depends on the seed");
            }
            *kept = Some(notes);
        }
    });
    match report.failure {
        Some(failure) => Err(failure.to_string()),
        None => Ok(seen.lock().expect("nobody panics with it").take().expect("it ran")),
    }
}
