//! `#[sim::test]` and `#[sim::main]` as their users meet them.

use std::{error::Error, fmt, time::Duration};

mod facade {
    pub(crate) use ::sim as simulation;
}

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl Error for Broken {}

#[sim::test(seeds = 3)]
async fn a_result_is_ok() -> Result<(), Box<dyn Error>> {
    if sim::time::Instant::now().elapsed() > Duration::from_secs(1) {
        return Err(Box::new(Broken));
    }
    let _: u32 = "7".parse()?;
    Ok(())
}

#[sim::test(seeds = 3)]
#[should_panic(expected = "Broken")]
async fn an_error_fails_the_test() -> Result<(), Broken> {
    Err(Broken)
}

#[sim::test(seeds = 3)]
#[should_panic(expected = "fell over")]
async fn a_panic_fails_the_test() {
    panic!("fell over");
}

#[sim::test(seeds = 2, crate = "facade::simulation", deny(leaked_task), allow(swallowed_error))]
async fn the_crate_may_have_another_path() {
    facade::simulation::task::yield_now().await;
}

#[sim::test(
    seed = 0x2a,
    seeds = 2,
    strategy = "pct",
    workers = 2,
    time_limit = "1h",
    poll_limit = "10m",
    max_steps = 1_000,
    stack_size = 1_048_576,
    warn(lock_order)
)]
async fn all_options_at_once() {
    #![allow(unused_variables)]
    let (unused, closure) = (1, async |n: u32| n + 1);
    assert_eq!(closure(1).await, 2);
}

#[sim::test(
    flavor = "current_thread",
    start_paused = true,
    name = "quiet",
    unhandled_panic = "ignore"
)]
async fn the_options_of_tokio() {
    let start = sim::time::Instant::now();
    sim::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(start.elapsed(), Duration::from_secs(60));
}

struct Counter(u32);

impl Counter {
    #[sim::main]
    async fn add(&mut self, n: u32) -> u32 {
        sim::task::yield_now().await;
        self.0 += n;
        self.0
    }

    #[sim::main(flavor = "current_thread")]
    async fn new<T: Into<u32>>(start: T) -> Self {
        Self(start.into())
    }
}

#[sim::main(workers = 2)]
async fn fails(early: bool) -> Result<u32, Box<dyn Error>> {
    if early {
        return Err(Box::new(Broken));
    }
    Ok("7".parse()?)
}

#[sim::main]
async fn borrows(words: &[String]) -> impl Iterator<Item = &String> {
    words.iter()
}

#[test]
fn main_keeps_arguments_and_outputs() {
    let mut counter = Counter::new(3_u8);
    assert_eq!(counter.add(4), 7);
    assert_eq!(fails(true).unwrap_err().to_string(), "broken");
    assert_eq!(fails(false).unwrap(), 7);
    assert_eq!(borrows(&["a".to_string()]).count(), 1);
}

#[sim::test(exhaustive)]
async fn every_schedule_is_run() {
    sim::spawn(async {}).await.unwrap();
}

#[sim::test(exhaustive, preemptions = 1)]
#[should_panic(expected = "it ran first")]
async fn a_schedule_of_a_search_fails_the_test() {
    let lock = std::sync::Arc::new(sim::sync::Mutex::new(false));
    let other = lock.clone();
    let task = sim::spawn(async move { *other.lock().await = true });
    assert!(!*lock.lock().await, "it ran first");
    task.await.unwrap();
}
