//! A server that speaks PostgreSQL's protocol, version 3, and knows a handful of statements about accounts: what a client
//! needs to be tested.
//!
//! ```text
//! startup --1--> ready --2--> (simple query) --> ready
//!                ready --3--> (parse, describe, bind, execute, ...) --4--> ready
//!                             (failed: skips until sync)            --4--> ready
//!    1 trusts everyone   2 Query   3 messages of the extended protocol, each answered at once   4 Sync
//! ```
//!
//! Source: the chapter "Frontend/Backend Protocol" of PostgreSQL's manual.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use sim::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Duration, sleep},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

/// `int4` and `int8`, by their numbers in `pg_type`.
const INT4: u32 = 23;
const INT8: u32 = 20;

/// The accounts, which outlive a crash if they are kept.
pub type Accounts = Arc<Mutex<BTreeMap<i32, i64>>>;

/// Text, types of the parameters, names and types of the columns.
type Statement = (&'static str, &'static [u32], &'static [(&'static str, u32)]);

/// The statements that are known.
const STATEMENTS: [Statement; 4] = [
    ("SELECT balance FROM accounts WHERE id = $1", &[INT4], &[("balance", INT8)]),
    ("UPDATE accounts SET balance = balance + $2 WHERE id = $1", &[INT4, INT8], &[]),
    ("SELECT pg_sleep($1)", &[INT4], &[]),
    ("SELECT sum(balance) FROM accounts", &[], &[("sum", INT8)]),
];

/// An SQLSTATE, and what it is about.
type Complaint = (&'static str, String);

/// Serves on port 5432 of the node, until it crashes.
///
/// # Errors
///
/// If the port is taken.
pub async fn serve(accounts: Accounts) -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:5432").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?; // As the real server does.
        let session = Session {
            accounts: accounts.clone(),
            prepared: BTreeMap::new(),
            portals: BTreeMap::new(),
            failed: false,
            out: BytesMut::new(),
        };
        sim::spawn(async move {
            // A client that goes away in the middle of something is its own affair.
            let _ended = session.run(BufReader::new(stream)).await.is_ok();
        });
    }
}

/// One connection.
struct Session {
    accounts: Accounts,
    /// Statements by the client's names for them; a number is one of [`STATEMENTS`].
    prepared: BTreeMap<String, usize>,
    /// Statements with their parameters.
    portals: BTreeMap<String, (usize, Vec<i64>)>,
    /// Whether a message of the extended protocol failed, so that all until the next sync are skipped.
    failed: bool,
    out: BytesMut,
}

impl Session {
    async fn run(mut self, mut stream: BufReader<TcpStream>) -> io::Result<()> {
        let _version_and_user = read_rest(&mut stream).await?;
        self.reply(b'R', |out| out.put_u32(0)); // Authentication is done.
        self.ready();
        stream.write_all(&self.out.split()).await?;
        loop {
            let kind = stream.read_u8().await?;
            let mut message = read_rest(&mut stream).await?;
            match kind {
                b'X' => return Ok(()),
                b'Q' => {
                    let text = take_text(&mut message);
                    if let Err(complaint) = self.query(&text).await {
                        self.complain(complaint);
                    }
                    self.ready();
                }
                b'S' => {
                    self.failed = false;
                    self.ready();
                }
                _ if self.failed => {}
                _ => {
                    if let Err(complaint) = self.extended(kind, message).await {
                        self.failed = true;
                        self.complain(complaint);
                    }
                }
            }
            stream.write_all(&self.out.split()).await?;
        }
    }

    /// A statement without parameters, whose rows go out as text.
    async fn query(&mut self, text: &str) -> Result<(), Complaint> {
        let number = find(text)?;
        let columns = self.describe_rows(number, 0);
        let row = self.execute(number, &[]).await?;
        if columns {
            let value = row.unwrap_or_default().to_string();
            self.reply(b'D', |out| {
                out.put_u16(1);
                out.put_u32(u32::try_from(value.len()).expect("a number is short"));
                out.put_slice(value.as_bytes());
            });
        }
        self.complete(text);
        Ok(())
    }

    async fn extended(&mut self, kind: u8, mut message: Bytes) -> Result<(), Complaint> {
        match kind {
            b'P' => {
                let (name, text) = (take_text(&mut message), take_text(&mut message));
                self.prepared.insert(name, find(&text)?);
                self.reply(b'1', |_| {});
            }
            b'D' => {
                let _what = message.get_u8();
                let number = self.prepared[&take_text(&mut message)];
                let (_, parameters, _) = STATEMENTS[number];
                self.reply(b't', |out| {
                    out.put_u16(u16::try_from(parameters.len()).expect("few parameters"));
                    parameters.iter().for_each(|kind| out.put_u32(*kind));
                });
                if !self.describe_rows(number, 0) {
                    self.reply(b'n', |_| {});
                }
            }
            b'B' => {
                let (portal, name) = (take_text(&mut message), take_text(&mut message));
                let number = self.prepared[&name];
                self.portals.insert(portal, (number, take_parameters(&mut message)));
                self.reply(b'2', |_| {});
            }
            b'E' => {
                let (number, parameters) = self.portals[&take_text(&mut message)].clone();
                let (text, _, columns) = STATEMENTS[number];
                if let (Some(value), [_]) = (self.execute(number, &parameters).await?, columns) {
                    self.reply(b'D', |out| {
                        out.put_u16(1);
                        out.put_u32(8);
                        out.put_i64(value);
                    });
                }
                self.complete(text);
            }
            b'C' => {
                let _what = message.get_u8();
                self.prepared.remove(&take_text(&mut message));
                self.reply(b'3', |_| {});
            }
            _ => {}
        }
        Ok(())
    }

    /// Does it; gives the one value of its one row.
    async fn execute(&self, number: usize, with: &[i64]) -> Result<Option<i64>, Complaint> {
        let missing = || ("02000", format!("there is no account {}", with[0]));
        let account = with.first().map(|id| i32::try_from(*id).expect("it was an int4"));
        if number == 2 {
            sleep(Duration::from_secs(with[0].unsigned_abs())).await;
            return Ok(None);
        }
        let mut accounts = self.accounts.lock().unwrap();
        match (number, account) {
            (0, Some(id)) => Ok(accounts.get(&id).copied()),
            (1, Some(id)) => {
                *accounts.get_mut(&id).ok_or_else(missing)? += with[1];
                Ok(None)
            }
            _ => Ok(Some(accounts.values().sum())),
        }
    }

    /// The columns of a statement, if it has any. `format` is 0 for text.
    fn describe_rows(&mut self, number: usize, format: u16) -> bool {
        let (_, _, columns) = STATEMENTS[number];
        let [(name, kind)] = columns else { return false };
        self.reply(b'T', |out| {
            out.put_u16(1);
            out.put_slice(name.as_bytes());
            out.put_u8(0);
            out.put_u32(0); // Of no table,
            out.put_u16(0); // and no column of one.
            out.put_u32(*kind);
            out.put_u16(8);
            out.put_i32(-1); // No modifier of the type.
            out.put_u16(format);
        });
        true
    }

    fn complete(&mut self, text: &str) {
        let word = text.split(' ').next().unwrap_or_default();
        let tag = if word == "UPDATE" { "UPDATE 1" } else { "SELECT 1" };
        self.reply(b'C', |out| put_text(out, tag));
    }

    fn ready(&mut self) {
        self.reply(b'Z', |out| out.put_u8(b'I'));
    }

    fn complain(&mut self, (state, message): Complaint) {
        self.reply(b'E', |out| {
            for (field, text) in [(b'S', "ERROR"), (b'V', "ERROR"), (b'C', state), (b'M', &message)]
            {
                out.put_u8(field);
                put_text(out, text);
            }
            out.put_u8(0);
        });
    }

    /// A message: its kind, its length with the length itself, and what `fill` puts there.
    fn reply(&mut self, kind: u8, fill: impl FnOnce(&mut BytesMut)) {
        let mut body = BytesMut::new();
        fill(&mut body);
        self.out.put_u8(kind);
        self.out.put_u32(u32::try_from(body.len() + 4).expect("messages are short"));
        self.out.put_slice(&body);
    }
}

/// What follows a length, which counts itself.
async fn read_rest(stream: &mut BufReader<TcpStream>) -> io::Result<Bytes> {
    let length = stream.read_u32().await?;
    let mut bytes = vec![0; length as usize - 4];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes.into())
}

fn find(text: &str) -> Result<usize, Complaint> {
    let number = STATEMENTS.iter().position(|(known, ..)| *known == text);
    number.ok_or_else(|| ("42601", format!("syntax error in {text:?}")))
}

fn put_text(out: &mut BytesMut, text: &str) {
    out.put_slice(text.as_bytes());
    out.put_u8(0);
}

/// Up to the next zero.
fn take_text(message: &mut Bytes) -> String {
    let end = message.iter().position(|byte| *byte == 0).expect("texts end in a zero");
    let text = message.split_to(end);
    message.advance(1);
    String::from_utf8_lossy(&text).into_owned()
}

/// Those of a bind, which the client sends in binary.
fn take_parameters(message: &mut Bytes) -> Vec<i64> {
    let formats = message.get_u16();
    message.advance(usize::from(formats) * 2);
    let count = message.get_u16();
    let take = |_| match message.get_u32() {
        4 => message.get_i32().into(),
        _ => message.get_i64(),
    };
    (0..count).map(take).collect()
}
