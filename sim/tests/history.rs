//! Calls recorded while they take place: a replicated register with a bug, its corrected twin, and calls that do not end.

use rand::RngExt;
use sim::{
    Config,
    history::{Answer, Checker, End, Recorder, Seen, Verdict, models::*},
    sync::mpsc,
    task::{JoinSet, yield_now},
    time::{sleep, timeout},
};
use std::{
    future::{Future, pending, ready},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A register on three replicas (Attiya, Bar-Noy, Dolev 1995), for one writer: a write takes effect when two of
/// them have it, and a read asks two of them for the newest that they have.
#[derive(Clone)]
struct Replicated {
    /// How many writes came before, and the value.
    replicas: Arc<[Mutex<(u32, u32)>; 3]>,
    /// A read gives what it has seen to two replicas before it returns. Without that a later read may miss a write that
    /// an earlier one has seen.
    writes_back: bool,
}

impl Replicated {
    fn new(writes_back: bool) -> Replicated {
        Replicated { replicas: Arc::default(), writes_back }
    }

    /// Sends what is newest to all replicas, over a network that takes its time, and waits for two of them. The newest
    /// that they have then.
    async fn exchange(&self, newest: (u32, u32)) -> (u32, u32) {
        let (sender, mut answers) = mpsc::channel(3);
        for at in 0..3 {
            let (replicas, sender) = (self.replicas.clone(), sender.clone());
            sim::spawn(async move {
                sleep(Duration::from_millis(sim::rand::rng().random_range(0..8))).await;
                let held = {
                    let mut replica = replicas[at].lock().unwrap();
                    *replica = newest.max(*replica);
                    *replica
                };
                sleep(Duration::from_millis(sim::rand::rng().random_range(0..8))).await;
                let _ = sender.send(held).await; // the third comes too late
            });
        }
        let first = answers.recv().await.expect("three are on the way");
        first.max(answers.recv().await.expect("two are on the way"))
    }

    async fn write(&self, count: u32, value: u32) -> RegisterRet<u32> {
        self.exchange((count, value)).await;
        RegisterRet::Written
    }

    async fn read(&self) -> RegisterRet<u32> {
        let newest = self.exchange((0, 0)).await;
        if self.writes_back {
            self.exchange(newest).await;
        }
        RegisterRet::Value(newest.1)
    }
}

/// A writer, which gives up when a write takes long, and two readers.
async fn readers_and_a_writer(writes_back: bool) {
    let register = Replicated::new(writes_back);
    let history = Recorder::new();
    let mut clients = JoinSet::new();
    let (writer, recorder) = (register.clone(), history.clone());
    clients.spawn(async move {
        for count in 1..4 {
            let write = timeout(Duration::from_millis(12), writer.write(count, 10 * count));
            let _ = recorder.call("writer", RegisterOp::Write(10 * count), write).await;
        }
    });
    for reader in ["left", "right"] {
        let (register, history) = (register.clone(), history.clone());
        clients.spawn(async move {
            for _ in 0..4 {
                history.call(reader, RegisterOp::Read, register.read()).await;
            }
        });
    }
    clients.join_all().await;
    history.check(Register::new(0));
}

#[test]
fn reads_that_are_not_written_back_are_found() {
    let report = sim::check(Config::new().seeds(500), || readers_and_a_writer(false));
    let failure = report.failure.expect("a stale read is found");
    assert!(failure.message.contains("not linearizable"), "{failure}");
    assert!(failure.message.contains("◀ here"), "{failure}");
    let again = sim::check(Config::new().only_seed(failure.seed.0), || readers_and_a_writer(false));
    assert_eq!(again.failure.expect("the same run").message, failure.message);
}

#[test]
fn reads_that_are_written_back_are_linearizable() {
    let report = sim::check(Config::new().seeds(2_000), || readers_and_a_writer(true));
    assert!(report.failure.is_none(), "{report}");
}

/// What a counter shared by three tasks does, of which each may be cut off at any await.
#[test]
fn calls_that_are_dropped_stay_open() {
    let open = Mutex::new(0);
    let report = sim::check(Config::new().seeds(300), || async {
        let count = Arc::new(sim::sync::Mutex::new(0));
        let history = Recorder::new();
        let mut tasks = JoinSet::new();
        for _ in 0..3 {
            let (count, history) = (count.clone(), history.clone());
            tasks.spawn(async move {
                let add = async {
                    let mut count = count.lock().await;
                    *count += 1;
                    yield_now().await;
                    CounterRet::Value(*count - 1)
                };
                sim::cancel_sweep(history.call_here(CounterOp::FetchAdd(1), add)).await;
            });
        }
        tasks.join_all().await;
        let read = async { CounterRet::Value(*count.lock().await) };
        history.call_here(CounterOp::Get, read).await;
        let calls = history.history();
        *open.lock().unwrap() += calls.calls().iter().filter(|call| call.end == End::Open).count();
        assert_eq!(calls.calls().last().unwrap().client, "main");
        assert!(calls.calls().iter().rev().skip(1).all(|call| call.client.starts_with("main/")));
        history.check(Counter);
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(open.into_inner().unwrap() > 30, "calls are cut off");
}

#[test]
fn what_is_known_of_an_answer() {
    assert_eq!(Answer::<u8>::seen(&3), Seen::Returned(3));
    assert_eq!(Answer::<u8>::seen(&Ok::<u8, ()>(3)), Seen::Returned(3));
    assert_eq!(Answer::<u8>::seen(&Err::<u8, _>("lost")), Seen::Unknown);
    // A model whose answers are results has them as they are.
    let refused: Result<u8, &str> = Err("refused");
    assert_eq!(Answer::<Result<u8, &str>>::seen(&refused), Seen::Returned(refused));
}

#[test]
fn a_timeout_leaves_the_call_open_until_the_end() {
    let report = sim::check(Config::new().seeds(20), || async {
        let history = Recorder::new();
        let lost = timeout(Duration::from_millis(5), pending::<RegisterRet<u8>>());
        assert!(history.call("a", RegisterOp::Write(1), lost).await.is_err());
        let inner = history.call("b", RegisterOp::Write(2), pending::<RegisterRet<u8>>());
        assert!(timeout(Duration::from_millis(5), inner).await.is_err());
        for seen in [0, 2, 1] {
            history.call("c", RegisterOp::Read, ready(RegisterRet::Value(seen))).await;
        }
        history.check(Register::new(0));
        let calls = history.history();
        assert!(calls.calls()[2].invoked.time >= Duration::from_millis(10));
        history.call("c", RegisterOp::Read, ready(RegisterRet::Value(2))).await;
        let verdict = history.verdict(&Checker::new(), Register::new(0));
        assert!(matches!(verdict, Verdict::Illegal(_)));
    });
    assert!(report.failure.is_none(), "{report}");
}

/// Outside of a simulation, on real threads.
#[test]
fn threads_record_too() {
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it does not wait"),
        }
    }
    let (history, count) = (Recorder::new(), Mutex::new(0));
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (history, count) = (&history, &count);
            scope.spawn(move || {
                for _ in 0..50 {
                    let add = async {
                        let mut count = count.lock().unwrap();
                        *count += 1;
                        CounterRet::Value(*count - 1)
                    };
                    now(history.call(client, CounterOp::FetchAdd(1), add));
                }
            });
        }
    });
    history.check(Counter);
    now(history.call(0, CounterOp::Get, ready(CounterRet::Value(199))));
    assert!(matches!(history.verdict(&Checker::new(), Counter), Verdict::Illegal(_)));
}

/// A history that cannot be decided within the budget is not passed in silence.
#[test]
fn undecided_is_no_pass() {
    let report = sim::check(Config::new().seeds(1), || async {
        let history = Recorder::new();
        for n in 0..24 {
            let lost = ready(Err::<CounterRet, _>("lost"));
            let _ = history.call(n, CounterOp::Add(1 << n), lost).await;
        }
        history.call("reader", CounterOp::Get, ready(CounterRet::Value(-1))).await;
        history.check(Counter);
    });
    assert!(report.failure.unwrap().message.contains("undecided"));
}
