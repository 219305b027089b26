//! Panics and errors of tasks that nobody looks at. asyncio says of them that an exception was never retrieved.

use super::programs;
use sim as tokio;
use sim::Level;
use sim::std::thread;
use std::io;
use tokio::{
    join, select, spawn,
    sync::oneshot,
    task::{JoinSet, spawn_blocking},
    time::{Duration, sleep, timeout},
};

programs! {
    handle_dropped: SwallowedPanic [
        "task main/0, spawned at {dropped spawned}, panicked and nobody looked at its handle",
        "the cache is cold", "at {dropped panics}",
    ];
    handle_kept_and_not_awaited: SwallowedError [
        "task main/0, spawned at {unawaited spawned}, failed and nobody looked at its handle", "\"disk full\"",
    ];
    error_never_retrieved: SwallowedError [
        "task main/1, spawned at {retrieved second}, failed and nobody looked at its handle", "\"no route to b\"",
    ];
    error_of_a_type_of_its_own: SwallowedError [
        "task main/0, spawned at {type spawned}, failed", "NoStock",
    ];
    left_in_the_set: SwallowedError [
        "spawned at {left spawned}, failed and nobody looked at its handle", "\"item 2 is broken\"",
    ];
    set_drained_blindly: SwallowedPanic [
        "task main/1, spawned at {blind spawned}, panicked", "without looking at it", "item 1 is broken", "at {blind panics}",
        "lint ignored_panic",
    ] with |config| config.lint("ignored_panic", Level::Deny);
    join_error_ignored: SwallowedPanic [
        "task main/0, spawned at {ignored spawned}, panicked", "given at {ignored joined}", "without looking at it",
        "no connection", "at {ignored panics}", "lint ignored_panic",
    ] with |config| config.lint("ignored_panic", Level::Deny);
    detached_thread: SwallowedPanic [
        "task main/0, spawned at {thread spawned}, panicked and nobody looked at its handle", "the log is gone",
        "at {thread panics}",
    ];
    blocking_task_dropped: SwallowedError [
        "task main/0, spawned at {blocking spawned}, failed", "PermissionDenied", "read only",
    ];
    late_for_its_timeout: SwallowedError [
        "task main/0, spawned at {late spawned}, failed and nobody looked at its handle", "\"refused\"",
    ];
    loser_of_a_select: SwallowedPanic [
        "task main/1, spawned at {loser spawned}, panicked and nobody looked at its handle", "replica b is broken",
        "at {loser panics}",
    ];
    detached_set: SwallowedPanic [
        "task main/0, spawned at {detached spawned}, panicked and nobody looked at its handle", "at {detached panics}",
    ];
    grandchild: SwallowedError [
        "task main/0/0, spawned at {grandchild spawned}, failed and nobody looked at its handle", "\"no mail today\"",
    ];
    panic_of_a_destructor: SwallowedPanic [
        "task main/0, spawned at {destructor spawned}, panicked and nobody looked at its handle",
        "flushed twice", "at {destructor panics}",
    ];
}

async fn handle_dropped<const FIXED: bool>() {
    let warm_up = async {
        sleep(Duration::from_millis(10)).await;
        if !FIXED {
            panic!("the cache is cold"); // dropped panics
        }
    };
    let handle = spawn(warm_up); // dropped spawned
    drop(handle);
    sleep(Duration::from_secs(1)).await;
}

async fn handle_kept_and_not_awaited<const FIXED: bool>() {
    let save = async { Err::<(), _>("disk full".to_string()) };
    let saving = spawn(save); // unawaited spawned
    sleep(Duration::from_secs(1)).await;
    if FIXED {
        assert!(saving.await.unwrap().is_err());
    }
}

/// The first error ends it, and the second goes unseen.
async fn error_never_retrieved<const FIXED: bool>() {
    let one = spawn(async { Err::<u32, _>("no route to a".to_string()) });
    let other = async { Err::<u32, _>("no route to b".to_string()) };
    let other = spawn(other); // retrieved second
    if FIXED {
        let (one, other) = join!(one, other);
        assert!(one.unwrap().is_err() && other.unwrap().is_err());
        return;
    }
    let fetch = async {
        let one = one.await.unwrap()?;
        let other = other.await.unwrap()?;
        Ok::<_, String>(one + other)
    };
    assert_eq!(fetch.await, Err("no route to a".to_string()));
}

struct NoStock;

async fn error_of_a_type_of_its_own<const FIXED: bool>() {
    let reserve = async { Err::<u32, NoStock>(NoStock) };
    let handle = spawn(reserve); // type spawned
    if FIXED {
        assert!(matches!(handle.await.unwrap(), Err(NoStock)));
    } else {
        drop(handle);
        sleep(Duration::from_secs(1)).await;
    }
}

/// The first that is done is enough, and the set is dropped with the others' results.
async fn left_in_the_set<const FIXED: bool>() {
    let mut set = JoinSet::new();
    for item in 0..3_u64 {
        let work = async move {
            sleep(Duration::from_millis(item)).await;
            if item == 2 { Err(format!("item {item} is broken")) } else { Ok(item) }
        };
        set.spawn(work); // left spawned
    }
    sleep(Duration::from_secs(1)).await;
    assert!(set.join_next().await.unwrap().unwrap().is_ok());
    if FIXED {
        while let Some(result) = set.join_next().await {
            let _seen = result.unwrap().is_err();
        }
    }
}

/// Waits for all, whatever they give.
async fn set_drained_blindly<const FIXED: bool>() {
    let mut set = JoinSet::new();
    for item in 0..3 {
        let work = async move {
            assert!(item != 1, "item {item} is broken"); // blind panics
        };
        set.spawn(work); // blind spawned
    }
    while let Some(result) = set.join_next().await {
        if FIXED && let Err(error) = result {
            assert!(error.is_panic());
        }
    }
}

async fn join_error_ignored<const FIXED: bool>() {
    let connect = async {
        sleep(Duration::from_millis(10)).await;
        panic!("no connection"); // ignored panics
    };
    let connecting = spawn(connect); // ignored spawned
    if FIXED {
        let error: tokio::task::JoinError = connecting.await.unwrap_err();
        assert!(error.to_string().contains("no connection"));
    } else {
        let _: Result<(), _> = connecting.await; // ignored joined
    }
}

async fn detached_thread<const FIXED: bool>() {
    let write = || {
        if !FIXED {
            panic!("the log is gone"); // thread panics
        }
    };
    let writer = thread::spawn(write); // thread spawned
    drop(writer);
    sleep(Duration::from_secs(1)).await;
}

async fn blocking_task_dropped<const FIXED: bool>() {
    let write = || Err::<(), _>(io::Error::new(io::ErrorKind::PermissionDenied, "read only"));
    let writing = spawn_blocking(write); // blocking spawned
    if FIXED {
        assert!(writing.await.unwrap().is_err());
    }
    sleep(Duration::from_secs(1)).await;
}

/// The deadline takes the handle with it; the task goes on, and fails.
async fn late_for_its_timeout<const FIXED: bool>() {
    let request = async {
        sleep(Duration::from_secs(5)).await;
        Err::<(), _>("refused".to_string())
    };
    let mut request = spawn(request); // late spawned
    if timeout(Duration::from_secs(1), &mut request).await.is_err() && FIXED {
        request.abort();
    }
    drop(request);
    sleep(Duration::from_secs(10)).await;
}

/// The slower of two replicas is not looked at.
async fn loser_of_a_select<const FIXED: bool>() {
    let quick = spawn(sleep(Duration::from_millis(1)));
    let slow = async {
        sleep(Duration::from_millis(5)).await;
        panic!("replica b is broken"); // loser panics
    };
    let slow = spawn(slow); // loser spawned
    let abort = slow.abort_handle();
    select! {
        done = quick => done.unwrap(),
        _ = slow => unreachable!("it is slower"),
    }
    if FIXED {
        abort.abort();
    }
    sleep(Duration::from_secs(1)).await;
}

async fn detached_set<const FIXED: bool>() {
    let mut set = JoinSet::new();
    let work = async {
        sleep(Duration::from_millis(1)).await;
        assert!(FIXED, "the queue is closed"); // detached panics
    };
    set.spawn(work); // detached spawned
    set.detach_all();
    sleep(Duration::from_secs(1)).await;
}

async fn grandchild<const FIXED: bool>() {
    let parent = spawn(async {
        let mail = async { Err::<(), _>("no mail today") };
        let mail = spawn(mail); // grandchild spawned
        if FIXED {
            assert_eq!(mail.await.unwrap(), Err("no mail today"));
        }
    });
    parent.await.unwrap();
    sleep(Duration::from_secs(1)).await;
}

/// Panics when it is dropped, if it is to.
struct Flush(bool);

impl Drop for Flush {
    fn drop(&mut self) {
        assert!(!self.0, "flushed twice"); // destructor panics
    }
}

async fn panic_of_a_destructor<const FIXED: bool>() {
    let (stop, stopped) = oneshot::channel::<()>();
    let work = async {
        let _flush = Flush(!FIXED);
        let _ = stopped.await;
    };
    let working = spawn(work); // destructor spawned
    drop(working);
    drop(stop);
    sleep(Duration::from_secs(1)).await;
}
