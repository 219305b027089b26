//! How processes end that do not end well, and names that no node has.

use crate::check::suggest;
use std::{error::Error, fmt, sync::Arc};

/// Why the process of a node has not come to a good end.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NodeError {
    /// Its main future gave an error: its `Debug` form.
    Failed(String),
    /// Its main future panicked: the message, and where.
    Panicked(String),
    /// The node crashed, or was restarted while it ran.
    Crashed,
    /// A signal that it did not listen to: its name.
    Terminated(String),
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeError::Failed(error) => write!(f, "the node's process failed: {error}"),
            NodeError::Panicked(message) => write!(f, "the node's process panicked: {message}"),
            NodeError::Crashed => f.write_str("the node crashed"),
            NodeError::Terminated(signal) => write!(f, "the node's process was ended by {signal}"),
        }
    }
}

impl Error for NodeError {}

/// No node has that name.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct UnknownNode {
    /// The name.
    pub name: String,
    /// The names that there are, in their order.
    pub known: Vec<String>,
}

impl UnknownNode {
    pub(crate) fn new(name: &str, known: &[Arc<str>]) -> UnknownNode {
        UnknownNode {
            name: name.into(),
            known: known.iter().map(|name| name.to_string()).collect(),
        }
    }
}

impl fmt::Display for UnknownNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnknownNode { name, known } = self;
        let near = suggest(name, known.iter().map(String::as_str));
        write!(f, "no node is called {name:?}{near}: there are {}", known.join(", "))
    }
}

impl Error for UnknownNode {}
