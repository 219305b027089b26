//! The options of the attributes: each becomes a call of a builder's method.

use crate::suggest::suggest;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::fmt;
use syn::{
    Error, Expr, Ident, Lit, LitInt, LitStr, Meta, Path, Result, Token, parse::Parser,
    punctuated::Punctuated, spanned::Spanned,
};

const TEST: [&str; 21] = [
    "seed",
    "seeds",
    "strategy",
    "exhaustive",
    "preemptions",
    "workers",
    "time_limit",
    "poll_limit",
    "max_steps",
    "stack_size",
    "faults",
    "stalls",
    "allow",
    "warn",
    "deny",
    "flavor",
    "worker_threads",
    "start_paused",
    "crate",
    "name",
    "unhandled_panic",
];
const MAIN: [&str; 7] =
    ["workers", "flavor", "worker_threads", "start_paused", "crate", "name", "unhandled_panic"];
const LINTS: [&str; 16] = [
    "swallowed_panic",
    "ignored_panic",
    "swallowed_error",
    "escape",
    "nondeterminism",
    "leaked_task",
    "leaked_permit",
    "leaked_receiver",
    "aborted_guard",
    "starved_task",
    "unfair_wait",
    "blocked_poll",
    "lock_order",
    "ignored_fault",
    "unreached_property",
    "all",
];
const FAULTS: [&str; 3] = ["none", "moderate", "swarm"];
const STRATEGIES: [&str; 10] = [
    "random",
    "sticky",
    "pct",
    "pos",
    "urw",
    "surw",
    "lockstep",
    "portfolio",
    "calm",
    "exhaustive",
];
const FLAVORS: [&str; 3] = ["multi_thread", "current_thread", "local"];

/// Which attribute the options are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Test,
    Main,
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Of::Test => "test",
            Of::Main => "main",
        })
    }
}

/// Options, understood.
pub(crate) struct Options {
    /// The path of the crate `sim`.
    pub(crate) krate: TokenStream,
    /// Calls of the builder's methods, in order.
    pub(crate) calls: TokenStream,
}

impl Default for Options {
    fn default() -> Options {
        Options { krate: quote!(::sim), calls: TokenStream::new() }
    }
}

/// Understands the options of an attribute.
pub(crate) fn parse(tokens: TokenStream, of: Of) -> Result<Options> {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens)?;
    let mut options = Options::default();
    // First, as lint levels name it.
    for meta in &metas {
        if name(meta) == "crate" {
            options.krate = krate(meta)?;
        }
    }
    let mut seen: Vec<String> = Vec::new();
    for meta in &metas {
        let name = name(meta);
        if seen.contains(&name) && !matches!(&*name, "allow" | "warn" | "deny") {
            return Err(Error::new(meta.span(), format!("the option `{name}` is given twice")));
        }
        let call = option(meta, &name, of, &options.krate)?;
        options.calls.extend(call);
        seen.push(name);
    }
    together(&metas, of)?;
    Ok(options)
}

/// Whether the options go together, as tokio has it: one thread has one worker, and only the clock of
/// one thread can be paused.
fn together(metas: &Punctuated<Meta, Token![,]>, of: Of) -> Result<()> {
    let find = |wanted: &str| metas.iter().find(|meta| name(meta) == wanted);
    let flavor = find("flavor").map(text).transpose()?.map(|flavor| flavor.value());
    let workers = find("workers").or_else(|| find("worker_threads"));
    if let (Some(first), Some(second)) = (find("workers"), find("worker_threads")) {
        let message = format!("`{}` and `{}` are the same", name(first), name(second));
        return Err(Error::new(second.span(), message));
    }
    if let (Some(flavor @ ("current_thread" | "local")), Some(workers)) =
        (flavor.as_deref(), workers)
    {
        let message = format!(
            "`{}` does not go with `flavor = {flavor:?}`, which is one worker; allowed is `flavor = \"multi_thread\"`",
            name(workers)
        );
        return Err(Error::new(workers.span(), message));
    }
    let many = match (flavor.as_deref(), of) {
        (Some(flavor), _) => flavor == "multi_thread",
        (None, of) => of == Of::Main,
    };
    if let (true, Some(paused)) = (many, find("start_paused")) {
        let message = "`start_paused` needs the clock of one thread: `flavor = \"current_thread\"`";
        return Err(Error::new(paused.span(), message));
    }
    Ok(())
}

fn name(meta: &Meta) -> String {
    meta.path().get_ident().map(Ident::to_string).unwrap_or_default()
}

/// The call for one option.
fn option(meta: &Meta, name: &str, of: Of, krate: &TokenStream) -> Result<TokenStream> {
    let known: &[&str] = if of == Of::Test { &TEST } else { &MAIN };
    if !known.contains(&name) {
        return Err(unknown(meta, name, known));
    }
    Ok(match name {
        "seed" => {
            let seed = number(meta, 0)?;
            quote!(.seed(#seed))
        }
        "seeds" | "max_steps" | "stack_size" | "workers" => {
            let (method, value) = (format_ident!("{name}"), number(meta, 1)?);
            quote!(.#method(#value))
        }
        "worker_threads" => {
            let workers = number(meta, 1)?;
            quote!(.workers(#workers))
        }
        "strategy" => {
            let strategy = one_of(meta, &STRATEGIES)?;
            quote!(.strategy(#strategy))
        }
        "faults" => {
            let faults = one_of(meta, &FAULTS)?;
            quote!(.faults_named(#faults))
        }
        "exhaustive" => {
            if !matches!(meta, Meta::Path(_)) {
                let message = "`exhaustive` takes no value: it stands alone";
                return Err(Error::new(meta.span(), message));
            }
            quote!(.exhaustive(true))
        }
        "preemptions" => {
            let preemptions = number(meta, 0)?;
            quote!(.preemptions(#preemptions))
        }
        "time_limit" | "poll_limit" => {
            let (method, limit) = (format_ident!("{name}_str"), text(meta)?);
            duration(&limit)?;
            quote!(.#method(#limit))
        }
        "allow" => lints(meta, krate, quote!(Allow))?,
        "warn" => lints(meta, krate, quote!(Warn))?,
        "deny" => lints(meta, krate, quote!(Deny))?,
        "flavor" => match &*one_of(meta, &FLAVORS)?.value() {
            "multi_thread" => quote!(.multi_thread()),
            "local" => quote!(.local()),
            _ => quote!(.current_thread()),
        },
        "start_paused" | "stalls" => {
            let (method, value) = (format_ident!("{name}"), boolean(meta)?);
            quote!(.#method(#value))
        }
        "unhandled_panic" => {
            one_of(meta, &["ignore", "shutdown_runtime"])?;
            TokenStream::new()
        }
        "name" => {
            let name = text(meta)?;
            quote!(.runtime_name(#name))
        }
        // The path was taken before.
        _ => TokenStream::new(),
    })
}

fn unknown(meta: &Meta, name: &str, known: &[&str]) -> Error {
    let path = meta.path();
    let shown = quote!(#path).to_string().replace(' ', "");
    let hint = match name {
        _ if FLAVORS.contains(&name) => format!(" (did you mean `flavor = {name:?}`?)"),
        _ if STRATEGIES.contains(&name) && known.contains(&"strategy") => {
            format!(" (did you mean `strategy = {name:?}`?)")
        }
        _ if LINTS.contains(&name) && known.contains(&"deny") => {
            format!(" (did you mean `deny({name})`?)")
        }
        _ => suggest(name, known),
    };
    let message = format!("unknown option `{shown}`{hint}; allowed are `{}`", known.join("`, `"));
    Error::new(meta.span(), message)
}

fn value(meta: &Meta) -> Result<&Expr> {
    match meta {
        Meta::NameValue(pair) => Ok(&pair.value),
        _ => Err(Error::new(meta.span(), format!("`{0}` takes a value: `{0} = ..`", name(meta)))),
    }
}

/// The literal, also one that a macro of the user's passes on.
fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn wrong(value: &Expr, meta: &Meta, allowed: &str) -> Error {
    let message = format!("`{} = {}` is wrong: it takes {allowed}", name(meta), quote!(#value));
    Error::new_spanned(value, message)
}

/// A number, at least `least` and without a suffix, so that the method decides what it is.
fn number(meta: &Meta, least: u64) -> Result<LitInt> {
    let value = value(meta)?;
    let Some(Lit::Int(int)) = literal(value) else {
        return Err(wrong(value, meta, "a whole number"));
    };
    match int.base10_parse::<u64>() {
        Ok(number) if number >= least => Ok(LitInt::new(&number.to_string(), int.span())),
        Ok(_) => Err(Error::new(
            int.span(),
            format!("`{} = 0` would run nothing; allowed is 1 or more", name(meta)),
        )),
        Err(_) => Err(wrong(value, meta, "a whole number below 2^64")),
    }
}

fn boolean(meta: &Meta) -> Result<bool> {
    let value = value(meta)?;
    match literal(value) {
        Some(Lit::Bool(value)) => Ok(value.value),
        _ => Err(wrong(value, meta, "true or false")),
    }
}

fn text(meta: &Meta) -> Result<LitStr> {
    let value = value(meta)?;
    match literal(value) {
        Some(Lit::Str(text)) => Ok(text.clone()),
        _ => Err(wrong(value, meta, "a string")),
    }
}

fn one_of(meta: &Meta, known: &[&str]) -> Result<LitStr> {
    let text = text(meta)?;
    if known.contains(&&*text.value()) {
        return Ok(text);
    }
    let message = format!(
        "`{} = {:?}` is unknown{}; allowed are {}",
        name(meta),
        text.value(),
        suggest(&text.value(), known),
        known.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    );
    Err(Error::new(text.span(), message))
}

/// As the same check at run time, but where the mistake stands.
fn duration(text: &LitStr) -> Result<()> {
    let value = text.value();
    let (digits, unit) = value.split_at(value.find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let fits = digits.parse().is_ok_and(|number: u64| number.checked_mul(unit_ms).is_some());
    if unit_ms > 0 && fits {
        return Ok(());
    }
    let message = format!(
        "{value:?} is not a duration; allowed is a whole number with ms, s, m, h or d, such as \"90s\""
    );
    Err(Error::new(text.span(), message))
}

fn krate(meta: &Meta) -> Result<TokenStream> {
    let text = text(meta)?;
    let path: Path = text.parse().map_err(|_| {
        Error::new(text.span(), format!("`crate = {:?}` is not a path", text.value()))
    })?;
    Ok(quote!(#path))
}

fn lints(meta: &Meta, krate: &TokenStream, level: TokenStream) -> Result<TokenStream> {
    let Meta::List(list) = meta else {
        return Err(Error::new(meta.span(), format!("`{0}` takes lints: `{0}(..)`", name(meta))));
    };
    let mut calls = TokenStream::new();
    for lint in list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)? {
        let lint_name = lint.to_string();
        if !LINTS.contains(&&*lint_name) {
            let message = format!(
                "unknown lint `{lint_name}`{}; known are `{}`",
                suggest(&lint_name, &LINTS),
                LINTS.join("`, `")
            );
            return Err(Error::new(lint.span(), message));
        }
        calls.extend(quote!(.lint(#lint_name, #krate::Level::#level)));
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: TokenStream, expected: std::result::Result<&str, &str>) {
        match (parse(options.clone(), Of::Test), expected) {
            (Ok(parsed), Ok(calls)) => assert_eq!(parsed.calls.to_string().replace(' ', ""), calls),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{options}: {error}")
            }
            (Ok(_), Err(part)) => panic!("{options} was taken, not refused with {part:?}"),
            (Err(error), Ok(_)) => panic!("{options}: {error}"),
        }
    }

    #[test]
    fn options_become_calls() {
        check(quote!(), Ok(""));
        check(quote!(seeds = 1000, seed = 0x2a), Ok(".seeds(1000).seed(42)"));
        check(quote!(seed = 0), Ok(".seed(0)"));
        check(quote!(max_steps = 1_000_000u64,), Ok(".max_steps(1000000)"));
        check(quote!(strategy = "pct"), Ok(".strategy(\"pct\")"));
        check(quote!(exhaustive, preemptions = 2), Ok(".exhaustive(true).preemptions(2)"));
        check(quote!(flavor = "current_thread"), Ok(".current_thread()"));
        check(
            quote!(flavor = "multi_thread", worker_threads = 2),
            Ok(".multi_thread().workers(2)"),
        );
        check(quote!(start_paused = true), Ok(".start_paused(true)"));
        check(quote!(stalls = true), Ok(".stalls(true)"));
        check(quote!(faults = "swarm"), Ok(".faults_named(\"swarm\")"));
        check(quote!(faults = "swam"), Err("did you mean `swarm`"));
        check(quote!(name = "a runtime"), Ok(".runtime_name(\"aruntime\")"));
        check(quote!(unhandled_panic = "ignore"), Ok(""));
        check(
            quote!(deny(leaked_task, all,), allow(escape), deny(lock_order)),
            Ok(concat!(
                ".lint(\"leaked_task\",::sim::Level::Deny).lint(\"all\",::sim::Level::Deny)",
                ".lint(\"escape\",::sim::Level::Allow).lint(\"lock_order\",::sim::Level::Deny)"
            )),
        );
        check(quote!(warn(escape), crate = "a::sim"), Ok(".lint(\"escape\",a::sim::Level::Warn)"));
    }

    #[test]
    fn time_limits() {
        for limit in ["90s", "10m", "1h", "250ms", "2d"] {
            check(quote!(time_limit = #limit), Ok(&format!(".time_limit_str({limit:?})")));
        }
        for limit in ["", "1", "h", "1 hour", "1.5s", "-1s", "1w", "99999999999999999999s"] {
            check(quote!(time_limit = #limit), Err(&format!("{limit:?} is not a duration")));
        }
        check(quote!(time_limit = "18446744073709551615d"), Err("not a duration"));
        check(quote!(poll_limit = "10m"), Ok(".poll_limit_str(\"10m\")"));
        check(quote!(time_limit = 90), Err("`time_limit = 90` is wrong: it takes a string"));
    }

    #[test]
    fn mistakes_keep_their_operand_and_name_what_is_allowed() {
        check(quote!(strategy = "ptc"), Err("did you mean `pct`"));
        check(quote!(exhaustive = true), Err("stands alone"));
        check(quote!(preemptions), Err("`preemptions = ..`"));
        check(quote!(strategy = "luck"), Err("allowed are \"random\""));
        check(quote!(seeds = 0), Err("`seeds = 0`"));
        check(quote!(seeds = "many"), Err("`seeds = \"many\"` is wrong: it takes a whole number"));
        check(quote!(seeds = -1), Err("`seeds = - 1`"));
        check(quote!(seed = 18446744073709551616), Err("below 2^64"));
        check(quote!(seeds), Err("`seeds = ..`"));
        check(quote!(seeds = 1, seeds = 2), Err("given twice"));
        check(quote!(sedes = 1), Err("did you mean `seeds`"));
        check(quote!(a::b = 1), Err("unknown option `a::b`"));
        check(quote!(pct), Err("did you mean `strategy = \"pct\"`"));
        check(quote!(current_thread), Err("did you mean `flavor = \"current_thread\"`"));
        check(quote!(leaked_task), Err("did you mean `deny(leaked_task)`"));
        check(quote!(core_threads = 4), Err("did you mean `worker_threads`"));
        check(quote!(flavor = "multi"), Err("did you mean `multi_thread`"));
        check(quote!(unhandled_panic = "explode"), Err("\"shutdown_runtime\""));
        check(quote!(allow(leaked_tusk)), Err("did you mean `leaked_task`"));
        check(quote!(allow = 1), Err("allow(..)"));
        check(quote!(start_paused = 1), Err("`start_paused = 1` is wrong: it takes true or false"));
        check(quote!(stalls = "yes"), Err("`stalls = \"yes\"` is wrong: it takes true or false"));
        check(quote!(crate = "a b"), Err("not a path"));
    }

    #[test]
    fn options_that_do_not_go_together() {
        check(quote!(workers = 2, worker_threads = 2), Err("are the same"));
        check(quote!(flavor = "current_thread", worker_threads = 2), Err("one worker"));
        check(quote!(flavor = "local", workers = 1), Err("`flavor = \"local\"`"));
        check(quote!(flavor = "multi_thread", start_paused = true), Err("current_thread"));
    }

    #[test]
    fn main_takes_no_seeds_and_pauses_only_one_thread() {
        let error = |options| parse(options, Of::Main).err().map(|error| error.to_string());
        assert!(
            error(quote!(seeds = 1)).is_some_and(|error| error.contains("unknown option `seeds`"))
        );
        assert!(error(quote!(start_paused = true)).is_some());
        assert_eq!(error(quote!(flavor = "current_thread", start_paused = true)), None);
        assert_eq!(error(quote!(workers = 3)), None);
    }
}
