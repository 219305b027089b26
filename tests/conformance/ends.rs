//! The two ends of a connection, which many cases begin with.

use super::rt::{
    join,
    net::{TcpListener, TcpStream},
};
use std::time::Duration;

/// Two connected streams: the one that connected, the one that was accepted.
pub async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, server) = join!(TcpStream::connect(address), listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// Ends a connection by a reset.
pub fn reset(stream: TcpStream) {
    #[allow(deprecated)]
    stream.set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}
