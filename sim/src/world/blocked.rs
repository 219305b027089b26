//! Calls that block a thread, made in the middle of a poll: the lint `blocked_poll`.
//!
//! The worker stays taken meanwhile, so that other tasks do not get it: tokio's rule is not to. A thread may block;
//! so may the test itself, by what mirrors std, as it is the main thread of a program of threads. Sleeps, parks, joins and the ends of channels of std's kind are told whenever they wait. A lock is
//! another matter: to wait for a short critical section of std's mutex is what tokio's own documentation advises. Such
//! a section comes to its end by being run; so a wait for a lock is told only if meanwhile nothing could run and the
//! clock went on to a timer. Whoever holds the lock then awaits, sleeps or blocks with it, however short the wait was.

use super::{MAIN, NONE, Warning, World};
use crate::{
    backtrace::Backtrace,
    check::{FailureKind, Level},
};
use sim_choice::Access;
use std::time::Duration;

/// What a call waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Sleep(u64),
    /// To be told to go on: by an unpark, a message, the end of another.
    Token,
    /// A lock, as far as can be seen.
    Lock,
}

/// A call that blocks a poll.
pub(super) struct Blocking {
    cause: Cause,
    began_ns: u64,
    idle_at: u64,
}

impl Cause {
    /// Of what a wait of std's kind announced.
    pub(super) fn of(access: Option<Access>) -> Cause {
        match access {
            Some(Access::Send | Access::Receive | Access::Wait | Access::Join) => Cause::Token,
            _ => Cause::Lock,
        }
    }
}

impl World {
    /// The code that runs is about to wait. If that blocks a poll, gives what to end it with.
    ///
    /// Where it is denied the run ends here, unless nobody knows yet whether there is anything to tell.
    pub(super) fn begin_blocking(&self, cause: Cause) -> Option<Blocking> {
        if !self.blocks_a_poll() {
            return None;
        }
        let level = self.limits.borrow().lints.level(FailureKind::BlockedPoll);
        if level == Level::Allow || self.is_stopping() {
            return None;
        }
        let blocking = Blocking { cause, began_ns: self.now_ns(), idle_at: self.idle_at() };
        if level == Level::Deny && cause != Cause::Lock {
            self.tell_blocking(&blocking);
            return None;
        }
        Some(blocking)
    }

    /// Whether it is a poll of a task, or of the test, that would be blocked here. What a thread polls is its own.
    fn blocks_a_poll(&self) -> bool {
        let running = self.running();
        let own_thread = running.thread && self.fiber.get() != MAIN;
        running.slot != NONE && running.polling && !own_thread && !self.ambient.get()
    }

    /// The wait is over.
    pub(super) fn end_blocking(&self, blocking: Option<Blocking>) {
        let Some(blocking) = blocking else { return };
        let short = blocking.cause == Cause::Lock && blocking.idle_at == self.idle_at();
        if !short && !self.is_stopping() {
            self.tell_blocking(&blocking);
        }
    }

    /// The code that runs has taken long since the last step, if it has.
    ///
    /// It depends on the machine, and so it is only told: it is never denied, and reaches no decision and no trace.
    #[cold]
    pub(super) fn tell_slow(&self) {
        if !self.pulse.take_slow() {
            return;
        }
        self.set_unusual();
        let level = self.limits.borrow().lints.level(FailureKind::BlockedPoll);
        if !self.blocks_a_poll() || level == Level::Allow || self.is_stopping() {
            return;
        }
        let (backtrace, number) = (Backtrace::here(), self.running().number);
        let since = match self.op.get() {
            Some(op) => format!("since `{}` at {}", op.access.verb(), op.site),
            None => "since its poll began".into(),
        };
        let until =
            if backtrace.place().is_some() { ", until it came" } else { ", until it ended" };
        let text = format!(
            "{} took more than {:?} of processor time in one poll, {since}{until}{backtrace}\n  instead: \
             `sim::task::spawn_blocking`, or `sim::task::yield_now().await` now and then; how long it takes depends on the \
             machine, so that this is never denied, and `Config::poll_warning` allows more",
            self.task_and_site(number),
            self.limits.borrow().patience.slow,
        );
        self.warn(Warning { key: format!("slow poll {since}"), text });
    }

    #[cold]
    fn tell_blocking(&self, blocking: &Blocking) {
        let backtrace = Backtrace::here();
        let (call, instead) = match blocking.cause {
            Cause::Sleep(_) => ("std::thread::sleep", "`sim::time::sleep(..).await`"),
            Cause::Token => ("a wait of std's", "a channel or a `Notify` that is awaited"),
            Cause::Lock => (
                "a lock of std's",
                "to give the lock back before its holder awaits, or an async one such as `sim::sync::Mutex`: this \
                 one was held while nothing could run",
            ),
        };
        let call = match blocking.cause {
            Cause::Sleep(_) => call,
            _ => backtrace.called.as_deref().unwrap_or(call),
        };
        let waited = match (self.now_ns() - blocking.began_ns, blocking.cause) {
            (0, Cause::Sleep(ns)) => ns,
            (waited, _) => waited,
        };
        let long = match waited {
            0 => String::new(),
            ns => format!(" for {:?} of virtual time", Duration::from_nanos(ns)),
        };
        let number = self.running().number;
        let message = format!(
            "{} blocks its worker{long} in the middle of a poll, by {call}{backtrace}\n  instead: {instead}; or \
             `sim::task::spawn_blocking`, where blocking is allowed",
            self.task_and_site(number),
        );
        let key = format!("blocked_poll {:?}", backtrace.place());
        self.lint_once(FailureKind::BlockedPoll, key, message, Some(number));
    }
}
