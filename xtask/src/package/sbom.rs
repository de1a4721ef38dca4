//! What the programs and the web app inside are made of, as a `CycloneDX` document (version 1.6): each crate that is linked in, with its licence, the
//! checksum of its source, and what it needs. What only runs while they are built is not in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Release, hex, sha256};
use crate::{step, workspace};

/// What is handed out: the packages of cargo, their target and features.
const TREES: [&[&str]; 2] = [
    &["--target", "x86_64-unknown-linux-gnu", "--package", "coffer", "--package", "coffer-tui"],
    &["--target", "wasm32-unknown-unknown", "--package", "coffer-web", "--features", "split"],
];

/// A name and a version.
type Crate = (String, String);

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    description: Option<String>,
    repository: Option<String>,
}

/// The document.
pub(super) fn document(release: &Release) -> Result<Vec<u8>> {
    let mut needs: BTreeMap<Crate, BTreeSet<Crate>> = BTreeMap::new();
    let mut handed_out = BTreeSet::new();
    for tree in TREES {
        let mut cargo = workspace::cargo(&["tree", "--locked", "--quiet", "--prefix", "depth", "--format", "{p}"]);
        cargo.args(["--edges", "normal,no-proc-macro"]).args(tree);
        let told = step::answer(&mut cargo).context("cargo tree does not answer")?;
        handed_out.extend(read_tree(&told, &mut needs)?);
    }
    let lock: Lock = toml::from_str(&fs::read_to_string(workspace::root().join("Cargo.lock"))?)?;
    let checksums: BTreeMap<Crate, String> =
        lock.package.into_iter().filter_map(|locked| Some(((locked.name, locked.version), locked.checksum?))).collect();
    let mut cargo = workspace::cargo(&["metadata", "--locked", "--quiet", "--format-version", "1"]);
    cargo.args(["--filter-platform", TREES[0][1], "--filter-platform", TREES[1][1]]);
    let told = step::answer(&mut cargo).context("cargo metadata does not answer")?;
    let metadata: Metadata = serde_json::from_str(&told)?;
    let packages: BTreeMap<Crate, Package> = metadata
        .packages
        .into_iter()
        .map(|package| ((package.name.clone(), package.version.clone()), package))
        .collect();
    let components: Vec<Value> =
        needs.keys().map(|found| component(found, packages.get(found), checksums.get(found))).collect();

    let own = format!("pkg:generic/coffer@{}", release.version);
    let of = |found: &BTreeSet<Crate>| found.iter().map(purl).collect::<Vec<_>>();
    let mut dependencies = vec![json!({"ref": own, "dependsOn": of(&handed_out)})];
    dependencies.extend(needs.iter().map(|(found, needs)| json!({"ref": purl(found), "dependsOn": of(needs)})));
    let time = UNIX_EPOCH + Duration::from_secs(release.epoch);
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": humantime::format_rfc3339_seconds(time).to_string(),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "coffer",
                "version": release.version,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    // The number of this very document, made of what is in it.
    document["serialNumber"] = format!("urn:uuid:{}", uuid(&document)).into();
    Ok(format!("{document:#}\n").into_bytes())
}

/// Reads lines such as `2alloc-stdlib v0.3.0 (*)`, the number being how deep the crate stands; gives those at the top.
fn read_tree(told: &str, needs: &mut BTreeMap<Crate, BTreeSet<Crate>>) -> Result<BTreeSet<Crate>> {
    let (mut above, mut top) = (Vec::<Crate>::new(), BTreeSet::new());
    for line in told.lines().filter(|line| !line.is_empty()) {
        let what = || format!("cargo tree says \"{line}\"");
        let digits = line.find(|letter: char| !letter.is_ascii_digit()).with_context(what)?;
        let (depth, rest) = line.split_at(digits);
        let mut words = rest.split_whitespace();
        let (name, version) = (words.next().with_context(what)?, words.next().with_context(what)?);
        let found = (name.to_owned(), version.strip_prefix('v').with_context(what)?.to_owned());
        above.truncate(depth.parse().with_context(what)?);
        needs.entry(found.clone()).or_default();
        match above.last() {
            Some(who) => _ = needs.entry(who.clone()).or_default().insert(found.clone()),
            None => _ = top.insert(found.clone()),
        }
        above.push(found);
    }
    Ok(top)
}

fn component(found: &Crate, package: Option<&Package>, checksum: Option<&String>) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(found),
        "name": found.0,
        "version": found.1,
        "purl": purl(found),
    });
    if let Some(checksum) = checksum {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    let Some(package) = package else { return component };
    if let Some(licence) = &package.license {
        // How cargo wrote it before there was SPDX's grammar.
        component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
    }
    if let Some(description) = &package.description {
        component["description"] = description.trim().into();
    }
    if let Some(repository) = package.repository.as_ref().filter(|url| url.starts_with("https://")) {
        component["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
    }
    component
}

fn purl((name, version): &Crate) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// A UUID of the eighth version, whose content is free (RFC 9562, 5.8).
fn uuid(document: &Value) -> String {
    let mut bytes = sha256(document.to_string().as_bytes());
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes[..16]);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_with_who_needs_whom() {
        let told = "0coffer v0.2.0 (/src/api)\n1brotli v9.1.1\n2alloc v3.0.0\n1bytes v1.0.0\n\n0coffer-tui v0.2.0 (/src/tui)\n1brotli v9.1.1 (*)\n";
        let mut needs = BTreeMap::new();
        let top = read_tree(told, &mut needs).unwrap();
        let of = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(top, BTreeSet::from([of("coffer", "0.2.0"), of("coffer-tui", "0.2.0")]));
        assert_eq!(needs[&of("coffer", "0.2.0")], BTreeSet::from([of("brotli", "9.1.1"), of("bytes", "1.0.0")]));
        assert_eq!(needs[&of("brotli", "9.1.1")], BTreeSet::from([of("alloc", "3.0.0")]));
        assert_eq!(needs[&of("coffer-tui", "0.2.0")], BTreeSet::from([of("brotli", "9.1.1")]));
        read_tree("nonsense", &mut needs).unwrap_err();
    }
}
