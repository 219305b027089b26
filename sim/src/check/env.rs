//! The `SIM_*` variables. A bad value is an error with the variable, the value and what is allowed.

use super::{Config, ConfigError, Level};
use crate::faults::Faults;
use sim_choice::Seed;
use std::{fmt::Display, time::Duration};

/// Changes `config` as the variables say; `get` looks one up.
pub(super) fn apply(
    config: &mut Config,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<(), ConfigError> {
    let value = |name: &str| get(name).filter(|value| !value.is_empty());
    if let Some(text) = value("SIM_SEED") {
        config.single = Some(text.parse::<Seed>().map_err(|error| bad("SIM_SEED", error))?);
    }
    if let Some(text) = value("SIM_SEEDS") {
        config.seeds = positive("SIM_SEEDS", &text)?;
    }
    config.fresh |= flag("SIM_FRESH", value("SIM_FRESH"))?;
    config.trace |= flag("SIM_TRACE", value("SIM_TRACE"))?;
    if let Some(text) = value("SIM_STRATEGY") {
        config.strategy = text.parse().map_err(|error| bad("SIM_STRATEGY", error))?;
    }
    if let Some(text) = value("SIM_JOBS") {
        config.jobs = positive("SIM_JOBS", &text)? as usize;
    }
    if let Some(text) = value("SIM_TIME") {
        config.wall = Some(duration(&text).map_err(|error| bad("SIM_TIME", error))?);
    }
    if let Some(text) = value("SIM_POLL_LIMIT") {
        let limit = duration(&text).map_err(|error| bad("SIM_POLL_LIMIT", error))?;
        config.limits.patience.limit = limit;
    }
    if let Some(text) = value("SIM_FAULTS") {
        config.limits.faults = Faults::named(&text).map_err(|error| bad("SIM_FAULTS", error))?;
    }
    config.tape = value("SIM_TAPE").map(Into::into);
    config.out = value("SIM_OUT").map(Into::into);
    let levels =
        [("SIM_ALLOW", Level::Allow), ("SIM_WARN", Level::Warn), ("SIM_DENY", Level::Deny)];
    for (name, level) in levels {
        for lint in value(name).unwrap_or_default().split(',').map(str::trim) {
            if !lint.is_empty() {
                config.limits.lints.set(lint, level).map_err(|error| bad(name, error))?;
            }
        }
    }
    Ok(())
}

fn bad(variable: &str, error: impl Display) -> ConfigError {
    ConfigError(format!("{variable}: {error}"))
}

fn positive(variable: &str, text: &str) -> Result<u64, ConfigError> {
    match text.parse() {
        Ok(0) => Err(bad(variable, "\"0\" is too few; allowed is 1 or more")),
        Ok(number) => Ok(number),
        Err(_) => Err(bad(variable, format!("{text:?} is not a number; allowed is 1 or more"))),
    }
}

fn flag(variable: &str, text: Option<String>) -> Result<bool, ConfigError> {
    match text.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(text) => Err(bad(variable, format!("{text:?} is neither 1 nor 0"))),
    }
}

/// A duration such as `250ms`, `90s`, `10m`, `1h` or `2d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "{text:?} is not a duration; allowed is a whole number with ms, s, m, h or d, such as 90s or 10m"
        )
    };
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..split].parse().map_err(|_| wrong())?;
    let unit_ms: u64 = match &text[split..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, expected: Result<(), &str>) {
        let mut config = Config::new();
        let result = apply(&mut config, &|asked| (asked == name).then(|| value.to_string()));
        match (result, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => {
                let text = error.to_string();
                assert!(text.starts_with(name) && text.contains(part), "{text}");
            }
            (result, expected) => panic!("{name}={value}: {result:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn values_are_taken_or_refused_with_the_operand() {
        check("SIM_SEED", "0x2a", Ok(()));
        check("SIM_SEED", "42", Ok(()));
        check("SIM_SEED", "0xzz", Err("0xzz"));
        check("SIM_SEEDS", "10", Ok(()));
        check("SIM_SEEDS", "0", Err("1 or more"));
        check("SIM_SEEDS", "many", Err("\"many\""));
        check("SIM_FRESH", "1", Ok(()));
        check("SIM_FRESH", "yes", Err("\"yes\""));
        check("SIM_STRATEGY", "pct", Ok(()));
        check("SIM_STRATEGY", "exhaustive", Ok(()));
        check("SIM_STRATEGY", "luck", Err("luck"));
        check("SIM_JOBS", "-1", Err("-1"));
        check("SIM_TIME", "10m", Ok(()));
        check("SIM_TIME", "10", Err("\"10\""));
        check("SIM_TIME", "10 m", Err("\"10 m\""));
        check("SIM_POLL_LIMIT", "5m", Ok(()));
        check("SIM_POLL_LIMIT", "long", Err("\"long\""));
        check("SIM_FAULTS", "swarm", Ok(()));
        check("SIM_FAULTS", "none", Ok(()));
        check("SIM_FAULTS", "chaos", Err("allowed are none, moderate and swarm"));
        check("SIM_ALLOW", "swallowed_panic, leaked_task", Ok(()));
        check("SIM_DENY", "all", Ok(()));
        check("SIM_WARN", "swallowed_panics", Err("swallowed_panics"));
    }
}
