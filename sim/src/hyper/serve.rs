//! The loop of a server: accepts connections, and serves each in a task of its own.

use super::{Executor, Io, Timer};
use crate::{
    net::{TcpListener, TcpStream},
    task,
    time::{Duration, sleep},
};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    header::{DATE, HeaderValue},
    service::service_fn,
};
use hyper_util::server::conn::auto::Builder;
use std::{error::Error, future::poll_fn, io, time::SystemTime};
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// Serves HTTP/1 and HTTP/2, whichever the peer speaks, as `axum::serve` does: a connection that fails ends alone, and an
/// accept that fails is tried again, a second later unless the peer was at fault. It does not end; dropped, it accepts no
/// more, and connections go on to their end.
///
/// The service is a tower service that is cloned for each request, such as an axum `Router`. Each connection is a task
/// called `http`. A handler that panics ends its connection, and fails the run as a swallowed panic. For settings of
/// hyper, a graceful shutdown, or a service of hyper's own write the loop yourself: [`Io`], [`Executor`] and [`Timer`] are
/// all that hyper asks for.
///
/// # Errors
///
/// None; the type is that of `axum::serve`, so that it can be the end of what a node does.
///
/// ```
/// use axum::{Router, routing::get};
/// use sim::{hyper::serve, io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:80").await.unwrap();
/// let router = Router::new().route("/", get(|| async { "hello" }));
/// sim::spawn(serve(listener, router));
///
/// let mut client = TcpStream::connect("127.0.0.1:80").await.unwrap();
/// client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await.unwrap();
/// let mut answer = String::new();
/// client.read_to_string(&mut answer).await.unwrap();
/// assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
/// # });
/// ```
pub async fn serve<S, B>(listener: TcpListener, service: S) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let connection = serve_connection(stream, service.clone());
                let spawned = task::Builder::new().name("http").spawn(connection);
                drop(spawned.expect("a task can always be spawned"));
            }
            Err(error) if is_of_the_peer(&error) => {}
            // Such as a process with no descriptor left: it will have some again.
            Err(_) => sleep(Duration::from_secs(1)).await,
        }
    }
}

/// What `accept(2)` may give because a connection in the queue has ended.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve_connection<S, B>(stream: TcpStream, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let service = service_fn(move |request| answer(service.clone(), request));
    let mut builder = Builder::new(Executor);
    builder.http1().timer(Timer).auto_date_header(false);
    builder.http2().timer(Timer).auto_date_header(false).enable_connect_protocol();
    if let Err(error) = builder.serve_connection_with_upgrades(Io::new(stream), service).await {
        tracing::debug!(error, "the connection failed");
    }
}

/// One request; the date is that of the node's clock.
async fn answer<S, B>(mut service: S, request: Request<Incoming>) -> Result<Response<B>, S::Error>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    let mut response = service.call(request).await?;
    response.headers_mut().entry(DATE).or_insert_with(|| {
        let text = httpdate::fmt_http_date(SystemTime::now());
        HeaderValue::try_from(text).expect("a date is letters, digits and blanks")
    });
    Ok(response)
}
