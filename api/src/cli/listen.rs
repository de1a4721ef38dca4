//! Where `coffer serve` listens, over what, and how it says so. Plain HTTP that other machines could read is refused here.

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use anyhow::{Context, Result, bail};
use clap::{Args, value_parser};
use server::{
    AllowedHost, AllowedHosts, AllowedOrigin, AllowedOrigins, DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_PER_ADDRESS,
    ListenAddress, Listener, Server, ServerOptions, Tls, TrustedProxy,
};

use crate::routes;

/// Where the server listens.
#[derive(Debug, Args)]
pub(super) struct Addresses {
    /// An address that the server listens on, with a port (0 takes a free one), or unix: and a path. May be given several times; `coffer health`
    /// asks the first. Ignored where systemd hands sockets over: coffer.socket says where those listen.
    #[arg(
        long,
        env = "COFFER_LISTEN",
        default_value = "127.0.0.1:8000",
        value_name = "ADDR|unix:PATH",
        value_delimiter = ','
    )]
    pub listen: Vec<ListenAddress>,
}

/// Where connections come from, and what is believed of them.
#[derive(Debug, Args)]
pub(super) struct Sockets {
    #[command(flatten)]
    addresses: Addresses,
    /// The permissions of a Unix socket, in octal.
    #[arg(long, env = "COFFER_SOCKET_MODE", default_value = "660", value_parser = parse_mode, value_name = "MODE")]
    socket_mode: u32,
    /// Serve HTTPS with the certificate in this PEM file, those that vouch for it after it. SIGHUP reads it again.
    #[arg(long, env = "COFFER_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in a PEM file.
    #[arg(long, env = "COFFER_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Serve plain HTTP on an address that other machines can reach. Put a TLS proxy in front.
    #[arg(long, env = "COFFER_INSECURE_HTTP")]
    insecure_http: bool,
    /// A proxy, or a network of them, whose word about its clients' addresses is taken; "unix" for whoever comes through a Unix socket. May be
    /// given several times.
    #[arg(long, env = "COFFER_TRUSTED_PROXY", value_name = "CIDR|unix", value_delimiter = ',')]
    trusted_proxy: Vec<TrustedProxy>,
    /// A host that the server answers to, such as coffer.example, *.example.org for all names below one, or * for any. May be given several
    /// times. Without it: this machine's names and addresses, those in the certificate, and what a trusted proxy says. localhost and this
    /// machine's own 127.0.0.1 and `[::1]` are always answered to.
    #[arg(long, env = "COFFER_ALLOWED_HOST", value_name = "HOST", value_delimiter = ',')]
    allowed_host: Vec<AllowedHost>,
    /// An origin whose pages may use the API in a browser, such as <https://app.example>, or * for any. May be given several times. Sign-in by
    /// cookie stays with the server's own pages.
    #[arg(long, env = "COFFER_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<AllowedOrigin>,
    /// How many connections may be open; further ones wait. The system's limit on open files has to leave room for them.
    #[arg(long, env = "COFFER_MAX_CONNECTIONS", default_value_t = DEFAULT_MAX_CONNECTIONS, allow_hyphen_values = true, value_parser = value_parser!(u32).range(1..), value_name = "N")]
    max_connections: u32,
    /// How many of them one address may have, or one /64 network of IPv6; further ones are closed. Trusted proxies and this machine
    /// may have all.
    #[arg(long, env = "COFFER_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = DEFAULT_MAX_PER_ADDRESS, allow_hyphen_values = true, value_parser = value_parser!(u32).range(1..), value_name = "N")]
    max_connections_per_address: u32,
}

fn parse_mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "use three octal digits, such as 660".to_owned())
}

impl Sockets {
    /// Tells in the log of settings that let in more than they should without a reason.
    pub(super) fn warn(&self) {
        if self.cors_origin.contains(&AllowedOrigin::Any) {
            tracing::warn!(
                "--cors-origin *: pages of every site may use the API with the tokens that they have; name the sites where you can"
            );
        }
        if self.allowed_host.contains(&AllowedHost::Any) {
            tracing::warn!(
                "--allowed-host *: links in answers repeat whatever host a client asks for, and pages of other sites can pass for this server's"
            );
        }
    }

    /// Takes the sockets, and reads the certificate first if there is to be TLS.
    pub(super) fn bind(&self, options: ServerOptions) -> Result<(Server, Option<Tls>)> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls::load(certificate.clone(), key.clone())?),
            _ => None,
        };
        let options = ServerOptions {
            listen: self.addresses.listen.clone(),
            socket_mode: self.socket_mode,
            tls: tls.clone(),
            trusted_proxies: self.trusted_proxy.clone(),
            hosts: AllowedHosts::new(self.allowed_host.clone()),
            is_any_hosts: routes::is_any_hosts,
            origins: AllowedOrigins::new(self.cors_origin.clone()),
            is_own_pages: routes::is_own_pages,
            is_upload: routes::is_upload,
            max_connections: self.max_connections as usize,
            max_per_address: self.max_connections_per_address as usize,
            ..options
        };
        let inherited = Listener::inherited().context("cannot use the sockets that systemd hands over")?;
        if inherited.is_empty() {
            self.check(&self.addresses.listen)?;
            return Ok((Server::bind(options)?, tls));
        }
        let server = Server::over(inherited, options);
        let handed_over = server.addresses()?;
        self.check(&handed_over)?;
        if is_listen_said()
            && let Some(ignored) = self.addresses.listen.iter().find(|address| !handed_over.contains(address))
        {
            tracing::warn!(
                "--listen {ignored} (COFFER_LISTEN) is ignored: systemd hands over sockets that listen elsewhere; name the address in \
                 coffer.socket (ListenStream=), or disable that unit"
            );
        }
        Ok((server, tls))
    }

    /// What people put before the path of a page, as far as the settings tell it.
    pub(super) fn outside(&self, addresses: &[ListenAddress], tls: Option<&Tls>) -> Outside {
        let tcp = |address: &ListenAddress| match address {
            ListenAddress::Tcp(address) => Some(*address),
            ListenAddress::Unix(_) => None,
        };
        let open = addresses.iter().filter_map(tcp).find(|address| !address.ip().is_loopback());
        let in_certificate = tls.map(Tls::hosts);
        let mut named = self.allowed_host.iter().chain(in_certificate.iter().flat_map(|hosts| hosts.iter()));
        let name = named.find_map(|host| match host {
            AllowedHost::Name(name) if name != "localhost" => Some(name),
            _ => None,
        });
        match (name, open, tls) {
            (Some(name), Some(address), Some(_)) if address.port() == 443 => Outside::At(format!("https://{name}")),
            (Some(name), Some(address), Some(_)) => Outside::At(format!("https://{name}:{}", address.port())),
            (Some(name), Some(address), None) if self.trusted_proxy.is_empty() => {
                Outside::At(format!("http://{name}:{}", address.port()))
            }
            // Nobody reaches the server but through a proxy, which does TLS.
            (Some(name), _, _) => Outside::At(format!("https://{name}")),
            (None, ..) if !self.trusted_proxy.is_empty() => Outside::BehindProxy,
            (None, ..) => Outside::Unknown,
        }
    }

    fn check(&self, addresses: &[ListenAddress]) -> Result<()> {
        let is_open =
            |address: &&ListenAddress| matches!(address, ListenAddress::Tcp(address) if !address.ip().is_loopback());
        match addresses.iter().find(is_open) {
            Some(open) if self.tls_cert.is_none() && !self.insecure_http => bail!(
                "{open} can be reached from other machines, and plain HTTP shows passwords to the network; give a \
                 certificate with --tls-cert and --tls-key, or put a TLS proxy in front and add --insecure-http, or listen \
                 on 127.0.0.1"
            ),
            _ => Ok(()),
        }
    }
}

/// Where people reach the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outside {
    /// At this address.
    At(String),
    /// At a proxy's address, which was not named.
    BehindProxy,
    /// Nothing was said, so at one of those that the server listens on.
    Unknown,
}

/// Whether an address to listen on was named, rather than the one that holds by itself.
fn is_listen_said() -> bool {
    let is_variable = std::env::var_os("COFFER_LISTEN").is_some_and(|value| !value.is_empty());
    is_variable || std::env::args_os().any(|word| word.to_string_lossy().starts_with("--listen"))
}

/// The first thing that people see. The set-up code is a secret, so it goes to stdout and never into the log.
pub(super) fn greet(
    addresses: &[ListenAddress],
    is_tls: bool,
    metrics: Option<&ListenAddress>,
    outside: Outside,
    setup_code: Option<&str>,
) {
    let mut out = std::io::stdout();
    let scheme = if is_tls { "https" } else { "http" };
    let mut link = None;
    for address in addresses {
        let _ = match address {
            ListenAddress::Tcp(address) => {
                let here = reachable(*address);
                let others = if here == *address { "" } else { ", and on this machine's other addresses" };
                link.get_or_insert(format!("{scheme}://{here}"));
                writeln!(out, "Coffer listens on {scheme}://{here}{others}")
            }
            ListenAddress::Unix(_) => writeln!(out, "Coffer listens on {address}"),
        };
    }
    if let Some(metrics) = metrics {
        let _ = writeln!(out, "Metrics are on http://{metrics}/metrics");
    }
    if let Some(code) = setup_code {
        let (place, link) = match (outside, link) {
            (Outside::At(link), _) | (Outside::Unknown, Some(link)) => ("here", link),
            (Outside::BehindProxy, _) | (_, None) => ("at this path of your proxy's address", String::new()),
        };
        let _ = writeln!(out, "Make the first admin {place}, within an hour:\n\n    {link}/setup?code={code}\n");
    }
    let _ = out.flush();
}

/// An address that a browser on this machine can open: "all addresses" is none.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() { (Ipv4Addr::LOCALHOST, address.port()).into() } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_octal_and_no_more_than_permissions() {
        assert_eq!((parse_mode("660"), parse_mode("0600")), (Ok(0o660), Ok(0o600)));
        for bad in ["", "rw-rw----", "668", "1777", "-1"] {
            assert!(parse_mode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_link_leads_to_the_host_that_people_use() {
        #[derive(Debug, clap::Parser)]
        struct Only {
            #[command(flatten)]
            sockets: Sockets,
        }
        let outside = |args: &[&str], listens: &str| {
            let words = std::iter::once("coffer").chain(args.iter().copied());
            let only = <Only as clap::Parser>::parse_from(words);
            only.sockets.outside(&[listens.parse().unwrap()], None)
        };
        let at = |address: &str| Outside::At(address.to_owned());
        let named = ["--allowed-host", "*.example.org,coffer.example"];
        assert_eq!(outside(&[], "127.0.0.1:8000"), Outside::Unknown);
        assert_eq!(outside(&named, "127.0.0.1:8000"), at("https://coffer.example"), "a proxy is before it");
        assert_eq!(outside(&named, "unix:/run/coffer.sock"), at("https://coffer.example"));
        assert_eq!(outside(&named, "0.0.0.0:8000"), at("http://coffer.example:8000"));
        assert_eq!(outside(&["--trusted-proxy", "10.0.0.0/8"], "0.0.0.0:8000"), Outside::BehindProxy);
        let both = [named.as_slice(), &["--trusted-proxy", "10.0.0.0/8"]].concat();
        assert_eq!(outside(&both, "0.0.0.0:8000"), at("https://coffer.example"));
        assert_eq!(outside(&["--allowed-host", "localhost,*"], "0.0.0.0:8000"), Outside::Unknown);
    }

    #[test]
    fn a_link_to_all_addresses_leads_to_this_machine() {
        for (listen, link) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "127.0.0.1:8000"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), link);
        }
    }
}
