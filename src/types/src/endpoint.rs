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
    /// The parameters in the query.
    pub query: &'static [Field],
    /// The request body, if it takes one.
    pub body: Option<Body>,
    /// The status codes of its responses, with their meanings.
    pub answers: &'static [(u16, &'static str)],
    /// The media types of its responses from 200 to 299; empty if they are not known beforehand.
    pub produces: &'static [&'static str],
}

impl Endpoint {
    /// Returns an endpoint without parameters in the query, a body, and known media types.
    #[must_use]
    pub const fn new(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
        answers: &'static [(u16, &'static str)],
    ) -> Self {
        Self { method, path, summary, query: &[], body: None, answers, produces: &[] }
    }

    /// Returns the endpoint with these parameters in the query.
    #[must_use]
    pub const fn with_query(self, query: &'static [Field]) -> Self {
        Self { query, ..self }
    }

    /// Returns the endpoint with this request body.
    #[must_use]
    pub const fn with_body(self, body: Option<Body>) -> Self {
        Self { body, ..self }
    }

    /// Returns the endpoint with these media types of its responses.
    #[must_use]
    pub const fn producing(self, produces: &'static [&'static str]) -> Self {
        Self { produces, ..self }
    }
}

/// A request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// The media types, any of which may be sent.
    pub media: &'static [&'static str],
    /// The fields, if it is an object or a form.
    pub fields: Option<&'static [Field]>,
    /// Whether other fields are refused.
    pub is_closed: bool,
}

/// A field of a body, or a parameter in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// The values that are not refused for their form.
    pub kind: FieldKind,
    /// Whether it may be missing.
    pub presence: Presence,
}

impl Field {
    /// Returns a field that must be there.
    #[must_use]
    pub const fn new(name: &'static str, kind: FieldKind) -> Self {
        Self { name, kind, presence: Presence::Required }
    }

    /// Returns a required text with a length in this range, in characters.
    #[must_use]
    pub const fn text(name: &'static str, min: usize, max: usize) -> Self {
        Self::new(name, FieldKind::Text { min, max })
    }

    /// Returns a required text that may have any length.
    #[must_use]
    pub const fn any_text(name: &'static str) -> Self {
        Self::text(name, 0, usize::MAX)
    }

    /// Returns a required whole number in this range.
    #[must_use]
    pub const fn integer(name: &'static str, min: u32, max: u32) -> Self {
        Self::new(name, FieldKind::Integer { min, max: Some(max) })
    }

    /// Returns a required whole number that is not negative.
    #[must_use]
    pub const fn count(name: &'static str) -> Self {
        Self::new(name, FieldKind::Integer { min: 0, max: None })
    }

    /// Returns the field, which may be missing or null.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { presence: Presence::Optional, ..self }
    }

    /// Returns the field, which may be missing but not null.
    #[must_use]
    pub const fn defaulted(self) -> Self {
        Self { presence: Presence::Defaulted, ..self }
    }
}

/// The presence of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must be there.
    Required,
    /// It may be missing, and null in JSON.
    Optional,
    /// It may be missing.
    Defaulted,
}

/// The values of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Any value.
    Any,
    /// A text with a length in this range, in characters.
    Text {
        /// The minimum length.
        min: usize,
        /// The maximum length; none if it is `usize::MAX`.
        max: usize,
    },
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of some of these texts.
    Choices(&'static [&'static str]),
    /// A whole number in this range.
    Integer {
        /// The minimum.
        min: u32,
        /// The maximum, if there is one.
        max: Option<u32>,
    },
    /// True or false.
    Boolean,
    /// The bytes of a file, in a form with several parts.
    File,
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
