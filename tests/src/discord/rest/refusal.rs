//! Refusals of calls, with Discord's texts and codes.

use serde_json::{Value, json};

use crate::discord::rules::Misfit;

/// An error response.
#[derive(Debug, Clone)]
pub(in crate::discord) struct Refusal {
    status: u16,
    code: u32,
    message: String,
    /// The tree of form errors.
    errors: Option<Value>,
    /// The waiting time in seconds, and the scope of the limit.
    wait: Option<(f64, &'static str)>,
    /// The rule that a correct client would not have violated.
    violation: Option<String>,
}

macro_rules! refusals {
    ($($name:ident = $status:literal, $code:literal, $message:literal;)+) => {
        impl Refusal {
            $(pub(crate) fn $name() -> Self { Self::new($status, $code, $message) })+
        }
    };
}

refusals! {
    missing_route = 404, 0, "404: Not Found";
    wrong_method = 405, 0, "405: Method Not Allowed";
    unauthorized = 401, 0, "401: Unauthorized";
    unknown_channel = 404, 10003, "Unknown Channel";
    unknown_guild = 404, 10004, "Unknown Guild";
    unknown_member = 404, 10007, "Unknown Member";
    unknown_message = 404, 10008, "Unknown Message";
    unknown_overwrite = 404, 10009, "Unknown permission overwrite";
    unknown_role = 404, 10011, "Unknown Role";
    unknown_user = 404, 10013, "Unknown User";
    unknown_emoji = 400, 10014, "Unknown Emoji";
    unknown_webhook = 404, 10015, "Unknown Webhook";
    unknown_ban = 404, 10026, "Unknown Ban";
    unknown_interaction = 404, 10062, "Unknown interaction";
    unknown_command = 404, 10063, "Unknown application command";
    too_many_pins = 400, 30003, "Maximum number of pins reached (250)";
    acknowledged = 400, 40060, "Interaction has already been acknowledged.";
    missing_access = 403, 50001, "Missing Access";
    not_the_author = 403, 50005, "Cannot edit a message authored by another user";
    empty_message = 400, 50006, "Cannot send an empty message";
    cannot_direct = 403, 50007, "Cannot send messages to this user";
    missing_permissions = 403, 50013, "Missing Permissions";
    bulk_count = 400, 50016, "Provided too few or too many messages to delete. \
                              Must provide at least 2 and fewer than 100 messages to delete";
    wrong_channel_type = 400, 50024, "Cannot execute action on this channel type";
    webhook_token = 401, 50027, "Invalid Webhook Token";
    too_old = 400, 50034, "A message provided was too old to bulk delete";
    thread_archived = 400, 50083, "Thread is archived";
    thread_exists = 400, 160004, "A thread has already been created for this message";
}

impl Refusal {
    pub(in crate::discord) fn new(status: u16, code: u32, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), errors: None, wait: None, violation: None }
    }

    /// A form with one error: a JSON pointer and a text.
    pub(in crate::discord) fn form(at: &str, why: &str) -> Self {
        Self::misfits(&[Misfit { at: at.to_owned(), why: why.to_owned() }])
    }

    /// A form with several errors.
    pub(super) fn misfits(misfits: &[Misfit]) -> Self {
        let mut errors = json!({});
        for misfit in misfits {
            let place = misfit.at.split('/').skip(1).filter(|key| !key.is_empty());
            let place = place.fold(&mut errors, |place, key| &mut place[key]);
            if place.is_null() {
                *place = json!({});
            }
            place["_errors"] = json!([{ "code": "INVALID", "message": misfit.why }]);
        }
        let reason: Vec<_> = misfits.iter().map(|misfit| format!("{}: {}", misfit.at, misfit.why)).collect();
        let form = Self::new(400, 50035, "Invalid Form Body");
        Self { errors: Some(errors), violation: Some(reason.join("; ")), ..form }
    }

    /// An operation that exists on Discord and not in the stand-in.
    pub(super) fn not_played(operation: &str) -> Self {
        let reason = format!("the stand-in does not play {operation}");
        Self { violation: Some(reason.clone()), ..Self::new(501, 0, &reason) }
    }

    /// Makes the refusal a violation that the client could have avoided.
    pub(in crate::discord) fn blamed(self, why: &str) -> Self {
        Self { violation: Some(format!("{}: {why}", self.message)), ..self }
    }

    /// Makes the refusal one that no client could have avoided.
    pub(super) fn excused(self) -> Self {
        Self { violation: None, ..self }
    }

    /// Too many calls: waiting time in seconds, and the scope of the limit: `user`, `global`, `shared`.
    pub(super) fn too_many(seconds: f64, scope: &'static str) -> Self {
        Self { wait: Some((seconds, scope)), ..Self::new(429, 0, "You are being rate limited.") }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn retry_after(&self) -> Option<f64> {
        self.wait.map(|(seconds, _)| seconds)
    }

    pub(super) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    pub(super) fn headers(&self) -> Vec<(&'static str, &'static str)> {
        let Some((_, scope)) = self.wait else { return Vec::new() };
        let mut headers = vec![("x-ratelimit-scope", scope)];
        if scope == "global" {
            headers.push(("x-ratelimit-global", "true"));
        }
        headers
    }

    pub(super) fn body(&self) -> Value {
        if let Some((seconds, scope)) = self.wait {
            return json!({ "message": self.message, "retry_after": seconds, "global": scope == "global" });
        }
        let mut body = json!({ "message": self.message, "code": self.code });
        if let Some(errors) = &self.errors {
            body["errors"] = errors.clone();
        }
        body
    }
}
