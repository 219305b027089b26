//! Links that are cut, and links that keep what is on them. The words are turmoil's.
//!
//! A user's mistake (a name that is none, a machine on both sides, an empty side) panics and says what is wrong.

use super::hosts::{ToHosts, control, expect_control, found};
use sim_net::{HostId, LinkError, Network};
use std::panic::Location;

/// Functions over two sides.
macro_rules! sides {
    ($($(#[$doc:meta])* $name:ident, |$net:ident, $cx:ident, $a:ident, $b:ident| $verb:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Panics
        ///
        /// Outside a simulation; if a name or an address is nobody's, a side is empty, or a machine is on both.
        #[track_caller]
        pub fn $name(a: impl ToHosts, b: impl ToHosts) {
            let world = expect_control(Location::caller());
            let ($a, $b): (Vec<HostId>, Vec<HostId>) = (found(&world, a), found(&world, b));
            control(&world, |$net: &mut Network, $cx| -> Result<(), LinkError> { $verb });
        }
    )*};
}

sides! {
    /// Cuts the links between both sides, in both directions: what is sent is lost, and what is on its way.
    ///
    /// TCP goes on trying, and its connections outlive a partition that is short enough; UDP loses.
    ///
    /// ```no_run
    /// # async fn test() {
    /// use sim::net::{partition, repair};
    ///
    /// partition("a", ["b", "c"]);
    /// sim::time::sleep(std::time::Duration::from_secs(5)).await;
    /// repair("a", ["b", "c"]);
    /// # }
    /// ```
    partition, |net, _cx, a, b| net.partition(&a, &b);
    /// As [`partition`], for what goes from the first side to the second.
    partition_oneway, |net, _cx, a, b| net.partition_oneway(&a, &b);
    /// Mends the links between both sides, in both directions. What was lost is; TCP sends it again.
    repair, |net, _cx, a, b| net.repair(&a, &b);
    /// As [`repair`], for what goes from the first side to the second.
    repair_oneway, |net, _cx, a, b| net.repair_oneway(&a, &b);
    /// Lets the links between both sides keep what is on them and what is sent, until they are [released](release).
    hold, |net, _cx, a, b| net.hold(&a, &b);
    /// As [`hold`], for what goes from the first side to the second.
    hold_oneway, |net, _cx, a, b| net.hold_oneway(&a, &b);
    /// Lets go what the links between both sides have kept: it arrives now, in the order in which it was sent.
    release, |net, cx, a, b| net.release(cx, &a, &b);
    /// As [`release`], for what goes from the first side to the second.
    release_oneway, |net, cx, a, b| net.release_oneway(cx, &a, &b);
}

/// Mends all links, and lets go what they have kept. How links treat packets, and rules, stay.
///
/// # Panics
///
/// Outside a simulation.
#[track_caller]
pub fn heal() {
    let world = expect_control(Location::caller());
    world.network(|network, cx| network.heal(cx));
}
