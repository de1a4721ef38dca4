//! What is wrong with a server's certificate, in plain words, read off what the TLS library says. Both programs that check certificates
//! themselves, the command line and the terminal app, say it this way.

/// What to say where `error`, the text of an error or of one of its causes, is about the server's certificate or about TLS; `None`
/// where it is about something else. Neither begins with a capital letter nor ends with a full stop.
pub fn explain(error: &str) -> Option<&'static str> {
    let error = error.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| error.contains(word));
    // Not the certificate's fault, but what an https address of a plain server, or of something else, leads to.
    if has(&["invalidcontenttype", "corrupt message"]) {
        return Some("it does not speak HTTPS there; check the port, or try http://");
    }
    if !has(&["certificate"]) {
        return None;
    }
    Some(if has(&["causedasendentity"]) {
        "its certificate is one for signing other certificates; make the server one that is not (basicConstraints=CA:FALSE)"
    } else if has(&["unknownissuer", "unknown issuer", "signature"]) {
        // A signature does not fit where somebody who is trusted has the signer's name.
        "nobody whom this machine trusts vouches for its certificate; if it is one of your own, name its file with --ca-cert"
    } else if has(&["not valid for name", "notvalidforname"]) {
        "its certificate is for another name; use the address that the certificate is for"
    } else if has(&["not valid yet", "notvalidyet"]) {
        "its certificate is not valid yet; compare the clocks of both machines"
    } else if has(&["expired"]) {
        "its certificate has expired; have it renewed, and the server read it again with SIGHUP"
    } else if has(&["revoked"]) {
        "its certificate was revoked; the server needs a new one"
    } else {
        "its certificate cannot be trusted"
    })
}

/// Whether a reason is one that [`explain`] gave.
pub fn is_about_trust(reason: &str) -> bool {
    reason.contains("certificate") || reason.starts_with("it does not speak HTTPS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_with_what_to_do() {
        for (error, part) in [
            ("invalid peer certificate: UnknownIssuer", "--ca-cert"),
            ("invalid peer certificate: BadSignature", "--ca-cert"),
            ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "CA:FALSE"),
            ("invalid peer certificate: certificate not valid for name \"a\"; it is for \"b\"", "another name"),
            ("invalid peer certificate: certificate expired: verification time 9 (UNIX)", "renewed"),
            ("invalid peer certificate: certificate not valid yet: verification time 9", "clocks"),
            ("invalid peer certificate: Revoked", "revoked"),
            ("invalid peer certificate: BadEncoding", "cannot be trusted"),
            ("received corrupt message of type InvalidContentType", "http://"),
        ] {
            assert!(
                explain(error).is_some_and(|words| words.contains(part) && is_about_trust(words)),
                "{error}: {:?}",
                explain(error)
            );
        }
        assert_eq!(explain("connection refused"), None);
        assert!(!is_about_trust("nothing answers at this address"));
    }
}
