//! Places in the program that misbehave on purpose, where nothing from without could make them.

use crate::{context, point::Site};
use std::panic::Location;

/// How often a [`buggify!`](crate::buggify) of a run is true that is armed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Ratio(pub u32, pub u32);

impl Ratio {
    /// What the macro asks.
    #[doc(hidden)]
    #[track_caller]
    pub fn strikes(self) -> bool {
        let site: Site = Location::caller();
        let Ratio(times, of) = self;
        assert!(times <= of && of > 0, "buggify!: {times} in {of} is no ratio");
        context::running().is_some_and(|world| world.buggify(site, times, of))
    }
}

/// True now and then, so that the program does at this place what is rare and allowed: takes the slow path, gives up
/// early, flushes a cache, answers "try again".
///
/// As in FoundationDB each place is armed in one of four runs, by itself, and is then true in one of four times that the
/// program comes by, or as often as is said. It is false outside of a check, in a run without faults
/// ([`Faults::buggify`](crate::Faults::buggify)), and after [`faults::stop`](crate::faults::stop()): a production build
/// pays a call. It needs no nodes.
///
/// ```
/// use sim::{Config, Faults};
///
/// let report = sim::check(Config::new().faults(Faults::none().buggify(true)), || async {
///     let batch = if sim::buggify!() { 1 } else { 100 };
///     let _gives_up = sim::buggify!(1 in 10);
///     assert!(batch == 100, "a seed finds it");
/// });
/// assert!(report.failure.unwrap().message.contains("a seed finds it"));
/// ```
#[macro_export]
macro_rules! buggify {
    () => {
        $crate::faults::Ratio(1, 4).strikes()
    };
    ($times:literal in $of:literal) => {
        $crate::faults::Ratio($times, $of).strikes()
    };
}
