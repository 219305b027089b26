//! Options of sockets that are numbers, which several kinds of sockets have.

/// Getters and setters of numbers.
macro_rules! numbers {
    ($Socket:ident: $($(#[$doc:meta])* $get:ident, $set:ident, $number:ident;)*) => {
        impl $Socket {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// If the socket is gone, or has no such option.
                pub fn $get(&self) -> io::Result<u32> {
                    self.endpoint.ask(|net, _, id| net.number(id, sim_net::Number::$number))
                }

                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// `InvalidInput` if it is out of range, and if the socket is gone or has no such option.
                pub fn $set(&self, value: u32) -> io::Result<()> {
                    self.endpoint.ask(|net, _, id| net.set_number(id, sim_net::Number::$number, value))
                }
            )*
        }
    };
}

pub(super) use numbers;
