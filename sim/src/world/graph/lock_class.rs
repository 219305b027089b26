//! Orders of locks as several runs of a check know them: locks by the place where they were created and their name,
//! tasks by their spawn paths. Where one run made several such locks, they cannot be told apart, and nothing is kept.

use super::{Hold, Share, Site, World, order::Held};
use crate::check::{FailureKind, Level};
use sim_choice::Path;

/// A lock, in whichever run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LockClass {
    pub(crate) created: Site,
    pub(crate) name: Option<String>,
}

/// A lock that was taken, shared or not, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Taken {
    pub(crate) lock: LockClass,
    whole: bool,
    pub(crate) site: Site,
}

impl Taken {
    /// Whether nobody can have both at once.
    pub(crate) fn excludes(&self, other: &Taken) -> bool {
        self.lock == other.lock && (self.whole || other.whole)
    }
}

/// A task took two locks, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) task: Path,
    /// `None` of main.
    pub(crate) spawned: Option<Site>,
    pub(crate) first: Taken,
    pub(crate) second: Taken,
    /// What it held besides.
    pub(crate) gates: Vec<Taken>,
    /// The tasks that were there.
    pub(crate) beside: Vec<Path>,
}

impl World {
    /// The orders in which the run took locks, to be compared with those of other runs.
    pub(crate) fn lock_orders(&self) -> Vec<Order> {
        let graph = self.graph.borrow();
        if graph.orders.is_empty()
            || self.limits.borrow().lints.level(FailureKind::LockOrder) == Level::Allow
        {
            return Vec::new();
        }
        let mut orders = Vec::new();
        for nested in graph.orders.nested() {
            let gates: Option<Vec<Taken>> =
                nested.gates.iter().map(|gate| self.taken(gate)).collect();
            if let (Some(first), Some(second), Some(gates)) =
                (self.taken(&nested.first), self.taken(&nested.second), gates)
                && first.lock != second.lock
            {
                let (task, spawned, beside) = (nested.path, nested.site, nested.beside.clone());
                orders.push(Order { task, spawned, first, second, gates, beside });
            }
        }
        orders
    }

    fn taken(&self, held: &Held) -> Option<Taken> {
        Some(Taken {
            lock: self.lock_class(held.object)?,
            whole: held.share == Share::Whole,
            site: held.site,
        })
    }

    /// What a lock is in whichever run; `None` if there are others like it.
    fn lock_class(&self, object: u32) -> Option<LockClass> {
        let graph = self.graph.borrow();
        let class = |object: u32| {
            let created = graph.places.get(object as usize)?.origin?;
            Some(LockClass { created, name: self.given_name(object) })
        };
        let this = class(object)?;
        let numbers = 0..graph.places.len() as u32;
        let alike = numbers.filter(|&other| class(other).as_ref() == Some(&this)).take(2);
        (alike.count() == 1).then_some(this)
    }
}

impl Hold {
    /// As the orders of locks keep it.
    pub(super) fn held(&self, object: u32) -> Held {
        Held { object, share: self.share, site: self.site }
    }
}
