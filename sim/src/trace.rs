//! What happened in a run: the events that the hash covers, and the trace of a failing run.
//!
//! A passing run folds each event into the hash and keeps nothing. A failing one is run again with
//! a [`Trace`], which also takes the `tracing` events and spans of the program under test.

use crate::{
    context,
    faults::FaultKind,
    point::{Op, Site},
    world::Given,
};
use sim_choice::Announced;
use std::{
    cell::{Cell, RefCell},
    fmt::{self, Write},
    time::Duration,
};
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// One event of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happened {
    /// The clock went to this time, in nanoseconds.
    Clock(u64),
    /// Task so and so was spawned.
    Spawn(u32),
    /// A thread began to run.
    Start(u32),
    /// A task ended.
    Done(u32),
    /// A task panicked.
    Panic,
    /// Something was done to a node.
    Node(u32, NodeEvent),
    /// A fault has struck a node, or is over.
    Fault(FaultKind, u32, bool),
    /// The run is over, after so many steps: the last event of each run.
    End(u64),
    /// A task announced an operation. Only traces have it: its choice is hashed anyway.
    Op(Op),
}

impl Happened {
    /// What the hash takes of it: no address, no name.
    #[inline]
    pub(crate) fn digest(&self) -> u64 {
        match self {
            Happened::Clock(ns) => ns << 3,
            Happened::Spawn(number) => u64::from(*number) << 3 | 1,
            Happened::Start(number) => u64::from(*number) << 3 | 2,
            Happened::Done(number) => u64::from(*number) << 3 | 3,
            Happened::Panic => 4,
            Happened::Node(node, event) => u64::from(*node) << 8 | (event.kind as u64) << 3 | 7,
            Happened::Fault(kind, node, over) => {
                (*kind as u64 + 1) << 48 | u64::from(*node) << 8 | u64::from(*over) << 3 | 4
            }
            Happened::Op(_) => 5,
            Happened::End(steps) => steps << 3 | 6,
        }
    }
}

/// What was done to a node, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeEvent {
    pub(crate) kind: NodeEventKind,
    /// `None` if it ended by itself.
    pub(crate) site: Option<Site>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum NodeEventKind {
    Start,
    Crash,
    End,
    Pause,
    Resume,
    Signal,
}

impl NodeEventKind {
    fn verb(self) -> &'static str {
        match self {
            NodeEventKind::Start => "starts",
            NodeEventKind::Crash => "crashes",
            NodeEventKind::End => "ends",
            NodeEventKind::Pause => "is paused",
            NodeEventKind::Resume => "is resumed",
            NodeEventKind::Signal => "gets a signal",
        }
    }
}

/// One line of a trace.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at_ns: u64,
    /// The number of the task that ran; `u32::MAX` is none.
    pub(crate) task: u32,
    pub(crate) text: String,
    /// The running hash after the event.
    pub(crate) hash: u64,
}

/// The events of a run that is looked at.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) lines: Vec<Line>,
}

/// Lines that a trace keeps; a run that does not end would fill the memory.
const LINES: usize = 1 << 20;

impl Trace {
    pub(crate) fn push(
        &mut self,
        at_ns: u64,
        task: u32,
        happened: Happened,
        given: &Given,
        hash: u64,
    ) {
        let text = match happened {
            Happened::Clock(ns) => format!("clock goes to {:?}", Duration::from_nanos(ns)),
            Happened::Spawn(number) => format!("spawns task number {number}"),
            Happened::Start(number) => format!("thread number {number} starts"),
            Happened::Done(number) => format!("task number {number} ends"),
            Happened::Panic => "panics".to_string(),
            Happened::Node(node, NodeEvent { kind, site }) => {
                let name = context::world().map(|world| world.node_name(node));
                let name = name.as_deref().unwrap_or("?");
                match site {
                    Some(site) => format!("node {name} {}, at {site}", kind.verb()),
                    None => format!("node {name} {}", kind.verb()),
                }
            }
            Happened::Fault(kind, node, over) => {
                let name = context::world().map(|world| world.node_name(node));
                let what = if over { "is over" } else { "strikes" };
                format!("the fault {kind} {what}, of node {}", name.as_deref().unwrap_or("?"))
            }
            Happened::End(steps) => format!("the run is over, after {steps} steps"),
            Happened::Op(op) => match op.object {
                0 => format!("{} at {}", op.access.verb(), op.site),
                _ if op.is_of_task() => {
                    let task = op.object & !Announced::TASK;
                    format!("{} task number {task} at {}", op.access.verb(), op.site)
                }
                object => {
                    format!("{} {} at {}", op.access.verb(), given.object(object), op.site)
                }
            },
        };
        self.push_text(at_ns, task, text, hash);
    }

    pub(crate) fn push_text(&mut self, at_ns: u64, task: u32, text: String, hash: u64) {
        if self.lines.len() < LINES {
            self.lines.push(Line { at_ns, task, text, hash });
        }
    }
}

/// Takes the `tracing` events of the program under test into the trace.
pub(crate) struct Recorder {
    spans: RefCell<Vec<(&'static str, String)>>,
}

thread_local! {
    /// The spans that the running task is in, innermost last.
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    static RECORDING: Cell<bool> = const { Cell::new(false) };
}

// The recorder is only ever used by the thread of its simulation; other threads get nothing.
struct Local(std::thread::ThreadId, std::sync::Mutex<Recorder>);

impl Local {
    fn with<R: Default>(&self, f: impl FnOnce(&Recorder) -> R) -> R {
        if std::thread::current().id() != self.0 {
            return R::default();
        }
        match self.1.try_lock() {
            Ok(recorder) => f(&recorder),
            Err(_) => R::default(),
        }
    }
}

/// Runs `f` with the program's `tracing` events going into the trace of the current run.
pub(crate) fn recording<R>(f: impl FnOnce() -> R) -> R {
    let recorder = Recorder { spans: RefCell::default() };
    let local = Local(std::thread::current().id(), std::sync::Mutex::new(recorder));
    RECORDING.set(true);
    let result = tracing::dispatcher::with_default(&Dispatch::new(local), f);
    RECORDING.set(false);
    ENTERED.with_borrow_mut(Vec::clear);
    result
}

impl Subscriber for Local {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let number = self.with(|recorder| {
            let mut spans = recorder.spans.borrow_mut();
            spans.push((attributes.metadata().name(), fields.text));
            spans.len() as u64
        });
        span::Id::from_u64(number.max(1))
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.with(|recorder| {
            if let Some(span) = recorder.spans.borrow_mut().get_mut(id.into_u64() as usize - 1) {
                span.1.push_str(&fields.text);
            }
        });
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let mut text = format!("{} {}", metadata.level(), metadata.target());
        self.with(|recorder| {
            let spans = recorder.spans.borrow();
            ENTERED.with_borrow(|entered| {
                for &id in entered {
                    if let Some((name, fields)) = spans.get(id as usize - 1) {
                        let _ = write!(text, " {name}{{{}}}", fields.trim_start());
                    }
                }
            });
        });
        let _ = write!(text, ":{}", fields.text);
        if let Some(world) = context::world() {
            let hash = world.choices.borrow().hash();
            let number = world.running().number;
            if let Some(trace) = &mut *world.trace.borrow_mut() {
                trace.push_text(world.now_ns(), number, text, hash);
            }
        }
    }

    fn enter(&self, span: &span::Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(span.into_u64()));
    }

    fn exit(&self, span: &span::Id) {
        ENTERED.with_borrow_mut(|entered| {
            if let Some(at) = entered.iter().rposition(|id| *id == span.into_u64()) {
                entered.remove(at);
            }
        });
    }
}

/// The fields of an event as text: the message, then `name=value`.
#[derive(Default)]
struct Fields {
    text: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.text, " {value:?}"),
            name => write!(self.text, " {name}={value:?}"),
        };
    }
}

/// Leaves the spans that the running task is in, so that the next task does not run in them;
/// they are entered again when the guard is dropped. A span belongs to its task, not to the thread.
#[inline]
pub(crate) fn exit_spans() -> Option<Exited> {
    if tracing::level_filters::LevelFilter::current() == tracing::level_filters::LevelFilter::OFF {
        return None;
    }
    exit_spans_slowly()
}

/// Leaves them for good: what was in them is no more.
pub(crate) fn leave_spans() {
    std::mem::forget(exit_spans());
}

#[cold]
fn exit_spans_slowly() -> Option<Exited> {
    if RECORDING.get() {
        return Some(Exited::Own(ENTERED.take()));
    }
    let mut exited = Vec::new();
    tracing::dispatcher::get_default(|dispatch| {
        while let Some(id) = dispatch.current_span().id().cloned() {
            dispatch.exit(&id);
            exited.push(id);
        }
    });
    (!exited.is_empty()).then_some(Exited::Foreign(exited))
}

/// Enters the spans again when dropped.
pub(crate) enum Exited {
    Own(Vec<u64>),
    Foreign(Vec<span::Id>),
}

impl Drop for Exited {
    fn drop(&mut self) {
        match self {
            Exited::Own(entered) => ENTERED.set(std::mem::take(entered)),
            Exited::Foreign(exited) => tracing::dispatcher::get_default(|dispatch| {
                exited.iter().rev().for_each(|id| dispatch.enter(id));
            }),
        }
    }
}
