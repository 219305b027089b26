//! Names that resolve: hosts by their names, further records, stale answers and failures.

#[derive(Default)]
pub(crate) struct Dns {}
