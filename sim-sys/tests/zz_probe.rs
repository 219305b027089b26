use sim_sys::fiber::{Fiber, Outcome, Stack};
use std::{hint::black_box, thread};
#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 { let v = vec![depth; 40]; recurse(depth + 1) + black_box(v)[3] }
#[test] fn probe() {
    let t: Vec<_> = (0..4).map(|_| thread::spawn(|| for _ in 0..20 {
        let mut f = Fiber::new(Stack::new(64<<10).unwrap(), || { black_box(recurse(0)); });
        assert_eq!(f.resume(), Outcome::Overflowed);
        black_box(vec![1u8; 5000]);
    })).collect();
    for t in t { t.join().unwrap(); }
}
