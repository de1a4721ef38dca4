//! Cookies that no script can read: one holds a browser's refresh token, the other shows that a user has signed in from it before. What
//! is no browser keeps the latter by a header of its own ([`DEVICE_HEADER`]).

use auth::token::{Claims, TokenType};
use common::endpoint::DEVICE_HEADER;
use http::{HeaderMap, header};

use super::context::{Context, Options};

/// The `__Host-` prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`. It is left out for plain HTTP, where browsers refuse
/// such cookies.
const SECURE_PREFIX: &str = "__Host-";
const SESSION: &str = "coffer";
const DEVICE: &str = "coffer-device";

/// Seconds that a browser keeps what shows that a user has signed in from it: 180 days.
const DEVICE_MAX_AGE: u64 = 180 * 24 * 60 * 60;

/// The line that has a browser keep a refresh token, for so many seconds.
pub(super) fn set(options: &Options, value: &str, max_age: u64) -> String {
    line(options, SESSION, value, max_age)
}

/// The line that has a browser keep the token of its device.
pub(super) fn set_device(options: &Options, value: &str) -> String {
    line(options, DEVICE, value, DEVICE_MAX_AGE)
}

fn line(options: &Options, name: &str, value: &str, max_age: u64) -> String {
    let (prefix, secure) = if options.insecure_cookie { ("", "") } else { (SECURE_PREFIX, "; Secure") };
    format!("{prefix}{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}")
}

/// The refresh token in the browser's cookie.
pub(super) fn get<'a>(headers: &'a HeaderMap, options: &Options) -> Option<&'a str> {
    find(headers, options, SESSION)
}

/// What shows that a user has signed in from this device before, if it came and is good.
pub(super) fn device(context: &Context, headers: &HeaderMap) -> Option<Claims> {
    let by_header = headers.get(DEVICE_HEADER).and_then(|value| value.to_str().ok());
    let token = by_header.or_else(|| find(headers, &context.options, DEVICE))?;
    context.app.auth().verifier.verify(token, TokenType::Device).ok()
}

fn find<'a>(headers: &'a HeaderMap, options: &Options, name: &str) -> Option<&'a str> {
    let prefix = if options.insecure_cookie { "" } else { SECURE_PREFIX };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| found.strip_prefix(prefix) == Some(name))
        .map(|(_, value)| value)
}
