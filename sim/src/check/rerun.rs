//! How a failure is run again: the line that does it, and the files that go with it.

use super::Config;
use crate::context;
use sim_choice::Seed;
use std::path::PathBuf;

/// The line that runs a failing seed again.
pub(super) fn rerun_line(config: &Config, seed: Seed) -> String {
    // What the environment has changed, of that which decides a run.
    let changed = |name: &str| match std::env::var(name) {
        Ok(value) if !value.is_empty() => format!(" {name}={value}"),
        _ => String::new(),
    };
    let (strategy, faults) = (changed("SIM_STRATEGY"), changed("SIM_FAULTS"));
    // A check of one run learns nothing before it.
    let (one, seeds) = match config.seeds {
        1 => (" SIM_SEEDS=1", ".seeds(1)"),
        _ => ("", ""),
    };
    match (&config.name, config.from_env) {
        (None, false) => format!("sim::check(sim::Config::new().only_seed({seed}){seeds}, ..)"),
        _ => rerun(config, &format!("SIM_SEED={seed}{one}{strategy}{faults}")),
    }
}

/// The command that runs a named test, or this program, again with those variables.
pub(super) fn rerun(config: &Config, variables: &str) -> String {
    let Some(name) = &config.name else {
        let command: Vec<String> = std::env::args().collect();
        return format!("{variables} {}", command.join(" "));
    };
    // libtest's names leave out the crate's.
    let test = name.split_once("::").map_or(&**name, |(_, test)| test);
    let package = match std::env::var("CARGO_PKG_NAME") {
        Ok(package) => format!(" -p {package}"),
        Err(_) => String::new(),
    };
    format!("{variables} cargo test{package} {test} -- --exact")
}

/// Writes a file that is called as the test, if it has a name, and gives its path.
pub(super) fn write_out(config: &Config, end: &str, text: impl Fn() -> String) -> Option<PathBuf> {
    let name = config.name.as_ref()?;
    let folder = out(config)?;
    let path = folder.join(format!("{}{end}", name.replace("::", "-")));
    // A check that was asked for within a simulation writes its report as well.
    let write = || std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text()));
    // A file that cannot be written takes nothing from the report: the seed is enough.
    let written = context::outside(write);
    written.ok().map(|()| path)
}

/// The folder for tapes and the like.
pub(super) fn out(config: &Config) -> Option<PathBuf> {
    config.out.clone().or_else(default_out)
}

/// `target/sim`, of the target folder that the test was built in; that of a doc test is not known.
fn default_out() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let of_cargo = matches!(test.parent()?.file_name()?.to_str()?, "deps" | "examples");
    Some(test.ancestors().nth(3)?.join("sim")).filter(|_| of_cargo)
}
