//! The base URL of a management node.

use std::fmt;

use reqwest::Url;

/// A validated base URL of a management node: `http://localhost:8080/zstack`.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port, and path without a slash at the end.
    base: String,
    /// An IPv6 address in brackets.
    host: String,
    port: Option<u16>,
    is_https: bool,
    /// Where the path begins in `base`.
    path: usize,
}

/// Why a base URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not a URL.
    #[error("`{text}` is not a URL: {reason}")]
    Syntax {
        /// What was given, without user info.
        text: String,
        /// What the URL parser says.
        reason: String,
    },
    /// Neither http nor https.
    #[error("unsupported URL scheme `{scheme}`; use http or https")]
    Scheme {
        /// The scheme given.
        scheme: String,
    },
    /// It contains a user or a password, which a node ignores.
    #[error("a user or password in the URL is not used by a management node")]
    UserInfo,
    /// It has a query string or fragment.
    #[error("a base URL ends with its path: no `?` and no `#`")]
    Tail,
    /// The host is empty or holds characters that no host name has.
    #[error("`{host}` is not a host name or address")]
    Host {
        /// The host given.
        host: String,
    },
}

impl Endpoint {
    /// Parses a base URL. Without a path it gets `/zstack`, the default of nodes; `https://host/` has no path. A `/v1`
    /// at the end is removed.
    ///
    /// # Errors
    /// When it is not an http or https URL of a host, a port and a path alone.
    pub fn parse(text: &str) -> Result<Endpoint, EndpointError> {
        let text = text.trim();
        let url = Url::parse(text).map_err(|error| EndpointError::Syntax {
            text: crate::secret::mask_url(text).into_owned(),
            reason: error.to_string(),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EndpointError::Scheme { scheme: url.scheme().to_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Tail);
        }
        let without_path = text.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
        let path = if without_path { "/zstack" } else { url.path().trim_end_matches('/') };
        // The URL was copied from a request: the version is not part of the base.
        let path = path.strip_suffix("/v1").unwrap_or(path);
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port();
        let mut base = format!("{}://{host}", url.scheme());
        if let Some(port) = port {
            base.push_str(&format!(":{port}"));
        }
        let start = base.len();
        base.push_str(path);
        Ok(Endpoint { base, host, port, is_https: url.scheme() == "https", path: start })
    }

    /// The endpoint of a host and port: `http://HOST:PORT/zstack`. Brackets of an IPv6 address are optional.
    ///
    /// # Errors
    /// When the host is invalid.
    pub fn of_host(host: &str, port: u16) -> Result<Endpoint, EndpointError> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_v6 = bare.parse::<std::net::Ipv6Addr>().is_ok();
        let named = !bare.is_empty() && bare.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
        if !is_v6 && !named {
            return Err(EndpointError::Host { host: crate::secret::mask_url(host).into_owned() });
        }
        let host = if is_v6 { format!("[{bare}]") } else { bare.to_owned() };
        Endpoint::parse(&format!("http://{host}:{port}/zstack")).map_err(|_| EndpointError::Host { host })
    }

    /// The base URL without a slash at the end. The catalog's paths are below its `/v1`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The same address with `/zstack` if this one has no path, and without a path if this one has `/zstack`. `None` if
    /// it has another path.
    pub fn other_way(&self) -> Option<Endpoint> {
        let path = match self.path() {
            "" => "/zstack",
            "/zstack" => "",
            _ => return None,
        };
        Some(Endpoint { base: format!("{}{path}", &self.base[..self.path]), ..self.clone() })
    }

    /// Host and port for messages: `localhost:8080`, `[::1]:8080`, `cloud.example`.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The host alone; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, which defaults to that of the scheme.
    pub(super) fn port_in_use(&self) -> u16 {
        self.port.unwrap_or(if self.is_https { 443 } else { 80 })
    }

    /// The path above `/v1`: `/zstack`, or nothing.
    pub fn path(&self) -> &str {
        &self.base[self.path..]
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_kept_without_the_last_slash() {
        for (text, base) in [
            ("http://localhost:8080/zstack", "http://localhost:8080/zstack"),
            ("https://cloud.example:8443/zstack/", "https://cloud.example:8443/zstack"),
            ("http://10.0.0.1", "http://10.0.0.1/zstack"),
            ("http://10.0.0.1/", "http://10.0.0.1"),
            ("http://10.0.0.1:8080/zstack/v1", "http://10.0.0.1:8080/zstack"),
            ("HTTP://[::1]:8080/a/b", "http://[::1]:8080/a/b"),
        ] {
            assert_eq!(Endpoint::parse(text).expect("a base URL").base(), base);
        }
        assert_eq!(Endpoint::parse("http://[::1]:8080/a/b").expect("a base URL").path(), "/a/b");
        assert_eq!(Endpoint::parse("http://h/").expect("a base URL").path(), "");
    }

    #[test]
    fn a_node_is_at_the_root_or_below_zstack() {
        let turned = |text: &str| Endpoint::parse(text).expect("a base URL").other_way();
        assert_eq!(turned("http://h:1/"), Endpoint::parse("http://h:1/zstack").ok());
        assert_eq!(turned("http://[::1]"), Endpoint::parse("http://[::1]/").ok());
        assert_eq!(turned("http://h/cloud/zstack"), None);
    }

    #[test]
    fn hosts_with_ports() {
        assert_eq!(Endpoint::of_host("::1", 8080).expect("v6").base(), "http://[::1]:8080/zstack");
        assert_eq!(Endpoint::of_host("[::1]", 8080).expect("v6").authority(), "[::1]:8080");
        assert_eq!(Endpoint::of_host("node-1", 80).expect("name").base(), "http://node-1/zstack");
        for host in ["", "a b", "h/p", "h@x", "h:80", "a?b", "[::1", "http://x"] {
            assert!(Endpoint::of_host(host, 8080).is_err(), "{host}");
        }
    }

    #[test]
    fn other_urls_are_refused() {
        assert!(matches!(Endpoint::parse("localhost"), Err(EndpointError::Syntax { .. })));
        assert!(matches!(Endpoint::parse("ftp://h/"), Err(EndpointError::Scheme { .. })));
        assert!(matches!(Endpoint::parse("localhost:8080"), Err(EndpointError::Scheme { .. })));
        assert_eq!(Endpoint::parse("http://u:p@h/"), Err(EndpointError::UserInfo));
        assert_eq!(Endpoint::parse("http://h/?x"), Err(EndpointError::Tail));
        assert!(Endpoint::parse("http://h:99999/").is_err());
    }
}
