//! What hyper 1.x needs of a runtime (feature `hyper`), and a loop that serves a tower service, such as an axum router.
//!
//! hyper and axum run unchanged: connections over [`net`](crate::net) ([`Io`]), tasks of the simulation ([`Executor`]),
//! its clock ([`Timer`]). [`serve`] takes the place of `axum::serve`, which spawns on the real tokio. The feature
//! `hyper-client` adds `Connector`, for the client of hyper-util, which pools connections.
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http_body_util::BodyExt;
//! use hyper::{Request, client::conn::http1};
//! use sim::{hyper::{Executor, Io, serve}, net::{TcpListener, TcpStream}, node, time::Duration};
//!
//! let report = sim::check(sim::Config::new().seeds(10), || async {
//!     let server = node("server").start(|| async {
//!         let router = Router::new().route("/hello", get(|| async { "hello" }));
//!         serve(TcpListener::bind("0.0.0.0:80").await?, router).await
//!     });
//!     sim::time::sleep(Duration::from_millis(10)).await; // The server listens by now.
//!
//!     let stream = TcpStream::connect("server:80").await.unwrap();
//!     let (mut sender, connection) = http1::handshake(Io::new(stream)).await.unwrap();
//!     sim::spawn(async move { connection.await.unwrap() });
//!     let request = Request::get("/hello").header("host", "server").body(Body::empty()).unwrap();
//!     let response = sender.send_request(request).await.unwrap();
//!     assert_eq!(response.status(), 200);
//!     assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
//! });
//! assert!(report.failure.is_none(), "{report}");
//! ```
//!
//! # What to look out for
//!
//! hyper's servers keep the text of the `date` header in a thread-local for a second. All nodes and runs of a thread
//! share it, so that a response may carry another run's date. [`serve`] has hyper write none, and adds that of the node's
//! own clock; a loop of your own calls `auto_date_header(false)`.

#[cfg(feature = "hyper-client")]
mod connector;
mod io;
mod runtime;
mod serve;

#[cfg(feature = "hyper-client")]
pub use connector::{Connecting, Connector};
pub use io::Io;
pub use runtime::{Executor, Timer};
pub use serve::serve;
