//! A thousand callers of a service that allows ten calls at once. The broken throttle counts its
//! calls with a look and a later change; the corrected one has a semaphore.

use sim as tokio;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, Semaphore},
    task::JoinSet,
    time::sleep,
};

const CALLERS: u32 = 1_000;
const LIMIT: u32 = 10;

/// The service: it refuses the eleventh call.
#[derive(Default)]
struct Service {
    inside: AtomicU32,
    served: AtomicU32,
}

impl Service {
    async fn call(&self) -> Result<(), String> {
        let inside = self.inside.fetch_add(1, SeqCst) + 1;
        if inside > LIMIT {
            return Err(format!("429: {inside} calls at once, and {LIMIT} are allowed"));
        }
        sleep(Duration::from_millis(10)).await;
        self.inside.fetch_sub(1, SeqCst);
        self.served.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// Looks whether there is room, and only then says that it takes it.
pub async fn broken() -> Result<(), String> {
    let service = Arc::new(Service::default());
    let running = Arc::new(Mutex::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (service, running) = (service.clone(), running.clone());
        callers.spawn(async move {
            while *running.lock().await >= LIMIT {
                sleep(Duration::from_millis(1)).await;
            }
            *running.lock().await += 1;
            let result = service.call().await;
            *running.lock().await -= 1;
            result
        });
    }
    all(callers).await
}

/// Ten permits, held for the length of a call.
pub async fn corrected() -> Result<(), String> {
    let service = Arc::new(Service::default());
    let permits = Arc::new(Semaphore::new(LIMIT as usize));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (service, permits) = (service.clone(), permits.clone());
        callers.spawn(async move {
            let _permit = permits.acquire().await.map_err(|error| error.to_string())?;
            service.call().await
        });
    }
    all(callers).await?;
    assert_eq!(service.served.load(SeqCst), CALLERS);
    Ok(())
}

/// The first error of the callers, when all have been looked at.
async fn all(mut callers: JoinSet<Result<(), String>>) -> Result<(), String> {
    let mut first = Ok(());
    while let Some(caller) = callers.join_next().await {
        let result = caller.map_err(|error| error.to_string())?;
        first = first.and(result);
    }
    first
}
