//! Responses to commands, buttons, lists and forms.
//!
//! Discord waits three seconds for the initial response and fifteen minutes for the rest, so a late
//! answer is deferred automatically.
//! <https://discord.com/developers/docs/interactions/receiving-and-responding>

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_platform::Clock;
use palabre_types::{ActionError, Millis};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ApplicationId, InteractionId, MessageId};

use crate::frames;
use crate::rest::{Call, File, Rest, RestError};
use crate::timestamp::made_at;

/// The delay after which a missing answer is deferred.
///
/// Components are deferred earlier, so that the user sees that the press was received.
const DEFER_AFTER: [(Kind, Duration); 2] =
    [(Kind::Command, Duration::from_millis(1_800)), (Kind::Component, Duration::from_millis(1_000))];
/// The time after which a deferred response is withdrawn; a later answer is a new message.
const WITHDRAW_AFTER: Duration = Duration::from_secs(60);
/// The lifetime of an interaction's token, less a margin of 15 seconds.
const TOKEN_LIFETIME: Millis = 15 * 60_000 - 15_000;
/// The number of tracked interactions above which expired ones are dropped.
const TRACKED_MAX: usize = 1_024;
/// The types of initial responses.
///
/// <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object>
const RESPOND_MESSAGE: u8 = 4;
const RESPOND_DEFERRED: u8 = 5;
const RESPOND_ACKNOWLEDGED: u8 = 6;
const RESPOND_CHOICES: u8 = 8;
const RESPOND_FORM: u8 = 9;
/// The type of an interaction that asks for autocomplete choices.
pub(crate) const AUTOCOMPLETE: u8 = 4;
/// The type of an interaction with a submitted form.
pub(crate) const FORM: u8 = 5;
/// The flag of a message that only one user sees.
pub(crate) const EPHEMERAL: u64 = 64;
/// The flag of a deferred response that was not answered yet.
///
/// <https://discord.com/developers/docs/resources/message#message-object-message-flags>
const LOADING: u64 = 1 << 7;
/// Error codes of Discord's JSON responses.
const UNKNOWN_INTERACTION: i64 = 10_062;
const UNKNOWN_MESSAGE: i64 = 10_008;
const ALREADY_ACKNOWLEDGED: i64 = 40_060;

/// The source of an interaction, which decides how its response is deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command, or a submitted form.
    Command,
    /// A button or a list under a message.
    Component,
}

/// The identity of an interaction: enough to answer it, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    id: u64,
    kind: Kind,
    secret: String,
}

impl Token {
    pub(crate) fn of(frame: &frames::Interaction) -> Self {
        let kind = if frame.kind == 3 { Kind::Component } else { Kind::Command };
        Self { id: frame.id.get(), kind, secret: frame.token.clone() }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == Kind::Component { 'p' } else { 's' };
        write!(f, "{}:{kind}:{}", self.id, self.secret)
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().ok_or(());
        let id = next()?.parse().map_err(drop)?;
        let kind = if next()? == "p" { Kind::Component } else { Kind::Command };
        let secret = next()?.to_owned();
        if id == 0 || secret.is_empty() { Err(()) } else { Ok(Self { id, kind, secret }) }
    }
}

/// The progress of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Nothing was sent, as far as this process knows.
    Fresh,
    /// The initial response was sent and not confirmed: it may have arrived.
    Unsure,
    /// The response is deferred.
    Deferred,
    /// The initial response has arrived.
    Answered,
}

/// The content of an answer.
pub(crate) struct Reply {
    pub(crate) body: Value,
    pub(crate) files: Vec<File>,
    pub(crate) ephemeral: bool,
}

/// The interactions of the last fifteen minutes.
#[derive(Default)]
pub(crate) struct Interactions {
    tracked: Mutex<HashMap<u64, Arc<tokio::sync::Mutex<Progress>>>>,
}

impl Interactions {
    /// Defers the response to a new interaction if it is late, and withdraws it if none comes.
    pub(crate) async fn watch(&self, rest: &Rest, application: u64, token: &Token, clock: &dyn Clock) {
        let progress = self.progress(token);
        let wait = DEFER_AFTER.iter().find(|(kind, _)| *kind == token.kind).map_or(Duration::ZERO, |(_, wait)| *wait);
        tokio::time::sleep(wait).await;
        let mut at = progress.lock().await;
        if *at == Progress::Fresh {
            let kind = if token.kind == Kind::Component { RESPOND_ACKNOWLEDGED } else { RESPOND_DEFERRED };
            match callback(rest, token, json!({ "type": kind }), Vec::new()).await {
                Ok(_) => *at = Progress::Deferred,
                Err(error) if error.is(ALREADY_ACKNOWLEDGED) => *at = Progress::Answered,
                Err(error) => tracing::debug!("could not defer a response: {error}"),
            }
        }
        drop(at);
        tokio::time::sleep(WITHDRAW_AFTER).await;
        self.withdraw(rest, application, token).await;
        let left = (made_at(token.id) + TOKEN_LIFETIME).saturating_sub(clock.now());
        tokio::time::sleep(Duration::from_millis(left)).await;
        self.lock().remove(&token.id);
    }

    /// Ends the wait for an answer that will not come.
    pub(crate) async fn close(&self, rest: &Rest, application: u64, token: &Token) {
        let progress = self.progress(token);
        let mut at = progress.lock().await;
        if *at == Progress::Fresh {
            // Without a response, Discord shows that the command failed: send one to this user
            // alone, and delete it.
            let word = match token.kind {
                Kind::Command => json!({ "type": RESPOND_DEFERRED, "data": { "flags": EPHEMERAL } }),
                Kind::Component => json!({ "type": RESPOND_ACKNOWLEDGED }),
            };
            match callback(rest, token, word, Vec::new()).await {
                Ok(_) => *at = Progress::Deferred,
                Err(error) if error.is(ALREADY_ACKNOWLEDGED) => *at = Progress::Answered,
                Err(error) => tracing::debug!("could not end the wait for an answer: {error}"),
            }
        }
        drop(at);
        self.withdraw(rest, application, token).await;
    }

    /// Deletes the deferred response of an answer that has not come.
    async fn withdraw(&self, rest: &Rest, application: u64, token: &Token) {
        let progress = self.progress(token);
        let mut at = progress.lock().await;
        if token.kind == Kind::Command && *at == Progress::Deferred {
            match rest.call(Call::new(LightMethod::Delete, original(application, token))).await {
                Ok(_) => *at = Progress::Answered,
                Err(error) => tracing::debug!("could not withdraw a deferred response: {error}"),
            }
        }
    }

    /// Whether the interaction can still be answered.
    pub(crate) fn is_open(token: &Token, now: Millis) -> bool {
        made_at(token.id) + TOKEN_LIFETIME > now
    }

    /// Sends an answer, and returns its message.
    ///
    /// `None` if Discord no longer knows the interaction or message, or refuses the token.
    pub(crate) async fn answer(
        &self,
        rest: &Rest,
        application: u64,
        token: &Token,
        reply: Reply,
    ) -> Result<Option<Value>, ActionError> {
        match self.say(rest, application, token, reply).await {
            Ok(said) => Ok(Some(said)),
            Err(error) if error.is(UNKNOWN_INTERACTION) || error.is(UNKNOWN_MESSAGE) || error.is_gone_webhook() => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn say(&self, rest: &Rest, application: u64, token: &Token, reply: Reply) -> Result<Value, RestError> {
        let progress = self.progress(token);
        let mut at = progress.lock().await;
        let Reply { mut body, files, ephemeral } = reply;
        if ephemeral {
            body["flags"] = (body["flags"].as_u64().unwrap_or_default() | EPHEMERAL).into();
        }
        if matches!(*at, Progress::Fresh | Progress::Unsure) {
            match callback(rest, token, json!({ "type": RESPOND_MESSAGE, "data": body }), files.clone()).await {
                Ok(said) => {
                    *at = Progress::Answered;
                    return Ok(said["resource"]["message"].clone());
                }
                // The unconfirmed response had arrived.
                Err(error) if error.is(ALREADY_ACKNOWLEDGED) && *at == Progress::Unsure => {
                    let said = rest.call(Call::new(LightMethod::Get, original(application, token))).await?;
                    *at = Progress::Answered;
                    return Ok(said);
                }
                // An earlier process has responded: with a deferral, with this very answer, or with
                // one before it.
                Err(error) if error.is(ALREADY_ACKNOWLEDGED) => {
                    let said = rest.call(Call::new(LightMethod::Get, original(application, token))).await?;
                    let is_deferred = said["flags"].as_u64().unwrap_or_default() & LOADING != 0;
                    if !is_deferred && is_same(&said, &body) && token.kind == Kind::Command {
                        *at = Progress::Answered;
                        return Ok(said);
                    }
                    *at = if is_deferred { Progress::Deferred } else { Progress::Answered };
                }
                Err(error) => {
                    if matches!(error, RestError::Passing(_) | RestError::Lost(_)) {
                        *at = Progress::Unsure;
                    }
                    return Err(error);
                }
            }
        }
        if *at == Progress::Deferred && token.kind == Kind::Command {
            if !ephemeral {
                let call = Call::new(LightMethod::Patch, original(application, token)).body(body).files(files);
                let said = rest.call(call).await?;
                *at = Progress::Answered;
                return Ok(said);
            }
            // A deferred response that all can see cannot become ephemeral.
            match rest.call(Call::new(LightMethod::Delete, original(application, token))).await {
                Ok(_) | Err(RestError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let route = Route::WebhookFollowupMessages {
            application_id: ApplicationId::new(application.max(1)),
            token: &token.secret,
        };
        let call = Call::new(LightMethod::Post, route).param("wait", "true").body(body).files(files);
        let said = rest.call(call).await?;
        *at = Progress::Answered;
        Ok(said)
    }

    /// Opens a form, which has to be the initial response.
    pub(crate) async fn open_form(&self, rest: &Rest, token: &Token, form: Value) -> Result<(), ActionError> {
        let progress = self.progress(token);
        let mut at = progress.lock().await;
        if *at != Progress::Fresh {
            let why = "a form has to be the first answer, within a second or two; \
                       open it before anything else is sent or awaited";
            return Err(ActionError::Rejected(why.to_owned()));
        }
        match callback(rest, token, json!({ "type": RESPOND_FORM, "data": form }), Vec::new()).await {
            Ok(_) => *at = Progress::Answered,
            Err(error) if error.is(ALREADY_ACKNOWLEDGED) => *at = Progress::Answered,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Acknowledges a press, and shows nothing.
    pub(crate) async fn acknowledge(&self, rest: &Rest, token: &Token) {
        if let Err(error) = callback(rest, token, json!({ "type": RESPOND_ACKNOWLEDGED }), Vec::new()).await {
            tracing::debug!("could not acknowledge a press: {error}");
        }
    }

    /// Offers choices to the user who is typing.
    pub(crate) async fn offer(&self, rest: &Rest, token: &Token, choices: Value) {
        let body = json!({ "type": RESPOND_CHOICES, "data": { "choices": choices } });
        // A user who keeps typing has no use for choices that come too late.
        if let Err(error) = callback(rest, token, body, Vec::new()).await {
            tracing::debug!("could not offer choices: {error}");
        }
    }

    fn progress(&self, token: &Token) -> Arc<tokio::sync::Mutex<Progress>> {
        let mut tracked = self.lock();
        if tracked.len() > TRACKED_MAX {
            tracked.retain(|id, _| made_at(*id) + TOKEN_LIFETIME > made_at(token.id));
        }
        Arc::clone(tracked.entry(token.id).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Progress::Fresh))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<tokio::sync::Mutex<Progress>>>> {
        self.tracked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a message has the content that is about to be sent.
fn is_same(said: &Value, body: &Value) -> bool {
    let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
    let frames = |message: &Value| {
        let all = message["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().map(|embed| (embed["title"].clone(), embed["description"].clone())).collect::<Vec<_>>()
    };
    text(said) == text(body) && frames(said) == frames(body)
}

async fn callback(rest: &Rest, token: &Token, body: Value, files: Vec<File>) -> Result<Value, RestError> {
    let route = Route::InteractionResponse { interaction_id: InteractionId::new(token.id), token: &token.secret };
    let call = Call::new(LightMethod::Post, route).param("with_response", "true");
    rest.call(call.body(body).files(files)).await
}

/// Returns the route of the initial response.
fn original(application: u64, token: &Token) -> Route<'_> {
    let application_id = ApplicationId::new(application.max(1));
    Route::WebhookOriginalInteractionResponse { application_id, token: &token.secret }
}

/// Returns the route of another answer.
pub(crate) fn later(application: u64, token: &Token, message: MessageId) -> Route<'_> {
    let application_id = ApplicationId::new(application.max(1));
    Route::WebhookFollowupMessage { application_id, token: &token.secret, message_id: message }
}
