//! The settings as they are in force, for `/api/settings/`: what each option says and where that is from. What names a file is left out, and
//! what may be a secret.

use std::{any::TypeId, path::PathBuf};

use clap::{Arg, ArgMatches, Command, parser::ValueSource};
use common::endpoints::settings::{Setting, Source};

/// What stands in the name of a value that is left out.
const HIDDEN: [&str; 3] = ["FILE", "DIR", "URL"];
/// Before the path of a socket.
const SOCKET: &str = "unix:";

/// The options of a command, and what was said of them.
pub(in crate::cli) fn settings(command: &Command, matches: &ArgMatches) -> Vec<Setting> {
    let mut settings: Vec<Setting> = command.get_arguments().filter_map(|arg| setting(arg, matches)).collect();
    settings.sort_by(|a, b| a.name.cmp(&b.name));
    settings
}

fn setting(arg: &Arg, matches: &ArgMatches) -> Option<Setting> {
    let (name, id) = (arg.get_long()?.to_owned(), arg.get_id().as_str());
    if matches!(name.as_str(), "help" | "version") {
        return None;
    }
    let from = match matches.try_contains_id(id).ok().and_then(|_| matches.value_source(id)) {
        Some(ValueSource::CommandLine) => Source::CommandLine,
        Some(ValueSource::EnvVariable) => Source::Environment,
        _ => Source::Default,
    };
    let raw = matches.try_get_raw(id).ok().flatten();
    let value =
        raw.map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>().join(","));
    let is_hidden = value.as_ref().is_some_and(|value| is_secret(arg, value));
    Some(Setting { name, value: value.filter(|_| !is_hidden), from, is_hidden })
}

fn is_secret(arg: &Arg, value: &str) -> bool {
    // Of `FILE|off`, `off` is no file.
    let names = arg.get_value_names().unwrap_or_default().iter().flat_map(|names| names.split('|'));
    let is_word = names.clone().any(|name| name == value);
    let is_named = names.into_iter().any(|name| HIDDEN.contains(&name));
    let is_path = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    !is_word && (is_named || is_path || value.contains(SOCKET))
}
