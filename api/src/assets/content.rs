//! What a file's name says about it: its content type, whether it may be kept for ever, and whether compressing it pays.

use http::HeaderValue;

/// The type of pages.
pub(super) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// For files whose name changes with their content: a year, the longest that caches honour.
pub(super) const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The fewest digits that 64-bit hashes have in practice. Dates in file names are shorter.
const HASH_DIGITS: usize = 10;

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// For ever.
    Immutable,
    /// Only after asking whether it is still the same.
    Revalidate,
}

/// Whether a name is that of a file of a site, by its extension. Names of people and of hosts have points too.
pub(super) fn is_of_site(name: &str) -> bool {
    name.contains('.') && content_type(name) != "application/octet-stream"
}

/// The content type by extension.
pub(super) fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match extension(name).as_str() {
        "html" | "htm" => return HTML,
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        _ => "application/octet-stream",
    })
}

/// Whether the file is worth compressing: formats that are compressed in themselves only grow.
pub(super) fn compresses(name: &str) -> bool {
    !matches!(
        extension(name).as_str(),
        "png"
            | "jpg"
            | "jpeg"
            | "gif"
            | "webp"
            | "avif"
            | "woff"
            | "woff2"
            | "mp3"
            | "mp4"
            | "webm"
            | "pdf"
            | "zip"
            | "gz"
            | "br"
    )
}

/// The build of the web app, and trunk, write `name-<hash>.js` and `name-<hash>_bg.wasm`; wasm-bindgen `snippets/name-<hash>/file.js`. A name that only looks like neither is
/// asked for again each time, which is never wrong.
pub(super) fn caching(name: &str) -> Caching {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let stem = file.split('.').next().unwrap_or_default();
    let hashed = ends_in_hash(stem.strip_suffix("_bg").unwrap_or(stem));
    let in_hashed =
        folder.strip_prefix("snippets/").is_some_and(|rest| rest.split('/').next().is_some_and(ends_in_hash));
    if hashed || in_hashed { Caching::Immutable } else { Caching::Revalidate }
}

fn ends_in_hash(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() >= HASH_DIGITS
            && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && hash.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b7_wasm_has_its_own_type_and_text_names_its_charset() {
        assert_eq!(content_type("app-1f_bg.wasm"), "application/wasm");
        assert_eq!(content_type("index.html"), "text/html; charset=utf-8");
        assert_eq!(content_type("a.b.JS"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("LICENSE"), "application/octet-stream");
    }

    #[test]
    fn b7_only_names_with_a_content_hash_are_kept_for_ever() {
        for name in [
            "icon-14428f793cf18d2.svg",
            "coffer-web-4e3f90d58a14e994_bg.wasm",
            "snippets/yew-4e3f90d58a14e994/inline0.js",
        ] {
            assert_eq!(caching(name), Caching::Immutable, "{name}");
        }
        for name in [
            "index.html",
            "style.css",
            "report-20261122.txt",
            "at-20261122153000.txt",
            "a-deadbeef.js",
            "note-4E3F90D58A14E994.js",
            "a/b.js",
        ] {
            assert_eq!(caching(name), Caching::Revalidate, "{name}");
        }
    }
}
