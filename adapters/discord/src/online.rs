//! Checks of a bot before it is started: its token, and the permissions missing in each server.

use std::time::Duration;

use serde_json::Value;
use serenity::http::{LightMethod, Route};

use crate::config::Config;
use crate::rest::{Call, Rest, RestError};

/// Permissions by bit, with Discord's names.
///
/// <https://discord.com/developers/docs/topics/permissions>
type Permissions = &'static [(u64, &'static str)];

/// The permissions of every bot that answers.
const ANSWERING: Permissions = &[
    (1 << 6, "Add Reactions"),
    (1 << 10, "View Channels"),
    (1 << 11, "Send Messages"),
    (1 << 14, "Embed Links"),
    (1 << 15, "Attach Files"),
    (1 << 16, "Read Message History"),
    (1 << 35, "Create Public Threads"),
    (1 << 38, "Send Messages in Threads"),
    (1 << 49, "Create Polls"),
];
/// The additional permissions that the grants of scripts need.
const GRANTED: &[(&str, Permissions)] = &[
    (
        "moderation",
        &[
            (1, "Create Invite"),
            (1 << 1, "Kick Members"),
            (1 << 2, "Ban Members"),
            (1 << 4, "Manage Channels"),
            (1 << 7, "View Audit Log"),
            (1 << 13, "Manage Messages"),
            (1 << 27, "Manage Nicknames"),
            (1 << 28, "Manage Roles"),
            (1 << 34, "Manage Threads"),
            (1 << 40, "Moderate Members"),
            (1 << 51, "Pin Messages"),
        ],
    ),
    ("personas", &[(1 << 29, "Manage Webhooks")]),
    ("mentions", &[(1 << 17, "Mention Everyone")]),
];
const ADMINISTRATOR: u64 = 1 << 3;
/// The timeout of a request. There are at most two attempts, since an operator is waiting.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

/// Discord's information about a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Online {
    /// The bot's username.
    pub name: String,
    /// The URL that adds the bot to a server, with the permissions that it needs and no others.
    pub invite: String,
    /// The bot's servers, each with the permissions that it lacks there.
    pub servers: Vec<(String, Vec<&'static str>)>,
    /// The requested intents that the application lacks, each with what will be missing.
    pub lacking: Vec<(&'static str, &'static str)>,
}

/// Asks Discord about the bot with this token. `grants` are those of its scripts.
///
/// # Errors
/// If Discord refuses the token, or cannot be asked.
pub async fn online(token: &str, api: Option<&str>, config: &Config, grants: &[String]) -> Result<Online, String> {
    let rest = Rest::new(token, api).map_err(|error| error.to_string())?.timeout(REQUEST_TIMEOUT);
    let ask = async |route: Route<'static>| {
        let call = Call::new(LightMethod::Get, route);
        let answer = match rest.call(call.clone()).await {
            Err(RestError::Passing(_) | RestError::Lost(_)) => rest.call(call).await,
            answer => answer,
        };
        answer.map_err(|error| match error {
            RestError::Token => "Discord refuses its token; create a new one in the developer portal".to_owned(),
            error => format!("could not ask Discord: {error}"),
        })
    };
    let user = ask(Route::UserMe).await?;
    let application = ask(Route::Oauth2ApplicationCurrent).await?;
    let guilds = ask(Route::UserMeGuilds).await?;
    let granted =
        GRANTED.iter().filter(|(grant, _)| grants.iter().any(|given| given == grant)).map(|(_, needed)| *needed);
    let needed: Vec<_> = [ANSWERING].into_iter().chain(granted).flatten().copied().collect();
    let bits = needed.iter().fold(0, |bits, (bit, _)| bits | bit);
    let server = |guild: &Value| {
        let has: u64 = guild["permissions"].as_str().and_then(|bits| bits.parse().ok()).unwrap_or_default();
        let lacks = needed.iter().filter(|(bit, _)| has & (bit | ADMINISTRATOR) == 0).map(|(_, name)| *name);
        (guild["name"].as_str().unwrap_or_default().to_owned(), lacks.collect())
    };
    let flags = application["flags"].as_u64().unwrap_or_default();
    let lacking = config.intents.iter().filter(|intent| flags & intent.flags() == 0);
    let id = application["id"].as_str().unwrap_or_default();
    Ok(Online {
        name: user["username"].as_str().unwrap_or_default().to_owned(),
        invite: format!(
            "https://discord.com/oauth2/authorize?client_id={id}&scope=bot+applications.commands&permissions={bits}"
        ),
        servers: guilds.as_array().into_iter().flatten().map(server).collect(),
        lacking: lacking.map(|intent| (intent.title(), intent.without())).collect(),
    })
}
