//! Whatever is lost, delayed, repeated or cut: a connection delivers the bytes that were written, in order and each once,
//! or an error; and as long as something is missing some event is due.

mod harness;

use harness::{MS, Net, SECOND, net_with};
use proptest::prelude::*;
use sim_choice::{Seed, Strategy as Answers};
use sim_net::{Errno, Flag, How, Number, RuleId, SocketId, Verdict};

/// What a plan does next; `bool`: the client, or else the server.
#[derive(Clone, Debug)]
enum Step {
    Write(bool, usize),
    Read(bool, usize),
    ShutDown(bool),
    Close(bool),
    Wait(u64),
    Partition(u64),
    Hold(u64),
}

#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    lost_percent: u64,
    delayed_percent: u64,
    twice_percent: u64,
    small_buffers: bool,
    nodelay: bool,
    partial_io: bool,
    steps: Vec<Step>,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), 0..60_000_usize).prop_map(|(side, len)| Step::Write(side, len)),
        4 => (any::<bool>(), 1..9_usize).prop_map(|(side, len)| Step::Write(side, len)),
        6 => (any::<bool>(), 1..40_000_usize).prop_map(|(side, len)| Step::Read(side, len)),
        6 => (0..400_u64).prop_map(Step::Wait),
        1 => prop_oneof![
            3 => any::<bool>().prop_map(Step::ShutDown),
            1 => any::<bool>().prop_map(Step::Close),
        ],
        1 => (0..5_000_u64).prop_map(Step::Partition),
        1 => (0..5_000_u64).prop_map(Step::Hold),
    ]
}

fn plan() -> impl Strategy<Value = Plan> {
    let percents = (0..50_u64, 0..40_u64, 0..30_u64);
    let switches = any::<(bool, bool, bool)>();
    (any::<u64>(), percents, switches, prop::collection::vec(step(), 0..40)).prop_map(
        |(seed, (lost_percent, delayed_percent, twice_percent), switches, steps)| Plan {
            seed,
            lost_percent,
            delayed_percent,
            twice_percent,
            small_buffers: switches.0,
            nodelay: switches.1,
            partial_io: switches.2,
            steps,
        },
    )
}

/// One end: what it has written and read.
struct End {
    socket: SocketId,
    written: usize,
    read: usize,
    closed: bool,
    /// It was told that all is over.
    over: Option<Result<(), Errno>>,
}

/// The byte of that number of a stream.
fn byte(client: bool, number: usize) -> u8 {
    (number.wrapping_mul(31) >> 3) as u8 ^ if client { 0 } else { 0x55 }
}

struct Run {
    net: Net,
    ends: [End; 2],
}

impl Run {
    fn write(&mut self, client: bool, len: usize) {
        let end = &mut self.ends[usize::from(client)];
        let bytes: Vec<u8> = (0..len).map(|i| byte(client, end.written + i)).collect();
        match self.net.send(end.socket, &bytes) {
            Ok(count) => end.written += count,
            Err(Errno::EAGAIN | Errno::EPIPE | Errno::EBADF) => {}
            // It is told once.
            Err(error) => end.over = Some(Err(error)),
        }
    }

    /// Reads at most so many bytes; whether there were any.
    fn read(&mut self, client: bool, len: usize) -> bool {
        let end = &mut self.ends[usize::from(client)];
        let mut buffer = vec![0; len];
        let (socket, read) = (end.socket, end.read);
        if end.closed || end.over.is_some() {
            return false;
        }
        match self.net.with(|network, cx| network.recv(cx, socket, &mut buffer)) {
            Ok(0) => end.over = Some(Ok(())),
            Ok(count) => {
                let expected: Vec<u8> = (0..count).map(|i| byte(!client, read + i)).collect();
                assert!(buffer[..count] == expected, "bytes {read} and on are not those written");
                end.read += count;
                return true;
            }
            Err(Errno::EAGAIN) => {}
            Err(error) => end.over = Some(Err(error)),
        }
        false
    }

    fn shut_down(&mut self, client: bool) {
        let _ = self.net.shutdown(self.ends[usize::from(client)].socket, How::Write);
    }

    fn close(&mut self, client: bool) {
        let end = &mut self.ends[usize::from(client)];
        if !end.closed {
            end.closed = true;
            self.net.close(end.socket).unwrap();
        }
    }

    fn step(&mut self, step: &Step) {
        let (a, b) = (self.net.a, self.net.b);
        match *step {
            Step::Write(client, len) => self.write(client, len),
            Step::Read(client, len) => _ = self.read(client, len),
            Step::ShutDown(client) => self.shut_down(client),
            Step::Close(client) => self.close(client),
            Step::Wait(ms) => self.net.run_ns(ms * MS),
            Step::Partition(ms) => {
                self.net.with(|network, _| network.partition(&[a], &[b])).unwrap();
                self.net.run_ns(ms * MS);
                self.net.with(|network, _| network.repair(&[a], &[b])).unwrap();
            }
            Step::Hold(ms) => {
                self.net.with(|network, _| network.hold(&[a], &[b])).unwrap();
                self.net.run_ns(ms * MS);
                self.net.with(|network, cx| network.release(cx, &[a], &[b])).unwrap();
            }
        }
    }

    /// Both end, and read to the end.
    fn finish(&mut self) {
        for client in [false, true] {
            self.shut_down(client);
        }
        for _ in 0..50_000 {
            for client in [false, true] {
                while self.read(client, 100_000) {}
            }
            if self.ends.iter().all(|end| end.closed || end.over.is_some()) {
                return;
            }
            if !self.net.step() {
                // A reset is sent once. Where that was lost, who has nothing to send is not told.
                let sockets = self.net.network.sockets();
                let idle = sockets.iter().all(|line| line.unsent_bytes == 0);
                assert!(idle && self.ends.iter().any(|end| end.closed), "it hangs: {sockets:#?}");
                return;
            }
        }
        panic!("there is no end: {:#?}", self.net.network.sockets());
    }
}

fn run(plan: &Plan) {
    let answers = if plan.partial_io { Answers::Random } else { Answers::Calm };
    let mut net = net_with(Seed(plan.seed), answers);
    net.network.set_partial_io(plan.partial_io);
    let (lost, delayed, twice) = (plan.lost_percent, plan.delayed_percent, plan.twice_percent);
    let mut state = plan.seed | 1;
    let rule = net.network.add_rule(move |_| {
        // Knuth's generator of MMIX: the high bits are good.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let draw = (state >> 33) % 100;
        match () {
            () if draw < lost => Verdict::Drop,
            () if draw < lost + delayed => Verdict::Delay((state >> 40) % (300 * MS)),
            () if draw < lost + delayed + twice => Verdict::Duplicate,
            () => Verdict::Pass,
        }
    });
    let listener = net.listener(net.b, "0.0.0.0:80");
    let client = net.socket(net.a);
    for socket in [listener, client] {
        net.network.set_flag(socket, Flag::NoDelay, plan.nodelay).unwrap();
        if plan.small_buffers {
            net.network.set_number(socket, Number::SendBuffer, 0).unwrap();
            net.network.set_number(socket, Number::RecvBuffer, 0).unwrap();
        }
    }
    net.connect(client, "10.0.0.2:80").unwrap_err();
    let server = loop {
        match net.accept(listener) {
            Ok(server) => break server,
            Err(error) => assert_eq!(error, Errno::EAGAIN),
        }
        // None of the seven may have got through.
        if net.network.take_error(client).unwrap() == Some(Errno::ETIMEDOUT) {
            return;
        }
        if !net.step() {
            return half_open(net, rule, client);
        }
    };
    let end = |socket| End { socket, written: 0, read: 0, closed: false, over: None };
    let mut run = Run { net, ends: [end(server), end(client)] };
    plan.steps.iter().for_each(|step| run.step(step));
    drop(run.net.network.remove_rule(rule));
    run.finish();
    let [server, client] = &run.ends;
    for (reader, writer) in [(server, client), (client, server)] {
        assert!(reader.read <= writer.written);
        if !writer.closed && !reader.closed {
            assert_eq!(reader.over, Some(Ok(())), "nobody closed: there is no error");
        }
        if reader.over == Some(Ok(())) {
            assert_eq!(reader.read, writer.written, "the end came early");
        }
    }
    // What is left are orphans, which end too.
    let open: Vec<SocketId> =
        run.ends.iter().filter(|end| !end.closed).map(|end| end.socket).collect();
    open.into_iter().for_each(|socket| run.net.close(socket).unwrap());
    run.net.close(listener).unwrap();
    run.net.run_ns(1_000 * SECOND);
    assert_eq!(run.net.network.sockets(), []);
    assert_eq!(run.net.network.next(), None);
}

/// The third segment was lost, each time: the server has given up, and the client learns of it once it writes.
fn half_open(mut net: Net, rule: RuleId, client: SocketId) {
    assert_eq!(net.states(net.a), ["ESTABLISHED"], "connecting hangs");
    assert_eq!(net.states(net.b), ["LISTEN"]);
    drop(net.network.remove_rule(rule));
    net.send(client, b"x").unwrap();
    net.run();
    assert_eq!(net.recv(client), Err(Errno::ECONNRESET));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_bytes_arrive_in_order_or_there_is_an_error(plan in plan()) {
        run(&plan);
    }
}
