//! Listening to signals, with the numbers that Linux gives them (signal(7)).

use crate::{
    context,
    point::{Access, point_alone},
    world::Listener,
};
use std::{
    future::poll_fn,
    io,
    panic::Location,
    task::{Context, Poll, ready},
};

/// Which signal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SignalKind(i32);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        impl SignalKind {
            $($(#[$doc])*
            pub const fn $name() -> SignalKind {
                SignalKind($number)
            })*
        }
    };
}

kinds! {
    /// SIGALRM: a timer has run out.
    alarm = 14;
    /// SIGCHLD: a child has ended or stopped. It ends no process by itself.
    child = 17;
    /// SIGHUP: the terminal is gone; servers read their configuration again.
    hangup = 1;
    /// SIGINT: Ctrl-C.
    interrupt = 2;
    /// SIGIO: I/O is possible.
    io = 29;
    /// SIGPIPE: nobody reads the pipe.
    pipe = 13;
    /// SIGQUIT: Ctrl-\.
    quit = 3;
    /// SIGTERM: the process is asked to end.
    terminate = 15;
    /// SIGUSR1.
    user_defined1 = 10;
    /// SIGUSR2.
    user_defined2 = 12;
    /// SIGWINCH: the window has another size. It ends no process by itself.
    window_change = 28;
}

impl SignalKind {
    /// The signal of that number.
    pub const fn from_raw(signal: std::os::raw::c_int) -> SignalKind {
        SignalKind(signal)
    }

    /// Its number.
    pub const fn as_raw_value(&self) -> std::os::raw::c_int {
        self.0
    }
}

impl From<std::os::raw::c_int> for SignalKind {
    fn from(signal: std::os::raw::c_int) -> SignalKind {
        SignalKind(signal)
    }
}

impl From<SignalKind> for std::os::raw::c_int {
    fn from(kind: SignalKind) -> std::os::raw::c_int {
        kind.0
    }
}

/// Gives the signals of one kind that come to the process of a node; made by [`signal`].
#[must_use = "streams do nothing unless polled"]
#[derive(Debug)]
pub struct Signal {
    listener: Listener,
}

/// Listens to a signal from now on. That signal does not end the process any more, not even once this is dropped.
///
/// # Errors
///
/// For the signals that no process may listen to: SIGILL, SIGFPE, SIGKILL, SIGSEGV and SIGSTOP.
///
/// # Panics
///
/// Outside of a simulation.
///
/// ```
/// use sim::signal::unix::{SignalKind, signal};
///
/// let report = sim::check(sim::Config::new().seeds(20), || async {
///     let server = sim::node("server").start(|| async {
///         signal(SignalKind::terminate()).unwrap().recv().await;
///     });
///     sim::time::sleep(std::time::Duration::from_secs(1)).await;
///     server.signal(SignalKind::terminate());
///     assert_eq!(server.join().await, Ok(()));
///     assert!(signal(SignalKind::from_raw(9)).is_err());
/// });
/// assert!(report.failure.is_none(), "{report}");
/// ```
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    // As signal-hook-registry, which tokio stands on, has it.
    if matches!(kind.0, 4 | 8 | 9 | 11 | 19) || kind.0 < 0 {
        return Err(io::Error::other(format!("Refused to register signal {}", kind.0)));
    }
    let Some(world) = context::running() else {
        panic!(
            "there is no signal driver running, must be called from the context of Tokio runtime"
        )
    };
    Ok(Signal { listener: world.listen(kind.0) })
}

impl Signal {
    /// Waits for the next signal; those that came since the last are one. Never `None`.
    ///
    /// It may be dropped at any await: no signal is lost.
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Polls for the next signal.
    #[track_caller]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        point_alone(Access::Receive, Location::caller(), None);
        let coop = ready!(crate::task::coop::poll_proceed(cx));
        let world = context::expect_world();
        ready!(world.poll_signal(&mut self.listener, cx.waker()));
        coop.made_progress();
        Poll::Ready(Some(()))
    }
}
