//! From packets to a verb.

use super::{Datagram, bound::takes_all, send::is_broadcast};
use crate::{Body, Cx, Errno, HostId, Network, Packet, Result, SocketId};
use alloc::vec::Vec;
use core::net::SocketAddr;

/// Linux's `net.core.rmem_default`.
const RECEIVE_BUFFER: u32 = 212_992;

impl Network {
    pub(crate) fn udp_arrives(&mut self, cx: &mut Cx<'_>, packet: Packet) {
        if packet.to.ip().is_multicast() || is_broadcast(packet.to.ip()) {
            for id in self.udp_receivers(&packet) {
                self.udp_put(id, packet.from, packet.payload().to_vec());
            }
            return;
        }
        match self.udp_receiver(packet.to_host, packet.to, packet.from) {
            Some(id) => {
                let Body::Udp(bytes) = packet.body else { return };
                self.udp_put(id, packet.from, bytes);
            }
            None if self.hosts[packet.to_host.0 as usize].up => {
                let (here, there) = (packet.to_host, packet.from_host);
                self.post(cx, here, there, packet.to, packet.from, Body::Unreachable);
            }
            None => {}
        }
    }

    /// Those that a datagram to many is for: all that have the port, at all addresses or at the group's. A host that is in
    /// the group gives it also to those of its sockets that are not (ip(7), `IP_MULTICAST_ALL`).
    fn udp_receivers(&self, packet: &Packet) -> Vec<SocketId> {
        let fits = |id: &&SocketId| {
            let (Ok(socket), Ok(udp)) = (self.get(**id), self.udp(**id)) else { return false };
            let to = packet.to.ip();
            (udp.local.ip() == to || takes_all(socket, udp, to))
                && udp.peer.is_none_or(|peer| peer == packet.from)
        };
        let group = packet.to.ip();
        if group.is_multicast() && !self.udp.is_member(packet.to_host, group) {
            return Vec::new();
        }
        self.udp.at(packet.to_host, packet.to.port()).iter().filter(fits).copied().collect()
    }

    /// Whether a datagram would be received if it arrived now.
    pub(crate) fn udp_wants(&self, packet: &Packet) -> bool {
        if packet.to.ip().is_multicast() || is_broadcast(packet.to.ip()) {
            return !self.udp_receivers(packet).is_empty();
        }
        self.udp_receiver(packet.to_host, packet.to, packet.from).is_some()
    }

    /// What does not fit is dropped, and nobody is told.
    fn udp_put(&mut self, id: SocketId, from: SocketAddr, bytes: Vec<u8>) {
        let Ok((udp, options)) = self.udp_mut(id) else { return };
        let limit = match options.recv_buffer {
            0 => RECEIVE_BUFFER,
            set => set,
        };
        let cost = cost(bytes.len());
        // Linux compares before it adds, where there is nothing yet: one datagram always fits.
        if udp.inbox_bytes > 0 && udp.inbox_bytes + cost > limit {
            return;
        }
        udp.inbox_bytes += cost;
        udp.inbox.push_back(Datagram { from, bytes });
        self.wake(id);
    }

    /// The connected socket of those two addresses.
    pub(crate) fn udp_connected(
        &self,
        host: HostId,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> Option<SocketId> {
        let id = self.udp_receiver(host, local, peer)?;
        (self.udp(id).ok()?.peer == Some(peer)).then_some(id)
    }

    /// Nobody listens where a datagram was sent to. Only a connected socket is told.
    pub(crate) fn udp_unreachable(&mut self, packet: Packet) {
        let Some(id) = self.udp_connected(packet.to_host, packet.to, packet.from) else { return };
        if let Ok((udp, _)) = self.udp_mut(id) {
            udp.error = Some(Errno::ECONNREFUSED);
        }
        self.wake(id);
    }

    pub(crate) fn udp_recv(
        &mut self,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<(usize, SocketAddr)> {
        let (udp, _) = self.udp_mut(id)?;
        if let Some(error) = udp.error.take() {
            return Err(error);
        }
        // Also where reading was shut down: only a verb that waits gives the end there, as the kernel has it.
        let datagram = udp.inbox.front().ok_or(Errno::EAGAIN)?;
        let len = datagram.bytes.len().min(into.len());
        into[..len].copy_from_slice(&datagram.bytes[..len]);
        let (from, cost) = (udp.seen(datagram.from), cost(datagram.bytes.len()));
        if !peek {
            udp.inbox.pop_front();
            udp.inbox_bytes -= cost;
        }
        Ok((len, from))
    }
}

/// What a datagram takes of the receive buffer: the packet's buffer, a power of two with 379 bytes of headers and end,
/// but for small ones, and 256 bytes of description. Measured over loopback with Linux 6.18; beyond 16 KiB, where the
/// kernel takes pages, this is on the large side.
fn cost(len: usize) -> u32 {
    if len <= 197 {
        return 832;
    }
    256 + u32::try_from(len + 379).expect("a datagram has at most 64 KiB").next_power_of_two()
}
