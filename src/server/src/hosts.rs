//! The host names of this server, checked as a protection against DNS rebinding.
//!
//! A page of another site can make its own name resolve to this machine. Its requests still carry that
//! name, and are rejected.

use std::net::IpAddr;

/// The host names of this server.
#[derive(Debug)]
pub(crate) struct Hosts {
    /// The address that the server listens on.
    listen: IpAddr,
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    /// Whether it matches the names below `name`.
    is_below: bool,
    name: String,
    port: Option<u16>,
}

impl Hosts {
    /// Creates the list from bots.yaml. The names of this machine are always included.
    pub(crate) fn new<'h>(listen: IpAddr, patterns: impl Iterator<Item = &'h str>) -> Self {
        let patterns = patterns.filter_map(|text| {
            let below = text.strip_prefix("*.");
            let (name, port) = split(below.unwrap_or(text))?;
            Some(Pattern { is_below: below.is_some(), name: name.to_ascii_lowercase(), port })
        });
        Self { listen, patterns: patterns.collect() }
    }

    /// Whether `authority`, a host with an optional port, is one of them.
    ///
    /// `local` is the local address of the connection. The port is compared only if bots.yaml gives one:
    /// it may differ outside of a container.
    pub(crate) fn allows(&self, authority: &str, local: Option<IpAddr>) -> bool {
        let Some((name, port)) = split(authority) else { return false };
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let address = address.to_canonical();
            if address.is_loopback()
                || address == self.listen
                || Some(address) == local.map(|local| local.to_canonical())
            {
                return true;
            }
        }
        let name = name.to_ascii_lowercase();
        self.patterns.iter().any(|pattern| pattern.fits(&name) && pattern.port.is_none_or(|own| port == Some(own)))
    }
}

impl Pattern {
    fn fits(&self, name: &str) -> bool {
        if self.is_below {
            return name.strip_suffix(&self.name).is_some_and(|below| below.len() > 1 && below.ends_with('.'));
        }
        self.name == name
    }
}

/// Whether this is valid in bots.yaml: a name or address with an optional `*.` prefix and port.
pub(crate) fn is_pattern(text: &str) -> bool {
    split(text.strip_prefix("*.").unwrap_or(text)).is_some()
}

/// Splits an authority into host and port.
///
/// `None` if it is neither a name nor an address, for example if it has a path or a user.
pub(crate) fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')? + 2;
            let (name, rest) = authority.split_at(end);
            (name, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        },
    };
    let is_named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_host = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.len() <= 253 && name.chars().all(is_named),
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    is_host.then_some((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str, names: &[&'static str]) -> Hosts {
        Hosts::new(listen.parse().expect("an address"), names.iter().copied())
    }

    #[test]
    fn own_names_are_those_of_the_machine_of_listen_and_of_bots_yaml() {
        let own = hosts("192.0.2.7", &["chat.example.org", "*.example.net", "one.example:8443"]);
        let arrived = "198.51.100.3".parse().ok();
        for name in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "192.0.2.7:8080",
            "198.51.100.3",
            "chat.example.org",
            "Chat.Example.Org:443",
            "a.example.net",
            "a.b.example.net:9",
            "one.example:8443",
        ] {
            assert!(own.allows(name, arrived), "{name}");
        }
        for name in [
            "",
            ":80",
            "evil.example",
            "evil.example:8080",
            "chat.example.org.evil.example",
            "localhost.evil.example",
            "example.net",
            ".example.net",
            "evilexample.net",
            "one.example",
            "one.example:8080",
            "127.0.0.1.evil.example",
            "user@localhost",
            "localhost/x",
            "localhost:x",
            "localhost:99999",
            "[::1",
            "[evil]",
            "203.0.113.9",
            "local host",
            "evil.example, localhost",
        ] {
            assert!(!own.allows(name, arrived), "{name}");
        }
    }

    #[test]
    fn bots_yaml_names_hosts_without_paths() {
        for (text, is_one) in [
            ("chat.example.org", true),
            ("*.example.org", true),
            ("[2001:db8::1]:80", true),
            ("https://chat.example.org", false),
            ("chat.example.org/x", false),
            ("", false),
            ("a b", false),
            ("*", false),
            ("a.*.b", false),
        ] {
            assert_eq!(is_pattern(text), is_one, "{text}");
        }
    }
}
