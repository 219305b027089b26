//! Calls that reach out: the hooks of the thread are asked, and what they do not let out is not done.

#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use sim_sys::os::{self, Escape, FutexWait, Hooks};
use std::{
    cell::RefCell,
    fmt::Debug,
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::{self, ErrorKind::PermissionDenied, ErrorKind::WouldBlock},
    net::{TcpStream, UdpSocket},
    os::unix::{fs::symlink, net::UnixDatagram},
    panic::catch_unwind,
    path::Path,
    process::Command,
    rc::Rc,
    sync::atomic::AtomicU32,
    thread,
    time::SystemTime,
};

/// A gate that is open or shut, and a list of what came to it; its clock stands still, its entropy is all zeros.
struct Gate {
    open: bool,
    asked: RefCell<Vec<String>>,
}

impl Hooks for Gate {
    fn monotonic_ns(&self) -> u64 {
        0
    }
    fn realtime_ns(&self) -> u64 {
        0
    }
    fn entropy(&self, _: &mut [u8]) {}
    fn sleep(&self, _: u64) {}
    fn yield_thread(&self) {}
    fn futex_wait(&self, _: &AtomicU32, _: u32, _: Option<u64>) -> FutexWait {
        FutexWait::Woken
    }
    fn futex_wake(&self, _: usize, _: u32) -> u32 {
        0
    }
    fn abort(&self) {}
    fn lets_out(&self, escape: &Escape<'_>) -> bool {
        let Escape { call, reach, operand } = escape;
        self.asked.borrow_mut().push(format!("{reach:?} {call} {operand}").trim_end().to_string());
        self.open
    }
}

/// Runs `f` on a thread of its own behind the gate; gives what it gave and what was asked.
fn behind<R: Send + 'static>(
    open: bool,
    f: impl FnOnce() -> R + Send + 'static,
) -> (R, Vec<String>) {
    let run = move || {
        os::link();
        let gate = Rc::new(Gate { open, asked: RefCell::default() });
        os::install(Some(gate.clone()));
        let result = f();
        os::install(None);
        (result, gate.asked.take())
    };
    thread::spawn(run).join().unwrap()
}

fn wall_stands_still() -> bool {
    SystemTime::now() == SystemTime::UNIX_EPOCH
}

#[test]
fn calls_of_std_that_may_not_reach_out() {
    fn check<R: Debug>(
        told: &str,
        error: io::ErrorKind,
        f: impl FnOnce() -> io::Result<R> + Send + 'static,
    ) {
        let (kind, asked) = behind(false, move || f().expect_err("nothing gets out").kind());
        assert_eq!((asked, kind), (vec![told.to_string()], error));
    }
    check("Thread pthread_create", WouldBlock, || thread::Builder::new().spawn(|| ()));
    check("Process posix_spawnp true", PermissionDenied, || Command::new("true").status());
    check("Read open64 Cargo.toml", PermissionDenied, || fs::read("Cargo.toml"));
    check("Write open64 a", PermissionDenied, || fs::write("a", "x"));
    check("Write open64 a", PermissionDenied, || File::options().append(true).open("a"));
    check("Read opendir .", PermissionDenied, || fs::read_dir("."));
    check("Write mkdir a", PermissionDenied, || fs::create_dir("a"));
    check("Write unlink a", PermissionDenied, || fs::remove_file("a"));
    check("Write rmdir a", PermissionDenied, || fs::remove_dir("a"));
    check("Write rename a -> b", PermissionDenied, || fs::rename("a", "b"));
    check("Write symlink b -> a", PermissionDenied, || symlink("a", "b"));
    check("Socket bind [::1]:7", PermissionDenied, || UdpSocket::bind("[::1]:7"));
    check("Socket connect 127.0.0.1:9", PermissionDenied, || TcpStream::connect("127.0.0.1:9"));
    check("Socket bind a socket", PermissionDenied, || UnixDatagram::bind("a socket"));
    assert!(!Path::new("a").exists() && !Path::new("a socket").exists());
}

#[test]
fn calls_that_std_does_not_make() {
    let ((), asked) = behind(false, || {
        let (path, read, write) = (c"a".as_ptr(), c"rb".as_ptr(), c"r+".as_ptr());
        // SAFETY: the strings end with a zero, and a child, if there were one, would end at once.
        unsafe {
            if libc::fork() == 0 {
                libc::_exit(0);
            }
            assert_eq!(libc::open(path, libc::O_RDONLY), -1);
            let flags = libc::O_CREAT | libc::O_RDONLY;
            assert_eq!(libc::openat(libc::AT_FDCWD, path, flags, 0o600), -1);
            assert_eq!(libc::creat(path, 0o600), -1);
            assert!(libc::fopen(path, read).is_null());
            assert!(libc::fopen(path, write).is_null());
            assert_eq!(libc::epoll_create1(0), -1);
            assert_eq!(libc::system(path), -1);
        }
    });
    let expected = [
        "Process fork",
        "Read open a",
        "Write openat a",
        "Write creat a",
        "Read fopen a",
        "Write fopen a",
        "Reactor epoll_create1",
        "Process system a",
    ];
    assert_eq!(asked, expected);
    assert!(!Path::new("a").exists());
}

#[test]
fn a_peer_is_asked_about_where_it_is_named() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    socket.connect(address).unwrap();
    let (error, asked) = behind(false, move || {
        assert_eq!(socket.send(b"x").unwrap(), 1);
        socket.send_to(b"x", address).unwrap_err().kind()
    });
    assert_eq!((error, asked), (PermissionDenied, vec![format!("Socket sendto {address}")]));
}

#[test]
fn what_may_reach_out_is_done() {
    let (length, asked) = behind(true, || fs::read("Cargo.toml").unwrap().len());
    assert_eq!(asked, ["Read open64 Cargo.toml"]);
    assert_eq!(length, fs::read("Cargo.toml").unwrap().len());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reached");
    behind(true, {
        let path = path.clone();
        move || fs::write(path, "x").unwrap()
    });
    assert_eq!(fs::read(&path).unwrap(), b"x");
    // The mode goes on too, although C declares it as one of any arguments.
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    fs::remove_file(&path).unwrap();
    File::options().write(true).create_new(true).mode(0o400).open(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
}

#[test]
fn outside_is_as_without_hooks_but_for_entropy() {
    fn key() -> u64 {
        RandomState::new().hash_one("key")
    }
    let (key_outside, asked) = behind(false, || {
        let key = os::outside(|| {
            assert!(!wall_stands_still());
            thread::yield_now();
            assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
            assert!(fs::read("Cargo.toml").is_ok());
            key()
        });
        assert!(os::drew_entropy() && wall_stands_still());
        assert!(catch_unwind(|| os::outside(|| panic!("outside"))).is_err());
        assert!(wall_stands_still());
        key
    });
    assert!(asked.is_empty(), "{asked:?}");
    assert_eq!(key_outside, behind(false, key).0);
}
