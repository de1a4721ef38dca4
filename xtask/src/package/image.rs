//! What an image is built of: `docker build -t coffer - < coffer-…-image.tar.gz`. Nothing is compiled for it.

use anyhow::Result;

use super::{
    Release,
    archive::packed,
    content::{Content, File},
};

/// The file.
pub(super) fn of(release: &Release, content: &Content) -> Result<Vec<u8>> {
    let mut files: Vec<File> = content
        .as_installed()
        .into_iter()
        .filter(|file| file.path == "bin/coffer" || file.path.starts_with("share/doc/coffer/"))
        .filter(|file| !file.path.starts_with("share/doc/coffer/etc/"))
        .collect();
    files.push(File::new("Dockerfile", include_str!("image/Dockerfile")));
    // A new named volume takes over the folder's owner, so that the server may write to it.
    files.push(File::new("data/.keep", ""));
    packed(release, files)
}
