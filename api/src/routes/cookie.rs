//! The cookie that holds a browser's refresh token. No script can read it.

use http::{HeaderMap, header};

use super::context::Options;

/// The `__Host-` prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`.
const COOKIE: &str = "__Host-coffer";
/// For plain HTTP, where browsers refuse the other.
const INSECURE_COOKIE: &str = "coffer";

/// The line that has a browser keep a refresh token, for so many seconds.
pub(super) fn set(options: &Options, value: &str, max_age: u64) -> String {
    let (name, secure) = if options.insecure_cookie { (INSECURE_COOKIE, "") } else { (COOKIE, "; Secure") };
    format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
}

/// The refresh token in the browser's cookie.
pub(super) fn get<'a>(headers: &'a HeaderMap, options: &Options) -> Option<&'a str> {
    let wanted = if options.insecure_cookie { INSECURE_COOKIE } else { COOKIE };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}
