//! A test that never gets to what it is for. It has a file of its own: a check answers for all properties of a file in
//! which it comes to one.

use super::programs;
use sim as tokio;
use tokio::task::yield_now;

programs! {
    nothing_ever_fails: UnreachedProperty [
        "the sometimes property \"a request is tried again\" was true none of the",
        "times that it was reached, at {retried sometimes} (lint unreached_property)",
        "the reachable property \"recovered from an error\" was reached in no run, at {recovered reachable}",
    ];
}

/// The network of the test loses nothing.
async fn nothing_ever_fails<const FIXED: bool>() {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let lost = FIXED && attempts == 1;
        if !lost {
            break;
        }
        sim::assert_reachable!("recovered from an error"); // recovered reachable
        yield_now().await;
    }
    sim::assert_sometimes!(attempts > 1, "a request is tried again"); // retried sometimes
}
