//! How fast the network is without tasks: 50 pairs of hosts that send each other 64 bytes, to and fro.
//!
//! `cargo run --release -p sim-net --example pairs [messages]`

use sim_choice::{Choices, Path, Seed, Strategy};
use sim_net::{Cx, Domain, Errno, Kind, Link, Network, SocketId};
use std::{collections::BTreeMap, net::SocketAddr, time::Instant};

const PAIRS: u32 = 50;

fn main() {
    let messages: u64 = match std::env::args().nth(1) {
        Some(text) => text.parse().expect("a number of messages"),
        None => 5_000_000,
    };
    for (name, strategy, link) in [
        ("calm, links of 100 us", Strategy::Calm, Link::constant(100_000)),
        ("random, links of 100 us", Strategy::Random, Link::constant(100_000)),
        ("random, usual links", Strategy::Random, Link::default()),
    ] {
        let mut run = Run::new(strategy, link);
        let begin = Instant::now();
        run.messages(messages);
        let ns = begin.elapsed().as_nanos() / u128::from(messages);
        println!("{name}: {ns} ns a message, {} virtual ms", run.now_ns / 1_000_000);
    }
}

struct Run {
    network: Network,
    choices: Choices,
    now_ns: u64,
    /// The servers answer, the clients ask again: to all it is the same.
    sockets: Vec<SocketId>,
}

impl Run {
    fn new(strategy: Strategy, link: Link) -> Run {
        let mut network = Network::new();
        network.set_default_link(link).expect("the link is sound");
        let mut choices = Choices::new();
        choices.start(Seed(1), strategy);
        let mut run = Run { network, choices, now_ns: 0, sockets: Vec::new() };
        let pairs: Vec<[SocketId; 2]> = (0..PAIRS).map(|number| run.pair(number)).collect();
        run.run_until(100_000_000);
        for [client, listener] in pairs {
            let server = run.with(|network, cx| network.accept(cx, listener));
            run.sockets.extend([client, server.expect("it is connected")]);
            run.with(|network, cx| network.send(cx, client, &[7; 64])).expect("there is room");
        }
        run
    }

    fn pair(&mut self, number: u32) -> [SocketId; 2] {
        let a = self.network.add_host(&format!("a{number}"), &[]).expect("the name is new");
        let b = self.network.add_host(&format!("b{number}"), &[]).expect("the name is new");
        let listener = self.network.socket(b, Domain::V4, Kind::Stream).expect("there is room");
        let client = self.network.socket(a, Domain::V4, Kind::Stream).expect("there is room");
        let address = SocketAddr::new(self.network.addresses(b)[0], 80);
        self.with(|network, cx| {
            network.bind(cx, listener, address).expect("the port is free");
            network.listen(cx, listener, 8).expect("the port is free");
            assert_eq!(network.connect(cx, client, address), Err(Errno::EINPROGRESS));
        });
        [client, listener]
    }

    fn with<R>(&mut self, verb: impl FnOnce(&mut Network, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx { now_ns: self.now_ns, who: Path::MAIN, choices: &mut self.choices };
        verb(&mut self.network, &mut cx)
    }

    fn run_until(&mut self, ns: u64) {
        while let Some(next) = self.network.next().filter(|next| *next <= ns) {
            self.now_ns = next;
            self.with(|network, cx| network.advance(cx));
        }
    }

    fn messages(&mut self, count: u64) {
        let mine: BTreeMap<u32, SocketId> =
            self.sockets.iter().map(|socket| (socket.index(), *socket)).collect();
        let (mut received, mut woken, mut buffer) = (0, Vec::new(), [0; 64]);
        while received < count {
            self.now_ns = self.network.next().expect("a message is under way");
            self.with(|network, cx| network.advance(cx));
            self.network.take_woken(&mut woken);
            for socket in woken.drain(..).filter(|socket| mine.contains_key(&socket.index())) {
                let got = self.with(|network, cx| network.recv(cx, socket, &mut buffer));
                if got == Ok(64) {
                    received += 1;
                    self.with(|network, cx| network.send(cx, socket, &buffer))
                        .expect("there is room");
                }
            }
        }
    }
}
