//! What a request is for: the host that it names, whether that is the server's, and what the operator is told where it is not.

use http::{HeaderMap, HeaderValue, Request, header};

use super::{
    exchange::Exchange,
    forwarded,
    hosts::{Host, Reached},
    origins,
    peer::Peer,
    refusal::Refusal,
    tls::Tls,
};

/// The host that a request is for: what a trusted proxy says (`forwarded`); or what the request line or HTTP/2's `:authority` says, which goes before
/// `Host` (RFC 9112 §3.2.2).
pub(super) fn host<B>(request: &Request<B>, forwarded: Option<HeaderValue>) -> Option<HeaderValue> {
    let authority = || HeaderValue::try_from(request.uri().authority()?.as_str()).ok();
    forwarded.or_else(authority).or_else(|| request.headers().get(header::HOST).cloned())
}

/// Whether the server answers to this host, where it is one. A trusted proxy's word is taken where the request shows that it came through
/// one: browsers on the proxy's machine come from its address too. They cannot reach Unix sockets.
fn verdict(host: Option<&HeaderValue>, peer: &Peer, headers: &HeaderMap) -> Option<bool> {
    let host = Host::parse(host?.to_str().ok()?)?;
    let reached = Reached {
        local: peer.local,
        by_proxy: peer.is_proxy && (peer.local.is_none() || forwarded::is_forwarded(headers)),
        listening: &peer.shared.listening,
        certificate: peer.shared.options.tls.as_ref().map(Tls::hosts),
    };
    Some(peer.shared.options.hosts.allows(host, &reached))
}

/// Whether the server answers to this host.
pub(super) fn is_own(host: &HeaderValue, peer: &Peer, headers: &HeaderMap) -> bool {
    verdict(Some(host), peer, headers) == Some(true)
}

/// The refusal of a request that is for no host, or for another one's.
pub(super) fn refusal<B>(request: &Request<B>, host: Option<&HeaderValue>, exchange: &Exchange) -> Option<Refusal> {
    let shared = &exchange.peer.shared;
    match verdict(host, &exchange.peer, request.headers()) {
        Some(true) => None,
        _ if (shared.options.is_any_hosts)(request.uri().path()) => None,
        None => Some(Refusal::no_host()),
        Some(false) => {
            let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
            if shared.foreign_hosts.allows(host) {
                tracing::warn!(host, "refused: this server is not known by this host; --allowed-host lets it in");
            }
            Some(Refusal::foreign_host())
        }
    }
}

/// Tells in the log of a page whose origin is not allowed: its browser tells the page's author nothing but that.
pub(super) fn tell_foreign_origin<B>(request: &Request<B>, host: Option<&HeaderValue>, exchange: &Exchange) {
    if exchange.cross_origin.is_allowed() {
        return;
    }
    let Some(origin) = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok()) else { return };
    let host = host.and_then(|host| host.to_str().ok());
    let shared = &exchange.peer.shared;
    if origins::is_own(origin, host, exchange.connection.is_secure) || !shared.foreign_origins.allows(origin) {
        return;
    }
    if (shared.options.is_own_pages)(request.uri().path()) {
        tracing::warn!(
            origin,
            "a page of another origin asked for what is for the web app of this server alone, whatever --cors-origin says; pages of others \
             sign in at /api/token/"
        );
    } else if origin == "null" {
        tracing::warn!(
            origin,
            "a page without an origin (a file, or a sandboxed frame) cannot read answers; serve it over HTTP"
        );
    } else {
        tracing::warn!(origin, "a page of another origin cannot read answers; --cors-origin lets it in");
    }
}
