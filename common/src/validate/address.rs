//! URLs and e-mail addresses, by the rules of Django 5.2's `URLValidator` and `EmailValidator`, written anew. Stricter: a port is
//! at most 65,535, no host has invisible characters, and nothing that turns the direction of text is in a URL (RFC 3987 §4.1).
//! More is taken where RFC 6531 allows it: letters of any script before the `@`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::text::is_unsafe;

/// Bytes of a URL at most, as there.
const MAX_URL: usize = 2048;
/// Characters of an e-mail address at most (RFC 3696 §3), as there.
const MAX_EMAIL: usize = 320;
/// Characters of a host's name at most (RFC 1034 §3.1, less its dot and length).
const MAX_HOST: usize = 253;
/// Characters of one label of a name at most.
const MAX_LABEL: usize = 63;

/// An absolute http, https, ftp or ftps address.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
    // A bracket ends an IPv6 address; the colons in it set no port apart.
    let port_at = place.rfind(']').unwrap_or(0);
    let (host, port) = match place[port_at..].find(':') {
        Some(colon) => (&place[..port_at + colon], Some(&place[port_at + colon + 1..])),
        None => (place, None),
    };
    ["http", "https", "ftp", "ftps"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        && text.chars().count() <= MAX_URL
        && !text.contains(|c: char| c.is_whitespace() || is_unsafe(c))
        && user.is_none_or(is_user)
        && port.is_none_or(|port| port.len() <= 5 && is_digits(port) && port.parse::<u16>().is_ok())
        && is_host(host)
}

/// `name` or `name:password`.
fn is_user(text: &str) -> bool {
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    !name.is_empty() && !name.contains('@') && !password.contains([':', '@'])
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<Ipv4Addr>().is_ok() || is_domain(name)
}

/// A host's name of two labels at least, the last of which is no number.
fn is_domain(name: &str) -> bool {
    let Some((_, top)) = name.rsplit_once('.') else { return false };
    let top_is_name = !top.contains(|c: char| c.is_ascii_digit())
        || top.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"));
    name.chars().count() <= MAX_HOST && name.split('.').all(is_label) && top_is_name && top.chars().nth(1).is_some()
}

fn is_label(label: &str) -> bool {
    !label.starts_with('-')
        && !label.ends_with('-')
        && (1..=MAX_LABEL).contains(&label.chars().count())
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || (c > '\u{a0}' && is_visible(c)))
}

/// Whether a character shows, or joins those that do: accents and vowel signs are parts of names, invisible marks are not.
fn is_visible(c: char) -> bool {
    !(c.is_whitespace()
        || is_unsafe(c)
        || matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0e}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{10ffff}')
        || matches!(c, '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2044}' | '\u{2215}' | '\u{ff0f}' | '\u{ff20}'))
}

/// An e-mail address.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    text.chars().count() <= MAX_EMAIL
        && (is_dotted(local) || is_quoted(local))
        && (domain == "localhost"
            || is_domain(domain)
            || literal.is_some_and(|address| address.parse::<IpAddr>().is_ok()))
}

/// Words of letters, digits and what RFC 5322 §3.2.3 allows beside them, with dots between.
fn is_dotted(local: &str) -> bool {
    let is_part = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c)
        } else {
            c > '\u{a0}' && is_visible(c)
        }
    };
    local.split('.').all(|word| !word.is_empty() && word.chars().all(is_part))
}

/// A quoted text (RFC 5322 §3.2.4, with the controls of its obsolete form but line breaks and null).
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let fits = match c {
            '\\' => chars.next().is_some_and(|c| c.is_ascii() && !matches!(c, '\0' | '\n' | '\r')),
            '"' | ' ' | '\0' | '\t' | '\n' | '\r' => false,
            c => c.is_ascii(),
        };
        if !fits {
            return false;
        }
    }
    local.len() > 1
}

#[cfg(test)]
mod tests;
