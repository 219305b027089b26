//! The text form of a tape, written and read. Reading is strict: what is read and written again is the
//! same text, and an error names its line.

use crate::{Kind, Lane, ParsePathError, Record, Tape};
use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

const VERSION: &str = "sim tape 1";

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}\nseed {}\nstrategy {}", self.seed, self.strategy)?;
        for &Record { lane, kind, who, bound, answer } in &self.records {
            match self.names.get(&who) {
                Some(name) => writeln!(f, "{lane} {kind} {name} {bound} {answer}")?,
                None => writeln!(f, "{lane} {kind} {who} {bound} {answer}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for Tape {
    type Err = ParseTapeError;

    fn from_str(text: &str) -> Result<Tape, ParseTapeError> {
        let mut lines = text.lines();
        let version = lines.next().unwrap_or("");
        if version != VERSION {
            return Err(Reason::Version(version.into()).at(1));
        }
        let seed = header(lines.next(), "seed").map_err(|reason| reason.at(2))?;
        let strategy = header(lines.next(), "strategy").map_err(|reason| reason.at(3))?;
        let mut tape = Tape { seed, strategy, records: Vec::new(), names: BTreeMap::new() };
        for (line, number) in lines.zip(4..) {
            let (record, path) = record(line).map_err(|reason| reason.at(number))?;
            tape.records.push(record);
            if !path.starts_with('#') {
                tape.names.entry(record.who).or_insert_with(|| path.into());
            }
        }
        Ok(tape)
    }
}

/// Reads a line such as "seed 0x2a".
fn header<T: FromStr<Err: ToString>>(line: Option<&str>, name: &'static str) -> Result<T, Reason> {
    let line = line.unwrap_or("");
    match line.split_once(' ') {
        Some((first, value)) if first == name => {
            value.parse().map_err(|error: T::Err| Reason::Value(error.to_string()))
        }
        _ => Err(Reason::Header { name, found: line.into() }),
    }
}

fn record(line: &str) -> Result<(Record, &str), Reason> {
    let mut words = line.split(' ');
    let mut word =
        |missing| words.next().filter(|word| !word.is_empty()).ok_or(Reason::Missing(missing));
    let (lane, kind, path) = (word("lane")?, word("kind")?, word("path")?);
    let (bound, answer) = (word("bound")?, word("answer")?);
    if let Some(word) = words.next() {
        return Err(Reason::Trailing(word.into()));
    }
    let record = Record {
        lane: Lane::from_name(lane).ok_or_else(|| Reason::Lane(lane.into()))?,
        kind: Kind::from_name(kind).ok_or_else(|| Reason::Kind(kind.into()))?,
        who: path.parse().map_err(|error: ParsePathError| Reason::Value(error.to_string()))?,
        bound: number(bound)?,
        answer: number(answer)?,
    };
    if record.bound < 2 {
        return Err(Reason::Bound(record.bound));
    }
    if record.answer >= record.bound {
        return Err(Reason::Answer { answer: record.answer, bound: record.bound });
    }
    Ok((record, path))
}

/// A number as it would be written: no sign, no leading zero.
fn number(text: &str) -> Result<u32, Reason> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| plain).ok_or_else(|| Reason::Number(text.into()))
}

/// The text is no tape.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ParseTapeError {
    /// The line that is wrong, counting from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

impl fmt::Display for ParseTapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl core::error::Error for ParseTapeError {}

/// Why a line of a tape cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The first line is not that of a tape which this version reads.
    Version(String),
    /// The second or third line does not begin with its name.
    Header {
        /// The name that is due there, "seed" or "strategy".
        name: &'static str,
        /// The line; empty if there is none.
        found: String,
    },
    /// A seed, strategy or path is malformed; the message of its own error.
    Value(String),
    /// A record ends early; what is missing.
    Missing(&'static str),
    /// There is no such lane.
    Lane(String),
    /// There is no such kind.
    Kind(String),
    /// A bound or answer is no 32-bit number.
    Number(String),
    /// A question with fewer than two answers is never recorded.
    Bound(u32),
    /// The answer is not one of those that were possible.
    Answer {
        /// The answer.
        answer: u32,
        /// It must be below this.
        bound: u32,
    },
    /// A record goes on after its answer.
    Trailing(String),
}

impl Reason {
    fn at(self, line: usize) -> ParseTapeError {
        ParseTapeError { line, reason: self }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Version(found) => write!(f, "expected `{VERSION}`, found `{found}`"),
            Reason::Header { name, found } => write!(f, "expected `{name} ...`, found `{found}`"),
            Reason::Value(message) => f.write_str(message),
            Reason::Missing(what) => {
                write!(f, "the {what} is missing: a record is `lane kind path bound answer`")
            }
            Reason::Lane(name) => unknown(f, "lane", name, Lane::ALL),
            Reason::Kind(name) => unknown(f, "kind", name, Kind::ALL),
            Reason::Number(text) => {
                write!(f, "invalid number `{text}`: expected 0 to {}", u32::MAX)
            }
            Reason::Bound(bound) => {
                write!(f, "bound {bound} is too low: a choice has at least 2 answers")
            }
            Reason::Answer { answer, bound } => {
                write!(f, "answer {answer} is not below its bound {bound}")
            }
            Reason::Trailing(word) => write!(f, "unexpected `{word}` after the answer"),
        }
    }
}

fn unknown<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    name: &str,
    all: &[T],
) -> fmt::Result {
    write!(f, "unknown {what} `{name}`: expected ")?;
    for (index, value) in all.iter().enumerate() {
        let before = if index == 0 { "" } else { ", " };
        write!(f, "{before}{value}")?;
    }
    Ok(())
}
