//! Whose name a server answers to. A page of a foreign site can have its own name lead to this machine ("DNS rebinding"), and would then be of our origin for the browser; and
//! whatever name a request brings stands in the links of its answer. So a name that is not the server's is refused (421, RFC 9110 §15.5.20), and is not repeated.
//!
//! Whoever sends an IP address as the host has reached that address, so those of this machine are its own. `localhost` leads here whatever a name server says
//! (RFC 6761 §6.3). Ports are not compared: they change on the way through tunnels and published ports, and are no matter of whose name it is.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use thiserror::Error;

/// Letters of a name (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;

/// The host that a request is for, without its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host<'a> {
    /// An address, canonical.
    Address(IpAddr),
    /// A name as it came, less the dot that a whole name may end in.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// What a `Host` field says (RFC 9110 §7.2). `None` where it says nothing, or what is no host with or without a port.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            is_port(port).then_some(())?;
            return Some(Self::Address(literal(address)?.to_canonical()));
        }
        let (name, port) = text.find(':').map_or((text, ""), |colon| text.split_at(colon));
        let name = name.strip_suffix('.').unwrap_or(name);
        if !is_port(port) || !is_name(name) {
            return None;
        }
        Some(name.parse().map_or(Self::Name(name), Self::Address))
    }
}

/// An IPv6 address as it stands in brackets. A zone (RFC 6874) is the sender's own word for one of its networks, and says nothing here.
fn literal(text: &str) -> Option<IpAddr> {
    let Some((address, zone)) = text.split_once('%') else { return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6) };
    let address: Ipv6Addr = address.parse().ok()?;
    (address.is_unicast_link_local() && !zone.is_empty()).then_some(IpAddr::V6(address))
}

/// Nothing, or a colon and the port's number, which may be left out (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else { return text.is_empty() };
    digits.is_empty() || digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
}

/// Labels between dots, of what RFC 3986 §3.2.2 lets a name be made of.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~!$&'()*+,;=%".contains(&byte))
        })
}

/// One host that an operator allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// `*`: whatever is asked for.
    Any,
    /// This name, in lower case.
    Name(String),
    /// Every name that ends in this one and a dot before it.
    Below(String),
    /// Every name that is one label before this one, as certificates have it (RFC 9525 §6.3).
    OneBelow(String),
    /// This address.
    Address(IpAddr),
}

/// The text names no host.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AllowedHostError {
    /// It is more than a host.
    #[error("name the host alone, without scheme, port or path, such as coffer.example")]
    More,
    /// It is nothing that a host could be.
    #[error("use a host such as coffer.example, an address, *.example.org for all names below one, or * for any")]
    Malformed,
}

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, AllowedHostError> {
        let text = text.trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.contains("//") || text.contains('/') || text.contains('@') {
            return Err(AllowedHostError::More);
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Some(address) = bare.parse().ok().or_else(|| literal(bare)) {
            return Ok(Self::Address(IpAddr::to_canonical(&address)));
        }
        if text.contains(':') {
            return Err(AllowedHostError::More);
        }
        let (below, name) = match text.strip_prefix("*.").or_else(|| text.strip_prefix('.')) {
            Some(name) => (true, name),
            None => (false, text),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        // Browsers send names beyond ASCII in their encoded form, whoever typed them.
        let Ok(url::Host::Domain(name)) = url::Host::parse(name) else { return Err(AllowedHostError::Malformed) };
        if !is_name(&name) || name.contains('*') {
            return Err(AllowedHostError::Malformed);
        }
        Ok(if below { Self::Below(name) } else { Self::Name(name) })
    }
}

impl AllowedHost {
    fn is(&self, host: Host<'_>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Address(known), Host::Address(address)) => *known == address,
            (Self::Name(known), Host::Name(name)) => known.eq_ignore_ascii_case(name),
            (Self::Below(known), Host::Name(name)) => is_below(name, known),
            (Self::OneBelow(known), Host::Name(name)) => {
                name.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(known))
            }
            _ => false,
        }
    }
}

/// Whether `name` is `domain` with something before it.
fn is_below(name: &str, domain: &str) -> bool {
    name.len().checked_sub(domain.len() + 1).is_some_and(|dot| {
        name.is_char_boundary(dot)
            && dot > 0
            && name[dot..].starts_with('.')
            && name[dot + 1..].eq_ignore_ascii_case(domain)
    })
}

/// Which hosts a server answers to. This machine's own addresses for itself, and `localhost`, are always among them.
#[derive(Debug, Clone)]
pub enum AllowedHosts {
    /// Whatever is asked for.
    Any,
    /// These, whoever asks.
    Named(Vec<AllowedHost>),
    /// What can be known without being told: this machine's names and addresses, the names in the certificate, and what a trusted proxy says.
    Own {
        /// The machine's names.
        names: Vec<String>,
    },
}

/// What a request's host is compared with beside names.
pub(super) struct Reached<'a> {
    /// The address that the connection came to; none through Unix sockets.
    pub(super) local: Option<IpAddr>,
    /// The request came through a trusted proxy, which says so.
    pub(super) by_proxy: bool,
    /// Addresses that are listened on.
    pub(super) listening: &'a [IpAddr],
    /// Those in the server's certificate.
    pub(super) certificate: Option<Arc<[AllowedHost]>>,
}

impl AllowedHosts {
    /// These hosts; what can be known without being told where there are none.
    pub fn new(hosts: Vec<AllowedHost>) -> Self {
        if hosts.is_empty() {
            return Self::Own { names: machine_names() };
        }
        if hosts.contains(&AllowedHost::Any) { Self::Any } else { Self::Named(hosts) }
    }

    /// Whether the server answers to `host`.
    pub(super) fn allows(&self, host: Host<'_>, reached: &Reached<'_>) -> bool {
        match self {
            Self::Any => true,
            _ if leads_here(host) => true,
            Self::Named(hosts) => hosts.iter().any(|allowed| allowed.is(host)),
            Self::Own { .. } if reached.by_proxy => true,
            Self::Own { names } => match host {
                Host::Address(address) => {
                    reached.local == Some(address)
                        || reached.listening.contains(&address)
                        || is_in_certificate(host, reached)
                        || is_of_this_machine(address)
                }
                Host::Name(name) => {
                    names.iter().any(|known| known.eq_ignore_ascii_case(name)) || is_in_certificate(host, reached)
                }
            },
        }
    }
}

fn is_in_certificate(host: Host<'_>, reached: &Reached<'_>) -> bool {
    reached.certificate.iter().flat_map(|hosts| hosts.iter()).any(|known| known.is(host))
}

/// Whether the host leads to the machine that asks for it, wherever that is.
fn leads_here(host: Host<'_>) -> bool {
    match host {
        Host::Address(address) => address.is_loopback(),
        Host::Name(name) => name.eq_ignore_ascii_case("localhost") || is_below(name, "localhost"),
    }
}

/// What the machine is called: its name, the first part of it, and that part as it is called on a network without a name server (RFC 6762).
fn machine_names() -> Vec<String> {
    let system = rustix::system::uname();
    let name: Cow<'_, str> = system.nodename().to_string_lossy();
    let name = name.trim_end_matches('.');
    let Some(first) = name.split('.').next().filter(|first| !first.is_empty()) else { return Vec::new() };
    let mut names = vec![name.to_owned(), first.to_owned(), format!("{first}.local")];
    names.retain(|name| is_name(name));
    names.dedup();
    names
}

/// Whether one of the machine's networks gave it this address now.
fn is_of_this_machine(address: IpAddr) -> bool {
    if_addrs::get_if_addrs().is_ok_and(|found| found.iter().any(|interface| interface.ip().to_canonical() == address))
}

#[cfg(test)]
mod tests;
