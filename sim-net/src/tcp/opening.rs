//! How connections begin, seen from programs: bind, listen, accept, connect.

use super::{
    Listener, Role, Tcp,
    address::{canonical, loopback},
    connection::{Connection, Owner},
};
use crate::{
    Cx, Errno, HostId, Network, Result, SocketId,
    ports::{Claim, Why},
    socket::{Proto, Socket},
};
use core::{
    mem,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// `net.core.somaxconn`.
const LONGEST_BACKLOG: u32 = 4_096;

impl Network {
    pub(crate) fn tcp_bind(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        address: SocketAddr,
    ) -> Result<()> {
        self.tcp_lapse(cx.now_ns);
        let (socket, tcp) = self.tcp_of(id)?;
        socket.check_family(address, Errno::EINVAL)?;
        let (host, address) = (socket.host, canonical(address));
        if !address.ip().is_unspecified() && !self.is_own(host, address.ip()) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if tcp.bound.is_some() || !matches!(tcp.role, Role::Idle) {
            return Err(Errno::EINVAL);
        }
        let claim = socket.claim(address, Why::Bound);
        let claim = self.claim(host, claim)?;
        let tcp = self.tcp_of_mut(id)?;
        tcp.bound = Some(SocketAddr::new(address.ip(), claim.port));
        tcp.claim = Some(claim);
        Ok(())
    }

    /// Makes a claim, to any port if it names none.
    fn claim(&mut self, host: HostId, claim: Claim) -> Result<Claim> {
        let ports = &mut self.hosts[host.0 as usize].ports;
        match claim.port {
            0 => ports.claim_any(claim),
            _ => ports.claim(claim).map(|()| claim),
        }
    }

    pub(crate) fn tcp_release(&mut self, host: HostId, claim: Option<Claim>) {
        if let Some(claim) = claim {
            self.hosts[host.0 as usize].ports.release(claim);
        }
    }

    pub(crate) fn tcp_listen(&mut self, cx: &mut Cx<'_>, id: SocketId, backlog: u32) -> Result<()> {
        let backlog = backlog.min(LONGEST_BACKLOG) as usize;
        match &mut self.tcp_of_mut(id)?.role {
            Role::Listens(listener) => {
                listener.backlog = backlog;
                return Ok(());
            }
            Role::Connected(_) => return Err(Errno::EINVAL),
            Role::Idle => {}
        }
        if self.tcp_of(id)?.1.bound.is_none() {
            let anywhere = SocketAddr::new(self.get(id)?.anywhere(), 0);
            self.tcp_bind(cx, id, anywhere)?;
        }
        let (socket, tcp) = self.tcp_of(id)?;
        let (host, address, old) = (socket.host, tcp.bound.expect("it was bound"), tcp.claim);
        let claim = socket.claim(address, Why::Listens);
        // In the way of its own claim it does not stand.
        self.tcp_release(host, old);
        if let Err(error) = self.claim(host, claim) {
            let ports = &mut self.hosts[host.0 as usize].ports;
            old.into_iter().for_each(|old| ports.add(old));
            return Err(error);
        }
        let tcp = self.tcp_of_mut(id)?;
        tcp.claim = Some(claim);
        tcp.role = Role::Listens(Listener {
            backlog,
            made: Default::default(),
            making: Default::default(),
        });
        self.tcp.listeners.entry((host, claim.port)).or_default().push(id);
        Ok(())
    }

    /// The socket listens no more: what waited to be accepted is reset, what was being made is forgotten.
    pub(crate) fn tcp_unlisten(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        host: HostId,
        tcp: &mut Tcp,
    ) {
        if !matches!(tcp.role, Role::Listens(_)) {
            return;
        }
        let Role::Listens(listener) = mem::take(&mut tcp.role) else { return };
        let port = tcp.bound.expect("who listens is bound").port();
        self.forget_listener(id, host, port);
        for connection in listener.making {
            self.tcp_forget(connection);
        }
        for connection in listener.made {
            self.tcp_abort(cx, connection);
        }
    }

    pub(crate) fn forget_listener(&mut self, id: SocketId, host: HostId, port: u16) {
        if let Some(listeners) = self.tcp.listeners.get_mut(&(host, port)) {
            listeners.retain(|other| *other != id);
            if listeners.is_empty() {
                self.tcp.listeners.remove(&(host, port));
            }
        }
    }

    pub(crate) fn tcp_accept(&mut self, _cx: &mut Cx<'_>, id: SocketId) -> Result<SocketId> {
        let (host, domain) = {
            let socket = self.get(id)?;
            (socket.host, socket.domain)
        };
        // Linux looks for a free descriptor first: `__sys_accept4`.
        self.open(host)?;
        let accepted = match &mut self.tcp_of_mut(id)?.role {
            Role::Listens(listener) => listener.made.pop_front().ok_or(Errno::EAGAIN),
            _ => Err(Errno::EINVAL),
        };
        let connection = match accepted {
            Ok(connection) => connection,
            Err(error) => {
                self.hosts[host.0 as usize].open -= 1;
                return Err(error);
            }
        };
        let c = self.tcp.get(connection).expect("what waits to be accepted is there");
        let options = c.options.clone();
        let tcp = Tcp { role: Role::Connected(connection), ..Tcp::default() };
        let socket = self.insert(Socket { host, domain, options, proto: Proto::Tcp(tcp) });
        let c = self.tcp.get_mut(connection).expect("what waits to be accepted is there");
        c.owner = Owner::Socket(socket);
        Ok(socket)
    }

    pub(crate) fn tcp_connect(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        to: SocketAddr,
    ) -> Result<()> {
        match self.tcp_of(id)?.1.role {
            Role::Listens(_) => return Err(Errno::EISCONN),
            Role::Connected(_) => return self.tcp_connect_again(id),
            Role::Idle => {}
        }
        self.tcp_lapse(cx.now_ns);
        let (socket, tcp) = self.tcp_of(id)?;
        socket.check_family(to, Errno::ENETUNREACH)?;
        let (host, options, bound) = (socket.host, socket.options.clone(), tcp.bound);
        let mut to = canonical(to);
        if to.ip().is_unspecified() {
            to.set_ip(loopback(to.ip()));
        }
        if to.ip().is_multicast() || matches!(to.ip(), IpAddr::V4(v4) if v4.is_broadcast()) {
            return Err(Errno::ENETUNREACH);
        }
        let bound = bound.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |bound| bound.ip());
        let from = self.source(host, bound, to.ip())?;
        let (claim, keeps_port) = self.claim_to_connect(id, host, from, to)?;
        let local = SocketAddr::new(from, claim.port);
        let first = self.tcp.first_number();
        let mut c = Connection::new(host, local, to, options, first);
        c.owner = Owner::Socket(id);
        c.peer_host = self.route(host, to.ip());
        (c.claim, c.keeps_port) = (Some(claim), keeps_port);
        let connection = self.tcp.insert(c);
        let tcp = self.tcp_of_mut(id)?;
        tcp.role = Role::Connected(connection);
        tcp.connecting = true;
        self.tcp_flush(cx, connection);
        Err(Errno::EINPROGRESS)
    }

    /// Connect asks a second time how it went: `inet_stream_connect`.
    fn tcp_connect_again(&mut self, id: SocketId) -> Result<()> {
        let tcp = self.tcp_of_mut(id)?;
        let Role::Connected(connection) = tcp.role else { return Err(Errno::EISCONN) };
        if !tcp.connecting {
            return Err(Errno::EISCONN);
        }
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        if c.state.is_opening() {
            return Err(Errno::EALREADY);
        }
        let (over, error) = (c.is_over(), c.take_error());
        let claim = if over { c.claim.take() } else { None };
        if over {
            self.tcp_forget(connection);
        }
        let tcp = self.tcp_of_mut(id)?;
        tcp.connecting = false;
        if !over {
            return Ok(());
        }
        (tcp.role, tcp.claim) = (Role::Idle, claim);
        Err(error.unwrap_or(Errno::ECONNABORTED))
    }

    /// A port to connect from, and whether it was asked for by bind.
    fn claim_to_connect(
        &mut self,
        id: SocketId,
        host: HostId,
        from: IpAddr,
        to: SocketAddr,
    ) -> Result<(Claim, bool)> {
        let claimed = self.tcp_of(id)?.1.claim;
        let table = &self.tcp;
        let is_free = |port| !table.has_pair(host, SocketAddr::new(from, port), to);
        match claimed {
            Some(claim) if is_free(claim.port) => {
                self.tcp_of_mut(id)?.claim = None;
                Ok((claim, true))
            }
            Some(_) => Err(Errno::EADDRNOTAVAIL),
            None => {
                let ports = &mut self.hosts[host.0 as usize].ports;
                Ok((ports.claim_to_connect(from, is_free)?, false))
            }
        }
    }
}
