//! What proxies say about their clients (`X-Forwarded-…`, RFC 7239 `Forwarded`) is believed of the peers that the
//! operator names and of nobody else. Where it cannot be made out beyond doubt, the proxy itself counts as the client.

use std::{iter, net::IpAddr, str::FromStr};

use http::{HeaderMap, HeaderValue, header, uri::Authority};
use ipnet::IpNet;
use thiserror::Error;

use super::request::Connection;

/// Peers that speak for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Everybody in this network.
    Network(IpNet),
    /// Everybody who may connect to our Unix sockets.
    Unix,
}

/// No proxy can be read from a text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TrustedProxyError {
    /// Neither an address, nor a network, nor the word.
    #[error("use an address, a network such as 10.0.0.0/8, or the word unix")]
    Malformed,
    /// Then anybody could claim any address.
    #[error("this would believe everybody; name the networks that the proxies are in")]
    Everybody,
}

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    fn from_str(text: &str) -> Result<Self, TrustedProxyError> {
        let text = text.trim();
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match network {
            Ok(network) if network.prefix_len() == 0 => Err(TrustedProxyError::Everybody),
            Ok(network) => Ok(Self::Network(network)),
            Err(_) => Err(TrustedProxyError::Malformed),
        }
    }
}

impl TrustedProxy {
    /// Whether `address`, canonical, is one.
    fn has(self, address: IpAddr) -> bool {
        matches!(self, Self::Network(network) if network.contains(&address))
    }
}

/// Whether `address`, canonical, is a trusted proxy's.
pub(super) fn is_trusted(trusted: &[TrustedProxy], address: IpAddr) -> bool {
    trusted.iter().any(|proxy| proxy.has(address))
}

/// Whether a request says that it came through a proxy.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// The client, and the host that it asked for where a proxy names it, by the headers that came over `connection` from a trusted proxy.
pub fn client(
    connection: Connection,
    headers: &HeaderMap,
    trusted: &[TrustedProxy],
) -> (Connection, Option<HeaderValue>) {
    let Some(standard) = Elements::of(headers) else {
        // Perhaps the one header that the proxy knows, broken by its client, who wrote the other one.
        return (connection, None);
    };
    let client = farthest(trusted, list(headers, "x-forwarded-for").map(|hop| node(&hop)));
    let standard_client = farthest(trusted, standard.0.iter().rev().map(|element| node(element.client.as_deref()?)));
    let address = match (client, standard_client) {
        // Most proxies know one of the two and let the other through as their client sent it.
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    };
    let last = standard.0.last();
    let scheme = agreed(list(headers, "x-forwarded-proto").next(), last.and_then(|last| last.scheme.clone()));
    let host = agreed(list(headers, "x-forwarded-host").next(), last.and_then(|last| last.host.clone()));
    let host = host.filter(|host| host.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@')));
    let connection = Connection {
        client: address.unwrap_or(connection.client),
        is_secure: scheme.map_or(connection.is_secure, |scheme| scheme.eq_ignore_ascii_case("https")),
    };
    (connection, host.and_then(|host| HeaderValue::try_from(host).ok()))
}

/// What two headers say, where they do not disagree: then one of them is as its client sent it, and nobody knows which.
fn agreed(one: Option<String>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if !one.eq_ignore_ascii_case(&other) => None,
        (one, other) => one.or(other),
    }
}

/// The first address, from the last proxy back, that is no proxy's. `None` ends the way: what is before it is anybody's word.
fn farthest(trusted: &[TrustedProxy], hops: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
    let mut farthest = None;
    for hop in hops {
        let Some(hop) = hop else { break };
        farthest = Some(hop);
        if !is_trusted(trusted, hop) {
            break;
        }
    }
    farthest
}

/// The members of a list, which may be spread over several lines, from the last to the first.
fn list(headers: &HeaderMap, name: &'static str) -> impl Iterator<Item = String> {
    let lines = headers.get_all(name).iter().rev();
    lines.flat_map(|line| {
        // A line that is no text counts as a member that cannot be read.
        line.to_str().unwrap_or("?").rsplit(',').map(|member| member.trim().to_owned()).collect::<Vec<_>>()
    })
}

/// An address with or without port and brackets.
fn node(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    let address: IpAddr = text.parse().ok().or_else(bare).or_else(with_port)?;
    Some(address.to_canonical())
}

/// What `Forwarded` says, a proxy after the other.
#[derive(Debug)]
struct Elements(Vec<Element>);

#[derive(Debug, Default)]
struct Element {
    client: Option<String>,
    scheme: Option<String>,
    host: Option<String>,
}

impl Elements {
    /// `None` where a line is broken: a quote that a client opened may swallow what the proxy added.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut elements = Vec::new();
        for line in headers.get_all(header::FORWARDED) {
            for element in split(line.to_str().ok()?, ',')? {
                elements.push(Element::parse(element)?);
            }
        }
        Some(Self(elements))
    }
}

impl Element {
    fn parse(text: &str) -> Option<Self> {
        let mut element = Self::default();
        for pair in split(text, ';')? {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = Some(unquoted(value.trim())?);
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => element.client = value,
                "proto" => element.scheme = value,
                "host" => element.host = value,
                _ => {}
            }
        }
        Some(element)
    }
}

/// The parts between separators that are not quoted; `None` where a quote is never closed.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|c| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match c {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => {}
        }
        c == separator && !is_quoted
    });
    let parts: Vec<&str> = parts.collect();
    (!is_quoted).then_some(parts)
}

/// A token, or the content of a quoted text.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else { return (!value.contains('"')).then(|| value.to_owned()) };
    let mut characters = rest.strip_suffix('"')?.chars();
    let text = iter::from_fn(|| match characters.next()? {
        '\\' => characters.next(),
        c => Some(c),
    });
    Some(text.collect())
}

#[cfg(test)]
mod tests;
