//! Files that others published, for the tests of imports: real tables, and awkward ones that two suites for readers of CSV keep. Each is of one version,
//! whose bytes are known.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::{
    step::{self, step},
    workspace,
};

/// A package: the folder that it is unpacked into, who carries it, its name and version, its file, and the digest of that.
struct Published {
    folder: &'static str,
    by: By,
    package: &'static str,
    version: &'static str,
    file: &'static str,
    sha256: &'static str,
}

#[derive(Clone, Copy)]
enum By {
    /// A source distribution, by pip.
    PipSource,
    /// A wheel, by pip.
    PipWheel,
    Npm,
}

/// Licences: MIT, MIT, BSD-2-Clause.
const PUBLISHED: [Published; 3] = [
    Published {
        folder: "csvkit",
        by: By::PipSource,
        package: "csvkit",
        version: "2.2.0",
        file: "csvkit-2.2.0.tar.gz",
        sha256: "147318a8dbaec07c0bbb9291c14b78de5fa32ed3d4a5c2396e52a83c0a30df6b",
    },
    Published {
        folder: "vega",
        by: By::PipWheel,
        package: "vega_datasets",
        version: "0.9.0",
        file: "vega_datasets-0.9.0-py3-none-any.whl",
        sha256: "3d7c63917be6ca9b154b565f4779a31fedce57b01b5b9d99d8a34a7608062a1d",
    },
    Published {
        folder: "csv-spectrum",
        by: By::Npm,
        package: "csv-spectrum",
        version: "2.0.0",
        file: "csv-spectrum-2.0.0.tgz",
        sha256: "002a6a938bf51ceb26af7b760f5c1b54baca4820b0e9142f135619210c93d021",
    },
];

/// The folder of the unpacked packages; fetches those that are not there.
pub(crate) fn fetch() -> Result<PathBuf> {
    let folder = workspace::tools().join("published");
    for one in &PUBLISHED {
        let at = folder.join(one.folder);
        if at.join(".whole").is_file() {
            continue;
        }
        step(&format!("files of {} {}, for the tests of imports", one.package, one.version), || one.fetch(&at))?;
    }
    Ok(folder)
}

impl Published {
    fn fetch(&self, at: &Path) -> Result<()> {
        if at.exists() {
            fs::remove_dir_all(at)?;
        }
        fs::create_dir_all(at)?;
        let Self { package, version, file, .. } = self;
        let mut command = match self.by {
            By::Npm => {
                let mut command = Command::new("npm");
                command.args(["pack", "--silent", &format!("{package}@{version}")]).current_dir(at);
                command
            }
            By::PipSource | By::PipWheel => {
                let mut command = Command::new("python3");
                command.args(["-m", "pip", "download", "--quiet", "--no-deps", "-d"]).arg(at);
                if matches!(self.by, By::PipSource) {
                    command.args(["--no-binary", package]);
                }
                command.arg(format!("{package}=={version}"));
                command
            }
        };
        step::run(&mut command)?;
        let archive = at.join(file);
        let bytes = fs::read(&archive).with_context(|| format!("{file} did not come"))?;
        let digest = Sha256::digest(&bytes).iter().fold(String::new(), |mut digest, byte| {
            // A String takes all that is written to it.
            let _ = write!(digest, "{byte:02x}");
            digest
        });
        if digest != self.sha256 {
            bail!("{file} is another than it was: its SHA-256 is {digest}");
        }
        match self.by {
            By::PipWheel => step::run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(at))?,
            By::PipSource | By::Npm => {
                step::run(Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(&archive).arg("-C").arg(at))?;
            }
        }
        fs::remove_file(&archive)?;
        Ok(fs::write(at.join(".whole"), "")?)
    }
}
