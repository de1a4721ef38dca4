//! The web app of a release, in parts: what the first page takes, and the parts that `web/src/later.rs` names, which are fetched afterwards.
//!
//! cargo links one file with its relocations; wasm-split-cli cuts it at the functions that are marked; wasm-bindgen writes the glue of the first
//! part; wasm-opt makes each part smaller. trunk cannot do this, since its hooks run before the linking or after the glue. The files import each
//! other, so all of a build carry one hash, of everything that was built; names with a hash are kept by browsers for ever.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    page::{self, digest},
    step, tools,
    wasm::WasmTarget,
    workspace,
};

/// Stands in all names until the hash is known.
const NO_HASH: &str = "coffer-0";
/// What wasm-split-cli calls the script that fetches parts. The first part's import has this name too, whatever the file is called.
const LINK: &str = "__wasm_split.js";
/// What that script does with any failure, and what it does here: a part that does not come, which is a `TypeError` in every browser, is told by
/// the page that wants it, and by none when it was fetched ahead. A part that came and does not fit is told on the console.
const TELLS_FAILURES: [&str; 2] = ["console.error(e);", "if (!(e instanceof TypeError)) console.error(e);"];
const PROFILE: &str = "wasm";
const TRIPLE: &str = "wasm32-unknown-unknown";
/// The features that every browser of the last years has, and that rustc uses.
const WASM_OPT: [&str; 7] = [
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];
/// Modules of pages that later parts hold. Code of theirs in the first part means that something else than `later.rs` names them.
pub(crate) const LATER_PAGES: [&str; 15] = [
    "changes",
    "collections",
    "dashboard",
    "editor",
    "explorer",
    "invitations",
    "many",
    "password",
    "record",
    "server",
    "sessions",
    "set_up",
    "sign_in",
    "users",
    "views",
];

/// How the standard library of the parts was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Std {
    /// As it comes.
    Ordinary,
    /// From its source, for size, and without messages for panics: a tenth smaller.
    ImmediateAbort,
}

impl Std {
    /// Stands in the stamp of a build.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::ImmediateAbort => "immediate-abort",
        }
    }
}

/// Builds the app into `dist/`.
pub(crate) fn build(target: &WasmTarget) -> Result<Std> {
    let (linked, std) = link(target)?;
    let scratch = workspace::web_target().join("parts");
    for folder in ["cut", "files"] {
        let folder = scratch.join(folder);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
    }
    let (cut, files) = (scratch.join("cut"), scratch.join("files"));
    let path = workspace::path_with_tools()?;
    let tool = |name: &str| {
        let mut command = Command::new(name);
        command.env("PATH", &path);
        command
    };
    step::run(tool("wasm-split-cli").args(["--target", "web", "--out-name", NO_HASH]).arg(&linked).arg(&cut))?;
    let first = cut.join(format!("{NO_HASH}.wasm"));
    check_first(&first)?;
    // The glue is written beside the other scripts; the file that it came from is not needed any more.
    step::run(
        tool("wasm-bindgen")
            .args(["--target", "web", "--no-typescript", "--keep-lld-exports", "--out-name", NO_HASH, "--out-dir"])
            .arg(&files)
            .arg(&first),
    )?;
    fs::remove_file(first)?;
    for file in page::files_of(&cut)? {
        fs::copy(&file, files.join(file.file_name().unwrap_or_default()))?;
    }
    if tools::has_wasm_opt() {
        for file in page::files_of(&files)?.iter().filter(|file| file.extension().is_some_and(|kind| kind == "wasm")) {
            // It warns of a name section that it does not know and then drops.
            let output = tool("wasm-opt").args(WASM_OPT).arg(file).arg("-o").arg(file).output()?;
            if !output.status.success() {
                bail!("wasm-opt {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
            }
        }
    }
    page::write(&hashed(&files)?)?;
    Ok(std)
}

/// Compiles and links the app; with a standard library of its own where its source is here.
fn link(target: &WasmTarget) -> Result<(PathBuf, Std)> {
    let cargo = |folder: &Path, extra: &[&str], flags: &[&str]| {
        let mut cargo = workspace::cargo(&["rustc", "--locked", "--package", "coffer-web", "--bin", "coffer-web"]);
        cargo
            .args(["--profile", PROFILE, "--target", TRIPLE, "--features", "split"])
            .args(extra)
            .args(["--", "-Clink-args=--emit-relocs"])
            .env("CARGO_TARGET_DIR", folder);
        target.apply_with(&mut cargo, flags);
        cargo
    };
    let linked = |folder: &Path| folder.join(TRIPLE).join(PROFILE).join("coffer-web.wasm");
    if target.has_std_source() {
        let folder = workspace::web_target().join("immediate-abort");
        let std = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
        let mut build = cargo(&folder, &std, &["-Cpanic=immediate-abort", "-Zunstable-options"]);
        match step::run(build.env("RUSTC_BOOTSTRAP", "1")) {
            Ok(()) => return Ok((linked(&folder), Std::ImmediateAbort)),
            Err(error) => println!("xtask: std as it comes, since it could not be built from its source: {error:#}"),
        }
    }
    let folder = workspace::web_target();
    step::run(&mut cargo(&folder, &[], &[]))?;
    Ok((linked(&folder), Std::Ordinary))
}

/// Fails where the first part holds functions of later pages. Names are in it until wasm-opt takes them out.
fn check_first(first: &Path) -> Result<()> {
    let bytes = fs::read(first)?;
    if let Some(page) = LATER_PAGES.iter().find(|page| has_code_of(&bytes, page)) {
        bail!(
            "the first part of the web app has code of web/src/pages/{page}.rs, so every first visit fetches it. Only web/src/later.rs may name \
             that page: move what the first page needs of it to a file of its own"
        );
    }
    Ok(())
}

/// Whether a function that the page's module defines has a name here, mangled in either way. Instances of generic functions of others, which name a
/// type of the page behind their own path, may be shared by all parts.
fn has_code_of(wasm: &[u8], page: &str) -> bool {
    let module = format!("10coffer_web5pages{}{page}", page.len());
    let found = wasm.windows(module.len()).enumerate().filter(|(_, found)| *found == module.as_bytes());
    found.map(|(at, _)| &wasm[at.saturating_sub(64)..at]).any(|before| {
        // The symbol begins with the path of its module, either after `_ZN` or after `_R`, letters for the kinds of its parts, and the crate's hash.
        let before = String::from_utf8_lossy(before);
        let path = before.rsplit_once("_R").and_then(|(_, path)| path.strip_suffix('_'));
        let kinds = path.and_then(|path| path.split_once("Cs"));
        before.ends_with("_ZN")
            || kinds.is_some_and(|(kinds, hash)| {
                kinds.len() < 25
                    && [kinds, hash]
                        .iter()
                        .all(|part| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
                    && !hash.contains("Cs")
                    && !hash.contains('_')
            })
    })
}

/// Gives all files their names, in the files too.
fn hashed(files: &Path) -> Result<Parts> {
    let mut paths = page::files_of(files)?;
    paths.sort();
    let mut all = Vec::new();
    for path in &paths {
        all.extend(path.file_name().unwrap_or_default().as_encoded_bytes());
        all.extend(fs::read(path)?);
    }
    let hash = digest(&all);
    let renamed = |name: &str| {
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let stem = match stem {
            "__wasm_split" => "parts",
            "coffer-0" | "coffer-0_bg" => "coffer",
            other => other.trim_start_matches("split_"),
        };
        format!("{stem}-{hash}.{ending}")
    };
    let names: Vec<String> = paths.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    let mut parts = Parts { files: Vec::new(), glue: String::new(), link: String::new(), wasm: String::new() };
    for (path, name) in paths.iter().zip(&names) {
        let mut bytes = fs::read(path)?;
        if kind(name) == "js" {
            let mut script = String::from_utf8(bytes).with_context(|| format!("{name} is no text"))?;
            if name == LINK {
                script = quiet(&script)?;
            }
            for other in &names {
                let new = renamed(other);
                // The glue hands over the imports under the name that the first part asks for, which stays what it is.
                script = script.replace(&format!("from \"./{other}\""), &format!("from \"./{new}\""));
                if kind(other) == "wasm" {
                    script = script.replace(&format!("\"./{other}\""), &format!("\"./{new}\""));
                    script = script.replace(&format!("'{other}'"), &format!("'{new}'"));
                }
            }
            bytes = script.into_bytes();
        }
        let new = renamed(name);
        match name.as_str() {
            LINK => parts.link.clone_from(&new),
            "coffer-0.js" => parts.glue.clone_from(&new),
            "coffer-0_bg.wasm" => parts.wasm.clone_from(&new),
            _ => {}
        }
        parts.files.push((new, bytes));
    }
    Ok(parts)
}

/// The script that fetches parts, silent about those that did not come.
fn quiet(script: &str) -> Result<String> {
    let [loud, quiet] = TELLS_FAILURES;
    if script.matches(loud).count() != 1 {
        bail!(
            "wasm-split-cli's script tells of failures in another way than `{loud}`, so xtask/src/split.rs has to follow"
        );
    }
    Ok(script.replace(loud, quiet))
}

/// What stands behind the last point of a file's name.
fn kind(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, kind)| kind)
}

/// The files of a build, under the names that they are served by.
pub(crate) struct Parts {
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// wasm-bindgen's script.
    pub(crate) glue: String,
    /// wasm-split-cli's script.
    pub(crate) link: String,
    /// The first part.
    pub(crate) wasm: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_a_later_page_is_found_by_its_name() {
        let names = b"\x01_ZN10coffer_web5pages6editor4form10EditorForm3run17h0123456789abcdefE\x02";
        assert!(has_code_of(names, "editor") && !has_code_of(names, "record"));
        assert!(has_code_of(b"_RNvMNtNtCs5SD1HZMQnpq_10coffer_web5pages6record4form", "record"));
        assert!(!has_code_of(b"_ZN10coffer_web5pages7records4gridE", "record"));
        let of_another =
            b"_RINvNtCsaHhzdobtFEe_4core3ptr13drop_in_placeNtNtNtCs5SD1HZMQnpq_10coffer_web5pages6editor5draft5DraftE";
        assert!(!has_code_of(of_another, "editor"));
    }

    #[test]
    fn the_script_is_silent_about_parts_that_do_not_come() {
        let script = quiet("try { await callee(); } catch (e) { console.error(e); }").unwrap();
        assert_eq!(script, "try { await callee(); } catch (e) { if (!(e instanceof TypeError)) console.error(e); }");
        quiet("console.warn(e);").unwrap_err();
    }
}
