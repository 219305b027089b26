//! Which ports of a host are taken, and which is given for port 0.

/// The ports of a host.
#[derive(Default)]
pub(crate) struct Ports {}
