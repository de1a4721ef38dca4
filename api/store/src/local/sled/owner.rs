//! Ownership of the store's files: only their owner may use them; a command run as root leaves them to the owner. A file that this process
//! may not use is named with its owner, since it is not damage.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
};

use rustix::fs::Mode;

/// Who owns a directory, if it is this process's to keep that: it runs as root, and the directory is another's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owner(Option<(u32, u32)>);

impl Owner {
    /// The owner of a directory, or of the one that it is to be made in.
    pub fn of(dir: &Path) -> Owner {
        let nearest = dir.ancestors().find_map(|dir| fs::metadata(dir).ok());
        let owner = nearest.map(|metadata| (metadata.uid(), metadata.gid()));
        Owner(owner.filter(|(uid, _)| is_root() && *uid != 0))
    }

    /// Gives a file, or a directory and all in it, to the owner.
    pub fn keep(self, path: &Path) -> io::Result<()> {
        let Some((uid, gid)) = self.0 else { return Ok(()) };
        let metadata = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            metadata => metadata?,
        };
        if metadata.is_dir() {
            for entry in fs::read_dir(path)? {
                self.keep(&entry?.path())?;
            }
        }
        if metadata.uid() == uid { Ok(()) } else { lchown(path, Some(uid), Some(gid)) }
    }
}

impl Owner {
    /// Gives a directory to the owner, and not what is in it.
    pub fn keep_itself(self, dir: &Path) -> io::Result<()> {
        self.0.map_or(Ok(()), |(uid, gid)| lchown(dir, Some(uid), Some(gid)))
    }
}

/// Whether a file or directory belongs to whom this process runs as.
pub fn is_own(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.uid() == rustix::process::geteuid().as_raw())
}

/// Closes a directory to all but its owner; what is in it stays as it is. False if it is open to others and not this process's to close. One that
/// whoever mounts it gives to a group (set-group-ID) stays the group's where root is only passing by: the server is one of the group.
pub fn close_dir(dir: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(dir)?;
    let is_groups = Mode::from_raw_mode(metadata.mode()).contains(Mode::SGID | Mode::RWXG);
    let mode = if is_root() && is_groups { 0o2770 } else { 0o700 };
    match fs::set_permissions(dir, Permissions::from_mode(mode)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && may_use(dir, &metadata) => {
            Ok(!is_open(&metadata))
        }
        closed => closed.map(|()| true),
    }
}

/// Whether anybody on this machine may do something with it.
fn is_open(metadata: &fs::Metadata) -> bool {
    Mode::from_raw_mode(metadata.mode()).intersects(Mode::RWXO)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Takes the rights of others away from a file, or from a directory and its files. What belongs to somebody else who lets this process
/// use it, by a group, is theirs to close.
pub fn make_private(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            make_private(&entry?.path())?;
        }
    }
    let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
    match fs::set_permissions(path, Permissions::from_mode(mode)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && may_use(path, &metadata) => {
            if is_open(&metadata) {
                let owner = owner_of(path);
                tracing::warn!(path = %path.display(), owner, "others on this machine can read this; its owner should close it to them");
            }
            Ok(())
        }
        closed => closed,
    }
}

/// Whether this process can read and write a file, or find, make and remove files in a directory.
fn may_use(path: &Path, metadata: &fs::Metadata) -> bool {
    if metadata.is_dir() {
        use rustix::fs::{Access, AtFlags, CWD, accessat};
        return accessat(CWD, path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok();
    }
    File::options().read(true).write(true).open(path).is_ok()
}

/// The first file or directory at a path or below it that this process may not use and that belongs to somebody else.
pub fn first_unusable(path: &Path) -> Option<PathBuf> {
    let metadata = fs::symlink_metadata(path).ok().filter(|metadata| metadata.is_dir() || metadata.is_file())?;
    if metadata.uid() != rustix::process::geteuid().as_raw() && !may_use(path, &metadata) {
        return Some(path.to_owned());
    }
    if !metadata.is_dir() {
        return None;
    }
    fs::read_dir(path).ok()?.flatten().find_map(|entry| first_unusable(&entry.path()))
}

/// Who owns a file, by name.
pub fn owner_of(path: &Path) -> String {
    fs::symlink_metadata(path).map_or_else(|_| "somebody else".to_owned(), |metadata| user_name(metadata.uid()))
}

/// Whom this process runs as, by name.
pub fn this_user() -> String {
    user_name(rustix::process::geteuid().as_raw())
}

fn user_name(uid: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = uid.to_string();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("user {uid}"))
}

/// Which file this is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(file: &File) -> io::Result<Identity> {
        file.metadata().map(|metadata| Identity::new(&metadata))
    }

    /// Whether the file is at `path` still.
    pub(super) fn is_at(self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|metadata| Identity::new(&metadata) == self)
    }

    fn new(metadata: &fs::Metadata) -> Identity {
        Identity { device: metadata.dev(), inode: metadata.ino() }
    }
}
