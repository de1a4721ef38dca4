//! `docs/benchmarks.md`: the tables, and what was measured where.

use std::{fmt::Write as _, fs, path::Path, process::Command, thread::available_parallelism};

use anyhow::Result;

use super::{
    chart::{self, spaced, times},
    reference,
    result::{CEILING, COFFER, Figures, Outcome, REFERENCE, megabytes},
};
use crate::{step, workspace};

/// Writes the page and its chart.
pub(crate) fn write(outcome: &Outcome, python: &Path) -> Result<()> {
    let docs = workspace::root().join("docs");
    fs::write(docs.join("images/benchmarks.svg"), chart::draw(&outcome.figures))?;
    let mut page = String::from(
        "# Benchmarks\n\nCoffer beside Django REST Framework, under the same load on the same machine. Written by `cargo xtask bench`; do not edit.\n\n\
         ![Requests per second](images/benchmarks.svg)\n\n",
    );
    page += &machine(outcome, python)?;
    page += "\n## Figures\n\n";
    page += &table(outcome);
    page += "\n";
    page += include_str!("notes.md");
    // What another command measured stays.
    let before = fs::read_to_string(docs.join("benchmarks.md")).unwrap_or_default();
    if let Some((_, queries)) = before.split_once(QUERIES) {
        page += QUERIES;
        page += queries;
    }
    fs::write(docs.join("benchmarks.md"), page)?;
    Ok(())
}

/// Where the part of the page begins that `bench queries` writes, up to its end.
const QUERIES: &str = "\n<!-- by cargo xtask bench queries -->\n";

/// Writes that part.
pub(super) fn write_queries(part: &str) -> Result<()> {
    let path = workspace::root().join("docs/benchmarks.md");
    let page = fs::read_to_string(&path)?;
    let before = page.split_once(QUERIES).map_or(page.as_str(), |(before, _)| before);
    fs::write(path, format!("{before}{QUERIES}{part}"))?;
    Ok(())
}

/// The tables, in Markdown that reads well in a terminal too.
pub(crate) fn table(outcome: &Outcome) -> String {
    let head = ["", "times", "requests/s", "p50 ms", "p99 ms", "CPU µs", "requests/s", "p50 ms", "p99 ms", "CPU µs"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for figures in &outcome.figures {
        let mut row = vec![figures.workload.title.to_owned(), times(figures.ratio())];
        row.extend(cells(figures, COFFER));
        row.extend(cells(figures, REFERENCE));
        rows.push(row);
    }
    let mut text = "Left Coffer, right the reference.\n\n".to_owned() + &markdown(&rows);
    for figures in outcome.figures.iter().filter(|figures| figures.workload.has_ceiling) {
        let [rate, p50, p99, cpu] = cells(figures, CEILING);
        let _ = writeln!(
            text,
            "\nBare warp says hello {rate} times per second (p50 {p50} ms, p99 {p99} ms, {cpu} µs of CPU), on as many connections as getting one record has.",
        );
    }
    let errors: usize = outcome.figures.iter().map(Figures::errors).sum();
    let [idle, peak] = [outcome.memory.idle, outcome.memory.peak].map(|pair| pair.map(megabytes));
    let _ = writeln!(
        text,
        "\nErrors: {errors}. Resident memory over the filled store before the first request: Coffer {:.0} MB, reference {:.0} MB; the most while all \
         of this ran: {:.0} MB and {:.0} MB (of several processes the sum, which counts shared pages in each). Coffer answers `/readyz` on an empty \
         store {:.0} ms after its start.\n",
        idle[0], idle[1], peak[0], peak[1], outcome.start_ms
    );
    let mut rows = vec![["what is to be reached", "target", "measured", ""].map(str::to_owned).to_vec()];
    for verdict in outcome.verdicts() {
        let word = if verdict.reached { "reached" } else { "**missed**" };
        rows.push(vec![verdict.what, verdict.wanted, verdict.measured, word.to_owned()]);
    }
    text + &markdown(&rows)
}

/// Requests per second, p50 and p99 in milliseconds, processor time in microseconds.
fn cells(figures: &Figures, server: usize) -> [String; 4] {
    if figures.per_second(server) == 0.0 {
        return [chart::NONE; 4].map(str::to_owned);
    }
    let p50 = figures.median(server, |one| one.p50_us / 1000.0);
    let p99 = figures.median(server, |one| one.p99_us / 1000.0);
    let cpu = figures.median(server, super::generator::Measured::cpu_us);
    [spaced(figures.per_second(server)), format!("{p50:.2}"), format!("{p99:.2}"), spaced(cpu)]
}

/// A table whose columns line up.
pub(super) fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default().max(3);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (n, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(column, (cell, width))| {
                    if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if n == 0 {
            let rules: Vec<String> = widths
                .iter()
                .enumerate()
                .map(|(column, width)| if column == 0 { "-".repeat(*width) } else { "-".repeat(width - 1) + ":" })
                .collect();
            let _ = writeln!(text, "| {} |", rules.join(" | "));
        }
    }
    text
}

/// What it ran on, and for how long.
fn machine(outcome: &Outcome, python: &Path) -> Result<String> {
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let ask = |program: &str, args: &[&str]| step::answer(Command::new(program).args(args)).unwrap_or_default();
    let cores = available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|kib| kib.parse::<f64>().ok());
    let text = format!(
        "{}, {cores} cores of {}, {:.0} GB of memory, Linux {}, {} on the disk. {}, {}. {} rounds of {} s for each figure, {:.0} minutes in all. Coffer runs with `--rate-limit off`, since one caller asks for everything here.",
        ask("date", &["+%F"]),
        field("/proc/cpuinfo", "model name"),
        memory.unwrap_or_default() / 1e6,
        ask("uname", &["-r"]),
        ask("stat", &["-f", "-c", "%T", &workspace::target().to_string_lossy()]),
        ask("rustc", &["--version"]).split(" (").next().unwrap_or_default(),
        step::answer(Command::new(python).arg("--version")).unwrap_or_default(),
        outcome.rounds,
        outcome.seconds,
        (outcome.took.as_secs_f64() / 60.0).ceil(),
    );
    let versions = reference::requirements()?;
    let versions: Vec<_> = versions.lines().filter_map(|line| line.split_once("==")).take(9).collect();
    let versions: Vec<_> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    Ok(text + &format!("\nThe reference: {}.\n", versions.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let rows = [["", "n"], ["one", "10"], ["twenty", "2"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(markdown(&rows), "|        |   n |\n| ------ | --: |\n| one    |  10 |\n| twenty |   2 |\n");
    }
}
