//! The kind `ip`: IPv4 and IPv6 addresses and CIDR ranges. Source: RFC 4291, RFC 4632, RFC 5952.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::ObservableError;

/// An address or a range, without host bits. An address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpRange(IpNet);

const EXPECTED: &str = "an IPv4 or IPv6 address or CIDR range, such as 192.0.2.7, 198.51.100.0/24 or 2001:db8::1";

impl IpRange {
    /// Makes a range of a network; host bits are cleared.
    pub fn new(network: IpNet) -> Self {
        Self(network.trunc())
    }

    /// Parses an address, bracketed or not, or a CIDR range; host bits are cleared, IPv4-mapped addresses are IPv4.
    pub(super) fn parse(text: &str) -> Result<Self, ObservableError> {
        let refuse = || ObservableError { problem: format!("`{text}` is not an address or range"), expected: EXPECTED };
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        // A zone names an interface of one machine; evidence of another has its own. Source: RFC 4007, section 11.
        let bare =
            bare.split_once('%').filter(|(address, _)| address.contains(':')).map_or(bare, |(address, _)| address);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(unmapped(address))));
        }
        let range: IpNet = bare.parse().map_err(|_| refuse())?;
        Ok(Self(unmapped_range(range).trunc()))
    }

    /// Returns the range as a network.
    pub fn network(self) -> IpNet {
        self.0
    }

    /// Returns the one address, where it is one.
    pub fn address(self) -> Option<IpAddr> {
        (self.0.prefix_len() == self.0.max_prefix_len()).then(|| self.0.addr())
    }

    /// Returns the shortest form: an address without its `/32` or `/128`.
    pub(super) fn value(self) -> String {
        self.address().map_or_else(|| self.0.to_string(), |address| address.to_string())
    }
}

/// Turns `::ffff:192.0.2.7` into `192.0.2.7`. Source: RFC 4291, section 2.5.5.2.
pub(super) fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Turns `::ffff:192.0.2.0/120` into `192.0.2.0/24`: evidence is read without the mapping, too.
fn unmapped_range(range: IpNet) -> IpNet {
    let mapped = range.prefix_len().checked_sub(96).zip(match unmapped(range.addr()) {
        IpAddr::V4(v4) if matches!(range, IpNet::V6(_)) => Some(v4),
        _ => None,
    });
    mapped.and_then(|(length, v4)| IpNet::new(IpAddr::V4(v4), length).ok()).unwrap_or(range)
}

/// Reads the IPv4 address that `run`, a run of digits and dots, is as a whole.
pub(super) fn parse_v4(run: &[u8]) -> Option<u32> {
    let mut address = 0_u32;
    let mut octets = 0;
    let mut digits = 0;
    let mut octet = 0_u32;
    for &byte in run {
        if byte == b'.' {
            if digits == 0 || octets == 3 {
                return None;
            }
            address = address << 8 | octet;
            octets += 1;
            digits = 0;
            octet = 0;
        } else {
            octet = octet * 10 + u32::from(byte.wrapping_sub(b'0'));
            digits += 1;
            if digits > 3 || octet > 255 || !byte.is_ascii_digit() {
                return None;
            }
        }
    }
    (octets == 3 && digits > 0).then_some(address << 8 | octet)
}

/// Reads the IPv6 address that `run`, a run of hexadecimal digits, colons and dots, is as a whole.
///
/// A full stop or colon after it is punctuation; a port after an address is left out where it can be told from a group.
pub(super) fn parse_v6(run: &[u8]) -> Option<(Ipv6Addr, usize)> {
    let colons = memchr::memchr_iter(b':', run).count();
    if !(2..=9).contains(&colons) || run.len() > 64 {
        return None;
    }
    let text = std::str::from_utf8(run).ok()?;
    let trimmed = text.trim_end_matches('.');
    // A port behind a mapped address, behind all eight groups, or behind a dot as packet dumps write it.
    let without_port = trimmed.rsplit_once(':').filter(|_| trimmed.contains('.') || colons == 8);
    let attempts = [
        Some(trimmed),
        trimmed.strip_suffix(':'),
        without_port.map(|(address, _)| address),
        trimmed.rsplit_once('.').map(|(address, _)| address),
    ];
    attempts.into_iter().flatten().find_map(|attempt| Some((attempt.parse().ok()?, attempt.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lose_their_host_bits_and_addresses_their_brackets() {
        let value = |text: &str| IpRange::parse(text).map(IpRange::value);
        assert_eq!(value("192.0.2.7").unwrap(), "192.0.2.7");
        assert_eq!(value("192.0.2.7/24").unwrap(), "192.0.2.0/24");
        assert_eq!(value("[2001:DB8:0::1]").unwrap(), "2001:db8::1");
        assert_eq!(value("::ffff:192.0.2.7").unwrap(), "192.0.2.7");
        assert_eq!(value("::ffff:192.0.2.7/120").unwrap(), "192.0.2.0/24");
        assert_eq!(value("2001:db8::/32").unwrap(), "2001:db8::/32");
        assert_eq!(value("fe80::1%eth0").unwrap(), "fe80::1");
        assert_eq!(value("[FE80::1%9]").unwrap(), "fe80::1");
        assert!(value("192.0.2.7%1").is_err());
        assert!(value("192.0.2").is_err());
        assert!(value("192.0.2.256").is_err());
        assert!(value("192.0.2.7/33").is_err());
    }

    #[test]
    fn v4_is_four_octets_and_nothing_more() {
        assert_eq!(parse_v4(b"5.2.69.14"), Some(0x0502_450e));
        for not in ["5.2.69", "5.2.69.14.", "5.2.69.14.7", ".5.2.69.14", "5.2.69.256", "5..69.14", "5.2.69.0140", ""] {
            assert_eq!(parse_v4(not.as_bytes()), None, "{not}");
        }
    }

    #[test]
    fn v6_survives_punctuation_and_keeps_its_last_group() {
        let parse = |text: &str| parse_v6(text.as_bytes()).map(|(address, _)| address.to_string());
        assert_eq!(parse("2001:db8::abcd").as_deref(), Some("2001:db8::abcd"));
        assert_eq!(parse("2001:db8::abcd:").as_deref(), Some("2001:db8::abcd"));
        assert_eq!(parse("2001:0DB8:0:0:0:0:0:1.").as_deref(), Some("2001:db8::1"));
        assert_eq!(parse("::ffff:10.11.12.13:443").as_deref(), Some("::ffff:10.11.12.13"));
        assert_eq!(parse("2001:db8:0:0:0:0:0:1:443").as_deref(), Some("2001:db8::1"));
        assert_eq!(parse("2001:db8::abcd.443").as_deref(), Some("2001:db8::abcd"));
        assert_eq!(parse("03:12:44"), None);
        assert_eq!(parse("a:b"), None);
    }
}
