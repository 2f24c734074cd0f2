//! IPv4 and IPv6 addresses and CIDR ranges. Source: RFC 4291, RFC 4632, RFC 5952.

use ipnet::IpNet;

/// An address or a range, without host bits. An address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpRange(pub(crate) IpNet);
