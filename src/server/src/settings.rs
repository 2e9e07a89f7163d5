//! What bots.yaml says of the HTTP server, below `server:`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::hosts;

/// The settings of the HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Names under which this server is reached, beside `listen` and this machine's own names: `chat.example.org`,
    /// `*.example.org`, perhaps with a port. A request for any other name is refused with 421.
    pub hosts: Vec<String>,
    /// Other sites whose pages may use this server, as `https://example.org`; `*` is any. Its own pages always may, and so
    /// may programs that are no browsers.
    pub origins: Vec<String>,
    /// The addresses of reverse proxies. What they say in `X-Forwarded-For` is believed, and limits for each address count
    /// the clients behind them.
    pub proxies: Vec<String>,
    /// How many connections there may be at once. It is lowered where the process may not open as many files.
    pub max_connections: usize,
    /// How many connections there may be at once from one address.
    pub max_connections_per_address: usize,
    /// How long the head of a request may take, in seconds.
    pub header_timeout_s: u64,
    /// How long a connection may stay open between two requests, in seconds.
    pub idle_timeout_s: u64,
    /// How long a client may take to send a body, to read an answer, or to do 32 KiB of either, in seconds.
    pub stall_timeout_s: u64,
    /// Requests to the API and to routes of scripts that one address may make in a minute without a token.
    pub requests_per_minute: u32,
    /// Requests to routes of scripts that may be made in a minute with one token.
    pub token_requests_per_minute: u32,
    /// Requests without a token that one route of a script takes in a minute, from all addresses together.
    pub route_requests_per_minute: u32,
    /// Kibibytes of bodies that one address may send to routes of scripts in a minute without a token.
    pub body_kb_per_minute: u32,
    /// Requests for pages and files that one address may make in a minute.
    pub file_requests_per_minute: u32,
    /// Requests of Engine.IO that one address may make in a minute: handshakes, and each turn of long polling.
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
    /// Checks what the parser cannot see.
    ///
    /// # Errors
    /// A sentence that names the setting, and says what it may be.
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
            return Err(format!("server: {name} is at least 1"));
        }
        if let Some(host) = self.hosts.iter().find(|host| !hosts::is_pattern(host)) {
            return Err(format!("server: hosts: {host} is no name of a host; write it as chat.example.org"));
        }
        if let Some(proxy) = self.proxies.iter().find(|proxy| proxy.parse::<IpAddr>().is_err()) {
            return Err(format!("server: proxies: {proxy} is no address; write it as 192.0.2.7"));
        }
        check_origins(&self.origins).map_err(|what| format!("server: {what}"))
    }
}

/// Checks that each is an origin: a scheme and a host, and nothing behind them.
///
/// # Errors
/// A sentence that names the first that is none.
pub fn check_origins(origins: &[String]) -> Result<(), String> {
    let is_origin = |origin: &&String| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        *origin == "*" || host.is_some_and(|host| hosts::split(host).is_some())
    };
    match origins.iter().find(|origin| !is_origin(origin)) {
        Some(origin) => Err(format!("origins: {origin} is no origin; write it as https://example.org, without a path")),
        None => Ok(()),
    }
}
