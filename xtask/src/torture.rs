//! `cargo xtask torture --minutes N`: the tests that kill, cut the power, damage files and compare what two stores let out, again and again with fresh seeds.
//!
//! Each turn is a run of the ordinary tests with more rounds than usual. The tests print what they checked; here that is added
//! up. A turn that fails ends it all and says how to repeat it.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

use crate::{step::step, workspace};

/// A test, in the crate whose tests it is one of.
struct Test {
    package: &'static str,
    name: &'static str,
    /// The variable that says how many rounds it runs.
    variable: &'static str,
    /// How many it runs in a turn.
    rounds: u32,
}

const TESTS: [Test; 6] = [
    Test {
        package: "coffer",
        name: "kill::killed_at_any_moment_it_keeps_what_it_acknowledged",
        variable: "COFFER_KILL_ROUNDS",
        rounds: 25,
    },
    Test {
        package: "coffer",
        name: "redefine::model::definitions_change_under_writes_and_kills_and_every_record_is_as_the_model_has_it",
        variable: "COFFER_REDEFINE_ROUNDS",
        rounds: 15,
    },
    Test {
        package: "coffer",
        name: "redefine::model::definitions_change_while_the_power_goes_and_every_record_is_as_the_model_has_it",
        variable: "COFFER_REDEFINE_CUTS",
        rounds: 10,
    },
    Test {
        package: "coffer-store",
        name: "power_cut::a_power_cut_takes_nothing_that_was_acknowledged",
        variable: "COFFER_POWER_CUTS",
        rounds: 40,
    },
    Test {
        package: "coffer-store",
        name: "damage::a_damaged_store_is_whole_or_refused",
        variable: "COFFER_DAMAGES",
        rounds: 150,
    },
    Test {
        package: "coffer",
        name: "security::interference::d1_two_stores_that_differ_in_what_a_caller_may_not_see_answer_alike",
        variable: "COFFER_INTERFERENCE_REQUESTS",
        rounds: 5000,
    },
];

/// What was checked so far.
#[derive(Debug, Default)]
struct Totals {
    kill_rounds: u64,
    starts_killed: u64,
    writes_checked: u64,
    definitions: u64,
    records_compared: u64,
    power_cuts: u64,
    steps_checked: u64,
    whole: u64,
    refused: u64,
    compared: u64,
    unavoidable: u64,
}

/// Runs for as many minutes as the arguments say.
pub(crate) fn torture(args: &[String]) -> Result<()> {
    let minutes: u64 = match args {
        [flag, minutes] if flag == "--minutes" => minutes.parse().context("--minutes wants a number")?,
        _ => bail!("say for how long: cargo xtask torture --minutes 30"),
    };
    let [server, store] = ["coffer", "coffer-store"];
    let programs = step("build the tests", || Ok([(server, build(server)?), (store, build(store)?)]))?;
    let started = Instant::now();
    let mut totals = Totals::default();
    let mut turns = 0;
    while started.elapsed() < Duration::from_secs(minutes * 60) {
        for Test { package, name, variable, rounds } in TESTS {
            let (_, tests) = programs.iter().find(|(of, _)| *of == package).context("every package is built")?;
            let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() % 1_000_000_007;
            let mut command = Command::new(tests);
            command.args(["--exact", name, "--nocapture"]).current_dir(workspace::root().join("api"));
            command.env(variable, rounds.to_string()).env("COFFER_SEED", seed.to_string());
            let output =
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().context("cannot start the tests")?;
            let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
            if !output.status.success() {
                println!("{said}");
                bail!(
                    "{name} failed; repeat it with COFFER_SEED={seed} {variable}={rounds} \
                     cargo test -p {package} --test it -- --exact {name} --nocapture"
                );
            }
            said.lines().for_each(|line| totals.add(line));
        }
        turns += 1;
        println!("xtask: after {} min: {}", started.elapsed().as_secs() / 60, totals.line());
    }
    println!("xtask: {turns} turns in {} min. {}", started.elapsed().as_secs() / 60, totals.line());
    Ok(())
}

/// Builds a crate's tests once and gives a copy of their program, which no later build takes away.
pub(crate) fn build(package: &str) -> Result<PathBuf> {
    let mut cargo = workspace::cargo(&["test", "-p", package, "--test", "it", "--no-run"]);
    let output = cargo.stderr(Stdio::piped()).output().context("cannot start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let program =
        said.lines().find_map(|line| line.trim().strip_prefix("Executable ")?.strip_suffix(')')?.rsplit('(').next());
    let Some(program) = program.filter(|_| output.status.success()) else { bail!("{said}") };
    let copy = workspace::target().join(format!("torture-{package}"));
    fs::copy(workspace::root().join(program), &copy)?;
    Ok(copy)
}

impl Totals {
    /// Adds what a line of a test's output says that it checked.
    fn add(&mut self, line: &str) {
        let numbers: Vec<u64> = line.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
        match numbers[..] {
            [rounds, starts, writes, 0] if line.starts_with("kill: ") => {
                self.kill_rounds += rounds;
                self.starts_killed += starts;
                self.writes_checked += writes;
            }
            [_, definitions, records] if line.starts_with("redefine: ") || line.starts_with("redefine, cut: ") => {
                self.definitions += definitions;
                self.records_compared += records;
            }
            [steps] if line.ends_with("acknowledged steps, none lost") => self.steps_checked += steps,
            [_, _] if line.starts_with("round ") && line.contains(", torn ") => self.power_cuts += 1,
            [whole, refused] if line.starts_with("damage: ") => {
                self.whole += whole;
                self.refused += refused;
            }
            [compared, unavoidable, 0, ..] if line.starts_with("interference: ") => {
                self.compared += compared;
                self.unavoidable += unavoidable;
            }
            _ => {}
        }
    }

    fn line(&self) -> String {
        format!(
            "killed {} times under load and {} times in start, {} acknowledged writes checked, 0 lost; {} definitions changed under kills and power cuts, {} \
             records as the model has them; {} power cuts, {} \
             acknowledged commits checked, 0 lost; {} damaged stores: {} whole all the same, {} refused, 0 with less; {} requests to \
             two stores compared, {} unavoidable differences, 0 others",
            self.kill_rounds,
            self.starts_killed,
            self.writes_checked,
            self.definitions,
            self.records_compared,
            self.power_cuts,
            self.steps_checked,
            self.whole + self.refused,
            self.whole,
            self.refused,
            self.compared,
            self.unavoidable
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tests_say_is_added_up() {
        let mut totals = Totals::default();
        for line in [
            "kill: 6 rounds, 2 starts killed, 5471 acknowledged writes checked, 0 lost",
            "round 3, after 863ms, draining for None: 1127 acknowledged",
            "round 0, torn false: 120 acknowledged",
            "round 1, torn true: 300 acknowledged",
            "redefine: 6 rounds, 30 definitions changed, 800 records compared",
            "redefine, cut: 2 rounds, 10 definitions changed, 100 records compared",
            "421 acknowledged steps, none lost",
            "damage: 31 whole all the same, 9 refused",
            "interference: COFFER_SEED=7",
            "interference: 1200 requests compared, 3 unavoidable differences, 0 others; {200: 184, 201: 7}",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 12 filtered out; finished in 7.78s",
        ] {
            totals.add(line);
        }
        let Totals { kill_rounds, starts_killed, writes_checked, power_cuts, steps_checked, whole, refused, .. } =
            totals;
        assert_eq!([totals.definitions, totals.records_compared], [40, 900]);
        assert_eq!([totals.compared, totals.unavoidable], [1200, 3]);
        assert_eq!([kill_rounds, starts_killed, writes_checked], [6, 2, 5471]);
        assert_eq!([power_cuts, steps_checked, whole, refused], [2, 421, 31, 9]);
    }
}
