//! `cargo xtask bench`: Coffer beside Django REST Framework, under the same load, on this machine.
//!
//! Both servers run all the time, over the same records and users, and are asked in turns, so that whatever else the machine does
//! falls on both; what is told is the median of the rounds. Here is the order of things. What is asked is in `workload`, the two servers in
//! `coffer` and `reference`, the page in `page`. The requests themselves are sent by `api/examples/load.rs`.

mod chart;
mod coffer;
mod data;
mod generator;
mod import;
mod orders;
mod page;
mod pocketbase;
mod process;
mod queries;
mod redefine;
mod reference;
mod result;
mod store_size;
mod workload;

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    step::{self, step},
    workspace,
};
use generator::Generator;
use process::Process;
use result::{Figures, Memory, Outcome};
use workload::{Site, WORKLOADS, Workload};

const WARM_UP: f64 = 0.5;

/// How long, how often, and what.
struct Settings {
    rounds: usize,
    seconds: f64,
    only: Option<String>,
}

impl Settings {
    fn parse(args: &[String]) -> Result<Self> {
        let mut settings = Self { rounds: 5, seconds: 3.0, only: None };
        for pair in args.chunks(2) {
            match pair {
                [flag, rounds] if flag == "--rounds" => {
                    settings.rounds = rounds.parse().context("--rounds wants a number")?;
                }
                [flag, seconds] if flag == "--seconds" => {
                    settings.seconds = seconds.parse().context("--seconds wants a number")?;
                }
                [flag, name] if flag == "--only" => {
                    let names: Vec<_> = WORKLOADS.iter().map(|workload| workload.name).collect();
                    ensure!(
                        names.iter().any(|known| known.starts_with(name)),
                        "--only wants one of {}",
                        names.join(", ")
                    );
                    settings.only = Some(name.clone());
                }
                _ => bail!("cargo xtask bench [--rounds N] [--seconds S] [--only NAME]"),
            }
        }
        ensure!(settings.rounds > 0 && settings.seconds > 0.0, "nothing to measure in no time");
        Ok(settings)
    }

    fn wants(&self, workload: &Workload) -> bool {
        self.only.as_ref().is_none_or(|only| workload.name.starts_with(only))
    }
}

/// Measures everything, prints the table and writes `docs/benchmarks.md` (not with `--only`).
pub(crate) fn bench(args: &[String]) -> Result<()> {
    if args == ["store-size"] {
        return store_size::store_size();
    }
    match args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        Some(("redefine", rest)) => return redefine::redefine(rest),
        Some(("import", rest)) => return import::import(rest),
        Some(("events", rest)) => return events(rest),
        Some(("queries", rest)) => return queries::queries(rest),
        _ => {}
    }
    let settings = Settings::parse(args)?;
    let _one_at_a_time = workspace::lock()?;
    step("server and load generator", build)?;
    let python = reference::install()?;
    let dir = workspace::target().join("bench");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::create_dir_all(&dir)?;

    let generator = Generator::new();
    let started = Instant::now();
    let starts = step("starts on an empty store", || coffer::starts(&generator, &dir))?;
    data::write(&dir)?;
    let reference = step("reference: records and users", || reference::start(&generator, &python, &dir))?;
    let coffer = step("Coffer: records and users", || coffer::start(&generator, &dir))?;
    let hello = hello(&generator)?;
    let idle = [coffer.process.memory()?, reference.process.memory()?];

    let mut figures = Vec::new();
    for workload in WORKLOADS.iter().filter(|workload| settings.wants(workload)) {
        let sites = [Some(&coffer), Some(&reference), workload.has_ceiling.then_some(&hello)];
        figures.push(step(workload.title, || measure(&generator, &settings, workload, sites))?);
    }
    let busy = [coffer.process.memory()?, reference.process.memory()?];
    let outcome = Outcome {
        figures,
        start_ms: result::median(starts.iter().map(|(ms, _)| *ms)),
        memory: Memory {
            empty: starts.iter().map(|(_, memory)| memory.now).max().unwrap_or_default(),
            idle: idle.map(|memory| memory.now),
            peak: busy.map(|memory| memory.peak),
        },
        rounds: settings.rounds,
        seconds: settings.seconds,
        took: started.elapsed(),
    };
    drop((coffer, reference, hello));
    fs::remove_dir_all(&dir)?;

    println!("\n{}", page::table(&outcome));
    if settings.only.is_none() {
        page::write(&outcome, &python)?;
        println!("xtask: docs/benchmarks.md and its chart are written");
    }
    let errors: usize = outcome.figures.iter().map(Figures::errors).sum();
    ensure!(errors == 0, "{errors} answers were no success; the first of each workload is told above");
    Ok(())
}

/// Two builds: the examples have the tests' features on, and the server is to be measured as it is handed out.
fn build() -> Result<()> {
    fs::create_dir_all(workspace::dist())?; // the server's build embeds it, also when there is nothing to embed
    let release = ["build", "--release", "--locked", "--package", "coffer"];
    step::run(&mut workspace::cargo(&[&release[..], &["--bin", "coffer"]].concat()))?;
    step::run(&mut workspace::cargo(&[&release[..], &["--example", "load", "--example", "hello"]].concat()))
}

/// Live events under load, with so many subscribers, commits a second and seconds.
fn events(settings: &[String]) -> Result<()> {
    let _one_at_a_time = workspace::lock()?;
    step("server and load generator", || {
        fs::create_dir_all(workspace::dist())?;
        let release = ["build", "--release", "--locked", "--package", "coffer"];
        step::run(&mut workspace::cargo(&[&release[..], &["--bin", "coffer"]].concat()))?;
        step::run(&mut workspace::cargo(&[&release[..], &["--example", "events"]].concat()))
    })?;
    let mut measure = Command::new(workspace::release("examples/events"));
    step::run(measure.arg(workspace::release("coffer")).args(settings))
}

/// The bare route that says how fast anything can be here.
fn hello(generator: &Generator) -> Result<Site> {
    let address = process::free_address()?;
    let process = Process::start(Command::new(workspace::release("examples/hello")).arg(&address))?;
    generator.wait_for(&address, "/hello/you", Duration::from_secs(10))?;
    Ok(Site { process, address, books: "", file: "", access: String::new(), ids: Vec::new() })
}

/// All rounds of one workload: one server after the other, then again.
fn measure(
    generator: &Generator,
    settings: &Settings,
    workload: &'static Workload,
    sites: [Option<&Site>; 3],
) -> Result<Figures> {
    let mut figures = Figures::new(workload);
    for round in 1..=settings.rounds {
        for (place, site) in sites.iter().enumerate() {
            let Some(site) = site else { continue };
            let job = if place == 2 { workload::hello(site, workload) } else { workload.job(site) };
            let one = generator.load(&site.process, &job, WARM_UP, settings.seconds)?;
            let name = result::NAMES[place];
            println!("  round {round}: {name:<10} {one}");
            if one.errors > 0 {
                println!("  {} errors {:?}: {}", one.errors, one.statuses, one.first_error);
            }
            figures.rounds[place].push(one);
        }
    }
    Ok(figures)
}
