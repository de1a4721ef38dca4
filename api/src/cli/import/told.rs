//! What is said of an import.

use std::io::{self, Write as _};

use anyhow::Result;
use common::{
    Problem,
    import::{Import, RowFault},
    problem::NON_FIELD,
    text::{count, single_line},
};

/// Faults that are told at most.
const MOST: usize = 20;

/// The lines of a refusal: each row that does not fit.
pub(super) fn faults(problem: &Problem) -> Result<()> {
    let number = |place: &str| place.split_once('.').and_then(|(row, _)| row.parse::<u64>().ok());
    let mut places: Vec<_> = problem.errors.0.iter().filter(|(place, _)| *place != NON_FIELD).collect();
    places.sort_by_key(|(place, _)| number(place));
    let lines = places.iter().flat_map(|(place, errors)| {
        errors.iter().map(move |error| match (place.split_once('.'), number(place)) {
            (Some((row, NON_FIELD)), Some(_)) => format!("row {row}: {}", error.message),
            (Some((row, field)), Some(_)) => format!("row {row}, {field}: {}", error.message),
            _ => format!("{place}: {}", error.message),
        })
    });
    tell(lines)
}

/// What is wrong as a whole.
pub(super) fn reason(problem: &Problem) -> String {
    problem.errors.messages(NON_FIELD).next().map_or_else(
        || {
            let is_told = !problem.errors.is_empty();
            if is_told { "it does not fit".to_owned() } else { problem.detail.clone() }
        },
        str::to_owned,
    )
}

/// Faults of rows.
pub(super) fn rows<'a>(faults: impl Iterator<Item = &'a RowFault>) -> Result<()> {
    tell(faults.map(ToString::to_string))
}

fn tell(lines: impl Iterator<Item = String>) -> Result<()> {
    let lines: Vec<String> = lines.collect();
    let mut out = io::stderr();
    for line in lines.iter().take(MOST) {
        writeln!(out, "  {}", single_line(line))?;
    }
    if lines.len() > MOST {
        writeln!(out, "  … and {} more", lines.len() - MOST)?;
    }
    Ok(())
}

/// What was done, or would be.
pub(super) fn done(name: &str, imported: &Import) -> Result<()> {
    let Import { rows: all, created, updated, unchanged, rejected, read, dry_run, .. } = imported;
    let delimiter = match read.delimiter.as_deref() {
        Some(",") => ", commas".to_owned(),
        Some(";") => ", semicolons".to_owned(),
        Some("\t") => ", tabs".to_owned(),
        Some(delimiter) => format!(", {delimiter}"),
        None => String::new(),
    };
    let would = if *dry_run { "would be " } else { "" };
    let seen = imported.looked_at();
    let of = if *dry_run && seen < *all {
        format!(", of which the first {seen} were looked at in the time there is")
    } else {
        String::new()
    };
    let mut out = io::stdout();
    writeln!(
        out,
        "{name}: {} ({}, {}{delimiter}){of}; {created} {would}made, {updated} {would}changed, {unchanged} as they were, {rejected} {would}left out",
        count(*all, "row"),
        read.format,
        read.encoding,
    )?;
    if read.empty > 0 {
        writeln!(
            out,
            "  {} nothing in them and {} passed over",
            has(read.empty),
            if read.empty == 1 { "was" } else { "were" }
        )?;
    }
    rows(imported.faults.iter())?;
    let unused: Vec<_> = read
        .columns
        .iter()
        .filter(|column| column.member.is_none())
        .map(|column| single_line(&column.heading))
        .collect();
    if !unused.is_empty() {
        writeln!(out, "  columns that were left out: {}", unused.join(", "))?;
    }
    Ok(())
}

fn has(rows: u64) -> String {
    format!("{} {}", count(rows, "row"), if rows == 1 { "has" } else { "have" })
}

/// It was done before.
pub(super) fn before(name: &str, imported: &Import) -> Result<()> {
    let at = &imported.started_at;
    Ok(writeln!(io::stdout(), "{name} was imported at {at}; nothing was added. To import it once more, say --again")?)
}
