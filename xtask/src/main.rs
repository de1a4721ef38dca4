//! Developer commands: `cargo xtask run | test | setup | web | first-load | dist | package | audit | fuzz | torture | bounds | clients | drf-clients | bench`.
//!
//! A fresh machine needs Rust and nothing else: each command first sets up what it lacks, under `target/tools`
//! where it can, says what it does and how long it took, and does nothing twice. Only what a developer does to
//! the workspace lives here; nothing of this is in the product.

mod apt;
mod audit;
mod bench;
mod bounds;
mod clients;
mod cluster;
mod dist;
mod drf_clients;
mod e2e;
mod first_load;
mod fuzz;
mod package;
mod page;
mod postgresql;
mod published;
mod run;
mod size;
mod spa;
mod split;
mod step;
mod test;
mod tools;
mod torture;
mod wasm;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  run [--demo] [-- <serve flags>]  build everything, then serve it on http://127.0.0.1:8000; --demo fills an empty store
  run --cluster N [<serve flags>]  the same as N servers over a PostgreSQL of their own, behind nginx at that address
  test                             everything CI runs: format, lint, web app, unit, integration and end-to-end tests
  test --engine postgres           the tests over HTTP, with every server's store in a PostgreSQL; those about files of a store are left out
  web                              the web app as releases have it, in dist/, and the size of each of its parts
  first-load [PROGRAM]             how long a first visit to the web app waits on slow networks, served by PROGRAM or by a release
  setup                            only install what `run` and `test` need, under target/tools
  audit                            licences, sources and known vulnerabilities of everything that is built in
  dist                             release binaries with the web app inside, in target/dist, and their sizes
  package [--from FOLDER] [--out FOLDER]
                                   tar.gz, .deb, wheel, npm package, the context of an image, checksums and SBOM, in target/packages;
                                   of a release, or of the programs in FOLDER
  package --check                  as root: install, start, upgrade and remove each on a bare Debian 11, and build all of it twice
  fuzz [--seconds N] [TARGET [FILE]]
                                   feed whatever reads from outside with anything at all, each target for N seconds (60)
  drf-clients                      react-admin's data provider and newman, unchanged, against the server
  torture --minutes N              kill the server, cut its power and damage its files again and again, with fresh seeds
  bounds [--records N]             memory and waiting times under the kinds of requests that must not cost others anything
  clients                          clients written for others, unchanged, through ten expiries of their tokens
  bench [--rounds N] [--seconds S] [--only NAME]
                                   Coffer beside Django REST Framework under the same load; writes docs/benchmarks.md
  bench store-size                 bytes that a record takes, beside what 0.1.0 took; fails above the limit
  bench redefine [--records N] [--program PATH]
                                   how long a collection of a million records takes to be redefined, and how long others wait meanwhile
  bench import [--rows N] [--program PATH]
                                   a hundred thousand rows from files, and ten thousand sales of the last items: rows/s, seconds, memory
  bench events [SUBSCRIBERS [COMMITS/S [SECONDS]]]
                                   live events: how long after the answer they come, and what they cost";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let done = match (command.as_str(), rest.is_empty()) {
        ("run", _) => run::run(&rest),
        ("test", true) => test::test(),
        ("test", false) if rest == ["--engine", "postgres"] => test::on_postgres(),
        ("setup", true) => setup(),
        ("web", true) => spa::build().and_then(|()| size::check()),
        ("audit", true) => audit::audit(),
        ("dist", true) => dist::dist(),
        ("clients", true) => clients::clients(),
        ("first-load", _) if rest.len() < 2 => first_load::first_load(rest.first()),
        ("fuzz", _) => fuzz::fuzz(&rest),
        ("package", _) => package::package(&rest),
        ("bench", _) => bench::bench(&rest),
        ("bounds", _) => bounds::bounds(&rest),
        ("drf-clients", true) => drf_clients::drf_clients(),
        ("torture", _) => torture::torture(&rest),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = done {
        eprintln!("xtask: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Installs everything that `run` and `test` would install.
fn setup() -> anyhow::Result<()> {
    let _one_at_a_time = workspace::lock()?;
    wasm::target()?;
    tools::install()?;
    tools::install_deny()?;
    tools::install_nextest()?;
    e2e::tools()?;
    println!("xtask: everything that `run` and `test` need is here");
    Ok(())
}
