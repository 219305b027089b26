//! Messages and notices that never come, and places in channels that are never free.

use super::programs;
use sim as tokio;
use sim::std::{sync as std_sync, thread};
use std::sync::Arc;
use tokio::{
    spawn,
    sync::{Barrier, Mutex, Notify, RwLock, mpsc, oneshot, watch},
    task::JoinSet,
};

programs! {
    full_channels: Deadlock [
        "cycle: main/0 -> main/1 -> main/0", "waits at {full answer}", "waits at {full request}",
        "task main/0 received last at {full served}", "task main/1 received last at {full read}",
    ];
    notified_by_nobody: Deadlock [
        "no task can go on", "waits at {notified wait}", "(created at {notified created}",
        "and nobody is left who could end that",
    ];

    lock_over_send: Deadlock [
        "cycle: main -> main/0 -> main", "waits at {over send}", "(created at {over send channel}",
        "task main/0 received last at {over send received}", "task main/0 (spawned at {over send reader}",
        "waits at {over send wants}", "(created at {over send state}", "which task main took at {over send holds}",
    ];
    read_over_send: Deadlock [
        "waits at {read over send}", "received last at {read over received}", "waits at {read over write}",
        "which task main/0 took for reading at {read over holds}", "task main waits at {read over join}",
    ];
    answer_under_a_lock: Deadlock [
        "no task can go on", "task main waits at {answer awaited}", "waits at {answer wants}",
        "(created at {answer table}", "which task main took at {answer holds}",
        "task main/0 (spawned at {answer server}",
    ];
    lock_over_receive: Deadlock [
        "no task can go on", "waits at {over receive}", "waits at {over receive wants}",
        "which task main/1 took at {over receive holds}", "task main/0 (spawned at {over receive producer}",
    ];
    sender_kept_over_join: Deadlock [
        "no task can go on", "task main waits at {kept join}", "which is task main/0",
        "task main/0 (spawned at {kept worker}", "waits at {kept receive}", "(created at {kept channel}",
    ];
    sender_of_its_own: Deadlock [
        "no task can go on", "task main waits at {own receive}", "(created at {own channel}",
    ];
    barrier_of_too_many: Deadlock [
        "no task can go on", "task main/0 (spawned at {barrier task}", "waits at {barrier wait}",
        "(created at {barrier created}", "task main waits at {barrier join}",
        "which is task main/0 and which is task main/1",
    ];
    two_notices_are_one: Deadlock [
        "no task can go on", "waits at {notices wait}", "(created at {notices created}", "task main waits at {notices join}",
    ];
    change_seen_already: Deadlock [
        "no task can go on", "task main/0 (spawned at {change task}", "waits at {change wait}",
        "(created at {change created}",
    ];
    rendezvous_of_threads: Deadlock [
        "no task can go on", "waits at {rendezvous one}", "waits at {rendezvous two}",
        "task main/0 (spawned at {rendezvous thread one}", "task main/1 (spawned at {rendezvous thread two}",
    ];
    signal_before_the_wait: Deadlock [
        "no task can go on", "waits at {signal wait}", "(created at {signal created}",
        "task main waits at {signal join}", "which is task main/0",
    ];
}

/// Two that send to each other without receiving meanwhile, as in GoKer's lock-free cycles.
async fn full_channels<const FIXED: bool>() {
    let (requests, mut inbox) = mpsc::channel(1);
    let (answers, mut outbox) = mpsc::channel(if FIXED { 8 } else { 1 });
    let server = spawn(async move {
        loop {
            let request = inbox.recv().await; // full served
            let Some(request) = request else { return };
            answers.send(request).await.unwrap(); // full answer
        }
    });
    let client = spawn(async move {
        requests.send(0).await.unwrap();
        outbox.recv().await.unwrap(); // full read
        for request in 1..8 {
            requests.send(request).await.unwrap(); // full request
        }
        drop(requests);
        while outbox.recv().await.is_some() {}
    });
    server.await.unwrap();
    client.await.unwrap();
}

async fn notified_by_nobody<const FIXED: bool>() {
    let ready = Arc::new(Notify::new()); // notified created
    let ready2 = ready.clone();
    let waiter = spawn(async move {
        ready2.notified().await; // notified wait
    });
    if FIXED {
        ready.notify_one();
    }
    waiter.await.unwrap();
}

/// Sends with the lock in hand that the receiver needs to make room; as in GoKer's moby#28462.
async fn lock_over_send<const FIXED: bool>() {
    let state = Arc::new(Mutex::new(0)); // over send state
    let (updates, mut inbox) = mpsc::channel(1); // over send channel
    let state2 = state.clone();
    let reader = async move {
        loop {
            let update = inbox.recv().await; // over send received
            let Some(update) = update else { return };
            *state2.lock().await += update; // over send wants
        }
    };
    let reader = spawn(reader); // over send reader
    for update in 0..4 {
        let guard = state.lock().await; // over send holds
        if FIXED {
            drop(guard);
        }
        updates.send(update).await.unwrap(); // over send
    }
    drop(updates);
    reader.await.unwrap();
}

/// Reporters send while they read; who takes the reports has to write; as in GoKer's kubernetes#10182.
async fn read_over_send<const FIXED: bool>() {
    let table = Arc::new(RwLock::new(0));
    let (reports, mut inbox) = mpsc::channel(1);
    let table2 = table.clone();
    let reporter = spawn(async move {
        for _ in 0..3 {
            let reading = table2.read().await; // read over holds
            let seen = *reading;
            if FIXED {
                drop(reading);
            }
            reports.send(seen).await.unwrap(); // read over send
        }
    });
    let keeper = spawn(async move {
        loop {
            let report = inbox.recv().await; // read over received
            let Some(report) = report else { return };
            *table.write().await = report + 1; // read over write
        }
    });
    reporter.await.unwrap(); // read over join
    keeper.await.unwrap();
}

/// Asks with the lock in hand that the answer needs; as in GoKer's cockroach#1055.
async fn answer_under_a_lock<const FIXED: bool>() {
    let table = Arc::new(Mutex::new(7)); // answer table
    let (requests, mut inbox) = mpsc::channel::<oneshot::Sender<u32>>(4);
    let table2 = table.clone();
    let server = async move {
        while let Some(reply) = inbox.recv().await {
            let seen = *table2.lock().await; // answer wants
            reply.send(seen).unwrap();
        }
    };
    let server = spawn(server); // answer server
    let guard = table.lock().await; // answer holds
    if FIXED {
        drop(guard);
    }
    let (reply, answer) = oneshot::channel();
    requests.send(reply).await.unwrap();
    assert_eq!(answer.await.unwrap(), 7); // answer awaited
    drop(requests);
    server.await.unwrap();
}

/// Receives with the lock in hand that the producer needs to send.
async fn lock_over_receive<const FIXED: bool>() {
    let count = Arc::new(Mutex::new(0));
    let (numbers, mut inbox) = mpsc::channel(1);
    let count2 = count.clone();
    let producer = async move {
        for _ in 0..2 {
            let mut count = count2.lock().await; // over receive wants
            *count += 1;
            let number = *count;
            drop(count);
            numbers.send(number).await.unwrap();
        }
    };
    let producer = spawn(producer); // over receive producer
    let consumer = spawn(async move {
        for _ in 0..2 {
            let guard = count.lock().await; // over receive holds
            if FIXED {
                drop(guard);
            }
            inbox.recv().await.unwrap(); // over receive
        }
    });
    producer.await.unwrap();
    consumer.await.unwrap();
}

/// Waits for the worker, which waits for messages as long as there is a sender.
async fn sender_kept_over_join<const FIXED: bool>() {
    let (jobs, mut inbox) = mpsc::channel(4); // kept channel
    let worker = async move {
        let mut sum = 0;
        loop {
            let job = inbox.recv().await; // kept receive
            let Some(job) = job else { return sum };
            sum += job;
        }
    };
    let worker = spawn(worker); // kept worker
    for job in 1..4 {
        jobs.send(job).await.unwrap();
    }
    if FIXED {
        drop(jobs);
        assert_eq!(worker.await.unwrap(), 6);
    } else {
        assert_eq!(worker.await.unwrap(), 6); // kept join
        drop(jobs);
    }
}

/// Gives clones of the sender away, and then waits for the end of its own.
async fn sender_of_its_own<const FIXED: bool>() {
    let (results, mut inbox) = mpsc::unbounded_channel(); // own channel
    for task in 0..3 {
        let results = results.clone();
        spawn(async move { results.send(task).unwrap() });
    }
    let _unused = (!FIXED).then(|| results.clone());
    drop(results);
    let mut sum = 0;
    loop {
        let result = inbox.recv().await; // own receive
        let Some(result) = result else { break };
        sum += result;
    }
    assert_eq!(sum, 3);
}

async fn barrier_of_too_many<const FIXED: bool>() {
    let workers = 2;
    let barrier = Arc::new(Barrier::new(if FIXED { workers } else { workers + 1 })); // barrier created
    let mut set = JoinSet::new();
    for _ in 0..workers {
        let barrier = barrier.clone();
        let work = async move {
            barrier.wait().await; // barrier wait
        };
        set.spawn(work); // barrier task
    }
    set.join_all().await; // barrier join
}

/// A second notice before the first was taken is the same one.
async fn two_notices_are_one<const FIXED: bool>() {
    let ready = Arc::new(Notify::new()); // notices created
    let ready2 = ready.clone();
    let (taken, mut took) = mpsc::channel(2);
    let waiter = spawn(async move {
        for _ in 0..2 {
            ready2.notified().await; // notices wait
            taken.send(()).await.unwrap();
        }
    });
    ready.notify_one();
    if FIXED {
        took.recv().await.unwrap();
    }
    ready.notify_one();
    waiter.await.unwrap(); // notices join
}

/// Waits for a change of a value that it has seen in its last form.
async fn change_seen_already<const FIXED: bool>() {
    let (state, mut seen) = watch::channel("starting"); // change created
    let task = async move {
        if FIXED {
            seen.wait_for(|state| *state == "ready").await.unwrap();
        } else {
            while *seen.borrow_and_update() == "starting" {
                seen.changed().await.unwrap();
            }
            seen.changed().await.unwrap(); // change wait
        }
    };
    let task = spawn(task); // change task
    state.send("ready").unwrap();
    task.await.unwrap();
}

/// Without room in between each waits for the other to receive.
async fn rendezvous_of_threads<const FIXED: bool>() {
    let (to_two, from_one) = std_sync::mpsc::sync_channel(0);
    let (to_one, from_two) = std_sync::mpsc::sync_channel(0);
    let one = move || {
        to_two.send(1).unwrap(); // rendezvous one
        from_two.recv().unwrap();
    };
    let one = thread::spawn(one); // rendezvous thread one
    let two = move || {
        if FIXED {
            from_one.recv().unwrap();
        }
        to_one.send(2).unwrap(); // rendezvous two
        if !FIXED {
            from_one.recv().unwrap();
        }
    };
    let two = thread::spawn(two); // rendezvous thread two
    one.join().unwrap();
    two.join().unwrap();
}

/// Waits for a signal that has been, since it does not look first.
async fn signal_before_the_wait<const FIXED: bool>() {
    let door = Arc::new((std_sync::Mutex::new(false), std_sync::Condvar::new())); // signal created
    let door2 = door.clone();
    let waiter = thread::spawn(move || {
        let mut open = door2.0.lock().unwrap();
        while !FIXED || !*open {
            open = door2.1.wait(open).unwrap(); // signal wait
            if !FIXED {
                break;
            }
        }
    });
    *door.0.lock().unwrap() = true;
    door.1.notify_one();
    waiter.join().unwrap(); // signal join
}
