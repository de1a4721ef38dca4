//! `cargo xtask bench redefine`: a collection of a million records gets another type for an indexed field, while four clients read and write its records. Prints
//! how long that took, how much memory, and how long the clients waited before and meanwhile. The tests run a short form of the same.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::chart::{STYLE, line, text};
use crate::{step::step, torture, workspace};

const TEST: &str = "redefine::load::a_collection_is_redefined_while_others_work_in_it";

/// Runs it, over as many records as the arguments say, against a release or the program that they name.
pub(super) fn redefine(args: &[String]) -> Result<()> {
    let (mut records, mut program) = ("1000000".to_owned(), None);
    for pair in args.chunks(2) {
        match pair {
            [flag, count] if flag == "--records" => records.clone_from(count),
            [flag, path] if flag == "--program" => program = Some(path.clone()),
            _ => bail!("cargo xtask bench redefine [--records N] [--program PATH]"),
        }
    }
    let program = match program {
        Some(program) => program.into(),
        None => step("build a release", || {
            let built = workspace::cargo(&["build", "--release", "-p", "coffer", "--bin", "coffer"]).status()?;
            if built.success() { Ok(workspace::release("coffer")) } else { bail!("the release does not build") }
        })?,
    };
    let tests = step("build the tests", || torture::build("coffer"))?;
    let mut command = Command::new(tests);
    command.args(["--exact", TEST, "--nocapture"]).current_dir(workspace::root().join("api"));
    let seconds = workspace::root().join("target/redefine-seconds");
    command.env("REDEFINE_RECORDS", &records).env("REDEFINE_BIN", program).env("REDEFINE_SECONDS", &seconds);
    let status = command.stdout(Stdio::inherit()).stderr(Stdio::inherit()).status()?;
    if !status.success() {
        bail!("it was not redefined as it should be");
    }
    let drawn = draw(&fs::read_to_string(seconds)?, &records)?;
    Ok(fs::write(workspace::root().join("docs/images/redefine.svg"), drawn)?)
}

/// A plot of the p99 of each second, from a line with the seconds at which the change was asked for, was in force and had written all anew, and
/// lines of a second and the milliseconds of reads and writes. Its scale is logarithmic.
fn draw(seconds: &str, records: &str) -> Result<String> {
    const WIDTH: f64 = 800.0;
    const LEFT: f64 = 60.0;
    const RIGHT: f64 = 20.0;
    const TOP: f64 = 60.0;
    const BOTTOM: f64 = 300.0;
    let numbers = |line: &str| line.split(' ').map(str::parse::<f64>).collect::<Result<Vec<_>, _>>();
    let mut lines = seconds.lines();
    let events = numbers(lines.next().context("there is nothing to draw")?)?;
    let points = lines.map(numbers).collect::<Result<Vec<_>, _>>()?;
    let all = || points.iter().flat_map(|point| &point[1..]).copied().filter(|ms| *ms > 0.0);
    let lowest = all().fold(f64::INFINITY, f64::min).log10().floor();
    let highest = all().fold(1.0, f64::max).log10().ceil();
    let last = points.last().map_or(1.0, |point| point[0].max(1.0));
    let x = |second: f64| LEFT + second / last * (WIDTH - LEFT - RIGHT);
    let y = |ms: f64| BOTTOM - (ms.log10() - lowest) / (highest - lowest) * (BOTTOM - TOP);
    let mut body = String::new();
    let mut decade = lowest;
    while decade <= highest {
        let ms = 10f64.powf(decade);
        line(&mut body, "grid", (LEFT, y(ms)), (WIDTH - RIGHT, y(ms)));
        text(&mut body, "small", "end", (LEFT - 8.0, y(ms) + 4.0), &format!("{ms} ms"));
        decade += 1.0;
    }
    for (at, word) in events.iter().zip(["asked for", "in force", "written anew"]) {
        line(&mut body, "span", (x(*at), TOP), (x(*at), BOTTOM));
        let anchor = if x(*at) > WIDTH / 2.0 { "end" } else { "start" };
        text(&mut body, "small", anchor, (x(*at), BOTTOM + 18.0), &format!("{word}, {at:.0} s"));
    }
    for (column, class) in [(1, "reads"), (2, "writes")] {
        let shown = points.iter().filter(|point| point.get(column).is_some_and(|ms| *ms > 0.0));
        let path: Vec<String> = shown.map(|point| format!("{:.1} {:.1}", x(point[0]), y(point[column]))).collect();
        writeln!(body, "<path class=\"{class}\" d=\"M{}\"/>", path.join("L"))?;
    }
    let title = format!("p99 of each second while {records} records are redefined");
    text(&mut body, "title", "start", (16.0, 26.0), &title);
    text(&mut body, "small", "start", (16.0, 46.0), "blue: reads; orange: writes");
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 330\" width=\"{WIDTH}\" height=\"330\" role=\"img\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n<rect class=\"ground\" width=\"{WIDTH}\" height=\"330\" rx=\"6\"/>\n{body}</svg>\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_is_a_point_of_both_lines_and_what_happened_is_told() {
        let drawn = draw("1 2 3\n0 1.50 4.00\n1 2.50 8.00\n2 20.00 0.00\n3 1.00 4.00\n", "1000").unwrap();
        let points = |class: &str| {
            let path = drawn.lines().find(|line| line.contains(&format!("class=\"{class}\""))).unwrap();
            path.matches('L').count() + path.matches('M').count()
        };
        assert_eq!((points("reads"), points("writes")), (4, 3), "{drawn}");
        assert!(drawn.contains("in force, 2 s") && drawn.contains("100 ms"), "{drawn}");
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        assert!(draw("", "1").is_err());
    }
}
