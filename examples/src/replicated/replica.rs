//! A machine of the store. Each change is the whole map under a new stamp, kept by a majority before it is answered: a
//! Paxos whose values are maps.
//!
//! ```text
//!   follower ──nothing heard for a while──▶ candidate ──a majority has elected it, and keeps the newest map──▶ leader
//!      ▲                                        │                                                                │
//!      └──────────────a later term is heard of, or no majority answers───────────────────────────────────────────┘
//! ```
//!
//! A majority that elects has a machine in common with each that keeps: so that what was answered is never lost. All of
//! it is in memory, which a crash would lose; partitions it survives.

use super::frames::{Map, PORT, Reply, Request, Stamp, call, receive, send};
use rand::RngExt;
use sim as tokio;
use std::{
    io,
    ops::Range,
    sync::{Arc, Mutex as StdMutex, MutexGuard},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinSet,
    time::{Instant, sleep},
};

pub(super) const REPLICAS: usize = 3;
/// How many others make a majority.
const OTHERS: usize = REPLICAS / 2;
/// A replica gives another so long to answer.
const LIMIT: Duration = Duration::from_millis(100);
const HEARTBEAT: Duration = Duration::from_millis(50);
/// A follower waits so long for a heartbeat, in milliseconds: each of them another time, so that one comes first.
const SILENCE_MS: Range<u64> = 200..400;

/// The name of the machine.
pub(super) fn name(number: usize) -> String {
    format!("store-{number}")
}

/// One machine.
pub(super) struct Replica {
    number: usize,
    asks_before_reads: bool,
    state: StdMutex<State>,
    /// Who leads does one thing after the other.
    turn: Mutex<()>,
}

struct State {
    /// Nobody of an earlier term is followed any more.
    promised: u64,
    /// The promised term is its own, and a majority keeps its map.
    leads: bool,
    stamp: Stamp,
    map: Map,
    /// When it last heard of a leader or of a candidate.
    heard: Instant,
}

impl State {
    /// Follows who is of that term, unless it has promised itself to a later one.
    fn follow(&mut self, term: u64) -> Result<(), Reply> {
        if term < self.promised {
            return Err(Reply::Refused { term: self.promised });
        }
        self.leads &= term == self.promised;
        self.promised = term;
        self.heard = Instant::now();
        Ok(())
    }

    fn keep(&mut self, stamp: Stamp, map: Map) {
        if stamp > self.stamp {
            (self.stamp, self.map) = (stamp, map);
        }
    }
}

impl Replica {
    /// Serves until its machine ends.
    ///
    /// # Errors
    ///
    /// If the port is in use.
    pub(super) async fn run(number: usize, asks_before_reads: bool) -> io::Result<()> {
        let (promised, stamp, map, heard) = (0, (0, 0), Map::new(), Instant::now());
        let state = State { promised, leads: false, stamp, map, heard };
        let (state, turn) = (StdMutex::new(state), Mutex::new(()));
        let replica = Arc::new(Replica { number, asks_before_reads, state, turn });
        tokio::spawn(replica.clone().watch());
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(replica.clone().serve(stream));
        }
    }

    /// One request. Who asked may be gone before the answer: that is his affair.
    async fn serve(self: Arc<Replica>, mut stream: TcpStream) {
        if let Ok(request) = receive(&mut stream).await {
            let reply = self.answer(request).await;
            let _ = send(&mut stream, &reply).await;
        }
    }

    async fn answer(self: &Arc<Replica>, request: Request) -> Reply {
        match request {
            Request::Get { key } => self.get(&key).await,
            Request::Put { key, value } => self.put(key, value).await,
            Request::Confirm { term } => match self.state().follow(term) {
                Ok(()) => Reply::Agreed,
                Err(refused) => refused,
            },
            Request::Keep { stamp, map } => {
                let mut state = self.state();
                match state.follow(stamp.0) {
                    Ok(()) => {
                        state.keep(stamp, map);
                        Reply::Agreed
                    }
                    Err(refused) => refused,
                }
            }
            Request::Elect { term } => {
                let mut state = self.state();
                match state.follow(term) {
                    Ok(()) => Reply::Elected { stamp: state.stamp, map: state.map.clone() },
                    Err(refused) => refused,
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    // --- leading

    async fn put(self: &Arc<Replica>, key: String, value: u32) -> Reply {
        let _turn = self.turn.lock().await;
        let (stamp, map) = {
            let mut state = self.state();
            if !state.leads {
                return Reply::NotLeader;
            }
            state.stamp.1 += 1;
            state.map.insert(key, value);
            (state.stamp, state.map.clone())
        };
        match self.is_agreed(stamp.0, Request::Keep { stamp, map }).await {
            true => Reply::Done,
            false => Reply::Unknown,
        }
    }

    async fn get(self: &Arc<Replica>, key: &str) -> Reply {
        let _turn = self.turn.lock().await;
        let (term, value) = {
            let state = self.state();
            if !state.leads {
                return Reply::NotLeader;
            }
            (state.promised, state.map.get(key).copied())
        };
        // Another may lead by now, and have changed the map.
        if self.asks_before_reads && !self.is_agreed(term, Request::Confirm { term }).await {
            return Reply::NotLeader;
        }
        Reply::Value(value)
    }

    /// Whether a majority agrees; else it leads no more.
    async fn is_agreed(self: &Arc<Replica>, term: u64, request: Request) -> bool {
        let replies = self.ask_others(request).await;
        let agrees = replies.len() >= OTHERS;
        let mut state = self.state();
        if !agrees && state.promised == term {
            state.leads = false;
        }
        agrees
    }

    /// What the first say that do not refuse, until they are a majority. The others are asked as well.
    async fn ask_others(self: &Arc<Replica>, request: Request) -> Vec<Reply> {
        let mut asked = JoinSet::new();
        for other in (0..REPLICAS).filter(|other| *other != self.number) {
            let request = request.clone();
            asked.spawn(async move { call(&name(other), &request, LIMIT).await.ok() });
        }
        let mut replies = Vec::new();
        while replies.len() < OTHERS
            && let Some(reply) = asked.join_next().await
        {
            match reply.expect("a call does not panic") {
                Some(Reply::Refused { term }) => _ = self.state().follow(term),
                Some(reply) => replies.push(reply),
                None => {}
            }
        }
        asked.detach_all();
        replies
    }

    // --- elections

    /// Tells the others that it leads, or sees to it that somebody does.
    async fn watch(self: Arc<Replica>) {
        let mut silence = silence();
        loop {
            sleep(HEARTBEAT).await;
            let (leads, term, heard) = {
                let state = self.state();
                (state.leads, state.promised, state.heard)
            };
            if leads {
                self.ask_others(Request::Confirm { term }).await;
            } else if heard.elapsed() > silence {
                self.campaign().await;
                silence = self::silence();
            }
        }
    }

    async fn campaign(self: &Arc<Replica>) {
        let _turn = self.turn.lock().await;
        let (term, mut newest) = {
            let mut state = self.state();
            // Each has terms of its own.
            let ours = |term: &u64| term % REPLICAS as u64 == self.number as u64;
            let term = (state.promised + 1..).find(ours).expect("every third is ours");
            let followed = state.follow(term);
            followed.expect("it is later than the one that was promised");
            (term, (state.stamp, state.map.clone()))
        };
        let replies = self.ask_others(Request::Elect { term }).await;
        if replies.len() < OTHERS {
            return;
        }
        for reply in replies {
            if let Reply::Elected { stamp, map } = reply
                && stamp > newest.0
            {
                newest = (stamp, map);
            }
        }
        let (stamp, map) = ((term, 0), newest.1);
        {
            let mut state = self.state();
            if state.promised != term {
                return;
            }
            state.keep(stamp, map.clone());
        }
        if self.is_agreed(term, Request::Keep { stamp, map }).await {
            let mut state = self.state();
            state.leads = state.promised == term;
        }
    }
}

fn silence() -> Duration {
    Duration::from_millis(sim::rand::rng().random_range(SILENCE_MS))
}
