//! The sources of the workspace, as far as a test reads them: which files there are, and which crates and modules they name.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folders of what is shipped.
pub(crate) const SHIPPED: [&str; 10] = [
    "common/src",
    "api/src",
    "api/auth/src",
    "api/base/src",
    "api/logging/src",
    "api/server/src",
    "api/store/src",
    "tui/src",
    "tui/client/src",
    "web/src",
];

/// One file of the workspace: its path from the root, and its code without comments and without test modules.
pub(crate) struct Source {
    pub path: String,
    pub code: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file with this ending under a folder of the workspace.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![root().join(folder)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|known| known == ending) {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!found.is_empty(), "{folder} has no .{ending} files");
    found.sort();
    found
}

/// The code of a folder. What is compiled for tests only may know more.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let files = files(folder, "rs");
    let is_test = |path: &str| {
        let module = Path::new(path).file_stem().unwrap().to_str().unwrap();
        let declared = format!("#[cfg(test)]\nmod {module};");
        module == "tests" || path.contains("/tests/") || files.iter().any(|(_, text)| text.contains(&declared))
    };
    let shipped = files.iter().filter(|(path, _)| !is_test(path));
    shipped.map(|(path, text)| Source { path: path.clone(), code: without_tests(&without_comments(text)) }).collect()
}

/// Drops `//` comments. A `//` inside a text literal goes too, with the rest of its line: no harm here.
fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Drops everything from a `#[cfg(test)]` to the end of the item that follows.
pub(crate) fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let open = item.find('{').unwrap_or(item.len());
        let semicolon = item.find(';').unwrap_or(item.len());
        if semicolon < open {
            rest = &item[semicolon + 1..];
            continue;
        }
        let mut depth = 0;
        let end = item.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            *c == '}' && depth == 0
        });
        rest = end.map_or("", |(at, _)| &item[at + 1..]);
    }
    kept.push_str(rest);
    kept
}

/// Whether code names a crate or module in a path: `name::…`, or `use name;`. `other::name::…` is somebody else's.
pub(crate) fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let mut before = &code[..at];
        let after = &code[at + name.len()..];
        let ends_in_name = |code: &str| code.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
        // `::name` is the crate, whatever else is called so.
        before = before.strip_suffix("::").filter(|before| !ends_in_name(before)).unwrap_or(before);
        let starts = !ends_in_name(before) && !before.ends_with("::");
        let used = before.trim_end().ends_with("use") && after.starts_with([';', ' ']);
        starts && (after.starts_with("::") || used)
    })
}

/// In `folder`, only files whose path begins with one of `places` name one of `crates`.
pub(crate) fn only(folder: &str, places: &[&str], crates: &[&str]) {
    let mut seen = false;
    for source in sources(folder) {
        for name in crates.iter().filter(|name| names(&source.code, name)) {
            seen = true;
            let allowed = places
                .iter()
                .any(|place| source.path == format!("{place}.rs") || source.path.starts_with(&format!("{place}/")));
            assert!(allowed, "{} names {name}; only {places:?} may", source.path);
        }
    }
    assert!(seen || places.is_empty(), "nobody in {folder} names {crates:?}: does this line still say anything?");
}

/// The modules of a crate that code names, wherever it does: `name::module`, `name::{module, …}`.
pub(crate) fn modules_named(code: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, path) in code.match_indices(&format!("{name}::")) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            continue;
        };
        let mut depth = 0;
        let end = group.find(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth < 0
        });
        let mut depth = 0;
        let parts = group[..end.unwrap()].split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        let parts = parts.map(str::trim).filter(|part| !part.is_empty());
        found.extend(parts.map(|part| part.split("::").next().unwrap_or_default().to_owned()));
    }
    found
}
