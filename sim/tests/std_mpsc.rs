//! Channels of `sim::std::sync::mpsc` behave as std's.

use sim::std::{
    sync::mpsc::{self, RecvTimeoutError, TryRecvError, TrySendError},
    thread,
};
use sim::{Config, FailureKind};
use std::time::{Duration, Instant};

fn passes(program: fn()) {
    let report = sim::check(Config::new().seeds(300), || async { program() });
    assert!(report.failure.is_none(), "{report}");
    let report = sim::check(Config::new().seeds(100), || async {
        thread::spawn(program).join().unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    program();
}

#[test]
fn messages_of_one_sender_keep_their_order() {
    passes(|| {
        let (sender, receiver) = mpsc::channel();
        for name in ["a", "b"] {
            let sender = sender.clone();
            thread::spawn(move || (0..3).for_each(|i| sender.send((name, i)).unwrap()));
        }
        drop(sender);
        let all: Vec<_> = receiver.iter().collect();
        for name in ["a", "b"] {
            let of: Vec<_> = all.iter().filter(|m| m.0 == name).map(|m| m.1).collect();
            assert_eq!(of, [0, 1, 2]);
        }
        assert_eq!(all.len(), 6);
    });
}

#[test]
fn the_other_side_is_gone() {
    passes(|| {
        let (sender, receiver) = mpsc::channel();
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.recv(), Ok(1));
        assert!(receiver.recv().is_err());
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        let day = Duration::from_secs(86_400);
        assert_eq!(receiver.recv_timeout(day), Err(RecvTimeoutError::Disconnected));

        let (sender, receiver) = mpsc::channel();
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(receiver);
        assert_eq!(sender.send(2).unwrap_err().0, 2);
        let (sender, receiver) = mpsc::sync_channel(1);
        drop(receiver);
        assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
    });
}

#[test]
fn a_receiver_that_goes_drops_what_is_left() {
    passes(|| {
        let value = sim::std::sync::Arc::new(());
        let (sender, receiver) = mpsc::channel();
        sender.send(value.clone()).unwrap();
        drop(receiver);
        assert_eq!(sim::std::sync::Arc::strong_count(&value), 1);
        drop(sender);
    });
}

#[test]
fn a_sender_waits_for_room() {
    passes(|| {
        let (sender, receiver) = mpsc::sync_channel(2);
        sender.send(0).unwrap();
        sender.try_send(1).unwrap();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        let threads: Vec<_> = (2..5)
            .map(|i| {
                let sender = sender.clone();
                thread::spawn(move || sender.send(i).unwrap())
            })
            .collect();
        let mut all: Vec<_> = receiver.iter().take(5).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(all[..2], [0, 1]);
        all.sort();
        assert_eq!(all, [0, 1, 2, 3, 4]);
    });
}

#[test]
fn a_channel_without_room_hands_over() {
    passes(|| {
        let (sender, receiver) = mpsc::sync_channel(0);
        assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
        let received = sim::std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            let received = &received;
            scope.spawn(move || {
                received.store(true, sim::std::sync::atomic::Ordering::SeqCst);
                assert_eq!(receiver.recv(), Ok(1));
                assert_eq!(receiver.recv(), Ok(2));
            });
            sender.send(1).unwrap();
            assert!(received.load(sim::std::sync::atomic::Ordering::SeqCst));
            sender.send(2).unwrap();
            assert_eq!(sender.send(3).unwrap_err().0, 3);
        });
    });
}

#[test]
fn a_try_finds_a_receiver_that_waits() {
    let report = sim::check(Config::new().seeds(100), || async {
        let (sender, receiver) = mpsc::sync_channel(0);
        let thread = thread::spawn(move || receiver.recv().unwrap());
        thread::sleep(Duration::from_millis(1));
        sender.try_send(5).unwrap();
        assert_eq!(thread.join().unwrap(), 5);
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn receiving_ends_when_its_time_is_over() {
    let program = |time: Duration| {
        let (sender, receiver) = mpsc::channel::<u8>();
        let start = Instant::now();
        assert_eq!(receiver.recv_timeout(time), Err(RecvTimeoutError::Timeout));
        assert!(start.elapsed() >= time);
        sender.send(1).unwrap();
        assert_eq!(receiver.recv_timeout(time), Ok(1));
        assert_eq!(receiver.try_iter().count(), 0);
    };
    let report = sim::check(Config::new().seeds(100), || async move {
        program(Duration::from_secs(3600));
        thread::spawn(move || program(Duration::from_secs(3600))).join().unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    program(Duration::from_millis(1));
}

#[test]
fn waiting_for_a_sender_that_is_kept_is_a_deadlock_with_its_place() {
    let report = sim::check(Config::new().seeds(5), || async {
        let (_sender, receiver) = mpsc::channel::<u8>();
        receiver.recv().unwrap(); // here
    });
    let place = format!("waits at sim/tests/std_mpsc.rs:{}:", line!() - 2);
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(failure.message.contains(&place), "{}", failure.message);
}
