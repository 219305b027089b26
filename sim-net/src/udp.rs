//! UDP as Linux does it: udp(7), RFC 768.

use crate::{Cx, Errno, How, Network, Packet, Ready, Result, SocketId};
use core::net::SocketAddr;

/// A socket of UDP.
pub(crate) struct Udp {}

/// Which sockets a datagram is for.
#[derive(Default)]
pub(crate) struct Bound {}

impl Udp {
    pub(crate) fn new() -> Udp {
        Udp {}
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
    pub(crate) fn udp_arrives(&mut self, cx: &mut Cx<'_>, packet: Packet) {}
    pub(crate) fn udp_unreachable(&mut self, packet: Packet) {}
    pub(crate) fn udp_bind(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        address: SocketAddr,
    ) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_connect(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        to: SocketAddr,
    ) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_send(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
    ) -> Result<usize> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_send_to(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Result<usize> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_recv(
        &mut self,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<(usize, SocketAddr)> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_shutdown(&mut self, id: SocketId, how: How) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_close(&mut self, id: SocketId) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn udp_vanishes(&mut self, id: SocketId, udp: Udp) {}
}
