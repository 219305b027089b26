//! Answering from a tape.
//!
//! Each lane has its own cursor over its own records. A question that is the next record's gets its answer.
//! Any other means that the program has changed since: the cursor looks a little ahead for the same kind of
//! question by the same task and goes on from there (the program asks less than it did), else the question
//! is new, gets the calm answer and leaves the cursor where it is (the program asks more).

use crate::{Kind, Lane, Path, Record, Seed, Tape};
use alloc::{sync::Arc, vec::Vec};
use core::fmt;

/// How far a cursor looks ahead, in records of its lane.
const WINDOW: usize = 64;

/// Where answers come from when a tape has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// All are zero.
    Calm,
    /// They are drawn by the tape's strategy with this seed: the tape's own, or another to branch off.
    Strategy(Seed),
}

/// A question without its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// The stream the question belongs to.
    pub lane: Lane,
    /// What is asked.
    pub kind: Kind,
    /// The task that asks.
    pub who: Path,
    /// How many answers there are.
    pub bound: u32,
}

impl Question {
    fn of(record: &Record) -> Question {
        Question { lane: record.lane, kind: record.kind, who: record.who, bound: record.bound }
    }
}

/// The first place where a replay asked something else than the tape has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Divergence {
    /// Index of the record that did not match, counting from 0 over all lanes.
    pub index: usize,
    /// What the tape has there.
    pub expected: Question,
    /// What was asked.
    pub asked: Question,
    /// For the names of paths.
    tape: Arc<Tape>,
}

/// Reads as in "choice 3: the tape has `schedule next main/0 of 3`, the run asks `schedule preempt main of 2`".
impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "choice {}: the tape has `", self.index)?;
        self.write_question(f, &self.expected)?;
        f.write_str("`, the run asks `")?;
        self.write_question(f, &self.asked)?;
        f.write_str("`")
    }
}

impl Divergence {
    fn write_question(&self, f: &mut fmt::Formatter<'_>, question: &Question) -> fmt::Result {
        let Question { lane, kind, who, bound } = question;
        match self.tape.names.get(who) {
            Some(name) => write!(f, "{lane} {kind} {name} of {bound}"),
            None => write!(f, "{lane} {kind} {who} of {bound}"),
        }
    }
}

/// The state of a replay; empty in a run that is none.
#[derive(Default)]
pub(crate) struct Replay {
    tape: Option<Arc<Tape>>,
    cursors: [Cursor; Lane::COUNT],
    divergence: Option<Divergence>,
}

/// A place in one lane of a tape.
#[derive(Default)]
struct Cursor {
    /// Indices into the tape's records; the order within the lane.
    order: Vec<u32>,
    at: usize,
}

impl Replay {
    /// Forgets the tape. Keeps its allocations.
    #[inline]
    pub(crate) fn clear(&mut self) {
        if self.tape.is_some() {
            self.forget();
        }
    }

    #[cold]
    fn forget(&mut self) {
        self.tape = None;
        self.divergence = None;
        for cursor in &mut self.cursors {
            cursor.order.clear();
            cursor.at = 0;
        }
    }

    pub(crate) fn start(&mut self, tape: Arc<Tape>) {
        self.forget();
        for (record, index) in tape.records.iter().zip(0..) {
            self.cursors[record.lane as usize].order.push(index);
        }
        self.tape = Some(tape);
    }

    pub(crate) fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    /// The tape's answer, or none if the question's lane has ended.
    pub(crate) fn answer(&mut self, asked: Question) -> Option<u32> {
        let tape = self.tape.as_ref()?;
        let cursor = &mut self.cursors[asked.lane as usize];
        let ahead = &cursor.order[cursor.at..];
        let &index = ahead.first()?;
        let expected = &tape.records[index as usize];
        if Question::of(expected) == asked {
            cursor.at += 1;
            return Some(expected.answer);
        }
        if self.divergence.is_none() {
            let (index, expected) = (index as usize, Question::of(expected));
            self.divergence = Some(Divergence { index, expected, asked, tape: tape.clone() });
        }
        let fits = |record: &Record| {
            record.kind == asked.kind && record.who == asked.who && record.answer < asked.bound
        };
        let records = ahead.iter().take(WINDOW).map(|&index| &tape.records[index as usize]);
        let Some((skipped, record)) = records.enumerate().find(|(_, record)| fits(record)) else {
            return Some(0);
        };
        cursor.at += skipped + 1;
        Some(record.answer)
    }
}
