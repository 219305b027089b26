//! redb, a storage engine that is not ours, over a simulated disk: what it has committed survives crashes at any time, on a
//! disk that gives no more than Linux promises, and its own check of its file finds nothing.

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTableMetadata, StorageBackend,
    TableDefinition,
};
use sim::{
    Config,
    node::{NodeError, Snapshot},
    std::{
        fs::{self, File, OpenOptions},
        os::unix::fs::FileExt,
    },
    time::{Duration, sleep, timeout},
};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

const TABLE: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("table");
const PATH: &str = "/base.redb";
const CRASHES: u32 = 3;

/// When the power fails: at which operation on the file, and what the disk and the books were then.
///
/// The process goes on to its next await and crashes there, on the disk as it was. A process that vanished at the
/// operation itself would leave redb's locks poisoned, and its destructors panic on those.
#[derive(Clone, Debug, Default)]
struct Power {
    operations_left: Arc<AtomicU64>,
    committed: Arc<AtomicU64>,
    failed: Arc<Mutex<Option<(Snapshot, u64)>>>,
}

impl Power {
    fn operation(&self) {
        if self.operations_left.fetch_sub(1, SeqCst) == 0 {
            let snapshot = sim::node::current().disk().snapshot();
            *self.failed.lock().unwrap() = Some((snapshot, self.committed.load(SeqCst)));
        }
    }

    fn has_failed(&self) -> bool {
        self.failed.lock().unwrap().is_some()
    }
}

/// The file, as redb asks for it.
#[derive(Debug)]
struct OnDisk {
    file: File,
    power: Power,
    /// Syncs are answered, and not done: what a broken engine or disk does.
    lies: bool,
}

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.power.operation();
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.power.operation();
        if self.lies { Ok(()) } else { self.file.sync_data() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.power.operation();
        self.file.write_all_at(data, offset)
    }
}

/// Opens the base. One that is being made has no name yet: of a crash meanwhile redb 4.6 leaves a file that it refuses
/// to open ("magic number mismatch"), as the length may be durable before the header is.
fn open(power: &Power, lies: bool) -> Result<Database, DatabaseError> {
    if !fs::exists(PATH)? {
        drop(open_at("/new.redb", true, power, lies)?);
        File::open("/new.redb")?.sync_all()?;
        fs::rename("/new.redb", PATH)?;
        File::open("/")?.sync_all()?;
    }
    open_at(PATH, false, power, lies)
}

fn open_at(path: &str, anew: bool, power: &Power, lies: bool) -> Result<Database, DatabaseError> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(anew).truncate(anew).open(path)?;
    Database::builder().set_cache_size(1 << 16).create_with_backend(OnDisk {
        file,
        power: power.clone(),
        lies,
    })
}

/// Commits one key after the other; what was committed before has to be there.
async fn commit(power: Power, lies: bool) {
    let known = power.committed.load(SeqCst);
    let mut base = open(&power, lies).expect("the base opens after a crash");
    assert!(base.check_integrity().expect("the base can be checked"), "the base was repaired");
    let mut next = 0;
    let reads = base.begin_read().unwrap();
    if let Ok(table) = reads.open_table(TABLE) {
        next = table.len().unwrap();
        for key in 0..next {
            let value = table.get(key).unwrap().expect("keys have no gaps");
            assert_eq!(value.value(), &[key as u8; 300][..]);
        }
    }
    assert!(next >= known, "{known} keys were committed, and {next} are there");
    drop(reads);
    while !power.has_failed() {
        let writes = base.begin_write().unwrap();
        writes.open_table(TABLE).unwrap().insert(next, &[next as u8; 300][..]).unwrap();
        writes.commit().unwrap();
        next += 1;
        power.committed.store(next, SeqCst);
        sleep(Duration::from_micros(50)).await;
    }
    std::future::pending::<()>().await;
}

async fn crash_and_open(lies: bool) {
    let power = Power::default();
    let span = |most| rand::RngExt::random_range(&mut sim::rand::rng(), 0..most);
    power.operations_left.store(span(100), SeqCst);
    let node = sim::node("base").workers(1).start({
        let power = power.clone();
        move || commit(power.clone(), lies)
    });
    for crash in 0..=CRASHES {
        while !power.has_failed() {
            if let Ok(Err(NodeError::Panicked(message))) =
                timeout(Duration::from_millis(1), node.join()).await
            {
                panic!("{message}");
            }
        }
        let (disk, committed) = power.failed.lock().unwrap().take().expect("it was just there");
        node.disk().restore(&disk);
        power.committed.store(committed, SeqCst);
        power.operations_left.store(span(100), SeqCst);
        node.crash();
        match node.join().await {
            Err(NodeError::Panicked(message)) => panic!("{message}"),
            _ if crash < CRASHES => node.restart(),
            _ => {}
        }
    }
}

#[test]
fn what_redb_has_committed_survives() {
    let report = sim::check(Config::new().seeds(40), || crash_and_open(false));
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn without_syncs_it_does_not() {
    let report = sim::check(Config::new().seeds(60), || crash_and_open(true));
    assert!(report.failure.is_some(), "{report}");
}
