//! A shop that sells the last item, with its rules stated beside the code. asyncio's tests assert at their end; these
//! properties are looked at while the program runs, and say too if a test never got to what it is for.

use sim as tokio;
use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering::SeqCst},
};
use tokio::{
    task::JoinSet,
    time::{Duration, sleep},
};

const CUSTOMERS: i32 = 3;
const ITEMS: i32 = 2;

/// Looks whether one is left, pays, and takes it.
async fn buy_broken(stock: Arc<AtomicI32>) -> bool {
    if stock.load(SeqCst) == 0 {
        return false;
    }
    sleep(Duration::from_millis(2)).await; // pays
    stock.fetch_sub(1, SeqCst);
    true
}

/// Takes one if there is one, and then pays.
async fn buy(stock: Arc<AtomicI32>) -> bool {
    let take = |left| if left > 0 { Some(left - 1) } else { None };
    if stock.fetch_update(SeqCst, SeqCst, take).is_err() {
        return false;
    }
    sleep(Duration::from_millis(2)).await; // pays
    true
}

async fn open_shop<F>(buy: fn(Arc<AtomicI32>) -> F)
where
    F: Future<Output = bool> + Send + 'static,
{
    let stock = Arc::new(AtomicI32::new(ITEMS));
    let watched = stock.clone();
    // After each step of each task, not only in the end.
    let _rule = sim::invariant("no item is sold twice", move || match watched.load(SeqCst) {
        left if left < 0 => Err(format!("{left} are left")),
        _ => Ok(()),
    });
    let mut customers = JoinSet::new();
    for _ in 0..CUSTOMERS {
        let buying = buy(stock.clone());
        customers.spawn(async move {
            let bought = buying.await;
            // In some run, for some customer: else the test does not show that being late works.
            sim::assert_sometimes!(!bought, "a customer comes too late");
        });
    }
    let sold = stock.clone();
    // And it comes to its end.
    let limit = Duration::from_secs(30);
    sim::eventually(limit, "all items are sold", move || sold.load(SeqCst) == 0).await;
    customers.join_all().await;
    sim::assert_always!(stock.load(SeqCst) == 0, "the shop is empty at night");
}

/// Sells what it has not.
pub async fn broken() {
    open_shop(buy_broken).await;
}

/// Sells each item once.
pub async fn corrected() {
    open_shop(buy).await;
}
