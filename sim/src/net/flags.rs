//! Options of sockets that are on or off, which several kinds of sockets have.

/// Getters and setters of flags.
macro_rules! flags {
    ($Socket:ident: $($(#[$doc:meta])* $get:ident, $set:ident, $flag:ident;)*) => {
        impl $Socket {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// If the socket is gone.
                pub fn $get(&self) -> io::Result<bool> {
                    self.endpoint.ask(|net, _, id| net.flag(id, sim_net::Flag::$flag))
                }

                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// If the socket is gone.
                pub fn $set(&self, on: bool) -> io::Result<()> {
                    self.endpoint.ask(|net, _, id| net.set_flag(id, sim_net::Flag::$flag, on))
                }
            )*
        }
    };
}

pub(super) use flags;
