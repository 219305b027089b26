//! Connections for the client of hyper-util.

use super::Io;
use crate::net::TcpStream;
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tower_service::Service;

/// Connects to the host of a URI, which may be a node's name: port 80 if it says none. `https` is refused, as no TLS is
/// spoken.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use axum::{Router, body::Body, routing::get};
/// use hyper_util::client::legacy::Client;
/// use sim::{hyper::{Connector, Executor, Timer, serve}, net::TcpListener};
///
/// let listener = TcpListener::bind("127.0.0.1:80").await.unwrap();
/// sim::spawn(serve(listener, Router::new().route("/", get(|| async { "hello" }))));
///
/// let client = Client::builder(Executor).pool_timer(Timer).build::<_, Body>(Connector);
/// let response = client.get("http://127.0.0.1/".parse().unwrap()).await.unwrap();
/// assert_eq!(response.status(), 200);
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Connector;

impl Service<Uri> for Connector {
    type Response = Io<TcpStream>;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Connecting {
        Connecting { stream: Box::pin(connect(uri)) }
    }
}

async fn connect(uri: Uri) -> io::Result<Io<TcpStream>> {
    let refused = |why: &str| {
        let message = format!("no connection to {uri}: {why}");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    };
    if uri.scheme_str().is_some_and(|scheme| scheme != "http") {
        return Err(refused("its scheme is not http"));
    }
    let host = uri.host().ok_or_else(|| refused("it names no host"))?;
    // An address of IPv6 stands in brackets there.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await?;
    Ok(Io::new(stream))
}

/// A connection that is being made; from [`Connector`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Connecting {
    stream: Pin<Box<dyn Future<Output = io::Result<Io<TcpStream>>> + Send>>,
}

impl Future for Connecting {
    type Output = io::Result<Io<TcpStream>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.stream.as_mut().poll(cx)
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").finish_non_exhaustive()
    }
}

impl Connection for Io<TcpStream> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
