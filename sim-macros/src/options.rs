//! The options of the attributes: each becomes a call of a builder's method.

use crate::suggest::suggest;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Error, Expr, Ident, Lit, LitStr, Meta, Path, Result, Token, parse::Parser,
    punctuated::Punctuated, spanned::Spanned,
};

const TEST: [&str; 16] = [
    "seed",
    "seeds",
    "strategy",
    "workers",
    "time_limit",
    "max_steps",
    "stack_size",
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
const MAIN: [&str; 6] =
    ["flavor", "worker_threads", "start_paused", "crate", "name", "unhandled_panic"];
const LINTS: [&str; 10] = [
    "swallowed_panic",
    "swallowed_error",
    "escape",
    "nondeterminism",
    "leaked_task",
    "leaked_permit",
    "blocked_poll",
    "lock_order",
    "ignored_fault",
    "all",
];
const STRATEGIES: [&str; 4] = ["random", "pct", "portfolio", "calm"];

/// Which attribute the options are of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Test,
    Main,
}

/// Options, understood.
pub(crate) struct Options {
    /// The path of the crate `sim`.
    pub(crate) krate: TokenStream,
    /// Calls of the builder's methods, in order.
    pub(crate) calls: TokenStream,
}

/// Understands the options of an attribute.
pub(crate) fn parse(tokens: TokenStream, of: Of) -> Result<Options> {
    let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(tokens)?;
    let mut options = Options { krate: quote!(::sim), calls: TokenStream::new() };
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
    Ok(options)
}

fn name(meta: &Meta) -> String {
    meta.path().get_ident().map(Ident::to_string).unwrap_or_default()
}

/// The call for one option.
fn option(meta: &Meta, name: &str, of: Of, krate: &TokenStream) -> Result<TokenStream> {
    let known: &[&str] = if of == Of::Test { &TEST } else { &MAIN };
    if !known.contains(&name) {
        let path = meta.path();
        let shown = quote!(#path).to_string().replace(' ', "");
        let known_list = known.join("`, `");
        return Err(Error::new(
            meta.span(),
            format!("unknown option `{shown}`{}; allowed are `{known_list}`", suggest(name, known)),
        ));
    }
    Ok(match name {
        "seed" => {
            let seed = number(meta, false)?;
            quote!(.seed(#seed))
        }
        "seeds" | "max_steps" | "stack_size" | "workers" => {
            let value = number(meta, true)?;
            let method = format_ident!("{name}");
            let value = syn::LitInt::new(&value.to_string(), meta.span());
            quote!(.#method(#value))
        }
        "worker_threads" => {
            let value = syn::LitInt::new(&number(meta, true)?.to_string(), meta.span());
            quote!(.workers(#value))
        }
        "strategy" => {
            let strategy = one_of(meta, &STRATEGIES)?;
            quote!(.strategy(#strategy))
        }
        "time_limit" => {
            let limit = text(meta)?;
            duration(&limit)?;
            quote!(.time_limit_str(#limit))
        }
        "allow" => lints(meta, krate, quote!(Allow))?,
        "warn" => lints(meta, krate, quote!(Warn))?,
        "deny" => lints(meta, krate, quote!(Deny))?,
        "flavor" => match &*one_of(meta, &["multi_thread", "current_thread", "local"])?.value() {
            "multi_thread" => quote!(.multi_thread()),
            "local" => quote!(.local()),
            _ => quote!(.current_thread()),
        },
        "start_paused" => {
            let paused = boolean(meta)?;
            quote!(.start_paused(#paused))
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

fn value(meta: &Meta) -> Result<&Lit> {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(literal) => Ok(&literal.lit),
            other => Err(Error::new(other.span(), format!("`{}` takes a literal", name(meta)))),
        },
        _ => Err(Error::new(meta.span(), format!("`{0}` takes a value: `{0} = ..`", name(meta)))),
    }
}

fn number(meta: &Meta, positive: bool) -> Result<u64> {
    let literal = value(meta)?;
    let Lit::Int(int) = literal else {
        return Err(Error::new(literal.span(), format!("`{}` takes a whole number", name(meta))));
    };
    match int.base10_parse::<u64>()? {
        0 if positive => Err(Error::new(
            int.span(),
            format!("`{} = 0` would run nothing; allowed is 1 or more", name(meta)),
        )),
        number => Ok(number),
    }
}

fn boolean(meta: &Meta) -> Result<bool> {
    match value(meta)? {
        Lit::Bool(value) => Ok(value.value),
        other => Err(Error::new(other.span(), format!("`{}` takes true or false", name(meta)))),
    }
}

fn text(meta: &Meta) -> Result<LitStr> {
    match value(meta)? {
        Lit::Str(text) => Ok(text.clone()),
        other => Err(Error::new(other.span(), format!("`{}` takes a string", name(meta)))),
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
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let unit = &value[digits..];
    if digits > 0 && matches!(unit, "ms" | "s" | "m" | "h" | "d") {
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
    fn options_become_calls_or_errors_with_the_operand() {
        check(quote!(), Ok(""));
        check(quote!(seeds = 1000, seed = 0x2a), Ok(".seeds(1000).seed(42u64)"));
        check(quote!(strategy = "pct"), Ok(".strategy(\"pct\")"));
        check(quote!(strategy = "ptc"), Err("did you mean `pct`"));
        check(quote!(seeds = 0), Err("seeds = 0"));
        check(quote!(seeds = "many"), Err("whole number"));
        check(quote!(seeds = 1, seeds = 2), Err("given twice"));
        check(quote!(sedes = 1), Err("did you mean `seed`"));
        check(quote!(time_limit = "1h"), Ok(".time_limit_str(\"1h\")"));
        check(quote!(time_limit = "1 hour"), Err("1 hour"));
        check(quote!(flavor = "current_thread"), Ok(".current_thread()"));
        check(quote!(flavor = "many"), Err("\"many\""));
        check(quote!(deny(leaked_task)), Ok(".lint(\"leaked_task\",::sim::Level::Deny)"));
        check(quote!(allow(leaked_tusk)), Err("did you mean `leaked_task`"));
        check(quote!(allow = 1), Err("allow(..)"));
        check(quote!(start_paused = 1), Err("true or false"));
        check(quote!(crate = "a b"), Err("not a path"));
    }
}
