//! Prints how many runs each strategy takes to find each bug, planted and ported, as tables in Markdown.
//!
//! ```text
//! cargo run --release -p sim-tests --example table -- [OPTION VALUE]… [STRATEGY]…
//!   --bases N    base seeds of each cell (20)
//!   --runs N     runs after which a search ends (10000)
//!   --only WORD  programs and families whose name holds it
//!   --jobs N     searches at once (2)
//!   --page       prints docs/bugs.md instead
//! ```

use sim::{Config, FailureKind, Strategy};
use sim_tests::{
    Main, STRATEGIES,
    bugs::{BUGS, Bug},
    literature::LITERATURE,
    ported::{PORTED, Ported, page},
};
use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// What the command line says.
struct Options {
    bases: u64,
    runs: u64,
    only: String,
    jobs: usize,
    page: bool,
    strategies: Vec<String>,
}

/// A program of the table, and what its row says of it.
struct Program {
    family: &'static str,
    name: &'static str,
    notes: String,
    kind: FailureKind,
    main: fn() -> Main,
}

/// What searches for one bug by one strategy gave.
struct Cell {
    /// Of the searches that found it, in how many runs; sorted.
    runs: Vec<u64>,
    /// The fewest preemptions of a run that failed.
    preemptions: Option<usize>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if options.page {
        print!("{}", page());
        return ExitCode::SUCCESS;
    }
    print_tables(&options);
    ExitCode::SUCCESS
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        bases: 20,
        runs: 10_000,
        only: String::new(),
        jobs: 2,
        page: false,
        strategies: Vec::new(),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match &*argument {
            "--bases" => options.bases = number(&argument, &value()?)?,
            "--runs" => options.runs = number(&argument, &value()?)?,
            "--jobs" => options.jobs = number(&argument, &value()?)? as usize,
            "--only" => options.only = value()?,
            "--page" => options.page = true,
            option if option.starts_with('-') => {
                return Err(format!(
                    "unknown option `{option}`: expected --bases, --runs, --only, --jobs or --page"
                ));
            }
            strategy => {
                strategy.parse::<Strategy>().map_err(|error| error.to_string())?;
                options.strategies.push(strategy.into());
            }
        }
    }
    if options.strategies.is_empty() {
        options.strategies = STRATEGIES.map(String::from).into();
    }
    Ok(options)
}

fn number(option: &str, value: &str) -> Result<u64, String> {
    match value.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err(format!("{option}: `{value}` is no number of 1 or more")),
    }
}

/// All programs that are asked for, family by family.
fn programs(only: &str) -> Vec<Program> {
    let own = |family, bugs: &'static [Bug]| {
        bugs.iter().map(move |bug| Program {
            family,
            name: bug.name,
            notes: "| | | ".into(),
            kind: bug.kind,
            main: bug.main,
        })
    };
    let planted = own("planted", BUGS).chain(own("literature", LITERATURE));
    let ported = PORTED.iter().copied().flatten().map(|bug| Program {
        family: bug.family,
        name: bug.name,
        notes: notes(bug),
        kind: bug.kind,
        main: bug.main,
    });
    let asked = |program: &Program| program.name.contains(only) || program.family.contains(only);
    planted.chain(ported).filter(asked).collect()
}

fn notes(bug: &Ported) -> String {
    let cancels = if bug.cancellation { ", cancels" } else { "" };
    format!("| {} | {}{cancels} | {} ", bug.source, bug.class, bug.preemptions)
}

fn print_tables(options: &Options) {
    let programs = programs(&options.only);
    let cells = search_all(&programs, options);
    for (strategy, name) in options.strategies.iter().enumerate() {
        let found = (0..programs.len())
            .filter(|program| {
                cells[program * options.strategies.len() + strategy].runs.len() as u64
                    == options.bases
            })
            .count();
        println!("{name}: {found} of {} programs are found from every base seed.", programs.len());
    }
    let mut family = "";
    for (index, program) in programs.iter().enumerate() {
        if program.family != family {
            family = program.family;
            println!("\n## {family}\n");
            println!(
                "| program | source | class | preemptions | strategy | found | mean | median | max | fewest preemptions |"
            );
            println!("|---|---|---|--:|---|--:|--:|--:|--:|--:|");
        }
        for (strategy, name) in options.strategies.iter().enumerate() {
            let cell = &cells[index * options.strategies.len() + strategy];
            println!("{}", row(program, strategy == 0, name, cell, options.bases));
        }
    }
}

/// One cell for each program and strategy, in this order.
fn search_all(programs: &[Program], options: &Options) -> Vec<Cell> {
    let strategies = &options.strategies;
    let next = AtomicUsize::new(0);
    let cells: Vec<Mutex<Option<Cell>>> =
        (0..programs.len() * strategies.len()).map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    let Some(cell) = cells.get(index) else { return };
                    let program = &programs[index / strategies.len()];
                    let strategy = &strategies[index % strategies.len()];
                    *cell.lock().unwrap() = Some(search(program, strategy, options));
                }
            });
        }
    });
    cells.into_iter().map(|cell| cell.into_inner().unwrap().unwrap()).collect()
}

fn search(program: &Program, strategy: &str, options: &Options) -> Cell {
    let mut cell = Cell { runs: Vec::new(), preemptions: None };
    for base in 0..options.bases {
        let config =
            Config::new().seed(base).seeds(options.runs).strategy(strategy).recheck_every(0);
        let report = sim::check(config, program.main);
        if let Some(failure) = report.failure {
            assert_eq!(failure.kind, program.kind, "{}: {failure}", program.name);
            cell.runs.push(report.runs);
            let preemptions = failure.tape.preemptions();
            cell.preemptions =
                Some(cell.preemptions.map_or(preemptions, |few| few.min(preemptions)));
        }
    }
    cell.runs.sort_unstable();
    cell
}

/// One row; what is told of a program stands in its first.
fn row(program: &Program, first: bool, strategy: &str, cell: &Cell, bases: u64) -> String {
    let name = program.name.replace('_', " ");
    let program = if first { format!("| {name} {}", program.notes) } else { "| | | | ".into() };
    let head = format!("{program}| {strategy} | {}/{bases}", cell.runs.len());
    let (Some(max), Some(median), Some(preemptions)) =
        (cell.runs.last(), cell.runs.get(cell.runs.len() / 2), cell.preemptions)
    else {
        return format!("{head} | | | | |");
    };
    let mean = cell.runs.iter().sum::<u64>() as f64 / cell.runs.len() as f64;
    format!("{head} | {mean:.1} | {median} | {max} | {preemptions} |")
}
