//! The programs that are measured, as a user of tokio writes them: nothing here knows that it is simulated.

use sim as tokio;
use std::{
    collections::VecDeque,
    future::poll_fn,
    mem,
    sync::{
        Arc, Mutex as StdMutex, MutexGuard as StdGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Poll, Waker},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    spawn,
    sync::{Mutex, Semaphore, mpsc},
    task::{JoinHandle, yield_now},
    time::{Instant, sleep},
};

/// Sizes, the same as the peers'.
pub mod size {
    /// W1: tasks, and yields of each.
    pub const YIELDS: (u64, u64) = (1_000, 1_000);
    /// W2: tasks.
    pub const SPAWNS: u64 = 200_000;
    /// W3: tasks, and critical sections of each.
    pub const SECTIONS: (u64, u64) = (100, 1_000);
    /// W4: tasks, and rounds of each.
    pub const ROUNDS: (u64, u64) = (1_000, 20);
    /// W4: permits.
    pub const PERMITS: usize = 10;
    /// W5: tasks, and sleeps of each.
    pub const SLEEPS: (u64, u64) = (100_000, 10);
    /// W6: round trips, of two messages each.
    pub const TRIPS: u64 = 200_000;
    /// W7: pairs of nodes, and round trips of each.
    pub const REQUESTS: (u64, u64) = (50, 1_000);
    /// W7: bytes of a request, and of its response.
    pub const MESSAGE: usize = 64;
    /// W8a: runs in one check.
    pub const EMPTY_RUNS: u64 = 2_000;
    /// W8b: runs in one check.
    pub const RACY_RUNS: u64 = 5_000;
    /// W9: tasks.
    pub const PARKED: u64 = 100_000;
    /// W10: nodes, each with a connection to each other one.
    pub const NODES: u64 = 5;
    /// W10: virtual milliseconds between the heartbeats of a node.
    pub const BEAT_MS: u64 = 100;
    /// W10: virtual seconds.
    pub const LONG_S: u64 = 24 * 3_600;
    /// W10: bytes of a heartbeat.
    pub const BEAT: usize = 16;
    /// W7 with other numbers of nodes: pairs, of so many round trips in all.
    pub const CROWDS: [u64; 3] = [5, 50, 500];
    pub const CROWD_TRIPS: u64 = 50_000;
}

/// Waits for all; a panic of one goes on here.
async fn join(tasks: impl IntoIterator<Item = JoinHandle<()>>) {
    for task in tasks {
        task.await.unwrap();
    }
}

/// Starts `count` tasks, and only then waits for them.
async fn join_many(count: u64, start: impl FnMut(u64) -> JoinHandle<()>) {
    let tasks: Vec<_> = (0..count).map(start).collect();
    join(tasks).await;
}

/// W1: tasks that only let others run.
pub async fn yields() {
    let (tasks, times) = size::YIELDS;
    let start = |_| {
        spawn(async move {
            for _ in 0..times {
                yield_now().await;
            }
        })
    };
    join_many(tasks, start).await;
}

/// W2: tasks with nothing to do.
pub async fn spawns() {
    join_many(size::SPAWNS, |_| spawn(async {})).await;
}

/// W3: one lock that all want, held across a yield.
pub async fn contended_mutex() {
    let (tasks, times) = size::SECTIONS;
    let entered = Arc::new(Mutex::new(0));
    let start = |_| {
        let entered = entered.clone();
        spawn(async move {
            for _ in 0..times {
                let mut entered = entered.lock().await;
                *entered += 1;
                yield_now().await;
            }
        })
    };
    join_many(tasks, start).await;
    assert_eq!(*entered.lock().await, tasks * times);
}

/// W4: a semaphore whose permits are held across a sleep; gives the virtual time that passed.
pub async fn semaphore() -> Duration {
    let (tasks, rounds) = size::ROUNDS;
    let begin = Instant::now();
    let permits = Arc::new(Semaphore::new(size::PERMITS));
    let start = |_| {
        let permits = permits.clone();
        spawn(async move {
            for _ in 0..rounds {
                let _permit = permits.acquire().await.unwrap();
                sleep(Duration::from_millis(1)).await;
            }
        })
    };
    join_many(tasks, start).await;
    begin.elapsed()
}

/// W5: sleeps of 1 to 10,000 ms, the same in every run; gives the virtual time that passed.
pub async fn timers() -> Duration {
    let (tasks, times) = size::SLEEPS;
    let begin = Instant::now();
    let start = |task| {
        spawn(async move {
            for nth in 0..times {
                let ms = 1 + scattered(task * 1_000 + nth) % 10_000;
                sleep(Duration::from_millis(ms)).await;
            }
        })
    };
    join_many(tasks, start).await;
    begin.elapsed()
}

/// W6: a number goes to and fro between two tasks, over a channel each way.
pub async fn round_trips() {
    let (to_echo, mut at_echo) = mpsc::unbounded_channel();
    let (to_caller, mut at_caller) = mpsc::unbounded_channel();
    let echo = spawn(async move {
        for _ in 0..size::TRIPS {
            let number: u64 = at_echo.recv().await.unwrap();
            to_caller.send(number).unwrap();
        }
    });
    let caller = spawn(async move {
        for number in 0..size::TRIPS {
            to_echo.send(number).unwrap();
            assert_eq!(at_caller.recv().await, Some(number));
        }
    });
    join([caller, echo]).await;
}

/// W7: pairs of nodes, of which one asks and the other answers; gives the virtual time that passed.
pub async fn requests(workers: usize, (pairs, rounds): (u64, u64)) -> Duration {
    let begin = network();
    let mut clients = Vec::new();
    for pair in 0..pairs {
        let name = format!("server-{pair}");
        // Which it does not wait for.
        let _ = sim::node(&name).workers(workers).start(move || serve(rounds));
        let client = sim::node(format!("client-{pair}")).workers(workers);
        clients.push(client.start(move || ask(name.clone(), rounds)));
    }
    for client in clients {
        client.join().await.unwrap();
    }
    begin.elapsed()
}

async fn serve(rounds: u64) {
    let listener = listen().await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut message = [0; size::MESSAGE];
    for _ in 0..rounds {
        stream.read_exact(&mut message).await.unwrap();
        message[0] = message[0].wrapping_add(1);
        stream.write_all(&message).await.unwrap();
    }
}

async fn ask(server: String, rounds: u64) {
    // By then servers listen.
    sleep(Duration::from_millis(5)).await;
    let mut stream = TcpStream::connect((&*server, PORT)).await.unwrap();
    let mut message = [7; size::MESSAGE];
    for round in 0..rounds {
        message[0] = round as u8;
        stream.write_all(&message).await.unwrap();
        stream.read_exact(&mut message).await.unwrap();
        assert_eq!(message[0], (round as u8).wrapping_add(1));
    }
}

/// W10: nodes that write a heartbeat to each other for a virtual day; gives the virtual time that passed.
pub async fn heartbeats(workers: usize) -> Duration {
    let begin = network();
    let member = |me| {
        let node = sim::node(member_name(me)).workers(workers);
        node.start(move || beat(me))
    };
    let members: Vec<_> = (0..size::NODES).map(member).collect();
    for member in members {
        member.join().await.unwrap();
    }
    begin.elapsed()
}

fn member_name(number: u64) -> String {
    format!("member-{number}")
}

async fn beat(me: u64) {
    let beats = size::LONG_S * 1_000 / size::BEAT_MS;
    let seen = Arc::new(AtomicU64::new(0));
    let listener = listen().await;
    let accepting = spawn(accept_beats(listener, seen.clone()));
    sleep(Duration::from_millis(5)).await;
    let mut streams = Vec::new();
    for other in (0..size::NODES).filter(|other| *other != me) {
        streams.push(TcpStream::connect((member_name(other), PORT)).await.unwrap());
    }
    accepting.await.unwrap();
    for number in 0..beats {
        sleep(Duration::from_millis(size::BEAT_MS)).await;
        let mut beat = [0; size::BEAT];
        beat[..8].copy_from_slice(&number.to_le_bytes());
        for stream in &mut streams {
            stream.write_all(&beat).await.unwrap();
        }
    }
    // The last ones are still on their way.
    sleep(Duration::from_millis(50)).await;
    assert_eq!(seen.load(Relaxed), (size::NODES - 1) * beats);
}

async fn accept_beats(listener: TcpListener, seen: Arc<AtomicU64>) {
    for _ in 1..size::NODES {
        let (mut stream, _) = listener.accept().await.unwrap();
        let seen = seen.clone();
        drop(spawn(async move {
            let mut beat = [0; size::BEAT];
            while stream.read_exact(&mut beat).await.is_ok() {
                seen.fetch_add(1, Relaxed);
            }
        }));
    }
}

const PORT: u16 = 1;

async fn listen() -> TcpListener {
    TcpListener::bind(("0.0.0.0", PORT)).await.unwrap()
}

/// A millisecond from node to node, as the peers have it.
fn network() -> Instant {
    sim::net::default_link().latency(Duration::from_millis(1));
    Instant::now()
}

/// W8a: nothing.
pub async fn empty() {}

/// W8b: three tasks look at a count, let others run, and write it; it ends as 1, 2 or 3.
pub async fn racy() {
    let count = Arc::new(Mutex::new(0));
    join_many(3, |_| spawn(increment_late(count.clone(), 0))).await;
    assert!((1..=3).contains(&*count.lock().await));
}

/// W9: calls `look` while `size::PARKED` tasks sleep.
pub async fn parked(look: impl FnOnce()) {
    for _ in 0..size::PARKED {
        drop(spawn(sleep(Duration::from_secs(3_600))));
    }
    // The peers wait for 5 ms. Here a step may take a virtual microsecond, and all have to have been polled.
    sleep(Duration::from_secs(1)).await;
    look();
}

/// Yields by which one side comes late, so that first come, first served never shows the bug.
const LAG: u32 = 5;

async fn lag(yields: u32) {
    for _ in 0..yields {
        yield_now().await;
    }
}

async fn increment_late(count: Arc<Mutex<u64>>, yields: u32) {
    lag(yields).await;
    let seen = *count.lock().await;
    yield_now().await;
    *count.lock().await = seen + 1;
}

/// W11a: another increment gets between the read and the write of one.
pub async fn lost_update() {
    let count = Arc::new(Mutex::new(0));
    join([0, LAG].map(|late| spawn(increment_late(count.clone(), late)))).await;
    assert_eq!(*count.lock().await, 2, "an update was lost");
}

/// W11b: two tasks take two locks, each in its own order.
pub async fn lock_order() {
    async fn take_both(late: u32, first: Arc<Mutex<()>>, second: Arc<Mutex<()>>) {
        lag(late).await;
        let _first = first.lock().await;
        yield_now().await;
        let _second = second.lock().await;
    }
    let (left, right) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let one = spawn(take_both(0, left.clone(), right.clone()));
    let other = spawn(take_both(LAG, right, left));
    join([one, other]).await;
}

/// W11c: a buffer for one item; one condition for "full" and "empty", and each change wakes one waiter. If
/// a consumer wakes the other consumer, nobody is left to go on.
pub async fn lost_wakeup() {
    const ITEMS: u32 = 6;

    /// Waits until the buffer is `full`, or empty, and changes that.
    async fn flip(buffer: &Mutex<bool>, changed: &Condition, full: bool) {
        let mut is_full = buffer.lock().await;
        while *is_full != full {
            let turn = changed.queue();
            drop(is_full);
            turn.wait().await;
            is_full = buffer.lock().await;
        }
        *is_full = !full;
        changed.wake_one();
    }

    let (buffer, changed) = (Arc::new(Mutex::new(false)), Arc::new(Condition::default()));
    let producer = spawn({
        let (buffer, changed) = (buffer.clone(), changed.clone());
        async move {
            for _ in 0..ITEMS {
                flip(&buffer, &changed, false).await;
            }
        }
    });
    let consumers = [(); 2].map(|()| {
        let (buffer, changed) = (buffer.clone(), changed.clone());
        spawn(async move {
            for _ in 0..ITEMS / 2 {
                flip(&buffer, &changed, true).await;
                lag(2 * LAG).await;
            }
        })
    });
    join([producer]).await;
    join(consumers).await;
}

/// A condition of wakers alone, first come, first served, so that it is the same under every executor.
#[derive(Default)]
struct Condition(StdMutex<VecDeque<Arc<Turn>>>);

/// One waiter's place in the queue.
#[derive(Default)]
struct Turn(StdMutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Queued,
    Waiting(Waker),
    Called,
}

impl Condition {
    /// Queues the caller, which then may let go of its lock: it misses no call.
    fn queue(&self) -> Arc<Turn> {
        let turn = Arc::<Turn>::default();
        self.0.lock().unwrap().push_back(turn.clone());
        turn
    }

    fn wake_one(&self) {
        let Some(turn) = self.0.lock().unwrap().pop_front() else { return };
        let former = mem::replace(&mut *turn.stage(), Stage::Called);
        if let Stage::Waiting(waker) = former {
            waker.wake();
        }
    }
}

impl Turn {
    fn stage(&self) -> StdGuard<'_, Stage> {
        self.0.lock().unwrap()
    }

    async fn wait(&self) {
        poll_fn(|cx| match &mut *self.stage() {
            Stage::Called => Poll::Ready(()),
            stage => {
                *stage = Stage::Waiting(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }
}

/// SplitMix64's output for the state `word` (Steele, Lea, Flood, OOPSLA 2014): what the peers' sleeps are of.
fn scattered(word: u64) -> u64 {
    let mut word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9), (27, 0x94d0_49bb_1331_11eb)] {
        word = (word ^ (word >> shift)).wrapping_mul(factor);
    }
    word ^ (word >> 31)
}
