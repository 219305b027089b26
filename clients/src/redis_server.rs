//! A server that speaks RESP, with strings, counters, expiry and transactions: what a client of redis needs to be tested.
//!
//! Commands run one after the other, those of a transaction without any other between them, as redis does. Keys expire by
//! the clock of the server's node. What is stored outlives a crash if the [`Store`] does: as with an append-only file that
//! is synced at each write. Sources: the RESP2 specification and the pages of the commands, redis.io.

use sim::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
};

/// What the server keeps.
#[derive(Clone, Default)]
pub struct Store {
    keys: Arc<Mutex<BTreeMap<String, Entry>>>,
}

struct Entry {
    value: String,
    expires: Option<Instant>,
}

/// An answer.
enum Reply {
    Simple(&'static str),
    Error(String),
    Number(i64),
    Text(Option<String>),
    List(Vec<Reply>),
}

/// Serves on port 6379 of the node, until it crashes.
///
/// # Errors
///
/// If the port is taken.
pub async fn serve(store: Store) -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:6379").await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?; // As the real server does.
        let store = store.clone();
        sim::spawn(async move {
            // A client that goes away in the middle of something is its own affair.
            let _ended = session(BufReader::new(stream), store).await.is_ok();
        });
    }
}

async fn session(mut stream: BufReader<TcpStream>, store: Store) -> io::Result<()> {
    let mut queued: Option<Vec<Vec<String>>> = None;
    while let Some(words) = read_command(&mut stream).await? {
        let reply = match (words[0].to_uppercase().as_str(), &mut queued) {
            ("MULTI", _) => {
                queued = Some(Vec::new());
                Reply::Simple("OK")
            }
            ("EXEC", Some(commands)) => {
                let replies = store.run_all(commands);
                queued = None;
                Reply::List(replies)
            }
            (_, Some(commands)) => {
                commands.push(words);
                Reply::Simple("QUEUED")
            }
            _ => store.run_all(&[words]).remove(0),
        };
        let mut bytes = String::new();
        write_reply(&mut bytes, &reply);
        stream.write_all(bytes.as_bytes()).await?;
    }
    Ok(())
}

/// A list of words; `None` at the end of the connection.
async fn read_command(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<String>>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = Vec::new();
    for _ in 0..number_after('*', &line)? {
        line.clear();
        stream.read_line(&mut line).await?;
        let mut word = vec![0; number_after('$', &line)? + "\r\n".len()];
        stream.read_exact(&mut word).await?;
        word.truncate(word.len() - "\r\n".len());
        words.push(String::from_utf8(word).map_err(io::Error::other)?);
    }
    Ok(Some(words))
}

fn number_after(sign: char, line: &str) -> io::Result<usize> {
    let number = line.trim_end().strip_prefix(sign).and_then(|number| number.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("{line:?} does not begin with {sign}")))
}

fn write_reply(out: &mut String, reply: &Reply) {
    match reply {
        Reply::Simple(text) => out.push_str(&format!("+{text}\r\n")),
        Reply::Error(text) => out.push_str(&format!("-{text}\r\n")),
        Reply::Number(number) => out.push_str(&format!(":{number}\r\n")),
        Reply::Text(None) => out.push_str("$-1\r\n"),
        Reply::Text(Some(text)) => out.push_str(&format!("${}\r\n{text}\r\n", text.len())),
        Reply::List(replies) => {
            out.push_str(&format!("*{}\r\n", replies.len()));
            replies.iter().for_each(|reply| write_reply(out, reply));
        }
    }
}

impl Store {
    /// The value of a key as it is now, for the test to look at.
    pub fn get(&self, key: &str) -> Option<String> {
        self.keys.lock().unwrap().get(key).map(|entry| entry.value.clone())
    }

    /// Nothing comes between them.
    fn run_all(&self, commands: &[Vec<String>]) -> Vec<Reply> {
        let mut keys = self.keys.lock().unwrap();
        let now = Instant::now();
        keys.retain(|_, entry| entry.expires.is_none_or(|expires| now < expires));
        commands.iter().map(|words| run(&mut keys, words, now)).collect()
    }
}

fn run(keys: &mut BTreeMap<String, Entry>, words: &[String], now: Instant) -> Reply {
    let name = words[0].to_uppercase();
    let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    match (name.as_str(), &words[..]) {
        ("PING", []) => Reply::Simple("PONG"),
        ("CLIENT", _) => Reply::Simple("OK"),
        ("GET", [key]) => Reply::Text(keys.get(*key).map(|entry| entry.value.clone())),
        ("SET", [key, value, options @ ..]) => set(keys, key, value, options, now),
        ("SETEX", [key, seconds, value]) => set(keys, key, value, &["EX", seconds], now),
        ("INCR", [key]) => add(keys, key, "1"),
        ("INCRBY", [key, more]) => add(keys, key, more),
        ("DEL", gone) => {
            let gone = gone.iter().filter(|key| keys.remove(**key).is_some());
            Reply::Number(i64::try_from(gone.count()).expect("few keys"))
        }
        ("EXPIRE", [key, seconds]) => match (keys.get_mut(*key), seconds.parse()) {
            (_, Err(_)) => not_a_number(),
            (None, _) => Reply::Number(0),
            (Some(entry), Ok(seconds)) => {
                entry.expires = Some(now + Duration::from_secs(seconds));
                Reply::Number(1)
            }
        },
        ("TTL", [key]) => Reply::Number(match keys.get(*key).map(|entry| entry.expires) {
            None => -2,
            Some(None) => -1,
            Some(Some(expires)) => (expires - now).as_secs().try_into().expect("few seconds"),
        }),
        _ => Reply::Error(format!("ERR unknown command '{name}', or wrong arguments {words:?}")),
    }
}

fn set(
    keys: &mut BTreeMap<String, Entry>,
    key: &str,
    value: &str,
    options: &[&str],
    now: Instant,
) -> Reply {
    let mut expires = None;
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match option.to_uppercase().as_str() {
            "NX" if keys.contains_key(key) => return Reply::Text(None),
            "NX" => {}
            "EX" => match options.next().map(|seconds| seconds.parse()) {
                Some(Ok(seconds)) => expires = Some(now + Duration::from_secs(seconds)),
                _ => return not_a_number(),
            },
            _ => return Reply::Error("ERR syntax error".into()),
        }
    }
    keys.insert(key.into(), Entry { value: value.into(), expires });
    Reply::Simple("OK")
}

fn add(keys: &mut BTreeMap<String, Entry>, key: &str, more: &str) -> Reply {
    let entry = keys.entry(key.into()).or_insert(Entry { value: "0".into(), expires: None });
    match (entry.value.parse::<i64>(), more.parse::<i64>()) {
        (Ok(value), Ok(more)) => {
            entry.value = (value + more).to_string();
            Reply::Number(value + more)
        }
        _ => not_a_number(),
    }
}

fn not_a_number() -> Reply {
    Reply::Error("ERR value is not an integer or out of range".into())
}
