//! A route of the HTTP server, as its description shows it.

/// One method of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, with what varies in braces: `/api/files/{id}`.
    pub path: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The media type of the request's body, where it takes one.
    pub body: Option<&'static str>,
    /// The status codes that it answers with, and what each means.
    pub answers: &'static [(u16, &'static str)],
}
