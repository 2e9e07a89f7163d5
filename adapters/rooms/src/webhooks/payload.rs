//! The message in the body of an incoming webhook.

/// The format of a body, which is also that of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Own,
    Slack,
    Discord,
}

/// A message to post.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) format: Format,
    pub(crate) text: String,
    /// The name under which it is to be shown, if not that of the webhook.
    pub(crate) username: Option<String>,
    pub(crate) nonce: Option<String>,
}
