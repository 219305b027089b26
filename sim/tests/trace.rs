//! A failing run is run again with a trace, which takes the program's `tracing` events.

use sim as tokio;
use std::time::Duration;
use tracing::{Instrument, info, info_span};

async fn orders() {
    let shop = tokio::spawn(
        async {
            tokio::time::sleep(Duration::from_millis(3)).await;
            info!(items = 2, "packed");
            // Another task runs, outside of this span.
            tokio::task::yield_now().await;
            info!("sent");
        }
        .instrument(info_span!("order", number = 7)),
    );
    let clerk = tokio::spawn(async {
        tokio::time::sleep(Duration::from_millis(3)).await;
        info!("tea");
    });
    shop.await.unwrap();
    clerk.await.unwrap();
    panic!("on purpose");
}

fn report() -> String {
    sim::check(sim::Config::new().seed(3), orders).to_string()
}

#[test]
fn events_carry_time_task_and_spans() {
    let report = report();
    let line =
        |part: &str| report.lines().find(|line| line.contains(part)).unwrap_or("").to_string();
    let packed = line("packed");
    assert!(packed.contains("INFO trace order{number=7}: packed items=2"), "{report}");
    assert!(packed.contains("main/0") && packed.trim_start().starts_with('3'), "{report}");
    assert!(line("sent").contains("order{number=7}"), "{report}");
    assert!(line("tea").contains("main/1"), "{report}");
    assert!(!line("tea").contains("order"), "a span belongs to its task: {report}");
}

#[test]
fn the_same_seed_has_the_same_trace() {
    assert_eq!(report(), report());
}

#[test]
fn a_span_is_left_when_another_task_runs_in_the_middle_of_a_poll() {
    for seed in 0..200 {
        let report = sim::check(sim::Config::new().only_seed(seed).strategy("random"), || async {
            let inside = tokio::spawn(async {
                let _entered = info_span!("inside").entered();
                let lock = tokio::sync::Mutex::new(());
                drop(lock.try_lock());
                drop(lock.try_lock());
            });
            let outside = tokio::spawn(async {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                    info!("outside");
                }
            });
            inside.await.unwrap();
            outside.await.unwrap();
            panic!("on purpose");
        })
        .to_string();
        let wrong =
            report.lines().find(|line| line.contains("outside") && line.contains("inside{"));
        assert_eq!(wrong, None, "{report}");
    }
}
