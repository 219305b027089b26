//! Who is there: a hundred machines that tell each other over UDP, of which a part is lost. Das, Gupta and Motivala,
//! *SWIM* (DSN 2002): each asks another at random, in turns; who does not answer is suspected, and after a while taken
//! for dead. News travels with the questions and answers.
//!
//! Who hears that he is suspected, or dead, raises his incarnation, which outdoes what was said of the earlier one. The
//! broken machine says that it is alive, and leaves the number as it is: nobody believes it, and once it is taken for
//! dead, as after a restart, it never comes back.

use rand::{RngExt, seq::IteratorRandom};
use sim as tokio;
use sim::{Node, rand::rng};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep, timeout},
};

const MACHINES: u16 = 100;
const PORT: u16 = 7946;
const LOSS_PPM: u32 = 50_000;
const TURN: Duration = Duration::from_millis(500);
/// Who has not answered by then is suspected.
const ANSWERS_WITHIN: Duration = Duration::from_millis(200);
/// Who has been suspected for so long is taken for dead: news has reached him, and his denial all others.
const SUSPECTED_FOR: Duration = Duration::from_secs(8);
/// How many pieces of news go with a message, and with how many messages a piece goes: twice the logarithm of
/// how many machines there are.
const NEWS: usize = 25;
const TIMES: u32 = 14;
/// All have to agree by then.
const DEADLINE: Duration = Duration::from_secs(40);

/// Machines that do not raise their incarnation.
pub async fn broken() {
    test(false).await;
}

/// Machines that do.
pub async fn corrected() {
    test(true).await;
}

async fn test(raises: bool) {
    sim::net::default_link().loss_ppm(LOSS_PPM);
    let views: Vec<Arc<Mutex<View>>> = (0..MACHINES).map(|_| Arc::default()).collect();
    let machines: Vec<Node> = (0..)
        .zip(&views)
        .map(|(me, view)| {
            let view = view.clone();
            let node = sim::node(format!("machine-{me}")).ip(ip(me)).workers(1);
            node.start(move || run(me, view.clone(), raises))
        })
        .collect();
    agree("all machines are known", &views, |_| true).await;
    let one = rng().random_range(1..MACHINES);
    machines[usize::from(one)].crash();
    let others = without(&views, one);
    agree("the crash is known", &others, |member| member != one).await;
    machines[usize::from(one)].restart();
    agree("the machine is known again", &views, |_| true).await;
}

fn without(views: &[Arc<Mutex<View>>], one: u16) -> Vec<Arc<Mutex<View>>> {
    let others = (0..).zip(views).filter(|(machine, _)| *machine != one);
    others.map(|(_, view)| view.clone()).collect()
}

/// Waits until exactly those are alive, in the eyes of all of these machines.
async fn agree(what: &'static str, views: &[Arc<Mutex<View>>], alive: impl Fn(u16) -> bool) {
    let agreed = async {
        while !views.iter().all(|view| {
            let view = view.lock().unwrap();
            (0..MACHINES).all(|member| view.is_alive(member) == alive(member))
        }) {
            sleep(TURN).await;
        }
    };
    sim::within(DEADLINE, what, agreed).await;
}

fn ip(machine: u16) -> Ipv4Addr {
    let [high, low] = (machine + 1).to_be_bytes();
    Ipv4Addr::new(10, 0, high, low)
}

fn address(machine: u16) -> SocketAddr {
    (ip(machine), PORT).into()
}

/// The machine that has the address.
fn number(address: SocketAddr) -> u16 {
    let SocketAddr::V4(v4) = address else { panic!("{address} is no machine's") };
    let [_, _, high, low] = v4.ip().octets();
    u16::from_be_bytes([high, low]) - 1
}

// --- what a machine knows

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Health {
    Alive,
    Suspected,
    Dead,
}

/// What is said of a machine: what is greater outdoes what is less.
type Claim = (u32, Health);

struct Member {
    claim: Claim,
    since: Instant,
    /// With how many messages the claim is still to travel.
    times: u32,
}

/// What a machine knows of all, itself included.
#[derive(Default)]
struct View {
    me: u16,
    raises: bool,
    members: BTreeMap<u16, Member>,
}

impl View {
    fn is_alive(&self, member: u16) -> bool {
        self.members.get(&member).is_some_and(|member| member.claim.1 != Health::Dead)
    }

    /// Takes in what is said of a machine.
    fn hear(&mut self, member: u16, claim: Claim) {
        let known = self.members.get(&member).map(|member| member.claim);
        if known.is_some_and(|known| known >= claim) {
            return;
        }
        let claim = if member == self.me { self.deny(claim) } else { claim };
        self.members.insert(member, Member { claim, since: Instant::now(), times: TIMES });
    }

    /// What this machine says to what is said of it.
    fn deny(&self, (incarnation, health): Claim) -> Claim {
        match health {
            Health::Alive => (incarnation, Health::Alive),
            _ => (incarnation + u32::from(self.raises), Health::Alive),
        }
    }

    /// Gives up those that have been suspected for too long.
    fn bury(&mut self) {
        let late = |member: &Member| {
            member.claim.1 == Health::Suspected && member.since.elapsed() > SUSPECTED_FOR
        };
        let lost: Vec<(u16, u32)> = self
            .members
            .iter()
            .filter(|(_, member)| late(member))
            .map(|(number, member)| (*number, member.claim.0))
            .collect();
        for (number, incarnation) in lost {
            self.hear(number, (incarnation, Health::Dead));
        }
    }

    /// The news that has travelled least, or all that is known: six bytes a machine, and what is said.
    fn news(&mut self, all: bool) -> Vec<u8> {
        let mut news: Vec<(&u16, &mut Member)> = self.members.iter_mut().collect();
        if !all {
            news.retain(|(_, member)| member.times > 0);
            news.sort_by_key(|(_, member)| u32::MAX - member.times);
            news.truncate(NEWS);
        }
        let mut bytes = Vec::new();
        for (number, member) in news {
            member.times = member.times.saturating_sub(1);
            bytes.extend(number.to_be_bytes());
            bytes.extend(member.claim.0.to_be_bytes());
            bytes.push(member.claim.1 as u8);
        }
        bytes
    }

    fn hear_all(&mut self, news: &[u8]) {
        for piece in news.chunks_exact(7) {
            let number = u16::from_be_bytes([piece[0], piece[1]]);
            let incarnation = u32::from_be_bytes([piece[2], piece[3], piece[4], piece[5]]);
            let health = [Health::Alive, Health::Suspected, Health::Dead][usize::from(piece[6])];
            self.hear(number, (incarnation, health));
        }
    }

    /// Somebody else who is not known to be dead.
    fn anybody(&self) -> Option<u16> {
        let others = self.members.keys().copied().filter(|other| *other != self.me);
        others.filter(|other| self.is_alive(*other)).choose(&mut rng())
    }
}

// --- a machine

/// The first byte of a message.
const ASKS: u8 = 0;
const ANSWERS: u8 = 1;
/// As `ASKS`, of one who knows nobody yet.
const JOINS: u8 = 2;

struct Machine {
    view: Arc<Mutex<View>>,
    socket: UdpSocket,
    /// Who was asked last has answered.
    answered: tokio::sync::Notify,
    asked: Mutex<Option<u16>>,
}

/// The process of a machine, which begins with an empty view.
async fn run(me: u16, view: Arc<Mutex<View>>, raises: bool) -> io::Result<()> {
    *view.lock().unwrap() = View { me, raises, members: BTreeMap::new() };
    view.lock().unwrap().hear(me, (0, Health::Alive));
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
    let (answered, asked) = (tokio::sync::Notify::new(), Mutex::new(None));
    let machine = Arc::new(Machine { view, socket, answered, asked });
    let asking = machine.clone();
    tokio::spawn(async move {
        // Not all at once.
        sleep(Duration::from_millis(rng().random_range(0..TURN.as_millis() as u64))).await;
        loop {
            asking.turn().await;
        }
    });
    machine.listen().await
}

impl Machine {
    fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap()
    }

    /// Asks somebody, and suspects him if he does not answer.
    async fn turn(&self) {
        let turn_ends = Instant::now() + TURN;
        let other = {
            let mut view = self.view();
            view.bury();
            view.anybody()
        };
        match other {
            // The first machine is known to all.
            None => self.say(JOINS, 0).await,
            Some(other) => {
                // Once more, as either message may have been lost.
                if !self.answers(other).await && !self.answers(other).await {
                    self.suspect(other);
                }
            }
        }
        tokio::time::sleep_until(turn_ends).await;
    }

    async fn answers(&self, other: u16) -> bool {
        *self.asked.lock().unwrap() = Some(other);
        self.say(ASKS, other).await;
        timeout(ANSWERS_WITHIN, self.answered.notified()).await.is_ok()
    }

    fn suspect(&self, other: u16) {
        *self.asked.lock().unwrap() = None;
        let mut view = self.view();
        let incarnation = view.members[&other].claim.0;
        view.hear(other, (incarnation, Health::Suspected));
    }

    async fn listen(&self) -> io::Result<()> {
        let mut message = [0; 1_400];
        loop {
            let (len, from) = self.socket.recv_from(&mut message).await?;
            let Some((&kind, news)) = message[..len].split_first() else { continue };
            self.view().hear_all(news);
            match (kind, number(from)) {
                (ANSWERS, from) => self.was_answered(from),
                (kind, from) => self.answer(kind, from).await,
            }
        }
    }

    fn was_answered(&self, from: u16) {
        if self.asked.lock().unwrap().take_if(|asked| *asked == from).is_some() {
            self.answered.notify_one();
        }
    }

    /// Who joins is told all; and who is taken for dead is told so, that he may deny it.
    async fn answer(&self, kind: u8, to: u16) {
        let news = {
            let mut view = self.view();
            let all = kind == JOINS || !view.is_alive(to);
            view.news(all)
        };
        self.send(ANSWERS, to, news).await;
    }

    async fn say(&self, kind: u8, to: u16) {
        let news = self.view().news(false);
        self.send(kind, to, news).await;
    }

    async fn send(&self, kind: u8, to: u16, news: Vec<u8>) {
        let mut message = vec![kind];
        message.extend(news);
        // What does not go is as what is lost.
        let _ = self.socket.send_to(&message, address(to)).await;
    }
}
