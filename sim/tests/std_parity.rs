//! One program, compiled against std and against `sim::std`, does the same.

mod real {
    mod lib {
        pub(super) use std::{sync, thread, thread_local};
    }
    pub(crate) mod program {
        include!("parity/threads.rs");
    }
}

mod simulated {
    mod lib {
        pub(super) use sim::std::{sync, thread, thread_local};
    }
    pub(crate) mod program {
        include!("parity/threads.rs");
    }
}

#[test]
fn the_same_happens() {
    let real = real::program::story();
    assert_eq!(simulated::program::story(), real, "outside of a simulation");
    let report = sim::check(sim::Config::new().seeds(100), || async {
        assert_eq!(simulated::program::story(), real, "in a task");
        let story = sim::std::thread::spawn(simulated::program::story).join().unwrap();
        assert_eq!(story, real, "in a thread");
    });
    assert!(report.failure.is_none(), "{report}");
    real::program::traits();
    simulated::program::traits();
}
