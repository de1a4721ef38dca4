//! What counts as one client where clients are told apart by their IP address: connection limits, rate limits, failed sign-ins.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// An IPv4 address, or the /64 network of an IPv6 address: behind IPv6 one customer usually has a whole /64 to choose from. An
/// IPv4-mapped address is its IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientNetwork(IpAddr);

impl ClientNetwork {
    /// The network that `address` is in.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
            address @ IpAddr::V4(_) => address,
        })
    }

    /// A number for each network: that of its first IPv6 address, or of the IPv4-mapped address.
    pub fn bits(self) -> u128 {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        }
    }
}

/// The network's first address.
impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> ClientNetwork {
        ClientNetwork::of(address.parse().unwrap())
    }

    #[test]
    fn a_64_network_is_one_client_and_a_mapped_address_is_ipv4() {
        for (one, other) in [("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), ("192.0.2.9", "::ffff:192.0.2.9")] {
            assert_eq!((of(one), of(one).bits()), (of(other), of(other).bits()));
        }
        for (one, other) in [("2001:db8:0:1::1", "2001:db8:0:2::1"), ("192.0.2.9", "192.0.2.8"), ("::", "0.0.0.0")] {
            assert!(of(one) != of(other) && of(one).bits() != of(other).bits(), "{one} {other}");
        }
        assert_eq!(of("2001:db8:0:1:ffff::2").to_string(), "2001:db8:0:1::");
    }
}
