//! Descriptions of the routes of the HTTP server and of its requests.

/// A method of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The method, in upper case.
    pub method: &'static str,
    /// The path, with parameters in braces: `/api/files/{id}`.
    pub path: &'static str,
    /// A one-line summary.
    pub summary: &'static str,
    /// The media type of the request body, if it takes one.
    pub body: Option<&'static str>,
    /// The status codes of its responses, with their meanings.
    pub answers: &'static [(u16, &'static str)],
}

/// The scheme of the address that a client used, as far as the server knows.
///
/// The server adds it to the extensions of each request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Without encryption, or unknown.
    #[default]
    Http,
    /// Over TLS, which ends at a trusted proxy.
    Https,
}
