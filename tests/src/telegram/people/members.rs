//! Joins, leaves and moderation by users.

use serde_json::{Value, json};

use crate::telegram::StandIn;
use crate::telegram::member::{Member, Status, rights_in};
use crate::telegram::world::World;

impl StandIn {
    /// Adds a user to a chat, who is created if needed.
    pub fn joins(&self, who: &str, chat: &str) -> i64 {
        let user = self.person(who);
        self.change(|world| {
            let chat = world.somewhere(chat).0;
            world.enter(chat, user, user, &Value::Null);
        });
        user
    }

    /// Adds another bot to a chat.
    pub fn bot_joins(&self, name: &str, chat: &str) -> i64 {
        self.change(|world| world.create_user(name, true));
        self.joins(name, chat)
    }

    /// Adds another user, who is created if needed, to a chat.
    pub fn brings(&self, who: &str, another: &str, chat: &str) -> i64 {
        let user = self.person(another);
        self.change(|world| {
            let (by, chat) = (world.who(who), world.somewhere(chat).0);
            world.enter(chat, by, user, &Value::Null);
        });
        user
    }

    /// Creates an invite link for join requests, about which Telegram sends no update.
    pub fn invites(&self, who: &str, chat: &str) -> String {
        self.change(|world| {
            let (by, chat) = (world.who(who), world.somewhere(chat).0);
            let link = world.create_invite(chat, by, &json!({ "creates_join_request": true }), false);
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
        self.change(|world| {
            let chat = world.somewhere(chat).0;
            world.place(chat).requests.insert(user);
            if world.has_right(chat, world.bot, "can_invite_users") {
                let mut request = json!({
                    "chat": world.chat_frame(chat), "from": world.user_frame(user), "user_chat_id": user, "date": world.seconds(),
                });
                if let Some(link) = link {
                    let known = world.chats[&chat].invites.iter().find(|one| one["invite_link"] == link);
                    request["invite_link"] = known.cloned().unwrap_or_else(|| panic!("{link} leads nowhere"));
                }
                world.give("chat_join_request", request);
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
        self.change(|world| world.set_blocked(world.who(who), true));
    }

    /// Unblocks the bot.
    pub fn unblocks(&self, who: &str) {
        self.change(|world| world.set_blocked(world.who(who), false));
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
        self.change(|world| {
            assert!(world.rights_of(chat).contains(right), "there is no right {right} in {chat}");
            let chat = world.somewhere(chat).0;
            let mut member = world.member(chat, world.bot);
            let Status::Administrator(rights) = &mut member.status else { panic!("the bot is no administrator there") };
            if give {
                rights.insert(right.to_owned())
            } else {
                rights.remove(right)
            };
            let by = world.owner(chat);
            world.set_member(chat, by, world.bot, member, &Value::Null);
        });
    }

    /// Adds the bot to a chat as a plain member.
    pub fn adds_bot(&self, who: &str, chat: &str) {
        self.change(|world| {
            let (by, chat) = (world.who(who), world.somewhere(chat).0);
            world.enter(chat, by, world.bot, &Value::Null);
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
        self.change(|world| {
            let chat = world.somewhere(chat).0;
            let by = world.owner(chat);
            world.depart(chat, by, world.bot, Status::Kicked { until: 0 });
        });
    }

    fn change_bot(&self, chat: &str, status: Status) {
        self.change(|world| {
            let chat = world.somewhere(chat).0;
            let by = world.owner(chat);
            world.set_member(
                chat,
                by,
                world.bot,
                Member { promoted_by: Some(by), ..Member::new(status) },
                &Value::Null,
            );
        });
    }

    fn becomes(&self, by: &str, who: &str, chat: &str, status: Status) {
        self.change(|world| {
            let (by, user, chat) = (world.who(by), world.who(who), world.somewhere(chat).0);
            world.set_member(chat, by, user, Member { promoted_by: Some(by), ..Member::new(status) }, &Value::Null);
        });
    }

    fn removes(&self, by: &str, who: &str, chat: &str, status: Status) {
        self.change(|world| {
            let (by, user, chat) = (world.who(by), world.who(who), world.somewhere(chat).0);
            world.depart(chat, by, user, status);
        });
    }
}

impl World {
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
