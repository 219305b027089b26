//! The lint `escape`: calls of libc that reach out of the simulation, with what they are about and where they are made.

#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use sim::{Config, Failure, FailureKind, Level, Outcome, Report};
use std::{
    fs,
    future::Future,
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::{UnixListener, UnixStream},
    panic::Location,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
};

/// A path in the folder for what tests write; nothing is there.
fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("escapes-{name}"));
    let _ = fs::remove_file(&path);
    let _ = fs::remove_dir_all(&path);
    path
}

/// A check that is to find the escape; its failure.
fn escapes<F, Fut>(test: F) -> Failure
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(Config::new().seeds(20), test);
    let text = report.to_string();
    let failure = report.failure.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(failure.kind, FailureKind::Escape, "{failure}");
    assert_eq!(report.runs, 1, "the first run finds it: {text}");
    assert!(text.lines().last().unwrap().starts_with("run it again: "), "{text}");
    failure
}

/// Checks that calling `f` in a task is told with these words, and with its own place as the innermost.
#[track_caller]
fn check(words: &[&str], f: fn()) -> Failure {
    let failure = escapes(|| async { sim::spawn(async move { f() }).await.unwrap() });
    for word in words {
        assert!(failure.message.contains(word), "{word:?} is not in {failure}");
    }
    let first = failure.message.lines().nth(1).unwrap();
    let (file, line) = (Location::caller().file(), Location::caller().line());
    // The closure stands in the call, or in one of the lines below.
    let is_here = |line| first.starts_with(&format!("    at {file}:{line}:"));
    assert!((line..line + 6).any(is_here), "line {line} is not where {failure}");
    assert!(
        failure.message.starts_with("task main/0, spawned at tests/tests/escapes.rs:"),
        "{failure}"
    );
    assert_eq!(failure.task.as_deref(), Some("main/0"));
    failure
}

fn passes(config: Config, test: impl AsyncFn() + Sync) -> Report
where
{
    let report = sim::check(config, || test());
    assert!(report.failure.is_none(), "{report}");
    report
}

// --- threads and processes

#[test]
fn a_thread() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    check(
        &["starts a thread of the machine (pthread_create", "instead: `sim::std::thread::spawn`"],
        || drop(thread::Builder::new().spawn(|| RAN.fetch_add(1, SeqCst))),
    );
    assert_eq!(RAN.load(SeqCst), 0);
}

#[test]
fn a_thread_whose_starter_does_not_expect_an_error() {
    let failure = escapes(|| async { thread::spawn(|| ()).join().unwrap() });
    assert!(failure.message.contains("(pthread_create, by "), "{failure}");
}

#[test]
fn processes() {
    check(&["starts the process \"true\" (posix_spawnp"], || {
        assert!(Command::new("true").status().is_err())
    });
}

// --- sockets

#[test]
fn sockets_with_their_addresses() {
    check(&["binds a socket to 127.0.0.1:0 (bind"], || drop(TcpListener::bind("127.0.0.1:0")));
    check(&["binds a socket to [::1]:0 (bind"], || drop(UdpSocket::bind("[::1]:0")));
    check(&["connects a socket to 127.0.0.1:9 (connect"], || {
        drop(TcpStream::connect("127.0.0.1:9"))
    });
    check(&["connects a socket to /nowhere/at-all (connect"], || {
        drop(UnixStream::connect("/nowhere/at-all"))
    });
    check(&["makes a pair of sockets (socketpair"], || drop(UnixStream::pair()));
    check(&["looks up the host \"sim.invalid\" (getaddrinfo"], || {
        drop(TcpStream::connect("sim.invalid:80"))
    });
}

#[test]
fn a_socket_of_unix_leaves_no_file() {
    let path = path("socket");
    let failure = escapes(|| async { drop(UnixListener::bind(&path)) });
    assert!(failure.message.contains(path.to_str().unwrap()), "{failure}");
    assert!(!path.exists());
}

#[test]
fn another_runtime() {
    let failure = escapes(|| async {
        drop(real_tokio::runtime::Builder::new_multi_thread().worker_threads(1).build());
    });
    assert!(failure.message.contains("starts a thread of the machine"), "{failure}");
}

// --- files

#[test]
fn files_that_are_written() {
    let path = path("written");
    let failure = escapes(|| async { fs::write(&path, "x") });
    assert!(
        failure.message.contains(&format!("writes the file {path:?} (open64, by std::fs::write")),
        "{failure}"
    );
    assert!(!path.exists(), "it was not done");
    check(&["writes the file \"a\""], || drop(fs::OpenOptions::new().append(true).open("a")));
    check(&["makes the folder \"a\" (mkdir"], || drop(fs::create_dir("a")));
    check(&["removes \"a\" (unlink"], || drop(fs::remove_file("a")));
    check(&["removes \"a\" (rmdir"], || drop(fs::remove_dir("a")));
    check(&["renames \"a -> b\" (rename"], || drop(fs::rename("a", "b")));
    check(&["links \"a -> b\" (link"], || drop(fs::hard_link("a", "b")));
}

#[test]
fn files_that_are_read() {
    let said = check(
        &[
            "reads the file \"Cargo.toml\" (open64",
            "`sim::outside(|| ..)` around the call, or `allow(escape)`",
        ],
        || drop(fs::read("Cargo.toml")),
    );
    assert!(said.message.contains("in escapes::files_that_are_read::{{closure}}"), "{said}");
    check(&["lists the folder \".\" (opendir"], || drop(fs::read_dir(".")));
}

#[test]
fn entropy_of_the_machine() {
    check(&["reads the machine's entropy from \"/dev/urandom\"", "come from the seed"], || {
        drop(fs::File::open("/dev/urandom"))
    });
}

#[test]
fn the_caller_gets_an_error() {
    let error = |error: std::io::Error| error.kind();
    static SEEN: std::sync::Mutex<Vec<ErrorKind>> = std::sync::Mutex::new(Vec::new());
    escapes(|| async {
        let seen = [
            fs::read("Cargo.toml").map_err(error).unwrap_err(),
            TcpListener::bind("127.0.0.1:0").map_err(error).unwrap_err(),
            thread::Builder::new().spawn(|| ()).map_err(error).unwrap_err(),
        ];
        SEEN.lock().unwrap().extend(seen);
    });
    let refused = [ErrorKind::PermissionDenied, ErrorKind::PermissionDenied, ErrorKind::WouldBlock];
    assert!(SEEN.lock().unwrap().starts_with(&refused));
}

#[test]
fn who_tries_for_ever_is_ended() {
    let config = Config::new().max_steps(20_000);
    let report = sim::check(config, || async { while fs::read("Cargo.toml").is_err() {} });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Escape);
}

#[test]
fn a_thread_of_the_simulation_is_inside_too() {
    let failure = escapes(|| async {
        let thread = sim::std::thread::spawn(|| drop(fs::read("Cargo.toml")));
        thread.join().unwrap();
    });
    assert_eq!(failure.task.as_deref(), Some("main/0"));
}

// --- levels

#[test]
fn what_is_allowed_goes_on_to_the_machine() {
    let path = path("allowed");
    let report = passes(Config::new().seeds(3).lint("escape", Level::Allow), async || {
        fs::write(&path, "x").unwrap();
        assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
    });
    assert!(report.warnings.is_empty(), "{report}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "x");
}

#[test]
fn a_warning_is_told_once_for_each_place() {
    let report = passes(Config::new().seeds(20).lint("escape", Level::Warn), async || {
        for _ in 0..3 {
            assert!(fs::read("Cargo.toml").is_ok());
        }
        assert!(fs::read("Cargo.toml").is_ok());
    });
    assert_eq!(report.warnings.len(), 2, "{report}");
}

#[test]
fn outside_is_the_machine() {
    let path = path("outside");
    let report = passes(Config::new().seeds(20), async || {
        let text = sim::outside(|| {
            fs::File::create(&path).unwrap().write_all(b"text").unwrap();
            let (mut here, mut there) = UnixStream::pair().unwrap();
            let thread = thread::spawn(move || there.write_all(b"text").unwrap());
            thread.join().unwrap();
            let mut text = String::new();
            here.read_to_string(&mut text).unwrap();
            assert!(Command::new("true").status().unwrap().success());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            text
        });
        assert_eq!(text, "text");
        sim::task::yield_now().await;
    });
    assert!(report.warnings.is_empty(), "{report}");
}

#[test]
fn outside_ends_with_its_call_also_by_a_panic() {
    let failure = escapes(|| async {
        let result = std::panic::catch_unwind(|| sim::outside(|| panic!("outside")));
        assert!(result.is_err());
        drop(fs::read("Cargo.toml"));
    });
    assert!(failure.message.contains("reads the file"), "{failure}");
}

#[test]
fn entropy_comes_from_the_seed_outside_too() {
    let drawn = std::sync::Mutex::new(Vec::new());
    for _ in 0..2 {
        passes(Config::new().only_seed(7).seeds(1), async || {
            let key = sim::outside(uuid::Uuid::new_v4);
            drawn.lock().unwrap().push(key);
        });
    }
    let drawn = drawn.into_inner().unwrap();
    assert!(drawn.windows(2).all(|pair| pair[0] == pair[1]), "{drawn:?}");
}

// --- what is no escape

#[test]
fn the_machinery_of_std_is_silent() {
    let report = passes(Config::new().seeds(200), async || {
        println!("standard streams are no files");
        let backtrace = std::backtrace::Backtrace::force_capture();
        assert!(backtrace.to_string().contains("the_machinery_of_std_is_silent"));
        assert!(thread::available_parallelism().is_ok());
        assert!(std::env::current_dir().is_ok() && std::env::current_exe().is_ok());
        drop(fs::File::options().write(true).open("/dev/null").unwrap());
        let map = std::collections::HashMap::from([(1, 2)]);
        assert_eq!(map[&1], 2);
        let caught = std::panic::catch_unwind(|| panic!("caught"));
        assert!(caught.is_err());
    });
    assert!(report.warnings.is_empty(), "{report}");
}

#[test]
fn what_is_before_and_after_a_run_is_not_inside() {
    let before = fs::read("Cargo.toml").unwrap();
    let report = sim::check(Config::new().seeds(3), || {
        // The future is made within the run, but this was read before.
        let length = before.len();
        async move { assert!(length > 0) }
    });
    assert!(report.failure.is_none(), "{report}");
    let runtime = sim::runtime::Runtime::new().unwrap();
    // Real threads take part behind a runtime that is made outside of a simulation.
    let sum = runtime.block_on(async {
        thread::spawn(|| 3).join().unwrap() + fs::read("Cargo.toml").unwrap().len()
    });
    assert_eq!(sum, 3 + before.len());
}

#[test]
fn the_report_is_the_same_each_time() {
    let run = || escapes(|| async { drop(fs::read("Cargo.toml")) }).message;
    assert_eq!(run(), run());
}
