//! Properties: what must always, sometimes or never be so, by name.
//!
//! Each macro leaves a static in the program, which the linker gathers (crate `inventory`): so a property that
//! no run came to is known too. Counts are kept by the world, for one run, and summed up by the check. The words are
//! those of Antithesis' SDK, see <https://antithesis.com/docs/properties_assertions/assertions/>.

mod catalogue;
mod invariant;
mod macros;
mod progress;

pub(crate) use catalogue::Catalogue;
pub use invariant::{Invariant, Verdict, invariant};
pub use progress::{Eventually, Within, eventually, within};

use crate::{check::FailureKind, context, world::World};
use std::{
    fmt,
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// What a property says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyKind {
    /// True each time that it is looked at, and looked at: [`assert_always!`](crate::assert_always).
    Always,
    /// True at least once: [`assert_sometimes!`](crate::assert_sometimes).
    Sometimes,
    /// Come to at least once: [`assert_reachable!`](crate::assert_reachable).
    Reachable,
    /// Never come to: [`assert_unreachable!`](crate::assert_unreachable).
    Unreachable,
}

impl fmt::Display for PropertyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PropertyKind::Always => "always",
            PropertyKind::Sometimes => "sometimes",
            PropertyKind::Reachable => "reachable",
            PropertyKind::Unreachable => "unreachable",
        })
    }
}

/// How often the runs of a check came to a property. Properties of one name and kind are one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PropertyCount {
    /// Its name.
    pub name: String,
    /// What it says.
    pub kind: PropertyKind,
    /// File and line of the macro; the first, if there are several of the name.
    pub site: String,
    /// How often it was come to, in all runs.
    pub reached: u64,
    /// How often its condition was true; one without a condition holds where it is reached.
    pub held: u64,
}

/// A place in the source that states a property.
#[derive(Debug)]
pub struct Property {
    kind: PropertyKind,
    name: &'static str,
    file: &'static str,
    line: u32,
    /// The path of the function `here` beside it.
    here: fn() -> &'static str,
    /// Its place in the catalogue; set when that is made, before any run.
    number: AtomicU32,
}

/// A property as the linker gathers it.
#[derive(Debug)]
pub struct Catalogued(pub &'static Property);

inventory::collect!(Catalogued);

impl Property {
    /// What the macros state.
    pub const fn new(
        kind: PropertyKind,
        name: &'static str,
        (file, line): (&'static str, u32),
        here: fn() -> &'static str,
    ) -> Property {
        Property { kind, name, file, line, here, number: AtomicU32::new(u32::MAX) }
    }

    /// Counts, if a run is under way; gives it.
    fn count(&self, held: bool) -> Option<Rc<World>> {
        let world = context::running()?;
        let number = self.number.load(Relaxed) as usize;
        let mut counts = world.properties.borrow_mut();
        if counts.len() <= number {
            counts.resize(number + 1, Count::default());
        }
        counts[number].reached += 1;
        counts[number].held += u64::from(held);
        drop(counts);
        Some(world)
    }

    /// The condition of an `assert_always!` was `held`; ends the run if not.
    pub fn always(&self, held: bool, details: &dyn Fn() -> String) {
        if let (Some(world), false) = (self.count(held), held) {
            self.fail(&world, "does not hold", &details());
        }
    }

    /// The condition of an `assert_sometimes!` was `held`.
    pub fn sometimes(&self, held: bool) {
        self.count(held);
    }

    /// The program came to an `assert_unreachable!`; ends the run.
    pub fn unreachable(&self, details: &dyn Fn() -> String) {
        if let Some(world) = self.count(false) {
            self.fail(&world, "was reached", &details());
        }
    }

    #[cold]
    fn fail(&self, world: &Rc<World>, what: &str, details: &str) {
        let colon = if details.is_empty() { "" } else { ": " };
        let Property { kind, name, file, line, .. } = self;
        let message =
            format!("the {kind} property {name:?} {what}, at {file}:{line}{colon}{details}");
        world.fail(FailureKind::Assertion, message);
        world.leave();
    }
}

/// How often one run came to a property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) reached: u64,
    pub(crate) held: u64,
}
