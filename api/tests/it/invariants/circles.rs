//! Circles of modules: what each module names, and which of them lead back to it. A module and those below it are one; so a page may name its rows.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::sources;

/// The modules of a crate: what each imports, by the name that it has there.
struct Modules {
    imports: BTreeMap<Vec<String>, BTreeMap<String, Vec<String>>>,
    code: BTreeMap<Vec<String>, String>,
}

impl Modules {
    fn read(folder: &str) -> Self {
        let mut modules = Self { imports: BTreeMap::new(), code: BTreeMap::new() };
        for source in sources(folder) {
            let path = source.path.trim_start_matches(folder).trim_matches('/').trim_end_matches(".rs");
            let module: Vec<String> = path.split('/').map(str::to_owned).collect();
            let module = if ["lib", "main"].contains(&path) { Vec::new() } else { module };
            let mut imports = BTreeMap::new();
            let mut code = String::new();
            let mut rest = source.code.as_str();
            while let Some(at) = rest.find("use ") {
                let is_word = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let Some(end) = rest[at..].find(';').filter(|_| is_word) else {
                    code.push_str(&rest[..at + 4]);
                    rest = &rest[at + 4..];
                    continue;
                };
                code.push_str(&rest[..at]);
                let tree: String = rest[at + 4..at + end].split_whitespace().collect::<Vec<_>>().join(" ");
                for (name, path) in leaves(&tree) {
                    imports.insert(name, path);
                }
                rest = &rest[at + end + 1..];
            }
            code.push_str(rest);
            modules.imports.insert(module.clone(), imports);
            modules.code.insert(module, code);
        }
        modules
    }

    /// The module in which what `path` names in `module` is written; `None` where that is another crate's.
    fn home(&self, module: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (module.to_vec(), rest),
            "super" => (module[..module.len().checked_sub(1)?].to_vec(), rest),
            _ if self.imports.contains_key(&[module, &path[..1]].concat()) => ([module, &path[..1]].concat(), rest),
            name => {
                let import = self.imports[module].get(name).filter(|_| depth > 0)?;
                return self.home(module, &[import, rest].concat(), depth - 1);
            }
        };
        while let Some((name, behind)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
            } else if self.imports.contains_key(&[&at[..], &rest[..1]].concat()) {
                at.push(name.clone());
            } else if let Some(import) = self.imports[&at].get(name).filter(|_| depth > 0) {
                return self.home(&at, &[import, behind].concat(), depth - 1).or(Some(at));
            } else {
                break;
            }
            rest = behind;
        }
        Some(at)
    }

    /// The modules that each names, but for those above and below it.
    fn named(&self) -> BTreeMap<&[String], BTreeSet<Vec<String>>> {
        let mut named = BTreeMap::new();
        for (module, imports) in &self.imports {
            let paths = imports.values().cloned().chain(paths(&self.code[module], imports));
            let homes = paths.filter_map(|path| self.home(module, &path, 8));
            let others = homes.filter(|home| !home.starts_with(module) && !module.starts_with(home));
            named.insert(module.as_slice(), others.collect());
        }
        named
    }
}

/// What a tree of imports brings in, each by its name: `a::{b, c as d}`.
fn leaves(tree: &str) -> Vec<(String, Vec<String>)> {
    let tree = tree.trim();
    if let Some((before, inner)) = tree.split_once('{') {
        let inner = inner.strip_suffix('}').unwrap_or(inner);
        let before: Vec<String> =
            before.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
        for (i, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if c == ',' && depth == 0 {
                parts.push(&inner[start..i]);
                start = i + 1;
            }
        }
        let below = parts.into_iter().filter(|part| !part.trim().is_empty()).flat_map(leaves);
        return below
            .map(|(name, path)| {
                if name == "self" {
                    (before.last().cloned().unwrap_or(name), before.clone())
                } else {
                    (name, [&before[..], &path].concat())
                }
            })
            .collect();
    }
    let (path, renamed) =
        tree.split_once(" as ").map_or((tree, None), |(path, name)| (path, Some(name.trim().to_owned())));
    let path: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
    let name = renamed.unwrap_or_else(|| path.last().cloned().unwrap_or_default());
    vec![(name, path)]
}

/// Paths within code that begin at the crate, above, or with something imported.
fn paths(code: &str, imports: &BTreeMap<String, Vec<String>>) -> Vec<Vec<String>> {
    let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c: char| !is_of_path(c)).filter(|word| word.contains("::"));
    let parts = words.map(|word| word.split("::").map(str::to_owned).collect::<Vec<_>>());
    parts.filter(|parts| ["crate", "super"].contains(&parts[0].as_str()) || imports.contains_key(&parts[0])).collect()
}

/// The circles of a crate: each the modules that lead to each other.
fn circles(folder: &str) -> Vec<BTreeSet<String>> {
    let modules = Modules::read(folder);
    let named = modules.named();
    let reached = |from: &[String]| {
        let (mut seen, mut waiting) = (BTreeSet::new(), vec![from.to_vec()]);
        while let Some(module) = waiting.pop() {
            let next = named.get(module.as_slice()).into_iter().flatten();
            waiting.extend(next.filter(|next| seen.insert((*next).clone())).cloned());
        }
        seen
    };
    let reach: BTreeMap<&[String], BTreeSet<Vec<String>>> =
        named.keys().map(|module| (*module, reached(module))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (module, ahead) in &reach {
        let circle: BTreeSet<String> = ahead
            .iter()
            .filter(|other| reach.get(other.as_slice()).is_some_and(|back| back.contains(*module)))
            .map(|module| module.join("::"))
            .collect();
        if !circle.is_empty() && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Where modules name each other on purpose. A kind of work in the background is a case of what is stored of it, and needs what it does; a write
/// that does not fit a coming definition ends that work. A migration is such work, and changes definitions and records as requests do.
const MEANT: [(&str, &[&str]); 1] = [(
    "api/src",
    &[
        "domain::collections",
        "domain::migrations::run",
        "domain::operations",
        "domain::records::by_step",
        "domain::records::cascade",
        "domain::records::change",
        "domain::records::checks",
        "domain::records::import",
        "domain::records::delete",
        "domain::records::find",
        "domain::stage",
        "domain::undo",
    ],
)];

#[test]
fn modules_do_not_go_in_circles() {
    for folder in
        ["api/src", "api/base/src", "api/logging/src", "api/server/src", "tui/client/src", "tui/src", "web/src"]
    {
        let meant = MEANT.iter().filter(|(of, _)| *of == folder).flat_map(|(_, modules)| modules.iter());
        let meant: Vec<&str> = meant.copied().collect();
        for circle in circles(folder) {
            let rest: Vec<_> =
                circle.iter().filter(|module| !meant.iter().any(|known| module.starts_with(known))).collect();
            assert!(
                rest.is_empty(),
                "{folder}: {circle:?} lead to each other; what two of them share belongs into a file of its own"
            );
        }
    }
}

#[test]
fn a_circle_is_seen() {
    // The crate whose modules these are has one that stays; what is read here is what the test above reads.
    let circle = circles("api/src").into_iter().find(|circle| circle.contains("domain::stage"));
    assert!(circle.is_some_and(|circle| circle.contains("domain::operations::redefine")), "{:?}", circles("api/src"));
    assert_eq!(
        leaves("super::{a::{self, B}, c as d, E}")
            .iter()
            .map(|(name, path)| format!("{name}={}", path.join("::")))
            .collect::<Vec<_>>(),
        ["a=super::a", "B=super::a::B", "d=super::c", "E=super::E"]
    );
}
