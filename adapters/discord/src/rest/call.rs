//! Requests before they are sent.

use serde_json::Value;
use serenity::http::{LightMethod, Route};

/// A request: the route, the method, and its content.
#[derive(Clone)]
pub(crate) struct Call<'r> {
    pub(super) route: Route<'r>,
    pub(super) method: LightMethod,
    pub(super) body: Option<Value>,
    pub(super) files: Vec<File>,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) reason: Option<&'r str>,
}

/// A file to upload.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
}

impl<'r> Call<'r> {
    pub(crate) fn new(method: LightMethod, route: Route<'r>) -> Self {
        Self { route, method, body: None, files: Vec::new(), params: Vec::new(), reason: None }
    }

    pub(crate) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(crate) fn files(self, files: Vec<File>) -> Self {
        Self { files, ..self }
    }

    pub(crate) fn param(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.params.push((name, value.into()));
        self
    }

    /// Sets the reason for the audit log.
    pub(crate) fn reason(self, reason: Option<&'r str>) -> Self {
        Self { reason, ..self }
    }

    /// Whether the request carries the token of an interaction or webhook instead of the bot's.
    ///
    /// A refusal of such a token says nothing about the bot's.
    pub(super) fn has_own_token(&self) -> bool {
        self.answers_interaction()
            || matches!(self.route, Route::WebhookWithToken { .. } | Route::WebhookMessage { .. })
    }

    pub(super) fn answers_interaction(&self) -> bool {
        matches!(
            self.route,
            Route::InteractionResponse { .. }
                | Route::WebhookFollowupMessage { .. }
                | Route::WebhookFollowupMessages { .. }
                | Route::WebhookOriginalInteractionResponse { .. }
        )
    }

    /// Returns the path below the base URL of a route that has moved since serenity's release.
    ///
    /// <https://discord.com/developers/docs/resources/message#pin-message>
    pub(super) fn moved_path(&self) -> Option<String> {
        let Route::ChannelPin { channel_id, message_id } = &self.route else { return None };
        Some(format!("channels/{channel_id}/messages/pins/{message_id}"))
    }
}
