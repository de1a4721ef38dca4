//! Files of migrations, as they lie in a folder: `<collection>/<name>.toml`, or `.json`.

use std::{fs, io, path::Path};

use common::migration::{ENDINGS, Migration, MigrationId, read_file};

/// The folder that is meant where none is named.
pub const DIR: &str = "migrations";
/// All files of a folder, each behind what it stands on; `None` where there is no such folder. The error names the file.
pub fn read_all(dir: &Path) -> Result<Option<Vec<Migration>>, String> {
    let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let folders = match names(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        folders => folders.map_err(|error| told(dir, &error))?,
    };
    let mut left = Vec::new();
    for folder in folders.iter().filter(|folder| !folder.starts_with('.') && dir.join(folder).is_dir()) {
        let path = dir.join(folder);
        for file in names(&path).map_err(|error| told(&path, &error))? {
            let path = path.join(&file);
            let Some((name, ending)) = file.rsplit_once('.').filter(|(_, ending)| ENDINGS.contains(ending)) else {
                continue;
            };
            let id: MigrationId = format!("{folder}/{name}").parse().map_err(|error: String| told(&path, &error))?;
            let text = fs::read_to_string(&path).map_err(|error| told(&path, &error))?;
            left.push(read_file(&text, ending, &id).map_err(|error| told(&path, &error))?);
        }
    }
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |one: &Migration| !left.iter().any(|other: &Migration| one.after.contains(&other.id()));
        // Where they stand on each other in a circle, the server says so.
        let at = left.iter().position(is_free).unwrap_or(0);
        ordered.push(left.remove(at));
    }
    Ok(Some(ordered))
}

/// The names in a folder, in order.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<io::Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_behind_what_they_stand_on() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_all(&dir.path().join("none")), Ok(None));
        let write = |file: &str, text: &str| {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("snacks/0001_initial.toml", "after = [\"zebras/0001_initial\"]\n[[steps]]\ncreate = \"snacks\"\n");
        write("snacks/0002_more.json", r#"{"after": ["snacks/0001_initial"], "steps": []}"#);
        write("zebras/0001_initial.toml", "");
        write("snacks/README.md", "no migration");
        write(".git/0001_x.toml", "=");
        let ids = read_all(dir.path()).unwrap().unwrap().iter().map(|one| one.id().to_string()).collect::<Vec<_>>();
        assert_eq!(ids, ["zebras/0001_initial", "snacks/0001_initial", "snacks/0002_more"]);
        write("snacks/0003_bad.toml", "steps = 3");
        let error = read_all(dir.path()).unwrap_err();
        assert!(error.contains("0003_bad.toml") && error.contains("steps"), "{error}");
    }
}
