//! Classification of IP addresses as public or inner.
//!
//! Public addresses are on the internet at large; inner ones are on this machine, in its network or
//! reserved. Follows the registries of IANA,
//! <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>, and adds the multicast blocks
//! (RFC 5771, RFC 4291), which these do not list. In doubt an address is inner.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    // This network; 0.0.0.0 reaches this machine.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private use.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared address space of carriers; one cloud also has its metadata here (100.100.100.200).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // A service of one cloud for its own machines, although the registry calls the address public.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    // Link-local, including the metadata service of most clouds (169.254.169.254).
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private use.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // Protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // 6to4 relays, deprecated.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private use.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarking.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The global unicast addresses.
///
/// They exclude ::, ::1, ::/96 and other ways to embed an IPv4 address, 100::/64, 5f00::/16,
/// fc00::/7, fe80::/10, fec0::/10 and ff00::/8.
const UNICAST_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocol assignments, including Teredo, which embeds IPv4 addresses.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, which embeds IPv4 addresses and is deprecated.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // Documentation.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The prefix under which a network without IPv4 reaches IPv4 addresses.
///
/// There is no other way to them in such a network. The similar prefix 64:ff9b:1::/48 is for use
/// within a network, and therefore inner.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Whether `address` is on the internet at large.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|&(network, prefix)| (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded_ipv4(address) {
        return is_public_v4(embedded);
    }
    within(address, UNICAST_V6) && !SPECIAL_V6.iter().any(|&block| within(address, block))
}

/// Returns the IPv4 address that packets to `address` reach.
///
/// Omits embeddings whose whole block is inner.
fn embedded_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = address.octets();
    address.to_ipv4_mapped().or_else(|| within(address, NAT64).then(|| Ipv4Addr::new(a, b, c, d)))
}

fn within(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const INNER: &str = "
        0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0 127.255.255.255
        168.63.129.16 169.254.0.0 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0
        192.0.2.255 192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.0
        198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255
        :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:10.0.0.1 ::ffff:0:8.8.8.8 64:ff9b::10.0.0.1 64:ff9b:0:1::8.8.8.8
        64:ff9b:1::8.8.8.8 100:: 1fff:ffff:: 2001:: 2001:0:7f00:1::1 2001:1ff:ffff:: 2001:db8::
        2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:: 2002:7f00:1:: 2002:808:808:: 3fff:: 3fff:fff:ffff:: 4000::
        5f00:: fc00:: fd00:ec2::254 fe80::1 febf:: fec0::1 ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";

    const PUBLIC: &str = "
        1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15
        168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0
        192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0
        203.0.112.255 203.0.114.0 223.255.255.255 2000:: 2001:200:: 2001:db7:ffff:: 2001:db9:: 2003::
        2606:4700::1111 3ffe:ffff:: 3fff:1000:: ::ffff:8.8.8.8 64:ff9b::8.8.8.8";

    #[test]
    fn each_block_is_inner_from_its_first_to_its_last_address() {
        for address in INNER.split_whitespace() {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_next_to_the_blocks_are_public() {
        for address in PUBLIC.split_whitespace() {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
