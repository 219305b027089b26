//! The attributes and macros of `sim`. Use them through `sim`, which re-exports them.

mod entry;
mod options;
mod select;
mod suggest;

use proc_macro::TokenStream;

/// Makes an async function a test that is run under many seeds.
///
/// The function takes nothing and returns `()` or a `Result` whose error is `Debug`; an error, a panic
/// and whatever else a run finds fail the test. `#[should_panic]`, `#[ignore]` and other attributes
/// keep their meaning; `#[test]` is added.
///
/// | option | meaning | default |
/// |---|---|---|
/// | `seeds = 1000` | how many runs, each with a seed of its own; at least 1 | 200 |
/// | `seed = 0x2a` | the base seed, from which those of the runs derive | made of the test's path |
/// | `strategy = "pct"` | who runs next: `random`, `sticky`, `pct`, `pos`, `urw`, `surw`, `lockstep`, `portfolio`, `calm` or `exhaustive` | `portfolio` |
/// | `exhaustive` | every schedule up to equivalence, instead of seeds | |
/// | `preemptions = 2` | of these, those with at most so many preemptions | any number |
/// | `workers = 4` | polls that may be in flight at once; at least 1 | 4 |
/// | `time_limit = "1h"` | virtual time of a run, in `ms`, `s`, `m`, `h` or `d` | 100 years |
/// | `poll_limit = "10m"` | processor time of a task without a scheduling point; then it is cut off | 1 min |
/// | `max_steps = 1_000_000` | polls and scheduling points of a run | 10 million |
/// | `stack_size = 4_194_304` | bytes of the stack that a poll runs on | 2 MiB |
/// | `faults = "swarm"` | which faults strike nodes and links: `none`, `moderate` or `swarm` | `none` |
/// | `stalls = true` | timeouts, and sleeps in a `select!`, may strike at any await of what they limit | false |
/// | `allow(..)`, `warn(..)`, `deny(..)` | levels of lints, or of `all` | see `sim::Config::lint` |
///
/// Levels of lints are applied in the order in which they stand, and then those of the environment (`SIM_ALLOW`,
/// `SIM_WARN`, `SIM_DENY`): the last one counts.
///
/// It also takes the options of `tokio::test`, so that its tests compile unchanged:
///
/// | option | meaning here |
/// |---|---|
/// | `flavor = "current_thread"` | one worker: tasks interleave only where a poll is pending |
/// | `flavor = "local"` | one worker, which also takes tasks that are not `Send` |
/// | `flavor = "multi_thread"` | several workers, whose clock cannot be paused |
/// | `worker_threads = 2` | as `workers` |
/// | `start_paused = true` | the clock moves only when nothing can run |
/// | `name = ".."` | what the runtime's handle gives as its name |
/// | `crate = "path"` | where `sim` is, if not at `::sim` |
/// | `unhandled_panic = ".."` | no effect: the lint `swallowed_panic` watches over panics |
///
/// Without `flavor` tokio takes one thread; this attribute takes four workers, as more can go wrong.
///
/// # Errors
///
/// An option that is unknown, given twice, of a wrong type, out of range or in conflict with another
/// is an error of compilation, which names what is allowed. So is a function that is not async, that
/// is unsafe, that takes arguments or that has `#[test]` already.
///
/// # Examples
///
/// ```
/// #[sim::test(seeds = 1000)]
/// async fn sleeping_takes_no_time() {
///     sim::time::sleep(std::time::Duration::from_secs(3600)).await;
/// }
///
/// #[sim::test(flavor = "current_thread", deny(leaked_task))]
/// async fn numbers_are_read() -> Result<(), std::num::ParseIntError> {
///     let number: u32 = "7".parse()?;
///     assert_eq!(number, 7);
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::test(options.into(), item.into()).into()
}

/// Makes an async function one that drives a simulation: one run, with the seed `SIM_SEED`, or calm.
///
/// The function need not be called `main`; if it is not, it keeps its arguments, `self` among them.
/// It returns what its body returns.
///
/// Options are those of `tokio::main`, with the meaning that they have for [`test`](macro@test):
/// `flavor`, `worker_threads` (or `workers`), `start_paused`, `name`, `crate`, `unhandled_panic`.
/// Without any there are four workers. `start_paused` needs `flavor = "current_thread"`.
///
/// # Errors
///
/// As for [`test`](macro@test). The function `main` itself takes no arguments.
///
/// # Examples
///
/// ```
/// #[sim::main]
/// async fn main() {
///     sim::time::sleep(std::time::Duration::from_secs(3600)).await;
/// }
/// ```
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::main(options.into(), item.into()).into()
}

/// What `sim::select!` expands to; the first group names the crate.
#[doc(hidden)]
#[proc_macro]
pub fn select_internal(input: TokenStream) -> TokenStream {
    select::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
