//! The kind `url`: normalised, and matched up to a border of its path. Source: RFC 3986, section 6.

use std::borrow::Cow;

use super::borders::is_spaced_letter;
use super::{ObservableError, decoding, domain, ip};

/// A URL, or the beginning of one, without its scheme.
///
/// The scheme is left out because logs often leave it out; a default port equals no port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UrlPattern {
    /// The host: a name in lower case or an address.
    pub host: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
    /// Path and query with percent-encoding undone, without a slash at its end.
    pub path: String,
}

const EXPECTED: &str = "a URL such as https://example.com/path";

/// Normalises a URL. The scheme may be missing.
pub(super) fn parse(text: &str) -> Result<UrlPattern, ObservableError> {
    let refuse = || ObservableError { problem: format!("`{text}` is not a URL"), expected: EXPECTED };
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return Err(refuse());
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = (rest.get(..end).unwrap_or_default(), rest.get(end..).unwrap_or_default());
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            // Nothing behind the colon is no port. Source: RFC 3986, section 6.2.3.
            (host, (!port.is_empty()).then(|| port.parse::<u16>().map_err(|_| refuse())).transpose()?)
        }
        _ => (authority, None),
    };
    // Without a scheme, the port of either of the two that browsers speak is the one that is left out.
    let defaults: &[u16] = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => &[80],
        "https" | "wss" => &[443],
        "ftp" => &[21],
        "" => &[80, 443],
        _ => &[],
    };
    let host = decoding::percent(host).map_or(Cow::Borrowed(host), Cow::Owned);
    let host = ip::IpRange::parse(&host).ok().and_then(|range| range.address()).map_or_else(
        || domain::host(&host).map_err(|error| ObservableError { expected: EXPECTED, ..error }),
        |address| Ok(address.to_string()),
    )?;
    Ok(UrlPattern { host, port: port.filter(|port| !defaults.contains(port)), path: normal_path(path) })
}

/// Undoes percent-encoding, and gives a query or fragment right behind the host its slash. Source: RFC 3986, section 6.2.
fn normal_path(path: &str) -> String {
    let decoded = decoding::percent(path).unwrap_or_else(|| path.to_owned());
    let decoded = without_dot_segments(&decoded).map_or(decoded, |(path, _)| path);
    let path = decoded.trim_end_matches('/');
    if path.starts_with(['?', '#']) { format!("/{path}") } else { path.to_owned() }
}

/// How much of a text is looked at for dot segments behind a host. The longest URLs that proxies take have some thousand
/// bytes.
const MOST_PATH_BYTES: usize = 4096;

/// Removes the segments `.` and `..` of a path; none where it has none. The numbers tell for each byte of the result where
/// in the path the text up to it ends. Source: RFC 3986, section 5.2.4.
fn without_dot_segments(path: &str) -> Option<(String, Vec<usize>)> {
    if !path.contains("/.") {
        return None;
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, '?' | '#' | '"' | '\'' | '<' | '>');
    let end = path.find(is_end).unwrap_or(path.len());
    let (segments, rest) = path.split_at_checked(end)?;
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    if !path.starts_with('/') || !segments.split('/').any(is_dots) {
        return None;
    }
    let (mut out, mut ends) = (String::new(), Vec::new());
    let mut at = 0;
    let mut segments = segments.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        at += 1 + segment.len();
        if segment == ".." {
            out.truncate(out.rfind('/').unwrap_or_default());
        } else if segment != "." {
            out.push('/');
            out.push_str(segment);
        }
        if is_dots(segment) && segments.peek().is_none() {
            out.push('/');
        }
        ends.truncate(out.len());
        let known = ends.len();
        let added = out.len() - known;
        // Of a segment that stands in the text, each byte is where it is; all that went before it goes with its slash.
        ends.extend((known..out.len()).map(|byte| at - (added - 1 - (byte - known)).min(at)));
    }
    ends.extend((end..path.len()).map(|byte| byte + 1));
    out.push_str(rest);
    Some((out, ends))
}

impl UrlPattern {
    /// Tells whether the text after a host begins with this port and path, up to a border; returns how long that is.
    ///
    /// `rest` is `:443/a/b…` or `/a/b…`. The path may go on only behind `/`, `?`, `#` or `&`.
    pub(super) fn matches(&self, rest: &str) -> Option<usize> {
        // The dot of a fully qualified name.
        let mut at = usize::from(rest.starts_with("./") || rest.starts_with(".:"));
        let authority_end = rest.get(at..)?;
        if let Some(after) = authority_end.strip_prefix(':') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let fits = match after.get(..digits)? {
                "" => self.port.is_none() && after.starts_with(['/', '?', '#']),
                digits => {
                    let port: u16 = digits.parse().ok()?;
                    self.port.map_or(matches!(port, 80 | 443 | 21), |wanted| wanted == port)
                }
            };
            if !fits {
                return None;
            }
            at += 1 + digits;
        } else if self.port.is_some() {
            return None;
        }
        let behind = rest.get(at..)?;
        self.matches_path(behind).map(|length| at + length).or_else(|| {
            // What follows may be a long text.
            let most = behind.len().min(MOST_PATH_BYTES);
            let stretch = (0..4).find_map(|less| behind.get(..most.saturating_sub(less)))?;
            let (path, ends) = without_dot_segments(stretch)?;
            let length = self.matches_path(&path)?;
            Some(at + length.checked_sub(1).map_or(0, |last| ends.get(last).copied().unwrap_or(stretch.len())))
        })
    }

    /// Tells whether a text begins with this path, up to a border; returns how long that is.
    fn matches_path(&self, behind: &str) -> Option<usize> {
        let path = if behind.starts_with(['?', '#']) {
            self.path.strip_prefix('/').unwrap_or_default()
        } else {
            self.path.as_str()
        };
        let tail = behind.strip_prefix(path)?;
        let is_border = |c: char| !(is_spaced_letter(c) || matches!(c, '-' | '_' | '.' | '~' | '%' | '='));
        let dots = tail.trim_start_matches('.');
        let ends =
            tail.chars().next().is_none_or(is_border) || tail.starts_with('.') && !dots.starts_with(is_spaced_letter);
        // What looked like a host was the user of another one: `https://evil.example@good.example/`.
        let is_user = path.is_empty() && tail.starts_with('@');
        (ends && !is_user).then_some(path.len())
    }

    /// Returns the normal form.
    pub(super) fn value(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}{}", self.path),
            None => format!("{host}{}", self.path),
        }
    }
}

/// Tells whether a text looks like a URL: it has a scheme, or a port or path behind a name, or a path behind an address.
pub(super) fn looks_like(text: &str) -> bool {
    let (authority, path) = text.split_once('/').unwrap_or((text, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let is_more = authority.len() < text.len() || !port.is_empty();
    // What stands behind an address may be the length of a range that is no range, `192.0.2.0/33`.
    let is_page = || ip::IpRange::parse(host).is_ok() && path.contains(|c: char| !c.is_ascii_digit());
    (text.contains("://") || is_more && (domain::looks_like(host) || is_page())) && parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_url_are_equal() {
        let value = |text: &str| parse(text).unwrap().value();
        assert_eq!(value("HTTPS://Evil.Example:443/a%2Fb/"), "evil.example/a/b");
        assert_eq!(value("evil.example/a/b"), "evil.example/a/b");
        assert_eq!(value("http://evil.example:8080/"), "evil.example:8080");
        assert_eq!(value("http://192.0.2.7/x?y=1"), "192.0.2.7/x?y=1");
        assert_eq!(value("http://evil.example?x#y"), "evil.example/?x#y");
        assert_eq!(value("http://evil.example/#/login"), "evil.example/#/login");
        assert_eq!(value("evil.example:443/a"), "evil.example/a");
        assert_eq!(value("http://evil.example:443/a"), "evil.example:443/a");
        assert_eq!(value("https://user:x@[2001:DB8::1]:443/%7Ea%2fB"), "[2001:db8::1]/~a/B");
        assert_eq!(value("http://[fe80::1%25eth0]:8080"), "[fe80::1]:8080");
        assert_eq!(value("https://MÜNCHEN.example/ä"), "xn--mnchen-3ya.example/ä");
        assert_eq!(value("https://xn--mnchen-3ya.example/%C3%A4"), "xn--mnchen-3ya.example/ä");
        assert!(parse("https://").is_err() && parse("http://localhost/a").is_err());
        assert!(parse("not a url").is_err());
    }

    #[test]
    fn a_path_matches_up_to_a_border() {
        let url = parse("http://evil.example/a/b").unwrap();
        for yes in ["/a/b", "/a/b/", "/a/b?x", "/a/b/c", ":443/a/b", "/a/b.", "/a/b\"", "./a/b", ".:443/a/b"] {
            assert!(url.matches(yes).is_some(), "{yes}");
        }
        for no in ["/a/bc", "/a", ":8080/a/b", "", "/a/b.html"] {
            assert!(url.matches(no).is_none(), "{no}");
        }
        let root = parse("http://evil.example/").unwrap();
        assert!(root.matches("").is_some() && root.matches("/a").is_some() && root.matches("?a").is_some());
        assert!(root.matches("@good.example").is_none() && root.matches(":80@good.example").is_none());
        for yes in [
            "/./a/b",
            "/x/../a/b",
            "/a/./b?x",
            "/a/x/y/../../b",
            "/../a/b",
            ":/a/b",
            ":443/./a/b",
            "/a/b/.",
            "/a/b/c/..",
        ] {
            assert!(url.matches(yes).is_some(), "{yes}");
        }
        for no in ["/a/../b", "/a/.../b", "/a/x/../../b", ":x/a/b", "/./a/bc"] {
            assert!(url.matches(no).is_none(), "{no}");
        }
        assert_eq!(url.matches("/x/../a/./b?y=/./z"), Some("/x/../a/./b".len()));
        assert_eq!(url.matches(":443/ä/../a/b/x"), Some(":443/ä/../a/b".len()));
        assert_eq!(parse("http://evil.example:/x/%2e%2e/a/./b/").unwrap(), url);
        let page = parse("http://evil.example/#/login").unwrap();
        assert!(page.matches("/#/login?x").is_some() && page.matches("#/login").is_some());
        assert!(page.matches("/#/logins").is_none() && page.matches("/login").is_none());
    }
}
