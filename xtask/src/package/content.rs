//! What the packages hold: the programs, and what the programs write of themselves (manual pages, completions, settings).

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use super::needs::Needs;
use crate::workspace;

/// A file of a package.
#[derive(Debug, Clone)]
pub(super) struct File {
    /// From the root of the package.
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

impl File {
    pub(super) fn new(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), mode: 0o644, bytes: bytes.into() }
    }

    pub(super) fn with_mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }
}

/// A file without its folder.
pub(super) type Named = (String, Vec<u8>);

/// Everything that packages choose from.
pub(super) struct Content {
    /// `coffer` and `coffer-tui`.
    pub(super) programs: Vec<Named>,
    pub(super) manual: Vec<Named>,
    /// Below `share`, as shells look for them.
    pub(super) completions: Vec<Named>,
    /// What `coffer init /etc/coffer` writes.
    pub(super) settings: Vec<Named>,
    /// Licences, notices, and what the programs are made of.
    pub(super) documents: Vec<Named>,
    /// What the programs need of the system.
    pub(super) needs: Needs,
}

const DOCUMENTS: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "NOTICE"];
/// Of each shell: its name, and where it looks for the completions of a program.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "bash-completion/completions/{}"),
    ("zsh", "zsh/site-functions/_{}"),
    ("fish", "fish/vendor_completions.d/{}.fish"),
];
/// Where settings are kept on a server.
const SETTINGS: &str = "/etc/coffer";

impl Content {
    /// Asks the programs in a folder, which write into another.
    pub(super) fn gather(folder: &Path, scratch: &Path, sbom: &[u8]) -> Result<Self> {
        if scratch.exists() {
            fs::remove_dir_all(scratch)?;
        }
        fs::create_dir_all(scratch)?;
        let scratch = fs::canonicalize(scratch)?;
        let (server, terminal) = (folder.join("coffer"), folder.join("coffer-tui"));
        let mut content = Self {
            programs: Vec::new(),
            manual: Vec::new(),
            completions: Vec::new(),
            settings: Vec::new(),
            documents: vec![("coffer.cdx.json".to_owned(), sbom.to_vec())],
            needs: Needs::default(),
        };
        for (name, program) in [("coffer", &server), ("coffer-tui", &terminal)] {
            let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
            content.needs.add(&bytes).with_context(|| format!("{} is no program", program.display()))?;
            content.programs.push((name.to_owned(), bytes));
            for (shell, place) in SHELLS {
                let of_terminal = ["--completions", shell];
                let of_server = ["completions", shell];
                let script = said(program, if name == "coffer" { &of_server } else { &of_terminal })?;
                content.completions.push((place.replace("{}", name), script));
            }
        }
        let manual = scratch.join("manual");
        said(&server, &["man", &manual.display().to_string()])?;
        fs::write(manual.join("coffer-tui.1"), said(&terminal, &["--man"])?)?;
        content.manual = files(&manual)?;
        // The unit file names the folder that it was written into.
        let etc = format!("{}{SETTINGS}", scratch.display());
        said(&server, &["init", &etc])?;
        for (name, bytes) in files(Path::new(&etc))? {
            let text = String::from_utf8(bytes).with_context(|| format!("{name} is no text"))?;
            content.settings.push((name, text.replace(&etc, SETTINGS).into_bytes()));
        }
        for name in DOCUMENTS {
            content.documents.push((name.to_owned(), fs::read(workspace::root().join(name))?));
        }
        content.documents.sort();
        fs::remove_dir_all(scratch)?;
        Ok(content)
    }

    /// Programs in `bin`, the rest in `share`, as it lies in `/usr/local`.
    pub(super) fn as_installed(&self) -> Vec<File> {
        let programs = self.programs.iter();
        let mut all: Vec<File> =
            programs.map(|(name, bytes)| File::new(format!("bin/{name}"), bytes.clone()).with_mode(0o755)).collect();
        let mut add = |folder: &str, files: &[Named]| {
            all.extend(files.iter().map(|(name, bytes)| File::new(format!("{folder}/{name}"), bytes.clone())));
        };
        add("share/man/man1", &self.manual);
        add("share", &self.completions);
        add("share/doc/coffer", &self.documents);
        add("share/doc/coffer/etc", &self.settings);
        all
    }
}

/// What a program says on its standard output.
fn said(program: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let known: BTreeSet<String> = std::env::vars().map(|(name, _)| name).collect();
    let mut command = Command::new(program);
    for name in known.iter().filter(|name| name.starts_with("COFFER_")) {
        command.env_remove(name);
    }
    let output = command.args(args).output().with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        bail!("{} {}: {}", program.display(), args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

/// The files in a folder and below it, by their places in it.
fn files(folder: &Path) -> Result<Vec<Named>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?.into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.push((name, fs::read(entry.path())?));
        }
    }
    found.sort();
    Ok(found)
}
