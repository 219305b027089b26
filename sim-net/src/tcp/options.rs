//! What TCP alone can be told: tcp(7).

use super::Role;
use crate::{Errno, Network, Result, SocketId};

/// When a connection on which nothing passes is looked after, once [`Flag::KeepAlive`](crate::Flag::KeepAlive) is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeepAlive {
    /// After how long the peer is asked, in nanoseconds: `TCP_KEEPIDLE`, at first two hours.
    pub idle_ns: u64,
    /// How long after that he is asked again, in nanoseconds: `TCP_KEEPINTVL`, at first 75 seconds.
    pub interval_ns: u64,
    /// So often in vain, and the connection ends with `ETIMEDOUT`: `TCP_KEEPCNT`, at first 9.
    pub count: u32,
}

impl Network {
    /// Sets when the peer of a silent connection is asked whether he is there.
    ///
    /// # Errors
    ///
    /// `EINVAL` if a figure is 0, `EBADF`.
    pub fn set_keep_alive(&mut self, id: SocketId, keep_alive: KeepAlive) -> Result<()> {
        let KeepAlive { idle_ns, interval_ns, count } = keep_alive;
        if idle_ns == 0 || interval_ns == 0 || count == 0 {
            return Err(Errno::EINVAL);
        }
        let options = &mut self.get_mut(id)?.options;
        (options.keep_idle_ns, options.keep_interval_ns) = (idle_ns, interval_ns);
        options.keep_count = count;
        self.tcp_options_changed(id);
        Ok(())
    }

    /// When the peer of a silent connection is asked whether he is there.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn keep_alive(&self, id: SocketId) -> Result<KeepAlive> {
        let options = &self.get(id)?.options;
        Ok(KeepAlive {
            idle_ns: options.keep_idle_ns,
            interval_ns: options.keep_interval_ns,
            count: options.keep_count,
        })
    }

    /// Sets how long what was sent may remain without an answer, in nanoseconds; then the connection ends with
    /// `ETIMEDOUT`. 0, as at first: about 15 minutes. `TCP_USER_TIMEOUT`, RFC 5482.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn set_user_timeout(&mut self, id: SocketId, ns: u64) -> Result<()> {
        self.get_mut(id)?.options.user_timeout_ns = ns;
        self.tcp_options_changed(id);
        Ok(())
    }

    /// How long what was sent may remain without an answer, in nanoseconds; 0: about 15 minutes.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn user_timeout(&self, id: SocketId) -> Result<u64> {
        Ok(self.get(id)?.options.user_timeout_ns)
    }

    /// The options of a socket were changed: its connection goes by them from now on.
    pub(crate) fn tcp_options_changed(&mut self, id: SocketId) {
        let Ok((socket, tcp)) = self.tcp_of(id) else { return };
        let Role::Connected(connection) = tcp.role else { return };
        let options = socket.options.clone();
        let Some(c) = self.tcp.get_mut(connection) else { return };
        c.options = options;
        c.keep_alive_from(c.time.heard_ns);
        self.tcp_set_alarm(connection);
    }
}
