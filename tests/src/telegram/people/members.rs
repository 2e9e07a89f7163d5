//! Joins, leaves and moderation by users.

use serde_json::{Value, json};

use crate::telegram::member::{Member, Status, rights_in};
use crate::telegram::stand_in::StandIn;
use crate::telegram::state::State;

impl StandIn {
    /// Adds a user to a chat, who is created if needed.
    pub fn joins(&self, who: &str, chat: &str) -> i64 {
        let user = self.person(who);
        self.change(|state| {
            let chat = state.somewhere(chat).0;
            state.enter(chat, user, user, &Value::Null);
        });
        user
    }

    /// Adds another bot to a chat.
    pub fn bot_joins(&self, name: &str, chat: &str) -> i64 {
        self.change(|state| state.create_user(name, true));
        self.joins(name, chat)
    }

    /// Adds another user, who is created if needed, to a chat.
    pub fn brings(&self, who: &str, another: &str, chat: &str) -> i64 {
        let user = self.person(another);
        self.change(|state| {
            let (by, chat) = (state.who(who), state.somewhere(chat).0);
            state.enter(chat, by, user, &Value::Null);
        });
        user
    }

    /// Creates an invite link for join requests, about which Telegram sends no update.
    pub fn invites(&self, who: &str, chat: &str) -> String {
        self.change(|state| {
            let (by, chat) = (state.who(who), state.somewhere(chat).0);
            let link = state.create_invite(chat, by, &json!({ "creates_join_request": true }), false);
            link["invite_link"].as_str().unwrap_or_default().to_owned()
        })
    }

    /// Sends a join request. The user is created if needed.
    pub fn asks_to_join(&self, who: &str, chat: &str) -> i64 {
        self.asks(who, chat, None)
    }

    /// Sends a join request with an invite link. The user is created if needed.
    pub fn asks_to_join_by(&self, who: &str, chat: &str, link: &str) -> i64 {
        self.asks(who, chat, Some(link))
    }

    fn asks(&self, who: &str, chat: &str, link: Option<&str>) -> i64 {
        let user = self.person(who);
        self.change(|state| {
            let chat = state.somewhere(chat).0;
            state.place(chat).requests.insert(user);
            if state.has_right(chat, state.bot, "can_invite_users") {
                let mut request = json!({
                    "chat": state.chat_frame(chat), "from": state.user_frame(user), "user_chat_id": user,
                    "date": state.seconds(),
                });
                if let Some(link) = link {
                    let known = state.chats[&chat].invites.iter().find(|one| one["invite_link"] == link);
                    request["invite_link"] = known.cloned().unwrap_or_else(|| panic!("{link} leads nowhere"));
                }
                state.give("chat_join_request", request);
            }
        });
        user
    }

    /// Leaves a chat.
    pub fn leaves(&self, who: &str, chat: &str) {
        self.removes(who, who, chat, Status::Left);
    }

    /// Removes a user, who may come back, as a moderator.
    pub fn kicks(&self, moderator: &str, who: &str, chat: &str) {
        self.removes(moderator, who, chat, Status::Kicked { until: 0 });
        self.becomes(moderator, who, chat, Status::Left);
    }

    /// Bans a member as a moderator.
    pub fn bans(&self, moderator: &str, who: &str, chat: &str) {
        self.removes(moderator, who, chat, Status::Kicked { until: 0 });
    }

    /// Lifts a ban as a moderator.
    pub fn unbans(&self, moderator: &str, who: &str, chat: &str) {
        self.becomes(moderator, who, chat, Status::Left);
    }

    /// Removes all permissions of a user as a moderator.
    ///
    /// `until` is in seconds of the Unix epoch, 0 for ever.
    pub fn restricts(&self, moderator: &str, who: &str, chat: &str, until: u64) {
        let status = Status::Restricted { permissions: std::collections::BTreeSet::new(), until, is_member: true };
        self.becomes(moderator, who, chat, status);
    }

    /// Makes a user an administrator with some rights, or with all for an empty list.
    pub fn is_promoted(&self, by: &str, who: &str, chat: &str, rights: &[&str]) {
        let all = self.shared.lock().rights_of(chat);
        let named = rights.iter().map(|right| (*right).to_owned()).collect();
        self.becomes(by, who, chat, Status::Administrator(if rights.is_empty() { all } else { named }));
    }

    /// Demotes an administrator.
    pub fn is_demoted(&self, by: &str, who: &str, chat: &str) {
        self.becomes(by, who, chat, Status::Member);
    }

    /// Blocks the bot.
    pub fn blocks(&self, who: &str) {
        self.change(|state| state.set_blocked(state.who(who), true));
    }

    /// Unblocks the bot.
    pub fn unblocks(&self, who: &str) {
        self.change(|state| state.set_blocked(state.who(who), false));
    }

    /// Removes a right of the bot in a chat: `can_pin_messages`.
    pub fn deny(&self, chat: &str, right: &str) {
        self.change_right(chat, right, false);
    }

    /// Adds a right of the bot in a chat.
    pub fn allow(&self, chat: &str, right: &str) {
        self.change_right(chat, right, true);
    }

    fn change_right(&self, chat: &str, right: &str, give: bool) {
        self.change(|state| {
            assert!(state.rights_of(chat).contains(right), "there is no right {right} in {chat}");
            let chat = state.somewhere(chat).0;
            let mut member = state.member(chat, state.bot);
            let Status::Administrator(rights) = &mut member.status else { panic!("the bot is no administrator there") };
            if give {
                rights.insert(right.to_owned())
            } else {
                rights.remove(right)
            };
            let by = state.owner(chat);
            state.set_member(chat, by, state.bot, member, &Value::Null);
        });
    }

    /// Adds the bot to a chat as a plain member.
    pub fn adds_bot(&self, who: &str, chat: &str) {
        self.change(|state| {
            let (by, chat) = (state.who(who), state.somewhere(chat).0);
            state.enter(chat, by, state.bot, &Value::Null);
        });
    }

    /// Makes the bot an administrator of a chat with all rights.
    pub fn promotes_bot(&self, chat: &str) {
        let rights = self.shared.lock().rights_of(chat);
        self.change_bot(chat, Status::Administrator(rights));
    }

    /// Demotes the bot in a chat.
    pub fn demotes_bot(&self, chat: &str) {
        self.change_bot(chat, Status::Member);
    }

    /// Removes the bot from a chat.
    pub fn throws_bot_out(&self, chat: &str) {
        self.change(|state| {
            let chat = state.somewhere(chat).0;
            let by = state.owner(chat);
            state.depart(chat, by, state.bot, Status::Kicked { until: 0 });
        });
    }

    fn change_bot(&self, chat: &str, status: Status) {
        self.change(|state| {
            let chat = state.somewhere(chat).0;
            let by = state.owner(chat);
            state.set_member(
                chat,
                by,
                state.bot,
                Member { promoted_by: Some(by), ..Member::new(status) },
                &Value::Null,
            );
        });
    }

    fn becomes(&self, by: &str, who: &str, chat: &str, status: Status) {
        self.change(|state| {
            let (by, user, chat) = (state.who(by), state.who(who), state.somewhere(chat).0);
            state.set_member(chat, by, user, Member { promoted_by: Some(by), ..Member::new(status) }, &Value::Null);
        });
    }

    fn removes(&self, by: &str, who: &str, chat: &str, status: Status) {
        self.change(|state| {
            let (by, user, chat) = (state.who(by), state.who(who), state.somewhere(chat).0);
            state.depart(chat, by, user, status);
        });
    }
}

impl State {
    fn rights_of(&mut self, chat: &str) -> std::collections::BTreeSet<String> {
        let chat = self.somewhere(chat).0;
        rights_in(self.chats[&chat].kind)
    }

    fn owner(&self, chat: i64) -> i64 {
        let mut members = self.chats[&chat].members.iter();
        let owner = members.find(|(_, member)| member.status == Status::Creator).map(|(id, _)| *id);
        owner.expect("every group and channel has an owner")
    }

    pub(super) fn set_blocked(&mut self, user: i64, blocks: bool) {
        let chat = self.private_chat(user);
        self.users.get_mut(&user).expect("they were found before").blocks = blocks;
        let status = if blocks { Status::Kicked { until: 0 } } else { Status::Member };
        self.set_member(chat, user, self.bot, Member::new(status), &Value::Null);
    }
}
