//! Responses of the Bot API. <https://core.telegram.org/bots/api#making-requests>

use std::time::Duration;

use serde_json::Value;

use crate::lenient::regular;

/// Longest `retry_after` that is respected, in seconds.
const RETRY_AFTER_MAX: u64 = 86_400;

/// A response.
///
/// Only `ok` is required. A field that is missing, null or of another type counts as absent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Done(Value),
    Limited { retry_after: Duration },
    Moved { to: i64 },
    Refused { code: Option<u16>, description: String },
}

impl Answer {
    /// Reads a response. The error says what is wrong with it, without quoting it.
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        let mut answer: Value =
            serde_json::from_slice(body).map_err(|error| format!("{:?}, at {}", error.classify(), error.column()))?;
        regular(&mut answer);
        match answer["ok"].as_bool() {
            Some(true) => Ok(Self::Done(answer["result"].take())),
            Some(false) => Ok(Self::refusal(&answer)),
            None => Err("it has no field `ok`".to_owned()),
        }
    }

    fn refusal(answer: &Value) -> Self {
        let code = answer["error_code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| *code != 0);
        let parameters = &answer["parameters"];
        // Rounded up to whole seconds: a request that comes too early is refused again.
        let seconds = parameters["retry_after"].as_f64().map(|seconds| seconds.ceil() as u64);
        if let Some(seconds) = seconds.or((code == Some(429)).then_some(1)) {
            return Self::Limited { retry_after: Duration::from_secs(seconds.clamp(1, RETRY_AFTER_MAX)) };
        }
        if let Some(to) = parameters["migrate_to_chat_id"].as_i64() {
            return Self::Moved { to };
        }
        Self::Refused { code, description: answer["description"].as_str().unwrap_or_default().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: &Value) -> Result<Answer, String> {
        Answer::read(answer.to_string().as_bytes())
    }

    #[test]
    fn null_is_as_good_as_absent() {
        let result = json!({ "message_id": 5.0, "text": null });
        let done = json!({ "ok": true, "result": result, "description": null, "error_code": null, "parameters": null });
        assert_eq!(read(&done), Ok(Answer::Done(json!({ "message_id": 5 }))));
        let refused =
            json!({ "ok": false, "error_code": 400, "description": null, "parameters": { "retry_after": null } });
        assert_eq!(read(&refused), Ok(Answer::Refused { code: Some(400), description: String::new() }));
        let refused = json!({ "ok": false, "error_code": "x", "description": 7, "parameters": [], "new": {} });
        assert_eq!(read(&refused), Ok(Answer::Refused { code: None, description: String::new() }));
    }

    #[test]
    fn the_parameters_decide_how_to_react() {
        let limited = json!({ "ok": false, "error_code": 429.0, "parameters": { "retry_after": 1.5 } });
        assert_eq!(read(&limited), Ok(Answer::Limited { retry_after: Duration::from_secs(2) }));
        let moved = json!({ "ok": false, "parameters": { "migrate_to_chat_id": -1_001_234_567_890_i64 } });
        assert_eq!(read(&moved), Ok(Answer::Moved { to: -1_001_234_567_890 }));
        assert!(read(&json!([])).is_err() && read(&json!({ "ok": null })).is_err() && Answer::read(b"{").is_err());
    }
}
