//! The address of a request, in parts.

/// The segments of a path, with or without its last slash.
pub(super) fn split(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    inner.strip_suffix('/').unwrap_or(inner).split('/')
}
