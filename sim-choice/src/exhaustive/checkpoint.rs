//! A search as text, between two runs: written, read, and then it goes on exactly as it would have.
//!
//! Each line begins with what it is. A step is its task, what it touched, its answers and its flags, such as
//! `3 w7,q1f 0/2,1/2 e`; nothing is `-`.

use super::{
    Explorer, Limits, Progress,
    effect::{Effect, Touch},
    frame::Frame,
    sleep::{Leaf, Sleeper},
    trace::{Answer, Step},
    tree::Branch,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

const VERSION: &str = "sim search 1";

/// Letters of effects: an upper case one is shared.
const EFFECTS: [(char, Effect); 8] = [
    ('r', Effect::Read),
    ('w', Effect::Write),
    ('q', Effect::Queue),
    ('Q', Effect::QueueShared),
    ('t', Effect::Take),
    ('T', Effect::TakeShared),
    ('e', Effect::Release),
    ('E', Effect::ReleaseShared),
];

/// Items with a comma between them, or `-`.
struct List<I>(I);

impl<I: Clone + Iterator<Item: fmt::Display>> fmt::Display for List<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = self.0.clone();
        let Some(first) = items.next() else { return f.write_str("-") };
        write!(f, "{first}")?;
        items.try_for_each(|item| write!(f, ",{item}"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.answer, self.bound)
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = EFFECTS.iter().find(|(_, effect)| *effect == self.effect);
        write!(f, "{}{:x}", letter.map_or('?', |letter| letter.0), self.object)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (touches, answers) = (List(self.touches.iter()), List(self.answers.iter()));
        write!(f, "{} {touches} {answers} ", self.who)?;
        flags(f, [('e', self.ends), ('g', self.guess)])
    }
}

fn flags(f: &mut fmt::Formatter<'_>, flags: [(char, bool); 2]) -> fmt::Result {
    let mut set = flags.iter().filter(|flag| flag.1).peekable();
    if set.peek().is_none() {
        return f.write_str("-");
    }
    set.try_for_each(|flag| write!(f, "{}", flag.0))
}

impl Frame {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frame {} ", List(self.candidates.iter()))?;
        flags(f, [('j', self.joined), ('s', self.surprised)])?;
        writeln!(f, "\nstep {}\nguess {}", self.step, self.guess)?;
        for answers in &self.answered {
            writeln!(f, "answered {}", List(answers.iter()))?;
        }
        for leaf in &self.leaves {
            writeln!(f, "leaf {leaf}")?;
        }
        for sleeper in &self.sleep.0 {
            writeln!(f, "sleeper {}", sleeper.who)?;
            for Leaf { step, asleep } in &sleeper.leaves {
                writeln!(f, "{} {step}", if *asleep { "asleep" } else { "awake" })?;
            }
        }
        write_branches(f, "branch", &self.tree, 0)?;
        let bounded = &self.bounded;
        let (todo, done) = (List(bounded.todo.iter()), List(bounded.done.iter()));
        let current = List(bounded.current.iter());
        writeln!(f, "bounded {current} {} {todo} {done}", bounded.preemptions)
    }
}

fn write_branches(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    branches: &[Branch],
    level: usize,
) -> fmt::Result {
    branches.iter().try_for_each(|branch| {
        writeln!(f, "{name} {level} {}", branch.step)?;
        write_branches(f, name, &branch.after, level + 1)
    })
}

/// The search between two runs, as a checkpoint: reading it gives a search that goes on in the same way.
///
/// ```
/// use sim_choice::exhaustive::{Explorer, Limits};
///
/// let explorer = Explorer::new(Limits::default());
/// let text = explorer.to_string();
/// assert!(text.starts_with("sim search 1\n"));
/// assert_eq!(text.parse::<Explorer>().unwrap().to_string(), text);
/// assert_eq!("sim search 9".parse::<Explorer>().unwrap_err().line, 1);
/// ```
impl fmt::Display for Explorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limits, progress) = (self.limits, self.progress);
        let Progress { runs, classes, asleep, cut, bounded, .. } = progress;
        let preemptions = List(limits.preemptions.iter());
        writeln!(f, "{VERSION}\nlimits {preemptions} {}", limits.depth)?;
        writeln!(f, "counts {runs} {classes} {asleep} {cut} {bounded}")?;
        let mut tasks: Vec<_> = self.tasks.iter().map(|(place, who)| (who, place)).collect();
        tasks.sort_unstable();
        for (_, (parent, nth)) in tasks {
            writeln!(f, "task {parent} {nth}")?;
        }
        for (place, waits) in &self.places.waits {
            writeln!(f, "place {place} {}", u32::from(*waits))?;
        }
        for class in &self.seen {
            writeln!(f, "class {class:x}")?;
        }
        for frame in &self.frames {
            frame.write(f)?;
        }
        writeln!(f, "forced {}", List(self.forced.iter()))?;
        write_branches(f, "guide", &self.guide, 0)?;
        f.write_str("end\n")
    }
}

/// Why a text is no checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseSearchError {
    /// The line, counting from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ParseSearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl core::error::Error for ParseSearchError {}

/// The words of a line.
struct Line<'a> {
    words: core::str::Split<'a, char>,
}

type Read<T> = Result<T, String>;

impl<'a> Line<'a> {
    fn word(&mut self) -> Read<&'a str> {
        self.words.next().filter(|word| !word.is_empty()).ok_or_else(|| "a word is missing".into())
    }

    fn number<T: FromStr>(&mut self) -> Read<T> {
        number(self.word()?)
    }

    fn list<T>(&mut self, item: impl Fn(&str) -> Read<T>) -> Read<Vec<T>> {
        match self.word()? {
            "-" => Ok(Vec::new()),
            items => items.split(',').map(item).collect(),
        }
    }

    fn flags(&mut self, [one, other]: [char; 2]) -> Read<[bool; 2]> {
        let word = self.word()?;
        if word != "-" && !word.chars().all(|letter| letter == one || letter == other) {
            return Err(quoted(word, "has a flag that is not known"));
        }
        Ok([word.contains(one), word.contains(other)])
    }

    fn step(&mut self) -> Read<Step> {
        let (who, touches) = (self.number()?, self.list(touch)?);
        let answers = self.list(answer)?;
        let [ends, guess] = self.flags(['e', 'g'])?;
        Ok(Step { who, touches, answers, ends, guess })
    }

    fn end(mut self) -> Read<()> {
        match self.words.next() {
            None => Ok(()),
            Some(word) => Err(quoted(word, "is one word too many")),
        }
    }
}

fn quoted(word: &str, what: &str) -> String {
    let mut text = String::from("\"");
    text.extend(word.chars().take(40));
    text.push_str("\" ");
    text.push_str(what);
    text
}

fn number<T: FromStr>(word: &str) -> Read<T> {
    // `+1` would be read, but not be written again.
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| digits).ok_or_else(|| quoted(word, "is no number that fits"))
}

fn answer(word: &str) -> Read<Answer> {
    let (answer, bound) = word.split_once('/').ok_or_else(|| quoted(word, "is no answer"))?;
    let (answer, bound) = (number(answer)?, number(bound)?);
    match answer < bound {
        true => Ok(Answer { answer, bound }),
        false => Err(quoted(word, "is no answer below its bound")),
    }
}

fn touch(word: &str) -> Read<Touch> {
    let wrong = || quoted(word, "is no access to an object");
    let (letter, object) = word.split_at_checked(1).ok_or_else(wrong)?;
    let effect = EFFECTS.iter().find(|(known, _)| letter.starts_with(*known)).ok_or_else(wrong)?.1;
    let object = u64::from_str_radix(object, 16).map_err(|_| wrong())?;
    Ok(Touch { object, effect })
}

/// Adds a branch at a level of a tree that is written from its root on.
fn add_branch(mut branches: &mut Vec<Branch>, level: usize, step: Step) -> Read<()> {
    for _ in 0..level {
        branches = match branches.last_mut() {
            Some(branch) => &mut branch.after,
            None => return Err("a branch has no parent".into()),
        };
    }
    branches.push(Branch { step, after: Vec::new() });
    Ok(())
}

impl FromStr for Explorer {
    type Err = ParseSearchError;

    fn from_str(text: &str) -> Result<Explorer, ParseSearchError> {
        let mut explorer = Explorer::new(Limits::default());
        let mut ended = false;
        let mut count = 0;
        for (text, line) in text.lines().zip(1..) {
            count = line;
            let read = match line {
                1 if text == VERSION => Ok(()),
                1 => Err(quoted(text, "is not \"sim search 1\"")),
                _ if ended => Err("more comes after the end".to_string()),
                _ => explorer.read(text).map(|end| ended = end),
            };
            read.map_err(|reason| ParseSearchError { line, reason })?;
        }
        let fail = |reason: &str| Err(ParseSearchError { line: count + 1, reason: reason.into() });
        if !ended {
            return fail("the end is missing");
        }
        if explorer.frames.first().is_some_and(|frame| frame.joined) {
            return fail("the first step is joined to none");
        }
        explorer.given = explorer.frames.len();
        let progress = &mut explorer.progress;
        progress.preemptions = explorer.limits.preemptions;
        progress.done = progress.runs > 0 && explorer.frames.is_empty();
        Ok(explorer)
    }
}

impl Explorer {
    /// Reads a line; true if it is the last one.
    fn read(&mut self, text: &str) -> Read<bool> {
        let mut line = Line { words: text.split(' ') };
        match line.word()? {
            "limits" => {
                self.limits.preemptions = line.list(number)?.first().copied();
                self.limits.depth = line.number()?;
            }
            "counts" => {
                let progress = &mut self.progress;
                (progress.runs, progress.classes) = (line.number()?, line.number()?);
                (progress.asleep, progress.cut) = (line.number()?, line.number()?);
                progress.bounded = line.number()?;
            }
            "task" => {
                let (place, who) = ((line.number()?, line.number()?), self.tasks.len() as u32);
                if self.tasks.insert(place, who).is_some() {
                    return Err("the task is there twice".into());
                }
            }
            "place" => {
                let (place, waits): (u64, u32) = (line.number()?, line.number()?);
                self.places.waits.insert(place, waits != 0);
            }
            "class" => {
                let word = line.word()?;
                let class = u128::from_str_radix(word, 16);
                self.seen.insert(class.map_err(|_| quoted(word, "is no class"))?);
            }
            "frame" => {
                let candidates = line.list(number)?;
                let [joined, surprised] = line.flags(['j', 's'])?;
                self.frames.push(Frame { candidates, joined, surprised, ..Frame::default() });
            }
            "forced" => self.forced = line.list(answer)?,
            "guide" => {
                let level = line.number()?;
                add_branch(&mut self.guide, level, line.step()?)?;
            }
            "end" => {
                line.end()?;
                return Ok(true);
            }
            word => {
                let frame = self.frames.last_mut();
                frame.ok_or_else(|| quoted(word, "is of no frame"))?.read(word, &mut line)?;
            }
        }
        line.end()?;
        Ok(false)
    }
}

impl Frame {
    /// Reads a line that belongs to a frame.
    fn read(&mut self, word: &str, line: &mut Line<'_>) -> Read<()> {
        match word {
            "step" => self.step = line.step()?,
            "guess" => self.guess = line.step()?,
            "answered" => self.answered.push(line.list(answer)?),
            "leaf" => self.leaves.push(line.step()?),
            "sleeper" => {
                self.sleep.0.push(Sleeper { who: line.number()?, leaves: Vec::new() });
            }
            "asleep" | "awake" => {
                let leaf = Leaf { step: line.step()?, asleep: word == "asleep" };
                let sleeper = self.sleep.0.last_mut();
                sleeper.ok_or("nobody sleeps here")?.leaves.push(leaf);
            }
            "branch" => {
                let level = line.number()?;
                add_branch(&mut self.tree, level, line.step()?)?;
            }
            "bounded" => {
                let bounded = &mut self.bounded;
                bounded.current = line.list(number)?.first().copied();
                bounded.preemptions = line.number()?;
                (bounded.todo, bounded.done) = (line.list(number)?, line.list(number)?);
            }
            word => return Err(quoted(word, "is not known")),
        }
        Ok(())
    }
}
