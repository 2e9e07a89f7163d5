//! Refused and failed actions, and the texts that explain them to users.

use palabre_types::{Denied, RefusalKind, Refused};

/// The error when the result of an action is not known in time.
pub(crate) const TIMED_OUT: &str = "it was not done in time";

/// Phrases in errors of platforms, in lower case, and the keys of texts that explain them to users.
const PHRASES: [(&str, &str); 16] = [
    ("not enough rights", "refused-rights"),
    ("missing permissions", "refused-rights"),
    ("missing access", "refused-rights"),
    ("need administrator rights", "refused-rights"),
    ("have no rights", "refused-rights"),
    ("chat_write_forbidden", "refused-rights"),
    ("chat_admin_required", "refused-rights"),
    ("is an administrator of the chat", "refused-administrator"),
    ("chat owner", "refused-administrator"),
    ("user_admin_invalid", "refused-administrator"),
    ("available for supergroup", "refused-basic-group"),
    ("bot was kicked", "refused-absent"),
    ("bot is not a member", "refused-absent"),
    ("bot was blocked", "refused-private"),
    ("can't initiate conversation", "refused-private"),
    ("cannot send messages to this user", "refused-private"),
];

/// A refused action, within the run that requested it.
pub(crate) struct Refusal {
    pub(crate) refused: Refused,
    /// The reason, in plain words in the language of the event's user.
    pub(crate) plain: String,
    /// The message to the requester, unless the script asks for the outcome.
    ///
    /// `None` if there is no requester.
    pub(crate) reply: Option<String>,
}

/// Returns the key of the text that explains why a user may not act on another one.
pub(crate) const fn denied_key(denied: Denied) -> &'static str {
    match denied {
        Denied::TheBot => "denied-bot",
        Denied::Oneself => "denied-oneself",
        Denied::Level => "denied-level",
        Denied::Moderator => "denied-moderator",
        Denied::Rank => "denied-rank",
        Denied::BotRank => "denied-bot-rank",
    }
}

/// Returns the key of the text that explains an action's error to users, and the platform's words.
pub(crate) fn text_of(problem: &str) -> (&'static str, &str) {
    if problem == TIMED_OUT {
        return ("refused-late", problem);
    }
    let (kind, words) = RefusalKind::of(problem);
    let small = words.to_lowercase();
    if let Some((_, key)) = PHRASES.iter().find(|(phrase, _)| small.contains(phrase)) {
        return (*key, words);
    }
    let key = match kind {
        RefusalKind::Unsupported => "refused-unsupported",
        RefusalKind::Forbidden => "refused-forbidden",
        RefusalKind::NotFound => "refused-not-found",
        RefusalKind::Rejected => "refused-rejected",
        RefusalKind::Unavailable => "refused-unavailable",
        RefusalKind::Failed => "refused-failed",
    };
    (key, words)
}

#[cfg(test)]
mod tests {
    use palabre_types::{ActionError, ActionKind};

    use super::*;

    #[test]
    fn platforms_are_put_into_plain_words() {
        let forbidden = |words: &str| ActionError::Forbidden(words.to_owned()).to_string();
        let rejected = |words: &str| ActionError::Rejected(words.to_owned()).to_string();
        for (problem, key) in [
            (forbidden("not enough rights to restrict/unrestrict chat member"), "refused-rights"),
            (forbidden("Missing Permissions (the bot lacks a permission there)"), "refused-rights"),
            (rejected("user is an administrator of the chat"), "refused-administrator"),
            (rejected("method is available for supergroup and channel chats only"), "refused-basic-group"),
            (forbidden("bot was kicked from the supergroup chat"), "refused-absent"),
            (forbidden("bot is not a member of the channel chat"), "refused-absent"),
            (rejected("not enough rights to send text messages to the chat"), "refused-rights"),
            (forbidden("bot was blocked by the user"), "refused-private"),
            (forbidden("no"), "refused-forbidden"),
            (ActionError::Unsupported(ActionKind::Slowmode).to_string(), "refused-unsupported"),
            (TIMED_OUT.to_owned(), "refused-late"),
        ] {
            assert_eq!(text_of(&problem).0, key, "{problem}");
        }
    }
}
