//! Moderation of members, and changes of chats. Request types come from teloxide-core.

use palabre_types::{ActionError, ActionKind, Batch, Measure, Millis, Outcome, RoomChange};
use serde::Serialize;
use serde_json::{Value, json};
use teloxide_core::payloads::{
    ApproveChatJoinRequest, BanChatMember, DeclineChatJoinRequest, PromoteChatMember, RestrictChatMember,
    SetChatDescription, SetChatPermissions, UnbanChatMember,
};
use teloxide_core::requests::Payload;
use teloxide_core::types::{ChatId, ChatPermissions, Recipient, UserId};

use super::place::Place;
use crate::api::ApiError;
use crate::cache::ADMINISTRATOR;
use crate::requests::done;
use crate::telegram::Telegram;

/// Minimum and maximum duration of a measure.
///
/// Telegram takes one for less than half a minute, or for more than a year, as for ever.
/// <https://core.telegram.org/bots/api#banchatmember>
const DURATION_MIN: Millis = 35_000;
const DURATION_MAX: Millis = 365 * 86_400_000;
/// Maximum length of a title or tag, in characters.
/// <https://core.telegram.org/bots/api#setchatmembertag>
const TITLE_MAX: usize = 16;
/// Maximum length of a chat's description, in characters.
const DESCRIPTION_MAX: usize = 255;

/// Supergroups and channels have ids up to this, and basic groups between this and 0.
/// <https://core.telegram.org/api/bots/ids>
const SUPERGROUP_ID_MAX: i64 = -1_000_000_000_000;

/// Rights, as Telegram's clients name them.
const BAN_USERS: &str = "Ban Users";
const ADD_ADMINS: &str = "Add New Admins";
const MANAGE_TAGS: &str = "Manage Tags";

/// The error for measures that basic groups do not have.
const BASIC_GROUP_ERROR: &str = "Telegram cannot do that in a basic group; its owner can make it a supergroup, \
    for example by showing the history to new members";

fn at(chat: i64) -> Recipient {
    Recipient::Id(ChatId(chat))
}

impl Telegram {
    pub(super) async fn moderate(&self, chat: i64, user: i64, measure: &Measure) -> Result<Outcome, ActionError> {
        let Ok(whom) = u64::try_from(user).map(UserId) else { return self.moderate_chat(chat, user, measure).await };
        let until = |until: &Option<Millis>| {
            let now = self.clock.now();
            let left = until.map(|until| until.saturating_sub(now)).filter(|left| *left <= DURATION_MAX);
            left.map(|left| (now + left.max(DURATION_MIN)).div_ceil(1_000))
        };
        let result = match measure {
            Measure::Mute { until: end } => {
                let restrict = RestrictChatMember::new(at(chat), whom, ChatPermissions::empty());
                self.ask_until(chat, &restrict, until(end)).await
            }
            // All permissions lift the restrictions of this member; those of the whole chat still
            // apply.
            Measure::Unmute => {
                self.ask_in(chat, &RestrictChatMember::new(at(chat), whom, ChatPermissions::all())).await
            }
            // Basic groups have no other way to remove a member, who can join again there.
            Measure::Kick if chat > SUPERGROUP_ID_MAX => self.ask_in(chat, &BanChatMember::new(at(chat), whom)).await,
            // Unbanning a member, who is not banned, removes them; they may come back.
            Measure::Kick => self.ask_in(chat, &UnbanChatMember::new(at(chat), whom)).await,
            Measure::Ban { until: end, purge_since } => {
                let mut ban = BanChatMember::new(at(chat), whom);
                ban.revoke_messages = purge_since.map(|_| true);
                self.ask_until(chat, &ban, until(end)).await
            }
            Measure::Unban => self.ask_in(chat, &unban(chat, whom)).await,
            Measure::AddRole(role) => return self.entitle(chat, user, role, true).await,
            Measure::RemoveRole(role) => return self.entitle(chat, user, role, false).await,
            Measure::Rename(_) => return Err(ActionError::Unsupported(ActionKind::Rename)),
        };
        result.map(|_| Outcome::default()).or_else(|error| refused(error, BAN_USERS))
    }

    /// Approves or declines a request to join.
    pub(super) async fn admit(&self, chat: i64, user: i64, decline: bool) -> Result<Outcome, ActionError> {
        let whom = UserId(user.unsigned_abs());
        let decided = if decline {
            self.ask_in(chat, &DeclineChatJoinRequest::new(ChatId(chat), whom)).await
        } else {
            self.ask_in(chat, &ApproveChatJoinRequest::new(ChatId(chat), whom)).await
        };
        match decided {
            // They are in the chat, as wanted.
            Err(error) if !decline && error.says("user_already_participant") => Ok(Outcome::default()),
            Err(error) => refused(error, "Invite Users via Link"),
            Ok(_) => Ok(Outcome::default()),
        }
    }

    /// Moderates a chat that writes in its own name: it can be banned and unbanned, nothing else.
    async fn moderate_chat(&self, chat: i64, sender: i64, measure: &Measure) -> Result<Outcome, ActionError> {
        let method = match measure {
            Measure::Ban { .. } => "banChatSenderChat",
            Measure::Unban => "unbanChatSenderChat",
            _ => {
                let why = "a chat that writes in its own name can be banned and unbanned, nothing else";
                return Err(ActionError::Rejected(why.to_owned()));
            }
        };
        let body = json!({ "chat_id": chat, "sender_chat_id": sender });
        self.in_chat(chat, method, body).await.map(|_| Outcome::default()).or_else(|error| refused(error, BAN_USERS))
    }

    /// Sends a teloxide request about a chat.
    async fn ask_in<P: Payload + Serialize>(&self, chat: i64, payload: &P) -> Result<Value, ApiError> {
        self.ask_until(chat, payload, None).await
    }

    /// Sends a request for a measure that ends by itself, at a time in seconds.
    async fn ask_until<P: Payload + Serialize>(
        &self,
        chat: i64,
        payload: &P,
        until: Option<u64>,
    ) -> Result<Value, ApiError> {
        let mut body = serde_json::to_value(payload).map_err(|error| ApiError::Unfit(error.to_string()))?;
        if let Some(until) = until {
            body["until_date"] = until.into();
        }
        self.in_chat(chat, P::NAME, body).await
    }

    /// Gives or takes a role: that of an administrator, or a tag or title next to the name.
    async fn entitle(&self, chat: i64, user: i64, role: &str, gives: bool) -> Result<Outcome, ActionError> {
        let whom = UserId(user.unsigned_abs());
        if role.eq_ignore_ascii_case(ADMINISTRATOR) {
            let mut promote = PromoteChatMember::new(at(chat), whom);
            promote.can_manage_chat = Some(gives);
            promote.can_delete_messages = Some(gives);
            promote.can_restrict_members = Some(gives);
            promote.can_invite_users = Some(gives);
            promote.can_pin_messages = Some(gives);
            let promoted = self.ask_in(chat, &promote).await;
            return promoted.map(|_| Outcome::default()).or_else(|error| refused(error, ADD_ADMINS));
        }
        let id = self.cache.user_id(user);
        let is_admin = {
            let state = self.cache.lock();
            state.people.member(chat, user, &id).roles.iter().any(|role| role == ADMINISTRATOR)
        };
        let title: String = if gives { role.chars().take(TITLE_MAX).collect() } else { String::new() };
        let (result, right) = if is_admin {
            let body = json!({ "chat_id": chat, "user_id": user, "custom_title": title });
            (self.in_chat(chat, "setChatAdministratorCustomTitle", body).await, ADD_ADMINS)
        } else {
            let body = json!({ "chat_id": chat, "user_id": user, "tag": title });
            (self.in_chat(chat, "setChatMemberTag", body).await, MANAGE_TAGS)
        };
        result.map(|_| Outcome::default()).or_else(|error| refused(error, right))
    }

    pub(super) async fn arrange(
        &self,
        (chat, topic): Place,
        change: &RoomChange,
        kind: ActionKind,
    ) -> Result<Outcome, ActionError> {
        let result = match (change, topic) {
            (RoomChange::Topic(_), Some(_)) => {
                return Err(ActionError::Rejected("a topic of a forum has no description".to_owned()));
            }
            (RoomChange::Topic(text), None) => {
                let mut describe = SetChatDescription::new(at(chat));
                describe.description = Some(text.chars().take(DESCRIPTION_MAX).collect());
                self.ask_in(chat, &describe).await
            }
            (RoomChange::Slowmode(_), _) => return Err(ActionError::Unsupported(kind)),
            (RoomChange::Locked(locked), Some(topic)) => {
                let method = if *locked { "closeForumTopic" } else { "reopenForumTopic" };
                self.in_chat(chat, method, json!({ "chat_id": chat, "message_thread_id": topic })).await
            }
            (RoomChange::Locked(true), None) => return self.lock(chat).await,
            (RoomChange::Locked(false), None) => return self.unlock(chat).await,
        };
        done(result)
    }

    /// Takes the right to write from all members. Their permissions are stored, to be restored.
    async fn lock(&self, chat: i64) -> Result<Outcome, ActionError> {
        let is_locked = self.cache.lock().chats.get(&chat).is_some_and(|row| row.before_lock.is_some());
        if !is_locked {
            let now = self.in_chat(chat, "getChat", json!({ "chat_id": chat })).await?;
            let before = now["permissions"].clone();
            if !before.is_object() {
                return Err(ActionError::Rejected("Telegram did not send the chat's permissions".to_owned()));
            }
            self.set_before_lock(chat, Some(before.to_string())).await?;
        }
        let lock = SetChatPermissions::new(at(chat), ChatPermissions::empty());
        let locked = done(self.ask_in(chat, &lock).await);
        if !is_locked
            && matches!(locked, Err(ActionError::Forbidden(_) | ActionError::Rejected(_) | ActionError::NotFound(_)))
        {
            // The chat was not locked, so there is nothing to restore.
            self.set_before_lock(chat, None).await?;
        }
        locked
    }

    async fn unlock(&self, chat: i64) -> Result<Outcome, ActionError> {
        let before = self.cache.lock().chats.get(&chat).and_then(|row| row.before_lock.clone());
        let before = before.and_then(|before| serde_json::from_str::<Value>(&before).ok()).filter(Value::is_object);
        let result = match before {
            Some(permissions) => {
                let body =
                    json!({ "chat_id": chat, "permissions": permissions, "use_independent_chat_permissions": true });
                self.in_chat(chat, "setChatPermissions", body).await
            }
            None => self.ask_in(chat, &SetChatPermissions::new(at(chat), ChatPermissions::all())).await,
        };
        done(result)?;
        self.set_before_lock(chat, None).await?;
        Ok(Outcome::default())
    }

    /// Stores or forgets the permissions before a lock. If that fails, nothing has changed.
    ///
    /// The next attempt would otherwise lock a chat whose permissions are not stored, or open one
    /// with other permissions than before.
    async fn set_before_lock(&self, chat: i64, permissions: Option<String>) -> Result<(), ActionError> {
        let replaced =
            std::mem::replace(&mut self.cache.lock().chats.entry(chat).or_default().before_lock, permissions);
        let mut rows = Batch::default();
        self.cache.keep(&mut rows, chat);
        let written = self.write("the permissions before a lock", rows).await;
        if written.is_err() {
            self.cache.lock().chats.entry(chat).or_default().before_lock = replaced;
        }
        Ok(written?)
    }
}

fn unban(chat: i64, whom: UserId) -> UnbanChatMember {
    let mut unban = UnbanChatMember::new(at(chat), whom);
    unban.only_if_banned = Some(true);
    unban
}

/// Converts an error into plain words; `right` is the right that the bot needs.
fn refused(error: ApiError, right: &str) -> Result<Outcome, ActionError> {
    let has_no_right =
        error.says("not enough rights") || error.says("administrator rights") || error.says("chat_admin_required");
    let why = if error.says("only for supergroups") || error.says("supergroup and channel chats only") {
        BASIC_GROUP_ERROR.to_owned()
    } else if error.says("administrator of the chat") || error.says("user_admin_invalid") {
        "they are an administrator of the chat, and bots cannot moderate administrators".to_owned()
    } else if error.says("chat owner") || error.says("user_creator") {
        "they own the chat, and bots cannot moderate its owner".to_owned()
    } else if error.says("restrict self") {
        "the bot can do nothing to itself".to_owned()
    } else if has_no_right {
        format!("the bot may not do that there; make it an administrator of the chat with the right \"{right}\"")
    } else {
        return match error {
            ApiError::Unchanged(_) => Ok(Outcome::default()),
            error if error.says("not_participant") || error.says("participant_id_invalid") => {
                Err(ActionError::NotFound("they are not in the chat".to_owned()))
            }
            error => Err(error.into()),
        };
    };
    Err(ActionError::Forbidden(why))
}
