//! Whose certificate it is: the names and addresses that clients take it for (RFC 9525).

use std::net::IpAddr;

use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _};

use crate::hosts::AllowedHost;

/// The hosts in a certificate; none where it cannot be read.
pub(super) fn hosts(certificate: &[u8]) -> Vec<AllowedHost> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let hosts = names.value.general_names.iter().filter_map(|name| match name {
        // A star stands for one label.
        GeneralName::DNSName(name) => match name.parse().ok()? {
            AllowedHost::Below(domain) => Some(AllowedHost::OneBelow(domain)),
            host => Some(host),
        },
        GeneralName::IPAddress(bytes) => address(bytes).map(AllowedHost::Address),
        _ => None,
    });
    // A certificate for whatever name there is names nobody.
    hosts.filter(|host| *host != AllowedHost::Any).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn n10_a_certificate_names_its_hosts() {
        let names = ["coffer.example", "*.box.example", "192.0.2.1", "2001:db8::1"].map(str::to_owned);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let expected = ["coffer.example", "*.box.example", "192.0.2.1", "2001:db8::1"];
        let mut expected = expected.map(|host| host.parse::<AllowedHost>().unwrap());
        expected[1] = AllowedHost::OneBelow("box.example".to_owned());
        assert_eq!(hosts(certificate.der()), expected);
        assert!(hosts(b"no certificate").is_empty());
    }
}
