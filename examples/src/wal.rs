//! A key-value store with a log that is written ahead, group commit, checkpoints and recovery; and the five classical ways
//! to get that wrong. A node crashes again and again: what was acknowledged has to be there, and nothing that nobody wrote.
//!
//! ```text
//!   put ──▶ batch ──▶ log.N: write, fdatasync ──▶ acknowledged
//!                        │ after so many records
//!                        ▼
//!          checkpoint.new, log.N+1: fsync ──▶ rename ──▶ fsync of the folder ──▶ log.N is removed
//! ```

use sim as tokio;
use std::{
    collections::BTreeMap,
    hash::{BuildHasher, RandomState},
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
    node::{DiskFaults, NodeError},
    sync::Mutex as AsyncMutex,
    time::{Duration, sleep, timeout},
};

/// What is done wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mistakes {
    /// Puts are acknowledged once they are written.
    pub acknowledges_before_sync: bool,
    /// The rename of a checkpoint is not made durable before the log goes.
    pub forgets_folder_sync: bool,
    /// Records have no checksum.
    pub has_no_checksum: bool,
    /// An fsync that failed is tried again.
    pub retries_sync: bool,
    /// The log goes before the checkpoint that replaces it is in place.
    pub deletes_log_early: bool,
}

const FOLDER: &str = "/db";
/// Longer than a sector, so that a crash may tear it.
const VALUE: usize = 700;
const RECORD: usize = 8 + 8 + VALUE + 8;
/// Records in a log before there is a checkpoint.
const LOG_RECORDS: u64 = 12;

type Table = BTreeMap<u64, (u64, Vec<u8>)>;

/// The value of that version of a key.
fn value(key: u64, version: u64) -> Vec<u8> {
    (0..VALUE as u64).map(|at| (1 + (key * 31 + version * 7 + at) % 255) as u8).collect()
}

/// FNV-1a.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

fn record(key: u64, version: u64, value: &[u8]) -> Vec<u8> {
    let mut record = [&key.to_le_bytes()[..], &version.to_le_bytes(), value].concat();
    record.extend(sum(&record).to_le_bytes());
    record
}

struct Batch {
    bytes: Vec<u8>,
    /// Counts the records of this process.
    last: u64,
}

struct Log {
    file: File,
    generation: u64,
    records: u64,
    /// The last record that is durable.
    synced: u64,
}

/// The store.
pub struct Store {
    mistakes: Mistakes,
    table: Mutex<Table>,
    batch: Mutex<Batch>,
    log: AsyncMutex<Log>,
}

impl Store {
    /// Opens the store, and makes durable again what it finds: what a former process left in the page cache may be nowhere
    /// else.
    pub async fn open(mistakes: Mistakes) -> io::Result<Store> {
        if !fs::try_exists(FOLDER).await? {
            fs::create_dir(FOLDER).await?;
        }
        sync_folder("/").await?;
        let (generation, mut table) = read_checkpoint().await?;
        read_log(generation, &mut table, mistakes).await?;
        let next = write_checkpoint(generation, &table, mistakes).await?;
        let log = Log { file: next, generation: generation + 1, records: 0, synced: 0 };
        Ok(Store {
            mistakes,
            table: Mutex::new(table),
            batch: Mutex::new(Batch { bytes: Vec::new(), last: 0 }),
            log: AsyncMutex::new(log),
        })
    }

    /// Puts a version of a key. Whoever has the log writes what others have put meanwhile, too.
    pub async fn put(&self, key: u64, version: u64) -> io::Result<()> {
        let value = value(key, version);
        let mine = {
            let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
            let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
            batch.bytes.extend(record(key, version, &value));
            batch.last += 1;
            table.insert(key, (version, value));
            batch.last
        };
        let mut log = self.log.lock().await;
        if log.synced >= mine {
            return Ok(());
        }
        self.commit(&mut log).await?;
        if log.records >= LOG_RECORDS {
            let table = self.table.lock().unwrap_or_else(PoisonError::into_inner).clone();
            log.file = write_checkpoint(log.generation, &table, self.mistakes).await?;
            (log.generation, log.records) = (log.generation + 1, 0);
        }
        Ok(())
    }

    async fn commit(&self, log: &mut Log) -> io::Result<()> {
        let (bytes, last) = {
            let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut batch.bytes), batch.last)
        };
        log.file.write_all(&bytes).await?;
        log.file.flush().await?;
        if !self.mistakes.acknowledges_before_sync {
            sync(&log.file, self.mistakes).await?;
        }
        log.records += (bytes.len() / RECORD) as u64;
        log.synced = last;
        Ok(())
    }
}

async fn sync(file: &File, mistakes: Mistakes) -> io::Result<()> {
    match file.sync_data().await {
        Err(_) if mistakes.retries_sync => file.sync_data().await,
        done => done,
    }
}

async fn sync_folder(path: &str) -> io::Result<()> {
    File::open(path).await?.sync_all().await
}

async fn read_checkpoint() -> io::Result<(u64, Table)> {
    let mut table = Table::new();
    let bytes = match fs::read(format!("{FOLDER}/checkpoint")).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((0, table)),
        bytes => bytes?,
    };
    let (content, checksum) = bytes.split_at(bytes.len().saturating_sub(8));
    assert!(content.len() >= 8 && sum(content) == number(checksum), "the checkpoint is broken");
    for entry in content[8..].chunks(16 + VALUE) {
        table.insert(number(&entry[..8]), (number(&entry[8..16]), entry[16..].to_vec()));
    }
    Ok((number(&content[..8]), table))
}

/// Up to the first record that is not whole.
async fn read_log(generation: u64, table: &mut Table, mistakes: Mistakes) -> io::Result<()> {
    let bytes = match fs::read(format!("{FOLDER}/log.{generation}")).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        bytes => bytes?,
    };
    for record in bytes.chunks_exact(RECORD) {
        let (content, checksum) = record.split_at(RECORD - 8);
        if !mistakes.has_no_checksum && sum(content) != number(checksum) {
            break;
        }
        let (key, version) = (number(&content[..8]), number(&content[8..16]));
        if table.get(&key).is_none_or(|(former, _)| *former < version) {
            table.insert(key, (version, content[16..].to_vec()));
        }
    }
    Ok(())
}

/// Makes the table a checkpoint, and gives the log that follows it.
async fn write_checkpoint(generation: u64, table: &Table, mistakes: Mistakes) -> io::Result<File> {
    let (next, path) = (generation + 1, format!("{FOLDER}/checkpoint"));
    let mut bytes = next.to_le_bytes().to_vec();
    for (key, (version, value)) in table {
        bytes.extend([&key.to_le_bytes()[..], &version.to_le_bytes(), value].concat());
    }
    bytes.extend(sum(&bytes).to_le_bytes());
    let mut file = File::create(format!("{path}.new")).await?;
    file.write_all(&bytes).await?;
    file.flush().await?;
    sync(&file, mistakes).await?;
    let log = File::create(format!("{FOLDER}/log.{next}")).await?;
    sync(&log, mistakes).await?;
    if mistakes.deletes_log_early {
        remove(&format!("{FOLDER}/log.{generation}")).await?;
    }
    fs::rename(format!("{path}.new"), &path).await?;
    if !mistakes.forgets_folder_sync {
        sync_folder(FOLDER).await?;
    }
    remove(&format!("{FOLDER}/log.{generation}")).await?;
    Ok(log)
}

async fn remove(path: &str) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// What the test knows of each key: the last version that was acknowledged, and the last that was put.
type Books = Arc<Mutex<BTreeMap<u64, (u64, u64)>>>;

const WRITERS: u64 = 3;
/// Crashes in a run.
pub const CRASHES: u32 = 4;

async fn server(books: Books, mistakes: Mistakes) -> io::Result<()> {
    let store = Arc::new(Store::open(mistakes).await?);
    for (key, (acknowledged, put)) in books.lock().expect("no panic with it").iter() {
        let table = store.table.lock().expect("no panic with it");
        let none = (0, value(*key, 0));
        let (version, found) = table.get(key).unwrap_or(&none);
        assert!(
            version >= acknowledged,
            "version {acknowledged} of key {key} was acknowledged, and {version} is there"
        );
        assert!(
            version <= put && *found == value(*key, *version),
            "nobody wrote what is there of key {key}"
        );
    }
    let writer = |key: u64| {
        let (store, books) = (store.clone(), books.clone());
        async move {
            let first = books.lock().expect("no panic with it").get(&key).map_or(1, |it| it.1 + 1);
            for version in first.. {
                books.lock().expect("no panic with it").entry(key).or_default().1 = version;
                store.put(key, version).await?;
                books.lock().expect("no panic with it").entry(key).or_default().0 = version;
                sleep(Duration::from_micros(100)).await;
            }
            Ok::<(), io::Error>(())
        }
    };
    const { assert!(WRITERS == 3) };
    tokio::try_join!(writer(0), writer(1), writer(2)).map(drop)
}

/// Runs the store on a disk whose syncs fail at times, through crashes.
async fn crash_and_recover(mistakes: Mistakes) {
    let books = Books::default();
    let node = tokio::node("store").start({
        let books = books.clone();
        move || server(books.clone(), mistakes)
    });
    node.disk().faults("/", DiskFaults { sync_error_ppm: 20_000, ..DiskFaults::default() });
    for _ in 0..CRASHES {
        let span = Duration::from_micros(RandomState::new().hash_one(0) % 20_000);
        if let Ok(end) = timeout(span, node.join()).await {
            // It stops where its disk fails, and that is right.
            stopped(end);
        }
        node.crash();
        stopped(node.join().await);
        node.restart();
    }
    // And it comes to its work again in the end.
    node.disk().clear_faults();
    sleep(Duration::from_millis(50)).await;
    node.crash();
    stopped(node.join().await);
}

fn stopped(end: Result<(), NodeError>) {
    if let Err(NodeError::Panicked(message)) = end {
        panic!("{message}");
    }
}

macro_rules! programs {
    ($($(#[$doc:meta])* $name:ident: $($mistake:ident)?;)*) => {
        $($(#[$doc])*
        pub async fn $name() {
            crash_and_recover(Mistakes { $($mistake: true,)? ..Mistakes::default() }).await;
        })*
    };
}

programs! {
    /// Puts are acknowledged once they are written.
    acknowledges_before_sync: acknowledges_before_sync;
    /// The rename of a checkpoint is not made durable before the log goes.
    forgets_folder_sync: forgets_folder_sync;
    /// Records have no checksum.
    has_no_checksum: has_no_checksum;
    /// An fsync that failed is tried again.
    retries_sync: retries_sync;
    /// The log goes before the checkpoint that replaces it is in place.
    deletes_log_early: deletes_log_early;
    /// None of these.
    corrected: ;
}
