//! Circles of modules: what each module names, and which of them lead back to it. A page may name its rows, and they it.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{SHIPPED, sources};

/// The modules of a crate: what each imports, by the name that it has there.
struct Modules {
    imports: BTreeMap<Vec<String>, BTreeMap<String, Import>>,
    code: BTreeMap<Vec<String>, String>,
}

/// What a name stands for, and whether others may import it from here.
struct Import {
    path: Vec<String>,
    is_passed_on: bool,
}

/// Where something is written, and what is left of its path there: nothing, where it is the module itself.
type Home<'a> = (Vec<String>, &'a [String]);

impl Modules {
    fn read(folder: &str) -> Self {
        let sources = sources(folder);
        let strip = |path: &str| path.trim_start_matches(folder).trim_matches('/').trim_end_matches(".rs").to_owned();
        Self::of(sources.iter().map(|source| (strip(&source.path), source.code.as_str())))
    }

    /// Of modules by their paths within the crate, `a/b` for `a::b`.
    fn of<'a>(sources: impl Iterator<Item = (String, &'a str)>) -> Self {
        let mut modules = Self { imports: BTreeMap::new(), code: BTreeMap::new() };
        let mut waiting: Vec<(Vec<String>, String)> = Vec::new();
        for (path, source) in sources {
            let module: Vec<String> = path.split('/').map(str::to_owned).collect();
            let module = if ["lib", "main"].contains(&path.as_str()) { Vec::new() } else { module };
            waiting.push((module, without_scopes(source)));
        }
        while let Some((module, source)) = waiting.pop() {
            let (source, inner) = inline_modules(&source);
            waiting.extend(inner.into_iter().map(|(name, code)| ([&module[..], &[name]].concat(), code)));
            let mut imports = BTreeMap::new();
            let mut code = String::new();
            let mut rest = source.as_str();
            while let Some(at) = rest.find("use ") {
                let is_word = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let Some(end) = rest[at..].find(';').filter(|_| is_word) else {
                    code.push_str(&rest[..at + 4]);
                    rest = &rest[at + 4..];
                    continue;
                };
                code.push_str(&rest[..at]);
                let before = rest[..at].trim_end();
                let is_passed_on = before.ends_with("pub") || before.ends_with(')');
                let tree: String = rest[at + 4..at + end].split_whitespace().collect::<Vec<_>>().join(" ");
                for (name, path) in leaves(&tree) {
                    imports.insert(name, Import { path, is_passed_on });
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
    fn home<'a>(&'a self, module: &[String], path: &'a [String], depth: usize) -> Option<Home<'a>> {
        let (first, rest) = path.split_first()?;
        let (mut at, mut rest) = match first.as_str() {
            "crate" => (Vec::new(), rest),
            "self" => (module.to_vec(), rest),
            "super" => (module[..module.len().checked_sub(1)?].to_vec(), rest),
            _ if self.imports.contains_key(&[module, &path[..1]].concat()) => ([module, &path[..1]].concat(), rest),
            name => {
                let import = &self.imports[module].get(name).filter(|_| depth > 0)?.path;
                let (home, left) = self.home(module, import, depth - 1)?;
                if !left.is_empty() {
                    return Some((home, left));
                }
                (home, rest)
            }
        };
        while let Some((name, behind)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
            } else if self.imports.contains_key(&[&at[..], &rest[..1]].concat()) {
                at.push(name.clone());
            } else if let Some(import) = self.imports.get(&at)?.get(name).filter(|_| depth > 0) {
                match self.home(&at, &import.path, depth - 1) {
                    Some((home, [])) => at = home,
                    Some(found) => return Some(found),
                    // It is passed on from another crate.
                    None => return Some((at, rest)),
                }
            } else {
                break;
            }
            rest = behind;
        }
        Some((at, rest))
    }

    /// The modules that each names. What a module only passes on from below it does not use; and what is named by way of a module is
    /// that of the module in which it is written.
    fn named(&self) -> BTreeMap<&[String], BTreeSet<Vec<String>>> {
        let mut named = BTreeMap::new();
        for (module, imports) in &self.imports {
            let code = &self.code[module];
            let is_used = |name: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            let mut homes = BTreeSet::new();
            for (name, import) in imports {
                if let Some((home, [_, ..])) = self.home(module, &import.path, 8)
                    && (!import.is_passed_on || !home.starts_with(module) || is_used(name))
                {
                    homes.insert(home);
                }
            }
            for path in self.paths(module, code) {
                homes.extend(self.home(module, &path, 8).map(|(home, _)| home));
            }
            homes.remove(module);
            named.insert(module.as_slice(), homes);
        }
        named
    }

    /// Paths within code that begin at the crate, above, below, or with something imported.
    fn paths(&self, module: &[String], code: &str) -> Vec<Vec<String>> {
        let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let words = code.split(|c: char| !is_of_path(c)).filter(|word| word.contains("::"));
        let parts = words.map(|word| word.split("::").map(str::to_owned).collect::<Vec<_>>());
        let begins = |parts: &Vec<String>| {
            ["crate", "super", "self"].contains(&parts[0].as_str())
                || self.imports[module].contains_key(&parts[0])
                || self.imports.contains_key(&[module, &parts[..1]].concat())
        };
        parts.filter(begins).collect()
    }

    /// The circles: each the modules that lead to each other. One of a module and some below it is none (an enum and its cases, a page and its
    /// rows), unless those below it lead to each other without it.
    fn circles(&self) -> Vec<BTreeSet<String>> {
        let mut named = self.named();
        let mut found = Vec::new();
        loop {
            let circles = all_circles(&named);
            if circles.is_empty() {
                return found;
            }
            for circle in circles {
                let top =
                    circle.iter().find(|top| !top.is_empty() && circle.iter().all(|module| module.starts_with(top)));
                if let Some(top) = top {
                    named.remove(top.as_slice());
                } else {
                    found.push(circle.iter().map(|module| module.join("::")).collect());
                    named.retain(|module, _| !circle.contains(*module));
                }
            }
        }
    }
}

/// The sets of modules that lead to each other.
fn all_circles(named: &BTreeMap<&[String], BTreeSet<Vec<String>>>) -> BTreeSet<BTreeSet<Vec<String>>> {
    let modules: Vec<&[String]> = named.keys().copied().collect();
    let places: BTreeMap<&[String], usize> = modules.iter().enumerate().map(|(i, module)| (*module, i)).collect();
    let next: Vec<Vec<usize>> = named
        .values()
        .map(|named| named.iter().filter_map(|module| places.get(module.as_slice()).copied()).collect())
        .collect();
    let reached = |from: usize| {
        let (mut seen, mut waiting) = (vec![false; modules.len()], vec![from]);
        while let Some(module) = waiting.pop() {
            waiting.extend(next[module].iter().filter(|next| !std::mem::replace(&mut seen[**next], true)));
        }
        seen
    };
    let reach: Vec<Vec<bool>> = (0..modules.len()).map(reached).collect();
    let of =
        |i: usize| (0..modules.len()).filter(|j| reach[i][*j] && reach[*j][i]).map(|j| modules[j].to_vec()).collect();
    (0..modules.len()).map(of).filter(|circle: &BTreeSet<_>| !circle.is_empty()).collect()
}

/// The modules that are written out within code, by their names, and the code without them and without the declarations of others.
fn inline_modules(code: &str) -> (String, Vec<(String, String)>) {
    let (mut kept, mut found, mut rest) = (String::new(), Vec::new(), code);
    while let Some(at) = rest.find("mod ") {
        let behind = &rest[at + 4..];
        let name: String = behind.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let body = behind[name.len()..].trim_start();
        let is_word = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if !is_word || name.is_empty() || !body.starts_with(['{', ';']) {
            kept.push_str(&rest[..at + 4]);
            rest = behind;
            continue;
        }
        kept.push_str(&rest[..at]);
        let mut depth = 0;
        let end = body.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0
        });
        let end = end.map_or(body.len(), |(end, _)| end);
        if body.starts_with('{') {
            found.push((name, body[1..end].to_owned()));
        }
        rest = body.get(end + 1..).unwrap_or_default();
    }
    kept.push_str(rest);
    (kept, found)
}

/// Code without the modules that something is visible in, which are no imports: `pub(in crate::a)`.
fn without_scopes(code: &str) -> String {
    let mut parts = code.split("(in ");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push('(');
        kept.push_str(part.find(')').map_or(part, |end| &part[end..]));
    }
    kept
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

#[test]
fn modules_do_not_go_in_circles() {
    let mut faults = Vec::new();
    for folder in SHIPPED {
        for circle in Modules::read(folder).circles() {
            faults.push(format!("{folder}: {circle:?}"));
        }
    }
    assert!(
        faults.is_empty(),
        "these lead to each other; what two of them share belongs into a file of its own, below both: {faults:#?}"
    );
}

#[test]
fn a_circle_is_seen() {
    let circles = |sources: &[(&str, &str)]| {
        let found = Modules::of(sources.iter().map(|(path, code)| ((*path).to_owned(), *code))).circles();
        let told = found.iter().map(|circle| circle.iter().cloned().collect::<Vec<_>>().join(" "));
        told.collect::<Vec<_>>()
    };
    assert_eq!(circles(&[("a", "use crate::b::B;"), ("b", "use super::a::A;")]), ["a b"]);
    assert_eq!(circles(&[("a", "use crate::b; fn f() { b::f() }"), ("b", "fn f(x: crate::a::A) {}")]), ["a b"]);
    assert!(circles(&[("a", "use crate::b::B;"), ("b", "pub(in crate::a) fn f() {}")]).is_empty());
    // By way of a module that passes on what is written below it.
    let through = [
        ("a", "mod x; mod y; pub use x::X; pub use y::Y;"),
        ("a/x", "use crate::b::B;"),
        ("a/y", "use super::X;"),
        ("b", "use crate::a::Y;"),
    ];
    assert_eq!(circles(&through), ["a::x a::y b"]);
    assert!(circles(&[&through[..3], &[("b", "")]].concat()).is_empty());
    // `super` of a module that is written out within another is that one.
    assert!(circles(&[("main", "mod a; use a::A;"), ("a", "struct B; mod x { use super::B; }")]).is_empty());
    // It uses what it passes on.
    let page = [("a", "mod x; pub use x::X; struct A(X);"), ("a/x", "use super::A;")];
    assert!(circles(&page).is_empty(), "a page and its row");
    let rows =
        [("a", "mod x; mod y; use x::X; struct A;"), ("a/x", "use super::{A, y::Y};"), ("a/y", "use super::x::X;")];
    assert_eq!(circles(&rows), ["a::x a::y"]);
    let around = [("a", "mod x; use x::X; struct A;"), ("a/x", "use crate::b::B;"), ("b", "use crate::a::A;")];
    assert_eq!(circles(&around), ["a a::x b"]);
    assert_eq!(
        leaves("super::{a::{self, B}, c as d, E}")
            .iter()
            .map(|(name, path)| format!("{name}={}", path.join("::")))
            .collect::<Vec<_>>(),
        ["a=super::a", "B=super::a::B", "d=super::c", "E=super::E"]
    );
}
