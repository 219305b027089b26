//! A request and its reply over a connection of their own: JSON, behind its length in four bytes.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sim as tokio;
use std::{collections::BTreeMap, io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub(super) const PORT: u16 = 7000;

/// What the store holds.
pub(super) type Map = BTreeMap<String, u32>;

/// Where a map stands among all: by the term of the leader that made it, and by how many it had made.
pub(super) type Stamp = (u64, u64);

/// What is asked of a replica.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// A client's.
    Get { key: String },
    /// A client's.
    Put { key: String, value: u32 },
    /// Promise to follow nobody of an earlier term, and tell what you have.
    Elect { term: u64 },
    /// Have this, unless you have something later.
    Keep { stamp: Stamp, map: Map },
    /// Is there no later leader that you know of?
    Confirm { term: u64 },
}

/// What a replica answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// To a get.
    Value(Option<u32>),
    /// To a put.
    Done,
    /// To a client: ask another.
    NotLeader,
    /// To a client: it may have been done, or not.
    Unknown,
    /// To a candidate: this is what I have.
    Elected { stamp: Stamp, map: Map },
    /// To a leader.
    Agreed,
    /// To a candidate or a leader: I have promised this term to another.
    Refused { term: u64 },
}

/// Asks the machine of that name, which has so long to answer.
///
/// # Errors
///
/// If there is no answer: the request may have been heard or not.
pub(super) async fn call(to: &str, request: &Request, limit: Duration) -> io::Result<Reply> {
    let talk = async {
        let mut stream = TcpStream::connect((to, PORT)).await?;
        send(&mut stream, request).await?;
        receive(&mut stream).await
    };
    timeout(limit, talk).await?
}

/// Writes a frame.
///
/// # Errors
///
/// If the connection is gone.
pub(super) async fn send(stream: &mut TcpStream, message: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    stream.write_u32(bytes.len() as u32).await?;
    stream.write_all(&bytes).await
}

/// Reads a frame.
///
/// # Errors
///
/// If the connection is gone, or what comes is no such message.
pub(super) async fn receive<T: DeserializeOwned>(stream: &mut TcpStream) -> io::Result<T> {
    let mut bytes = vec![0; stream.read_u32().await? as usize];
    stream.read_exact(&mut bytes).await?;
    Ok(serde_json::from_slice(&bytes)?)
}
