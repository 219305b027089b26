//! The attributes and macros of `sim`. Use them through `sim`, which re-exports them.

mod entry;
mod options;
mod select;
mod suggest;

use proc_macro::TokenStream;

/// Makes an async function a test that is run under many seeds.
///
/// The function takes nothing and returns `()` or a `Result` whose error is `Debug`. Options:
///
/// | option | meaning |
/// |---|---|
/// | `seeds = 1000` | how many seeds |
/// | `seed = 0x2a` | the base seed, instead of one from the test's path |
/// | `strategy = "pct"` | the strategy |
/// | `workers = 4` | polls that may be in flight at once |
/// | `time_limit = "1h"`, `max_steps = 1_000_000` | limits of a run |
/// | `stack_size = 4_194_304` | bytes of a fiber's stack |
/// | `allow(..)`, `warn(..)`, `deny(..)` | levels of lints |
///
/// and those of `tokio::test`: `flavor` (`"current_thread"` is one worker), `worker_threads`,
/// `start_paused`, `crate`, `name`, `unhandled_panic`.
///
/// ```
/// #[sim::test(seeds = 1000)]
/// async fn sleeping_takes_no_time() {
///     sim::time::sleep(std::time::Duration::from_secs(3600)).await;
/// }
/// ```
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::test(options.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes an async function one that drives a simulation: one run, with the seed `SIM_SEED`.
///
/// Options are those of `tokio::main`: `flavor`, `worker_threads`, `start_paused`, `crate`.
///
/// ```
/// #[sim::main]
/// async fn main() {
///     sim::time::sleep(std::time::Duration::from_secs(3600)).await;
/// }
/// ```
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    entry::main(options.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// What `sim::select!` expands to; the first group names the crate.
#[doc(hidden)]
#[proc_macro]
pub fn select_internal(input: TokenStream) -> TokenStream {
    select::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
