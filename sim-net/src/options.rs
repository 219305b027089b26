//! What can be set on a socket: see socket(7), tcp(7), ip(7).

/// An option that is on or off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flag {
    /// `SO_REUSEADDR`
    ReuseAddr,
    /// `SO_REUSEPORT`
    ReusePort,
    /// `SO_KEEPALIVE`
    KeepAlive,
    /// `TCP_NODELAY`
    NoDelay,
    /// `SO_BROADCAST`
    Broadcast,
    /// `IPV6_V6ONLY`
    OnlyV6,
    /// `IP_MULTICAST_LOOP`
    MulticastLoopV4,
    /// `IPV6_MULTICAST_LOOP`
    MulticastLoopV6,
    /// `TCP_QUICKACK`
    QuickAck,
}

/// `SO_LINGER`: how long close waits for what is unsent, in seconds; `None` is off, 0 resets the connection.
pub type Linger = Option<u32>;

/// The options of a socket, as it was made.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    flags: u16,
    pub(crate) linger: Linger,
    /// `IP_TTL`
    pub(crate) ttl: u32,
    /// `IP_MULTICAST_TTL`
    pub(crate) multicast_ttl: u32,
    /// `IP_TOS`
    pub(crate) tos: u32,
    /// `SO_SNDBUF`, as getsockopt gives it.
    pub(crate) send_buffer: u32,
    /// `SO_RCVBUF`, as getsockopt gives it.
    pub(crate) recv_buffer: u32,
    /// `TCP_USER_TIMEOUT`, in nanoseconds; 0 is the system's.
    pub(crate) user_timeout_ns: u64,
    /// `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, in nanoseconds, and `TCP_KEEPCNT`.
    pub(crate) keep_idle_ns: u64,
    pub(crate) keep_interval_ns: u64,
    pub(crate) keep_count: u32,
}

impl Options {
    pub(crate) fn is(&self, flag: Flag) -> bool {
        self.flags & (1 << flag as u16) != 0
    }

    pub(crate) fn set(&mut self, flag: Flag, on: bool) {
        self.flags = self.flags & !(1 << flag as u16) | (u16::from(on) << flag as u16);
    }
}

impl Default for Options {
    /// Linux's defaults: tcp(7), and net.core.{r,w}mem_default, net.ipv4.tcp_{r,w}mem.
    fn default() -> Options {
        Options {
            flags: 1 << Flag::MulticastLoopV4 as u16 | 1 << Flag::MulticastLoopV6 as u16,
            linger: None,
            ttl: 64,
            multicast_ttl: 1,
            tos: 0,
            send_buffer: 0,
            recv_buffer: 0,
            user_timeout_ns: 0,
            keep_idle_ns: 7_200_000_000_000,
            keep_interval_ns: 75_000_000_000,
            keep_count: 9,
        }
    }
}
