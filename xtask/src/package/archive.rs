//! tar files: sorted, root's, of one time, and packed without a name or time of their own.

use std::{collections::BTreeSet, io::Write as _};

use anyhow::Result;
use flate2::GzBuilder;
use tar::{Builder, EntryType, Header};

use super::{
    Release,
    content::{Content, File},
};

/// The archive that is unpacked by hand. With `--strip-components=1` it lies in `/usr/local` as it should.
pub(super) fn of_files(release: &Release, content: &Content) -> Result<Vec<u8>> {
    let root = format!("coffer-{}", release.version);
    let files = content.as_installed().into_iter().map(|file| File { path: format!("{root}/{}", file.path), ..file });
    packed(release, files.collect())
}

/// Files and the folders above them, packed by gzip.
pub(super) fn packed(release: &Release, mut files: Vec<File>) -> Result<Vec<u8>> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let folders: BTreeSet<String> = files.iter().flat_map(|file| above(&file.path)).collect();
    let mut tar = Builder::new(GzBuilder::new().write(Vec::new(), release.level));
    for folder in folders {
        let mut header = header(release, 0, 0o755);
        header.set_entry_type(EntryType::Directory);
        tar.append_data(&mut header, folder, std::io::empty())?;
    }
    for file in &files {
        let mut header = header(release, file.bytes.len(), file.mode);
        header.set_entry_type(EntryType::Regular);
        tar.append_data(&mut header, &file.path, file.bytes.as_slice())?;
    }
    Ok(tar.into_inner()?.finish()?)
}

/// One file by itself, packed by gzip.
pub(super) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().write(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

fn header(release: &Release, size: usize, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(mode);
    header.set_mtime(release.epoch);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// The folders above a file, each with a slash behind it.
fn above(path: &str) -> impl Iterator<Item = String> + '_ {
    path.match_indices('/').map(|(at, _)| path[..=at].to_owned())
}
