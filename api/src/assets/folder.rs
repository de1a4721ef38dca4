//! Reads a folder for `--web-dir`: under the rules of the embedded app, with compressed forms from files beside (`app.js.br`, `app.js.gz`) or,
//! for gzip, made now. Later changes on disk are not seen until the next start.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::{
    asset::{Asset, PAGE},
    content,
};

/// All files of `folder`, by name.
pub(super) fn read(folder: &Path) -> io::Result<HashMap<String, Asset>> {
    let root = folder.canonicalize()?;
    let mut files = HashMap::new();
    collect(&root, &root, "", &mut files)?;
    if !files.contains_key(PAGE) {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("{} holds no {PAGE}: it is no built web app", folder.display()),
        ));
    }
    let mut assets = HashMap::with_capacity(files.len());
    for (name, path) in &files {
        // Another form of the file that it is named after.
        if let Some((original, "br" | "gz")) = name.rsplit_once('.')
            && files.contains_key(original)
        {
            continue;
        }
        let bytes = fs::read(path)?;
        let brotli = beside(&files, name, "br")?;
        let gzip = match beside(&files, name, "gz")? {
            Some(gzip) => Some(gzip),
            None if content::compresses(name) => Some(gzip(&bytes)?).filter(|gzip| gzip.len() < bytes.len()),
            None => None,
        };
        let hash = u128::from_be_bytes(*Sha256::digest(&bytes).first_chunk().expect("SHA-256 has 32 bytes"));
        let hash = format!("{hash:032x}");
        assets.insert(name.clone(), Asset::new(name, &hash, bytes.into(), brotli, gzip));
    }
    Ok(assets)
}

/// The form of `name` that lies beside it, unless it is older and so of another version.
fn beside(files: &HashMap<String, PathBuf>, name: &str, extension: &str) -> io::Result<Option<Bytes>> {
    let Some(path) = files.get(&format!("{name}.{extension}")) else { return Ok(None) };
    if fs::metadata(path)?.modified()? < fs::metadata(&files[name])?.modified()? {
        return Ok(None);
    }
    Ok(Some(fs::read(path)?.into()))
}

fn collect(root: &Path, folder: &Path, prefix: &str, files: &mut HashMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            tracing::warn!(file = %entry.path().display(), "not served: its name is not UTF-8");
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(root, &entry.path(), &format!("{prefix}{name}/"), files)?;
            continue;
        }
        // A link may name a file inside the folder, and nothing else.
        let path = entry.path().canonicalize()?;
        if path.starts_with(root) && path.is_file() {
            files.insert(format!("{prefix}{name}"), path);
        } else {
            tracing::warn!(file = %entry.path().display(), "not served: it leads out of the folder, or is no file");
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> io::Result<Bytes> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(bytes)?;
    Ok(writer.finish()?.into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    #[test]
    fn all_files_are_read_with_their_folders_and_hidden_ones_are_not() {
        let folder = folder(&[("index.html", b"page"), ("a/b/c.js", b"js"), (".stage/x.js", b"no"), (".env", b"no")]);
        let mut names: Vec<_> = read(folder.path()).unwrap().into_keys().collect();
        names.sort();
        assert_eq!(names, ["a/b/c.js", "index.html"]);
    }

    #[test]
    fn a_folder_without_a_page_is_refused_in_words() {
        let error = read(folder(&[("a.js", b"js")]).path()).unwrap_err();
        assert!(error.to_string().contains("no index.html"), "{error}");
        assert!(read(Path::new("/nonexistent/folder")).is_err());
    }

    #[test]
    fn forms_beside_a_file_are_its_encodings_and_no_files_of_their_own() {
        let folder = folder(&[
            ("index.html", b"page"),
            ("a.js", b"js"),
            ("a.js.br", b"brotli"),
            ("a.js.gz", b"gzip"),
            ("other.gz", b"alone"),
        ]);
        let assets = read(folder.path()).unwrap();
        assert_eq!(assets["a.js"].brotli.as_ref().unwrap().bytes, "brotli");
        assert_eq!(assets["a.js"].gzip.as_ref().unwrap().bytes, "gzip");
        assert!(!assets.contains_key("a.js.br") && !assets.contains_key("a.js.gz"));
        assert!(assets.contains_key("other.gz"));
    }

    #[test]
    fn a_form_older_than_its_file_is_not_used() {
        let folder = folder(&[("index.html", b"page"), ("a.js.br", b"stale"), ("a.js", b"js")]);
        let stale = fs::File::open(folder.path().join("a.js.br")).unwrap();
        stale.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
        assert!(read(folder.path()).unwrap()["a.js"].brotli.is_none());
    }

    #[test]
    fn gzip_is_made_where_it_helps() {
        let folder = folder(&[("index.html", &[b'a'; 5000]), ("a.js", b"x"), ("a.png", &[0; 5000])]);
        let assets = read(folder.path()).unwrap();
        assert!(assets["index.html"].gzip.as_ref().unwrap().bytes.len() < 100);
        assert!(assets["a.js"].gzip.is_none(), "it would only grow");
        assert!(assets["a.png"].gzip.is_none());
    }

    #[cfg(unix)]
    #[test]
    fn d6_a_link_out_of_the_folder_is_not_followed() {
        let outside = folder(&[("secret.txt", b"secret")]);
        let folder = folder(&[("index.html", b"page"), ("real.js", b"js")]);
        let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        link(&outside.path().join("secret.txt"), "leak.txt");
        link(outside.path(), "leak");
        link(&folder.path().join("real.js"), "alias.js");
        let mut names: Vec<_> = read(folder.path()).unwrap().into_keys().collect();
        names.sort();
        assert_eq!(names, ["alias.js", "index.html", "real.js"]);
    }
}
