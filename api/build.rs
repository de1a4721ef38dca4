//! Embeds the built web app (`dist/`, or the folder that `COFFER_DIST_DIR` names) into release builds: every file as it is, with brotli
//! and gzip, and a hash of its content. Development builds embed nothing and compress nothing; `coffer serve --web-dir dist` serves the
//! folder itself. Content types and caching are decided at run time, in one place for both (`src/assets.rs`).

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=COFFER_DIST_DIR");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut files = Vec::new();
    if env::var("PROFILE")? == "release" {
        let dist = match env::var_os("COFFER_DIST_DIR") {
            Some(dist) => PathBuf::from(dist),
            None => Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../dist"),
        };
        println!("cargo::rerun-if-changed={}", dist.display());
        // Without its page a folder is no web app: trunk leaves parts behind when it fails.
        if dist.join("index.html").is_file() {
            collect(&dist, "", &mut files)?;
        }
    }
    files.sort();

    let mut table = String::from("&[\n");
    for (number, (name, file)) in files.iter().enumerate() {
        let bytes = fs::read(file)?;
        let hash = u128::from_be_bytes(*Sha256::digest(&bytes).first_chunk().expect("SHA-256 has 32 bytes"));
        let identity = out.join(format!("{number}"));
        fs::write(&identity, &bytes)?;
        write!(table, "    Embedded {{ name: {name:?}, hash: \"{hash:032x}\", identity: {}", include(&identity))?;
        for (encoding, compressed) in [("brotli", brotli(&bytes)?), ("gzip", gzip(&bytes)?)] {
            if compressed.len() < bytes.len() {
                let path = out.join(format!("{number}.{encoding}"));
                fs::write(&path, compressed)?;
                write!(table, ", {encoding}: Some({})", include(&path))?;
            } else {
                write!(table, ", {encoding}: None")?;
            }
        }
        table.push_str(" },\n");
    }
    table.push_str("]\n");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

fn include(path: &Path) -> String {
    format!("include_bytes!({:?})", path.display().to_string())
}

/// All files below `folder` with their names as a URL has them. Names that begin with a dot are trunk's own.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| io::Error::other(format!("not UTF-8: {}", name.display())))?;
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else {
            files.push((format!("{prefix}{name}"), entry.path()));
        }
    }
    Ok(())
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 22);
    writer.write_all(bytes)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::best());
    writer.write_all(bytes)?;
    writer.finish()
}
