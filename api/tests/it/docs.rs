//! The pages hold: the tables of routes are `common::ENDPOINTS`, links lead somewhere, and every block of commands runs as it stands ([`page`]
//! reads a page, [`run`] runs it). A block that cannot run here says so in the page, and stands in [`NOT_RUN`].

mod page;
#[cfg(feature = "e2e")]
mod run;

use std::{collections::BTreeSet, fs, path::PathBuf};

use common::ENDPOINTS;

use self::page::Page;
use crate::{invariants::sources, support};

/// The blocks that do not run in the tests: the page, and why. What can be said of their commands otherwise is checked below.
const NOT_RUN: [(&str, &str); 21] = [
    ("CONTRIBUTING.md", "these are the tests themselves"),
    ("CONTRIBUTING.md", "serves until it is stopped"),
    ("CONTRIBUTING.md", "draws on the terminal until it is left"),
    ("CONTRIBUTING.md", "these are the tests themselves"),
    ("README.md", "needs a package"),
    ("README.md", "builds the release, which takes minutes"),
    ("README.md", "builds the release, which takes minutes"),
    ("docs/deployment.md", "needs a package"),
    ("docs/deployment.md", "needs a PostgreSQL"),
    ("docs/deployment.md", "needs a PostgreSQL"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs Docker"),
    ("docs/deployment.md", "needs Docker"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
    ("docs/deployment.md", "needs root and systemd"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every page, by its path from the root.
fn pages() -> Vec<Page> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let top = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        top.chain(docs).filter(|path| path.extension().is_some_and(|is| is == "md")).collect();
    files.sort();
    files.iter().map(|file| Page::read(&root(), file)).collect()
}

fn page(name: &str) -> Page {
    Page::read(&root(), &root().join(name))
}

/// The rows of a table between two marks, each with so many columns.
fn rows(page: &Page) -> Vec<Vec<String>> {
    let (_, rest) = page.text.split_once("<!-- routes -->").expect("the table begins");
    let (table, _) = rest.split_once("<!-- /routes -->").expect("the table ends");
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Each difference from Django REST Framework names the test that holds it, in a comment that a reader does not see.
#[test]
fn every_difference_from_django_rest_framework_has_a_test() {
    let page = page("docs/from-drf.md");
    let (_, rest) = page.text.split_once("## Stricter").expect("the differences begin");
    let (differences, _) = rest.split_once("## Move the data").expect("the differences end");
    let tests: String =
        sources::files("api", "rs").into_iter().chain(sources::files("common", "rs")).map(|(_, text)| text).collect();
    let mut missing = Vec::new();
    for difference in differences.split("\n- ").skip(1) {
        let difference = difference.split("\n## ").next().unwrap_or_default();
        let names: Vec<&str> =
            difference.split("<!-- test: ").skip(1).filter_map(|name| name.split(" -->").next()).collect();
        if names.is_empty() || !names.iter().all(|name| tests.contains(&format!("fn {name}("))) {
            missing.push(difference.trim());
        }
    }
    assert!(
        missing.is_empty(),
        "these name no test that is there, as <!-- test: its_name --> at their end: {missing:#?}"
    );
}

/// So does each entry of the page for operators in need.
#[test]
fn every_entry_of_the_page_on_troubles_is_provoked_by_a_test() {
    let page = page("docs/troubleshooting.md");
    let tests: String = sources::files("api", "rs").into_iter().map(|(_, text)| text).collect();
    let entries: Vec<&str> = page.text.lines().filter(|line| line.starts_with("- ")).collect();
    assert!(entries.len() > 20, "{entries:?}");
    for entry in entries {
        let name = entry.split_once("<!-- test: ").and_then(|(_, rest)| rest.strip_suffix(" -->"));
        let name = name.unwrap_or_else(|| panic!("this names no test, as <!-- test: its_name --> at its end: {entry}"));
        assert!(tests.contains(&format!("fn {name}(")), "there is no test {name}: {entry}");
    }
}

#[test]
fn the_tables_of_routes_are_the_list_of_endpoints() {
    // The README has one row for what one path answers to the same callers; the API's page says what each method does.
    let mut short: Vec<Vec<String>> = Vec::new();
    let mut full: Vec<Vec<String>> = Vec::new();
    for info in ENDPOINTS {
        let path = format!("`{}`", info.path);
        let (method, token) = (info.method.as_str().to_owned(), info.access.token().to_owned());
        full.push(vec![method.clone(), path.clone(), token.clone(), info.summary.to_owned()]);
        match short.iter_mut().find(|row| row[1] == path && row[2] == token) {
            Some(row) => row[0] = format!("{} {method}", row[0]),
            None => short.push(vec![method, path, token]),
        }
    }
    for (name, due) in [("README.md", short), ("docs/api.md", full)] {
        let table: Vec<String> = due.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
        assert!(rows(&page(name)) == due, "the rows of the table in {name} have to be\n{}", table.join("\n"));
    }
}

#[test]
fn every_block_of_commands_runs_or_says_why_not() {
    let mut not_run = Vec::new();
    for page in pages() {
        for block in &page.blocks {
            match (&block.not_run, page.server) {
                (Some(reason), _) => not_run.push((page.name.clone(), reason.clone())),
                (None, None) => panic!("{}: nothing says over which server this runs:\n{}", page.name, block.commands),
                (None, Some(_)) => {}
            }
        }
        assert!(!page.has_indented_block, "{} has a block that is indented; fence it, so that it is run", page.name);
    }
    let listed: Vec<(String, String)> = NOT_RUN.map(|(page, reason)| (page.to_owned(), reason.to_owned())).into();
    assert_eq!(not_run, listed);
}

/// Commands of blocks that do not run: ours exist with the flags that they are given.
#[test]
fn commands_that_do_not_run_here_are_understood() {
    for page in pages() {
        let not_run = page.blocks.iter().filter(|block| block.not_run.is_some());
        for line in not_run.flat_map(|block| block.commands.lines()) {
            let command = line.split(" #").next().unwrap_or_default();
            for (at, _) in command.match_indices("coffer ") {
                let before = command[..at].trim_end();
                if !(before.is_empty()
                    || before.ends_with("&&")
                    || ["sudo", "sudo -u coffer"].iter().any(|word| before.ends_with(word)))
                {
                    continue;
                }
                let words = command[at..].split(" && ").next().unwrap().split(" < ").next().unwrap();
                let words = words.split_whitespace().map(Into::into);
                assert!(coffer::cli::understands(words), "{}: {line}", page.name);
            }
        }
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    for page in pages() {
        for link in page.links() {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.file.clone() } else { page.file.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}", page.name);
            if !anchor.is_empty() {
                let anchors = Page::read(&root(), &target).anchors();
                assert!(anchors.contains(anchor), "{} links to {link}; there are {anchors:?}", page.name);
            }
        }
    }
}

/// `docs/operations.md` says of which options of `coffer serve` there is no variable.
#[test]
fn every_option_is_a_variable_but_those_that_are_named() {
    let help = support::server::said(&support::command().args(["serve", "--help"]).output().unwrap());
    let options = help.split("\n      --").skip(1);
    let without: BTreeSet<&str> = options
        .filter(|option| !option.contains("[env:") && !option.split_whitespace().collect::<String>().contains("[env:"))
        .filter_map(|option| option.split([' ', '\n']).next())
        .filter(|name| *name != "help")
        .collect();
    let page = page("docs/operations.md");
    let sentence = page.text.split_once("Each is an environment variable too").unwrap().1.lines().next().unwrap();
    let named: BTreeSet<&str> = sentence.split("`--").skip(2).filter_map(|rest| rest.split('`').next()).collect();
    assert_eq!(named, without, "{sentence}");
}
