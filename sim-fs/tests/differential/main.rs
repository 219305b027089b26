//! Random sequences of operations run on a `Disk` and on a real folder: the same values, the same errors, the same tree.
//!
//! `cargo test -p sim-fs --test differential` runs a few hundred sequences. Twenty thousand:
//!
//! ```text
//! SIM_FS_SEQUENCES=20000 cargo test --release -p sim-fs --test differential
//! ```
//!
//! What only ext4 does so (the largest size, links of folders, where holes are) is compared if the temporary folder is
//! on ext4; all the rest on any file system of Linux.
#![cfg(target_os = "linux")]

mod act;
mod host;
mod model;

use act::{Act, act};
use host::Host;
use model::Model;
use proptest::{
    collection::vec,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

/// What both sides answer.
type Answer = Result<Value, i32>;

#[derive(Clone, PartialEq, Eq)]
enum Value {
    Done,
    Number(u64),
    Bytes(Vec<u8>),
    Stat { kind: u32, permissions: u32, links: Option<u64>, size: Option<u64> },
    Names(Vec<(Vec<u8>, u32)>),
}

fn sequences() -> u32 {
    std::env::var("SIM_FS_SEQUENCES").map_or(400, |count| {
        count.parse().unwrap_or_else(|_| panic!("SIM_FS_SEQUENCES: `{count}` is no number"))
    })
}

/// Whether what this asks is left to each file system: what was set aside is a hole, or data once it was read or its
/// neighbour was written.
fn is_vague(act: &Act, before: &[Act]) -> bool {
    matches!(act, Act::Seek { whence: 3.., .. })
        && before.iter().any(|act| matches!(act, Act::FAllocate { .. }))
}

/// The first answer that differs, and the trees at the end.
fn run(host: &mut Host, acts: &[Act]) -> Result<(), String> {
    host.start();
    let mut model = Model::new(host.is_root(), host.is_ext4());
    let mut outcome = Ok(());
    for (at, act) in acts.iter().enumerate() {
        if is_vague(act, &acts[..at]) {
            continue;
        }
        let (ours, real) = (model.run(act), host.run(act));
        if ours != real {
            outcome = Err(format!("{at}: {act:?}: the model says {ours:?}, Linux {real:?}"));
            break;
        }
    }
    if outcome.is_ok() {
        let (ours, real) = (model.tree(), host.tree());
        let differ = |path: &&Vec<u8>| ours.get(*path) != real.get(*path);
        if let Some(path) = ours.keys().chain(real.keys()).find(differ) {
            outcome = Err(format!(
                "{} at the end: the model has {:?}, Linux {:?}",
                path.escape_ascii(),
                ours.get(path),
                real.get(path)
            ));
        }
    }
    host.end();
    outcome
}

#[test]
fn random_sequences_do_the_same_as_on_linux() {
    let mut host = Host::new();
    let config = Config { cases: sequences(), failure_persistence: None, ..Config::default() };
    let seed = std::env::var("SIM_FS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1u8);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let act = act(host.is_ext4());
    let host = std::cell::RefCell::new(&mut host);
    let result = runner.run(&vec(act, 1..40), |acts| {
        run(&mut host.borrow_mut(), &acts).map_err(proptest::test_runner::TestCaseError::fail)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, acts)) => panic!("{reason}\nafter {acts:#?}"),
        Err(error) => panic!("{error}"),
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Done => f.write_str("done"),
            Value::Number(number) => write!(f, "{number}"),
            Value::Bytes(bytes) => {
                let shown = &bytes[..bytes.len().min(60)];
                write!(f, "{} bytes \"{}\"", bytes.len(), shown.escape_ascii())
            }
            Value::Stat { kind, permissions, links, size } => {
                write!(f, "{:o}, links {links:?}, size {size:?}", kind | permissions)
            }
            Value::Names(names) => {
                let names =
                    names.iter().map(|(name, kind)| (name.escape_ascii().to_string(), kind));
                f.debug_list().entries(names).finish()
            }
        }
    }
}
