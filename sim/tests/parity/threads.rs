// Included twice: `lib` is std, and sim::std.

use super::lib::{
    sync::{
        Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, PoisonError, RwLock, TryLockError,
        atomic::{AtomicBool, AtomicI8, AtomicPtr, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence},
        mpsc,
    },
    thread,
};
use std::{
    fmt::Debug,
    hint::black_box,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

super::lib::thread_local! {
    static NAMES: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
    pub(crate) static DEPTH: std::cell::Cell<u32> = std::cell::Cell::from(1);
}

fn panic_of<T>(f: impl FnOnce() -> T) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast::<&str>().unwrap().to_string(),
    }
}

/// What happens, line by line. All of it is the same in each schedule.
pub(crate) fn story() -> Vec<String> {
    let mut story = Vec::new();
    let mut tell = |thing: &dyn Debug| story.push(format!("{thing:?}"));

    // Mutex
    let mutex = Arc::new(Mutex::new(vec![1]));
    tell(&mutex);
    let guard = mutex.lock().unwrap();
    tell(&mutex.try_lock().map(|_| ()).map_err(|error| error.to_string()));
    tell(&mutex);
    tell(&guard);
    drop(guard);
    let theirs = mutex.clone();
    let thread = thread::spawn(move || {
        let mut guard = theirs.lock().unwrap();
        guard.push(2);
        panic!("poison")
    });
    tell(&thread.join().map_err(|error| *error.downcast::<&str>().unwrap()).unwrap_err());
    tell(&mutex);
    tell(&mutex.is_poisoned());
    tell(&mutex.lock().map(|_| ()).map_err(|error| error.to_string()));
    tell(&matches!(mutex.try_lock(), Err(TryLockError::Poisoned(_))));
    tell(&*mutex.lock().unwrap_or_else(PoisonError::into_inner));
    mutex.clear_poison();
    tell(&Arc::try_unwrap(mutex).unwrap().into_inner());

    // RwLock
    let lock = RwLock::new(5);
    {
        let one = lock.read().unwrap();
        tell(&(&*one, &*lock.try_read().unwrap()));
        tell(&lock.try_write().map(|_| ()).map_err(|error| error.to_string()));
    }
    *lock.write().unwrap() += 1;
    tell(&lock);
    tell(&panic_of(|| {
        let _guard = lock.write().unwrap();
        panic!("writing")
    }));
    tell(&lock);
    tell(&lock.read().map(|_| ()).map_err(|error| error.to_string()));

    // Condvar
    let pair = (Mutex::new(0), Condvar::new());
    tell(&pair.1);
    thread::scope(|scope| {
        scope.spawn(|| {
            *pair.0.lock().unwrap() = 3;
            pair.1.notify_all();
        });
        let guard = pair.1.wait_while(pair.0.lock().unwrap(), |value| *value == 0).unwrap();
        tell(&*guard);
    });
    let moment = Duration::from_millis(1);
    let guard = pair.0.lock().unwrap();
    tell(&pair.1.wait_timeout_while(guard, moment, |value| *value == 3).unwrap().1);
    let guard = pair.0.lock().unwrap();
    tell(&pair.1.wait_timeout_while(guard, moment, |value| *value == 0).unwrap().1.timed_out());

    // Barrier, Once, OnceLock, LazyLock
    tell(&Barrier::new(1).wait().is_leader());
    tell(&Barrier::new(0).wait());
    let once = Once::new();
    tell(&(once.is_completed(), panic_of(|| once.call_once(|| panic!("once")))));
    tell(&(once.is_completed(), panic_of(|| once.call_once(|| ()))));
    once.call_once_force(|state| tell(&state.is_poisoned()));
    once.call_once_force(|_| unreachable!());
    tell(&once.is_completed());
    let mut cell = OnceLock::new();
    tell(&(cell.get(), cell.get_or_init(|| 3), cell.set(4), cell.clone()));
    tell(&(cell.get_mut().map(|value| std::mem::replace(value, 9)), cell.take(), cell.take()));
    tell(&(OnceLock::from(1) == OnceLock::from(1), OnceLock::<u8>::new()));
    let lazy = LazyLock::new(|| "lazy".to_string());
    tell(&lazy);
    tell(&(lazy.len(), &lazy));
    let lazy: LazyLock<u8> = LazyLock::new(|| panic!("lazy"));
    tell(&(panic_of(|| *lazy), panic_of(|| *lazy)));

    let mut lazy = LazyLock::new(|| 4);
    tell(&(LazyLock::get(&lazy).copied(), LazyLock::get_mut(&mut lazy)));
    *LazyLock::force_mut(&mut lazy) += 1;
    tell(&(LazyLock::get(&lazy).copied(), LazyLock::get_mut(&mut lazy)));

    // mpsc
    let (sender, receiver) = mpsc::channel();
    tell(&(receiver.try_recv(), receiver.recv_timeout(moment), sender.send("a")));
    tell(&(receiver.recv(), &sender));
    let clone = sender.clone();
    drop(sender);
    clone.send("b").unwrap();
    drop(clone);
    tell(&receiver.iter().collect::<Vec<_>>());
    tell(&(receiver.recv(), receiver.try_recv(), receiver.recv_timeout(moment)));
    let (sender, receiver) = mpsc::sync_channel(1);
    tell(&(sender.try_send(1), sender.try_send(2), receiver.try_iter().collect::<Vec<_>>()));
    drop(receiver);
    tell(&(sender.send(3), sender.try_send(4)));
    let (sender, receiver) = mpsc::sync_channel(0);
    let thread = thread::spawn(move || (sender.try_send(0), sender.send(1), sender.send(2)));
    let got = receiver.recv().unwrap();
    drop(receiver);
    let (tried, first, second) = thread.join().unwrap();
    // Whether it finds a receiver that waits is the schedule's.
    tell(&(got == if tried.is_ok() { 0 } else { 1 }, first.is_ok() != tried.is_ok(), second));

    // thread
    let builder = thread::Builder::new().name("named".into()).stack_size(1 << 17);
    let thread = builder.spawn(|| thread::current().name().map(str::to_string)).unwrap();
    tell(&(thread.thread().name().map(str::to_string), thread.join().unwrap()));
    tell(&thread::spawn(|| thread::current().name().map(str::to_string)).join().unwrap());
    tell(&panic_of(|| thread::Builder::new().name("a\0b".into()).spawn(|| ())));
    tell(&thread::scope(|scope| scope.spawn(|| 7).join().unwrap()));
    tell(&panic_of(|| thread::scope(|scope| drop(scope.spawn(|| panic!("in a thread"))))));
    tell(&panic_of(|| thread::scope(|_| panic!("in the scope"))));
    thread::current().unpark();
    thread::park();
    thread::park_timeout(moment);
    tell(&(thread::panicking(), thread::available_parallelism().unwrap().get() > 0));

    // thread_local!
    NAMES.with_borrow_mut(|names| names.push("main"));
    DEPTH.set(DEPTH.get() + 1);
    let theirs = thread::spawn(|| (NAMES.take(), DEPTH.replace(4), DEPTH.take()));
    tell(&(theirs.join().unwrap(), NAMES.replace(vec!["x"]), DEPTH.take()));
    NAMES.set(Vec::new());
    DEPTH.set(1);
    tell(&NAMES.try_with(|names| names.borrow().len()));

    // atomic
    let (byte, signed) = (AtomicU8::new(250), AtomicI8::new(-3));
    let (order, relaxed) = (Ordering::SeqCst, Ordering::Relaxed);
    tell(&(byte.fetch_add(10, order), byte.fetch_sub(5, relaxed), byte.load(order)));
    tell(&(signed.fetch_max(2, order), signed.fetch_min(-9, order), signed.swap(6, order)));
    tell(&(byte.fetch_and(0xf0, order), byte.fetch_or(3, order), byte.fetch_xor(1, order)));
    tell(&(byte.fetch_nand(3, order), byte.compare_exchange(0, 1, order, relaxed), &byte));
    tell(&byte.fetch_update(order, order, |value| value.checked_add(1)));
    tell(&byte.fetch_update(order, order, |_| None));
    tell(&byte.update(order, order, |value| value / 2));
    tell(&(byte.try_update(order, order, |value| value.checked_sub(200)), byte.load(order)));
    let flag = AtomicBool::new(true);
    tell(&(flag.fetch_not(order), flag.fetch_or(true, order), flag.fetch_and(false, order), flag));
    let mut target = 5;
    let mut pointer = AtomicPtr::new(&raw mut target);
    tell(&(pointer.load(order) == &raw mut target, pointer.get_mut().is_null()));
    let pointer = AtomicPtr::new(std::ptr::without_provenance_mut::<u16>(16));
    tell(&(pointer.fetch_ptr_add(2, order), pointer.fetch_byte_sub(1, order), &pointer));
    tell(&(pointer.fetch_or(8, order), pointer.fetch_and(9, order), pointer.load(order)));
    tell(&(AtomicU64::default(), AtomicUsize::from(7).into_inner()));
    tell(&panic_of(|| AtomicU64::new(0).load(black_box(Ordering::Release))));
    tell(&panic_of(|| AtomicU64::new(0).store(1, black_box(Ordering::Acquire))));
    tell(&panic_of(|| fence(black_box(relaxed))));
    story
}

/// Auto traits, in which programs differ that compile with one and not with the other.
pub(crate) fn traits() {
    fn sends<T: Send>() {}
    fn shares<T: Sync>() {}
    fn unwinds<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    sends::<Mutex<std::cell::Cell<u8>>>();
    shares::<Mutex<std::cell::Cell<u8>>>();
    shares::<RwLock<u8>>();
    shares::<OnceLock<u8>>();
    shares::<LazyLock<u8>>();
    sends::<mpsc::Receiver<u8>>();
    shares::<mpsc::Sender<u8>>();
    shares::<mpsc::SyncSender<u8>>();
    sends::<thread::JoinHandle<u8>>();
    shares::<thread::JoinHandle<u8>>();
    shares::<thread::Thread>();
    shares::<super::lib::sync::MutexGuard<'_, u8>>();
    unwinds::<Mutex<std::cell::Cell<u8>>>();
    unwinds::<RwLock<std::cell::Cell<u8>>>();
    unwinds::<Condvar>();
    unwinds::<Barrier>();
    unwinds::<Once>();
    unwinds::<AtomicU64>();
    unwinds::<AtomicPtr<u8>>();
    unwinds::<thread::Thread>();
}
