//! What can be set on a socket: see socket(7), tcp(7), ip(7).

use crate::{
    Domain, Errno, Network, Result, SocketId,
    socket::Proto,
    tcp::{RECV_BUFFER, SEND_BUFFER},
};

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

/// An option that is a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Number {
    /// `IP_TTL`, 1 to 255.
    Ttl,
    /// `IP_MULTICAST_TTL`, 0 to 255.
    MulticastTtl,
    /// `IP_TOS`, of which the low eight bits count, and with TCP not the last two.
    Tos,
    /// `IPV6_TCLASS`, 0 to 255.
    TrafficClass,
    /// `SO_SNDBUF`, in bytes: twice of what was set, as Linux gives it.
    SendBuffer,
    /// `SO_RCVBUF`, in bytes: twice of what was set, as Linux gives it.
    RecvBuffer,
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
    /// `IPV6_TCLASS`
    pub(crate) traffic_class: u32,
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

/// The most that is asked for: `net.core.{w,r}mem_max`, of which Linux gives the double; and the least that it gives
/// (`SOCK_MIN_SNDBUF`, `SOCK_MIN_RCVBUF`).
const BUFFER_MOST: u32 = 212_992;
const SEND_LEAST: u32 = 4_608;
const RECV_LEAST: u32 = 2_304;

impl Network {
    /// Sets an option that is a number: setsockopt(2).
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is out of range, `ENOPROTOOPT` for the class of a socket of IPv4, `EBADF`.
    pub fn set_number(&mut self, id: SocketId, number: Number, value: u32) -> Result<()> {
        let socket = self.get(id)?;
        let (domain, tcp) = (socket.domain, matches!(socket.proto, Proto::Tcp(_)));
        let range = match number {
            Number::Ttl => 1..=255,
            Number::MulticastTtl | Number::TrafficClass => 0..=255,
            Number::Tos | Number::SendBuffer | Number::RecvBuffer => 0..=u32::MAX,
        };
        if number == Number::TrafficClass && domain != Domain::V6 {
            return Err(Errno::ENOPROTOOPT);
        }
        // -1 is what there was at first: ip(7), ipv6(7).
        let value = match number {
            Number::Ttl if value == u32::MAX => 64,
            Number::MulticastTtl if value == u32::MAX => 1,
            Number::TrafficClass if value == u32::MAX => 0,
            _ => value,
        };
        if !range.contains(&value) {
            return Err(Errno::EINVAL);
        }
        // The bits of congestion are TCP's own: `INET_ECN_MASK`.
        let service = value & if tcp { 0xfc } else { 0xff };
        let options = &mut self.get_mut(id)?.options;
        match number {
            Number::Ttl => options.ttl = value,
            Number::MulticastTtl => options.multicast_ttl = value,
            Number::Tos => options.tos = service,
            Number::TrafficClass => options.traffic_class = service,
            Number::SendBuffer => {
                options.send_buffer = (value.min(BUFFER_MOST) * 2).max(SEND_LEAST);
            }
            Number::RecvBuffer => {
                options.recv_buffer = (value.min(BUFFER_MOST) * 2).max(RECV_LEAST);
            }
        }
        self.tcp_options_changed(id);
        Ok(())
    }

    /// An option that is a number: getsockopt(2).
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` for the class of a socket of IPv4, `EBADF`.
    pub fn number(&self, id: SocketId, number: Number) -> Result<u32> {
        let socket = self.get(id)?;
        let options = &socket.options;
        // What Linux begins with: tcp(7), `tcp_wmem` and `tcp_rmem`; socket(7), `wmem_default` and `rmem_default`.
        let tcp = matches!(socket.proto, Proto::Tcp(_));
        let connected = tcp && self.tcp_peer_addr(id).is_ok();
        let set_or = |set: u32, default: u32| if set == 0 { default } else { set };
        Ok(match number {
            Number::Ttl => options.ttl,
            Number::MulticastTtl => options.multicast_ttl,
            Number::Tos => options.tos,
            Number::TrafficClass if socket.domain != Domain::V6 => return Err(Errno::EOPNOTSUPP),
            Number::TrafficClass => options.traffic_class,
            // It grows once it is connected: `tcp_init_buffer_space`.
            Number::SendBuffer if connected => set_or(options.send_buffer, SEND_BUFFER),
            Number::SendBuffer if tcp => set_or(options.send_buffer, 16_384),
            Number::RecvBuffer if tcp => set_or(options.recv_buffer, RECV_BUFFER),
            Number::SendBuffer => set_or(options.send_buffer, BUFFER_MOST),
            Number::RecvBuffer => set_or(options.recv_buffer, BUFFER_MOST),
        })
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
            traffic_class: 0,
            send_buffer: 0,
            recv_buffer: 0,
            user_timeout_ns: 0,
            keep_idle_ns: 7_200_000_000_000,
            keep_interval_ns: 75_000_000_000,
            keep_count: 9,
        }
    }
}
