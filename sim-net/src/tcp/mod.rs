//! TCP as Linux does it, seen from programs: RFC 9293, tcp(7).

use crate::{Cx, Errno, How, Network, Packet, Ready, Result, SocketId};
use alloc::vec::Vec;
use core::net::SocketAddr;

/// A segment on its way.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The bytes of the stream that it carries.
    pub payload: Vec<u8>,
}

/// A socket of TCP.
pub(crate) struct Tcp {}

/// Why a TCP socket asked to be called at some time.
pub(crate) enum Alarm {}

/// Which socket a segment is for.
#[derive(Default)]
pub(crate) struct Connections {}

impl Tcp {
    pub(crate) fn new() -> Tcp {
        Tcp {}
    }
    pub(crate) fn ready(&self) -> Ready {
        Ready::NONE
    }
    pub(crate) fn local_addr(&self) -> SocketAddr {
        unimplemented!()
    }
    pub(crate) fn peer_addr(&self) -> Result<SocketAddr> {
        Err(Errno::ENOTCONN)
    }
    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        None
    }
}

#[allow(unused_variables)]
impl Network {
    pub(crate) fn tcp_alarm(&mut self, cx: &mut Cx<'_>, id: SocketId, alarm: Alarm) {}
    pub(crate) fn tcp_arrives(&mut self, cx: &mut Cx<'_>, packet: Packet) {}
    pub(crate) fn tcp_bind(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        address: SocketAddr,
    ) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_listen(&mut self, cx: &mut Cx<'_>, id: SocketId, backlog: u32) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_accept(&mut self, cx: &mut Cx<'_>, id: SocketId) -> Result<SocketId> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_connect(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        to: SocketAddr,
    ) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_send(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
    ) -> Result<usize> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_recv(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<usize> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_shutdown(&mut self, cx: &mut Cx<'_>, id: SocketId, how: How) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_close(&mut self, cx: &mut Cx<'_>, id: SocketId) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn tcp_vanishes(&mut self, id: SocketId, tcp: Tcp) {}
}
