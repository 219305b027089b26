//! A task whose error nobody looks at: the order is confirmed, its receipt was never written. asyncio's
//! documents call it an exception that was never retrieved.

use sim as tokio;
use std::sync::Arc;
use tokio::{
    sync::Semaphore,
    task::JoinHandle,
    time::{Duration, sleep, timeout},
};

/// Writes a receipt; the printer serves one at a time, and nobody waits for it for ever.
async fn write_receipt(printer: Arc<Semaphore>, order: u32) -> Result<(), String> {
    let Ok(turn) = timeout(Duration::from_millis(25), printer.acquire()).await else {
        return Err(format!("the printer is busy: no receipt for order {order}"));
    };
    sleep(Duration::from_millis(10)).await;
    drop(turn);
    Ok(())
}

fn place(printer: &Arc<Semaphore>, order: u32) -> JoinHandle<Result<(), String>> {
    tokio::spawn(write_receipt(printer.clone(), order))
}

/// Lets go of the handles: most receipts are written.
pub async fn broken() {
    let printer = Arc::new(Semaphore::new(1));
    for order in 0..4 {
        drop(place(&printer, order));
    }
    sleep(Duration::from_secs(1)).await;
}

/// Waits for each receipt, and places the order again if there is none.
pub async fn corrected() {
    let printer = Arc::new(Semaphore::new(1));
    let receipts: Vec<_> = (0..4).map(|order| (order, place(&printer, order))).collect();
    for (order, receipt) in receipts {
        let mut written = receipt.await.expect("writing does not panic");
        while written.is_err() {
            written = place(&printer, order).await.expect("writing does not panic");
        }
    }
}
