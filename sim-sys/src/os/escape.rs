//! Calls of libc that reach out of the simulation, as the hooks see them.

/// A call that is about to reach out of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escape<'a> {
    /// The function of libc that is called.
    pub call: &'static str,
    /// What it reaches.
    pub reach: Reach,
    /// What the call is about: a path, an address, a program; empty if there is nothing to tell. What is not UTF-8
    /// is replaced.
    pub operand: &'a str,
}

/// What a call reaches that is outside of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It starts a thread of the machine.
    Thread,
    /// It starts a process, or makes this one another program.
    Process,
    /// It gives a socket an address, or a peer.
    Socket,
    /// It looks a host up.
    Name,
    /// It makes what waits for sockets and files: the heart of another runtime.
    Reactor,
    /// It opens a file for reading only, or lists a folder.
    Read,
    /// It opens a file for writing, makes, renames or removes something.
    Write,
}
