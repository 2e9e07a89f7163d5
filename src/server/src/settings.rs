//! The section `server:` of bots.yaml.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::hosts;

/// The settings of the HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The host names of this server, in addition to `listen` and this machine's own names.
    ///
    /// Written as `chat.example.org` or `*.example.org`, with an optional port. A request for any other
    /// host is rejected with status 421.
    pub hosts: Vec<String>,
    /// Other sites whose pages may use this server, such as `https://example.org`; `*` allows all.
    ///
    /// The server's own pages and programs that are not browsers are always allowed.
    pub origins: Vec<String>,
    /// The addresses of trusted reverse proxies.
    ///
    /// Their `X-Forwarded-For` header is trusted, and limits per address apply to the clients behind
    /// them. So is their `X-Forwarded-Proto`: after `https`, cookies are only sent over TLS.
    pub proxies: Vec<String>,
    /// The maximum number of connections. Lowered if the process cannot open as many files.
    pub max_connections: usize,
    /// The maximum number of connections from one address.
    pub max_connections_per_address: usize,
    /// The timeout for the head of a request, in seconds.
    pub header_timeout_s: u64,
    /// The maximum time between two requests of a connection, in seconds.
    pub idle_timeout_s: u64,
    /// The time in which a client must send or read 32 KiB, or the rest of a body, in seconds.
    pub stall_timeout_s: u64,
    /// Requests per minute and address without a token, to the API and to routes of scripts.
    pub requests_per_minute: u32,
    /// Requests per minute and token, to routes of scripts.
    pub token_requests_per_minute: u32,
    /// Requests per minute and route of a script without a token, from all addresses together.
    pub route_requests_per_minute: u32,
    /// Kibibytes of bodies per minute and address without a token, to routes of scripts.
    pub body_kb_per_minute: u32,
    /// Requests per minute and address for pages and files.
    pub file_requests_per_minute: u32,
    /// Engine.IO requests per minute and address: handshakes, and each request of long polling.
    pub transport_requests_per_minute: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            origins: Vec::new(),
            proxies: Vec::new(),
            max_connections: 12_000,
            max_connections_per_address: 1_000,
            header_timeout_s: 10,
            idle_timeout_s: 60,
            stall_timeout_s: 30,
            requests_per_minute: 100,
            token_requests_per_minute: 1_000,
            route_requests_per_minute: 1_000,
            body_kb_per_minute: 8_192,
            file_requests_per_minute: 3_000,
            transport_requests_per_minute: 30_000,
        }
    }
}

impl Settings {
    /// Checks the values that deserialising cannot check.
    ///
    /// # Errors
    ///
    /// A sentence with the setting and its valid values.
    pub fn check(&self) -> Result<(), String> {
        let counts = [
            ("max_connections", self.max_connections as u64),
            ("max_connections_per_address", self.max_connections_per_address as u64),
            ("header_timeout_s", self.header_timeout_s),
            ("idle_timeout_s", self.idle_timeout_s),
            ("stall_timeout_s", self.stall_timeout_s),
            ("requests_per_minute", self.requests_per_minute.into()),
            ("token_requests_per_minute", self.token_requests_per_minute.into()),
            ("route_requests_per_minute", self.route_requests_per_minute.into()),
            ("body_kb_per_minute", self.body_kb_per_minute.into()),
            ("file_requests_per_minute", self.file_requests_per_minute.into()),
            ("transport_requests_per_minute", self.transport_requests_per_minute.into()),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("server: {name} must be at least 1"));
        }
        if let Some(host) = self.hosts.iter().find(|host| !hosts::is_pattern(host)) {
            return Err(format!("server: hosts: {host} is not a host name; write it as chat.example.org"));
        }
        if let Some(proxy) = self.proxies.iter().find(|proxy| proxy.parse::<IpAddr>().is_err()) {
            return Err(format!("server: proxies: {proxy} is not an IP address; write it as 192.0.2.7"));
        }
        check_origins(&self.origins).map_err(|what| format!("server: {what}"))
    }
}

/// Checks that each is an origin: a scheme and a host without a path.
///
/// # Errors
///
/// A sentence with the first one that is not.
pub fn check_origins(origins: &[String]) -> Result<(), String> {
    let is_origin = |origin: &&String| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        *origin == "*" || host.is_some_and(|host| hosts::split(host).is_some())
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        Some(origin) => {
            Err(format!("origins: {origin} is not an origin; write it as https://example.org, without a path"))
        }
        None => Ok(()),
    }
}
