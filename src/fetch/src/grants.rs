//! Grants: the hosts that the operator allows a script to reach in bots.yaml.

use std::net::IpAddr;

use url::Url;

use crate::address::is_public;
use crate::error::FetchError;
use crate::names::{LOCALHOST, normalise};

/// The ports of a grant without a port.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// The hosts that a script may reach. The default allows none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants(Vec<Grant>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    host: Host,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// `*`: every public host.
    Public,
    /// `*.example.com`, stored as `.example.com`.
    Subdomains(String),
    Name(String),
    Localhost,
    Address(IpAddr),
}

impl Grants {
    /// Parses the parts after `http:` of the grants in bots.yaml.
    ///
    /// Allowed are `api.example.com`, `*.example.com` (one or more labels), `*` (every public
    /// host), `localhost` and addresses; each alone, which grants the ports 80 and 443, or with
    /// `:port`.
    ///
    /// # Errors
    /// A sentence that names the first invalid grant and the problem.
    pub fn parse(grants: &[String]) -> Result<Self, String> {
        let parse = |text: &String| Grant::parse(text).map_err(|why| format!("the grant \"http:{text}\" {why}"));
        grants.iter().map(parse).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Grants exactly the host and port of a URL from the operator's configuration.
    ///
    /// # Errors
    /// A sentence with the problem, when it is not a URL of a host.
    pub fn of_url(url: &str) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|error| format!("it is not a valid URL: {error}"))?;
        let host = parsed.host_str().ok_or("it names no host")?;
        let port = parsed.port_or_known_default().ok_or("its scheme is neither http nor https")?;
        Self::parse(&[format!("{host}:{port}")])
    }

    /// Checks whether `url` may be requested, as far as the URL shows.
    ///
    /// The addresses of a name are checked when it is resolved.
    ///
    /// # Errors
    /// `BadUrl`, `NotGranted` or `Inner`.
    pub fn allows(&self, url: &Url) -> Result<(), FetchError> {
        let bad = |why: &str| Err(FetchError::BadUrl(why.to_owned()));
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::BadUrl(format!("its scheme is {}, but must be http or https", url.scheme())));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return bad("it contains a user name or password; send them in the authorization header");
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return bad("it names no host");
        };
        match host {
            url::Host::Domain(name) => match normalise(name) {
                name if name.is_empty() => bad("it names no host"),
                name => {
                    let inner = is_local(&name).then_some(LOCALHOST[0]);
                    self.check_host(|host| host.covers_name(&name), inner, &name, port)
                }
            },
            url::Host::Ipv4(address) => self.allows_address(address.into(), &address.to_string(), port),
            url::Host::Ipv6(address) => self.allows_address(address.into(), &format!("[{address}]"), port),
        }
    }

    fn allows_address(&self, address: IpAddr, shown: &str, port: u16) -> Result<(), FetchError> {
        let inner = (!is_public(address)).then_some(address);
        self.check_host(|host| host.covers_address(address), inner, shown, port)
    }

    /// Finds a grant for a host and port.
    ///
    /// `inner` is the address of a host that can only be reached by a grant that names it
    /// explicitly.
    fn check_host(
        &self,
        covers: impl Fn(&Host) -> bool,
        inner: Option<IpAddr>,
        host: &str,
        port: u16,
    ) -> Result<(), FetchError> {
        let covering: Vec<&Grant> = self.0.iter().filter(|grant| covers(&grant.host)).collect();
        if covering.iter().any(|grant| grant.reaches(port)) {
            return Ok(());
        }
        match inner {
            Some(address) if covering.is_empty() => Err(FetchError::Inner { host: host.to_owned(), address }),
            _ if DEFAULT_PORTS.contains(&port) => Err(FetchError::NotGranted { host: host.to_owned() }),
            _ => Err(FetchError::NotGranted { host: format!("{host}:{port}") }),
        }
    }
}

impl Grant {
    fn parse(text: &str) -> Result<Self, String> {
        // IPv6 addresses contain colons themselves.
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self { host: Host::Address(address), port: None });
        }
        if text.contains(|c: char| c.is_whitespace() || "/\\@?#%".contains(c)) {
            return Err("is more than a host; write it alone, as api.example.com or api.example.com:8443".to_owned());
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
            _ => (text, None),
        };
        Ok(Self { host: Host::parse(host)?, port })
    }

    fn reaches(&self, port: u16) -> bool {
        self.port.map_or_else(|| DEFAULT_PORTS.contains(&port), |granted| granted == port)
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Public);
        }
        if let Some(rest) = text.strip_prefix("*.") {
            return match Self::parse(rest)? {
                Self::Name(name) => Ok(Self::Subdomains(format!(".{name}"))),
                Self::Public | Self::Subdomains(_) | Self::Localhost | Self::Address(_) => {
                    Err("has a wildcard without a domain after it; write it as *.example.com".to_owned())
                }
            };
        }
        if text.contains('*') {
            return Err("has a wildcard that is not its first label; write it as *.example.com".to_owned());
        }
        let host = url::Host::parse(text).map_err(|error| format!("names no host ({error})"))?;
        match host {
            url::Host::Ipv6(address) => Ok(Self::Address(address.into())),
            // An operator could overlook that 127.1 is an address.
            url::Host::Ipv4(address) if address.to_string() == text => Ok(Self::Address(address.into())),
            url::Host::Ipv4(address) => Err(format!("is an address; write it as {address}")),
            url::Host::Domain(name) => match normalise(&name) {
                name if name.is_empty() => Err("names no host".to_owned()),
                name if name == "localhost" => Ok(Self::Localhost),
                name if is_local(&name) => Err("is a name of this machine; grant localhost itself".to_owned()),
                name => Ok(Self::Name(name)),
            },
        }
    }

    fn covers_name(&self, name: &str) -> bool {
        match self {
            Self::Public => !is_local(name),
            Self::Subdomains(suffix) => name.len() > suffix.len() && name.ends_with(suffix.as_str()),
            Self::Name(granted) => granted == name,
            Self::Localhost => name == "localhost",
            Self::Address(_) => false,
        }
    }

    fn covers_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Localhost => LOCALHOST.contains(&address),
            Self::Address(granted) => *granted == address,
            Self::Subdomains(_) | Self::Name(_) => false,
        }
    }
}

/// Whether a name always refers to this machine (RFC 6761), whatever DNS says.
fn is_local(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

fn parse_port(text: &str) -> Result<u16, String> {
    // `parse` would accept `+80`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse::<u16>().ok().filter(|port| digits && *port != 0);
    port.ok_or_else(|| format!("has the port \"{text}\", which is not a number from 1 to 65535"))
}
