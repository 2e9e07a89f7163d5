//! Answers to commands, buttons, lists and forms. Discord waits three seconds for the first word and fifteen minutes for the rest, so
//! that an answer which is late is announced by itself.
//! <https://discord.com/developers/docs/interactions/receiving-and-responding>

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_model::{ActionError, Clock, Millis};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ApplicationId, InteractionId, MessageId};

use crate::decode::made_at;
use crate::frames;
use crate::rest::{Call, File, Rest, RestError};

/// When an answer that has not come is announced. Of components earlier: whoever pressed one sees that it was taken.
const ANNOUNCED: [(Kind, Duration); 2] =
    [(Kind::Said, Duration::from_millis(1_800)), (Kind::Pressed, Duration::from_millis(1_000))];
/// How long somebody is shown that an answer comes: most likely none does. One that comes after all is said anew.
const EXPECTED: Duration = Duration::from_secs(60);
/// How long Discord takes answers, less a little.
const LIFE: Millis = 15 * 60_000 - 15_000;
/// Past so many, those that are over are forgotten.
const STAGES: usize = 1_024;
/// The kinds of first words. <https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type>
const MESSAGE: u8 = 4;
const LATER: u8 = 5;
const TAKEN: u8 = 6;
const CHOICES: u8 = 8;
const SHOWN: u8 = 9;
/// The kind of an interaction that asks for choices.
pub(crate) const AUTOCOMPLETE: u8 = 4;
/// The kind of an interaction that brings a form filled in.
pub(crate) const FORM: u8 = 5;
/// For the eyes of one person.
pub(crate) const EPHEMERAL: u64 = 64;
/// An answer that is still to come. <https://discord.com/developers/docs/resources/message#message-object-message-flags>
const LOADING: u64 = 1 << 7;
const UNKNOWN: i64 = 10_062;
const UNKNOWN_MESSAGE: i64 = 10_008;
const ACKNOWLEDGED: i64 = 40_060;

/// What an interaction came from, which says how it is announced that an answer takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A command, or a form that was filled in.
    Said,
    /// A button or a list under a message.
    Pressed,
}

/// What a use of a component is known by: enough to answer it, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    id: u64,
    kind: Kind,
    secret: String,
}

impl Token {
    pub(crate) fn of(frame: &frames::Interaction) -> Self {
        let kind = if frame.kind == 3 { Kind::Pressed } else { Kind::Said };
        Self { id: frame.id.get(), kind, secret: frame.token.clone() }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.kind == Kind::Pressed { 'p' } else { 's' };
        write!(f, "{}:{kind}:{}", self.id, self.secret)
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, ':');
        let mut next = || parts.next().ok_or(());
        let id = next()?.parse().map_err(drop)?;
        let kind = if next()? == "p" { Kind::Pressed } else { Kind::Said };
        let secret = next()?.to_owned();
        if id == 0 || secret.is_empty() { Err(()) } else { Ok(Self { id, kind, secret }) }
    }
}

/// How far an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was said yet, as far as this process knows.
    Fresh,
    /// The first word was said, and no answer came: it may have been heard.
    Unsure,
    /// It is announced that an answer comes.
    Announced,
    /// The first word is said.
    Answered,
}

/// What is said in answer.
pub(crate) struct Reply {
    pub(crate) body: Value,
    pub(crate) files: Vec<File>,
    pub(crate) ephemeral: bool,
}

/// The interactions of the last quarter of an hour.
#[derive(Default)]
pub(crate) struct Interactions {
    stages: Mutex<HashMap<u64, Arc<tokio::sync::Mutex<Stage>>>>,
}

impl Interactions {
    /// Announces the answer to what has just come in, if it is not there by then; and takes that back if none comes at all.
    pub(crate) async fn watch(&self, rest: &Rest, application: u64, token: &Token, clock: &dyn Clock) {
        let stage = self.stage(token);
        let wait = ANNOUNCED.iter().find(|(kind, _)| *kind == token.kind).map_or(Duration::ZERO, |(_, wait)| *wait);
        tokio::time::sleep(wait).await;
        let mut at = stage.lock().await;
        if *at == Stage::Fresh {
            let kind = if token.kind == Kind::Pressed { TAKEN } else { LATER };
            match callback(rest, token, json!({ "type": kind }), Vec::new()).await {
                Ok(_) => *at = Stage::Announced,
                Err(error) if error.is(ACKNOWLEDGED) => *at = Stage::Answered,
                Err(error) => tracing::debug!("an answer could not be announced: {error}"),
            }
        }
        drop(at);
        tokio::time::sleep(EXPECTED).await;
        self.withdraw(rest, application, token).await;
        let left = (made_at(token.id) + LIFE).saturating_sub(clock.now());
        tokio::time::sleep(Duration::from_millis(left)).await;
        self.lock().remove(&token.id);
    }

    /// Ends the wait for an answer that does not come.
    pub(crate) async fn close(&self, rest: &Rest, application: u64, token: &Token) {
        let stage = self.stage(token);
        let mut at = stage.lock().await;
        if *at == Stage::Fresh {
            // Where nothing is said at all, Discord shows that the command failed: so something is said to that person alone, and taken back.
            let word = match token.kind {
                Kind::Said => json!({ "type": LATER, "data": { "flags": EPHEMERAL } }),
                Kind::Pressed => json!({ "type": TAKEN }),
            };
            match callback(rest, token, word, Vec::new()).await {
                Ok(_) => *at = Stage::Announced,
                Err(error) if error.is(ACKNOWLEDGED) => *at = Stage::Answered,
                Err(error) => tracing::debug!("the wait for an answer could not be ended: {error}"),
            }
        }
        drop(at);
        self.withdraw(rest, application, token).await;
    }

    /// Takes back the announcement of an answer that has not come.
    async fn withdraw(&self, rest: &Rest, application: u64, token: &Token) {
        let stage = self.stage(token);
        let mut at = stage.lock().await;
        if token.kind == Kind::Said && *at == Stage::Announced {
            match rest.call(Call::new(LightMethod::Delete, original(application, token))).await {
                Ok(_) => *at = Stage::Answered,
                Err(error) => tracing::debug!("the announcement of an answer that did not come stays: {error}"),
            }
        }
    }

    /// Whether it can still be answered.
    pub(crate) fn is_open(token: &Token, now: Millis) -> bool {
        made_at(token.id) + LIFE > now
    }

    /// Says something in answer; the message that came of it. `None` when Discord knows nothing of it any more, or refuses its token.
    pub(crate) async fn answer(
        &self,
        rest: &Rest,
        application: u64,
        token: &Token,
        reply: Reply,
    ) -> Result<Option<Value>, ActionError> {
        match self.say(rest, application, token, reply).await {
            Ok(said) => Ok(Some(said)),
            Err(error) if error.is(UNKNOWN) || error.is(UNKNOWN_MESSAGE) || error.is_gone_webhook() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn say(&self, rest: &Rest, application: u64, token: &Token, reply: Reply) -> Result<Value, RestError> {
        let stage = self.stage(token);
        let mut at = stage.lock().await;
        let Reply { mut body, files, ephemeral } = reply;
        if ephemeral {
            body["flags"] = (body["flags"].as_u64().unwrap_or_default() | EPHEMERAL).into();
        }
        if matches!(*at, Stage::Fresh | Stage::Unsure) {
            match callback(rest, token, json!({ "type": MESSAGE, "data": body }), files.clone()).await {
                Ok(said) => {
                    *at = Stage::Answered;
                    return Ok(said["resource"]["message"].clone());
                }
                // It was heard.
                Err(error) if error.is(ACKNOWLEDGED) && *at == Stage::Unsure => {
                    let said = rest.call(Call::new(LightMethod::Get, original(application, token))).await?;
                    *at = Stage::Answered;
                    return Ok(said);
                }
                // Said by a daemon before this one: an announcement, this very thing, or what was said before it.
                Err(error) if error.is(ACKNOWLEDGED) => {
                    let said = rest.call(Call::new(LightMethod::Get, original(application, token))).await?;
                    let is_announced = said["flags"].as_u64().unwrap_or_default() & LOADING != 0;
                    if !is_announced && is_same(&said, &body) && token.kind == Kind::Said {
                        *at = Stage::Answered;
                        return Ok(said);
                    }
                    *at = if is_announced { Stage::Announced } else { Stage::Answered };
                }
                Err(error) => {
                    if matches!(error, RestError::Passing(_)) {
                        *at = Stage::Unsure;
                    }
                    return Err(error);
                }
            }
        }
        if *at == Stage::Announced && token.kind == Kind::Said {
            if !ephemeral {
                let call = Call::new(LightMethod::Patch, original(application, token)).body(body).files(files);
                let said = rest.call(call).await?;
                *at = Stage::Answered;
                return Ok(said);
            }
            // What is announced to all cannot become one person's alone.
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
        *at = Stage::Answered;
        Ok(said)
    }

    /// Shows a form, which has to be the first word.
    pub(crate) async fn ask(&self, rest: &Rest, token: &Token, form: Value) -> Result<(), ActionError> {
        let stage = self.stage(token);
        let mut at = stage.lock().await;
        if *at != Stage::Fresh {
            let why = "a form has to be the first answer, and within a second or two; show it before anything else is said or waited for";
            return Err(ActionError::Rejected(why.to_owned()));
        }
        match callback(rest, token, json!({ "type": SHOWN, "data": form }), Vec::new()).await {
            Ok(_) => *at = Stage::Answered,
            Err(error) if error.is(ACKNOWLEDGED) => *at = Stage::Answered,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Says that a press was heard, and nothing else.
    pub(crate) async fn take(&self, rest: &Rest, token: &Token) {
        if let Err(error) = callback(rest, token, json!({ "type": TAKEN }), Vec::new()).await {
            tracing::debug!("a press was not acknowledged: {error}");
        }
    }

    /// Offers choices to whoever is typing.
    pub(crate) async fn offer(&self, rest: &Rest, token: &Token, choices: Value) {
        let body = json!({ "type": CHOICES, "data": { "choices": choices } });
        // Whoever types goes on typing; what came too late is of no use.
        if let Err(error) = callback(rest, token, body, Vec::new()).await {
            tracing::debug!("choices were not offered: {error}");
        }
    }

    fn stage(&self, token: &Token) -> Arc<tokio::sync::Mutex<Stage>> {
        let mut stages = self.lock();
        if stages.len() > STAGES {
            stages.retain(|id, _| made_at(*id) + LIFE > made_at(token.id));
        }
        Arc::clone(stages.entry(token.id).or_insert_with(|| Arc::new(tokio::sync::Mutex::new(Stage::Fresh))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<tokio::sync::Mutex<Stage>>>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a message says what is about to be said.
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

/// The first answer.
fn original(application: u64, token: &Token) -> Route<'_> {
    let application_id = ApplicationId::new(application.max(1));
    Route::WebhookOriginalInteractionResponse { application_id, token: &token.secret }
}

/// Another answer.
pub(crate) fn later(application: u64, token: &Token, message: MessageId) -> Route<'_> {
    let application_id = ApplicationId::new(application.max(1));
    Route::WebhookFollowupMessage { application_id, token: &token.secret, message_id: message }
}
