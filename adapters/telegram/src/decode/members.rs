//! Membership changes: joins, leaves, bans, join requests and promotions.

use palabre_types::{EventKind, Millis, User};

use super::decoder::{Decoded, Decoder, Scene};
use crate::{cache, frames};

impl Decoder {
    /// Returns the events of a service message about joins and leaves.
    ///
    /// If the bot is an administrator, a `chat_member` update reports the same; the second of the two
    /// is dropped.
    pub(super) fn joins_and_leaves(&self, frame: &frames::Message, by: (&User, i64), now: Millis) -> Decoded {
        let me = self.cache.lock().me;
        let chat = frame.chat.id;
        let came = frame.new_chat_members.iter().map(|person| (person, true));
        let went = frame.left_chat_member.iter().map(|person| (person, false));
        let mut events = Vec::new();
        for (person, is_in) in came.chain(went).filter(|(person, _)| person.id != me) {
            let user = self.user(person);
            if !self.cache.lock().people.is_news(chat, person.id, is_in) {
                continue;
            }
            let by = (by.1 != person.id).then(|| by.0.clone());
            let kind = if is_in { EventKind::Join { by, reason: None } } else { EventKind::Leave { by, reason: None } };
            let scene = Scene { chat, topic: None, member: self.member(chat, person.id), user: Some(user) };
            events.push(self.event(scene, kind, now));
        }
        Decoded { events, changed: Vec::new() }
    }

    pub(super) fn member_changed(&self, frame: &frames::MemberChange, now: Millis) -> Decoded {
        let (old, new) = (&frame.old_chat_member, &frame.new_chat_member);
        let (chat, person) = (frame.chat.id, new.user.id);
        let changed = self.cache_chat(&frame.chat);
        let user = self.user(&new.user);
        let by = (frame.from.id != person).then(|| self.user(&frame.from));
        self.cache.lock().people.set_membership(chat, &user.id, new);
        let member = (chat < 0).then(|| cache::member(&user.id, new));
        let mut kinds = Vec::new();
        if old.is_banned() && !new.is_banned() {
            kinds.push(EventKind::Unban { by: by.clone(), reason: None });
        }
        if old.is_in() != new.is_in() && self.cache.lock().people.is_news(chat, person, new.is_in()) {
            kinds.push(match new.is_in() {
                true => EventKind::Join { by: by.clone(), reason: None },
                false => EventKind::Leave { by: by.clone(), reason: None },
            });
        }
        if !old.is_banned() && new.is_banned() {
            kinds.push(EventKind::Ban { by, reason: None });
        }
        let was = cache::member(&user.id, old);
        let is_other = old.is_muted() != new.is_muted()
            || old.is_admin() != new.is_admin()
            || old.tag != new.tag
            || old.custom_title != new.custom_title
            || old.can_promote_members != new.can_promote_members;
        if is_other && old.is_in() && new.is_in() {
            kinds.push(EventKind::MemberUpdate { before: Some(was) });
        }
        let scene = || Scene { chat, topic: None, user: Some(user.clone()), member: member.clone() };
        Decoded { events: kinds.into_iter().map(|kind| self.event(scene(), kind, now)).collect(), changed }
    }

    /// Returns the event of a change of the bot's own membership.
    ///
    /// `None` in private chats, where the user has blocked or unblocked the bot.
    pub(super) fn bot_changed(&self, frame: &frames::MemberChange, now: Millis) -> Option<Decoded> {
        let (old, new) = (&frame.old_chat_member, &frame.new_chat_member);
        let chat = frame.chat.id;
        let mut changed = self.cache_chat(&frame.chat);
        self.cache.lock().chats.entry(chat).or_default().is_in = new.is_in();
        changed.push(chat);
        if frame.chat.is_private() {
            return None;
        }
        let me = self.user(&new.user);
        let kind = match (old.is_in(), new.is_in()) {
            (false, true) => EventKind::RoomCreate,
            (true, false) => EventKind::RoomDelete { before: Some(self.cache.room(chat, None)) },
            _ => {
                self.cache.lock().people.set_membership(chat, &me.id, new);
                let (was, is) = (cache::member(&me.id, old), cache::member(&me.id, new));
                let scene = Scene { chat, topic: None, member: Some(is), user: Some(me) };
                let event = self.event(scene, EventKind::MemberUpdate { before: Some(was) }, now);
                return Some(Decoded { events: vec![event], changed });
            }
        };
        // The user who added or removed the bot.
        let by = self.user(&frame.from);
        let scene = Scene { chat, topic: None, member: self.member(chat, frame.from.id), user: Some(by) };
        Some(Decoded { events: vec![self.event(scene, kind, now)], changed })
    }

    pub(super) fn join_requested(&self, frame: &frames::JoinRequest, now: Millis) -> Decoded {
        let changed = self.cache_chat(&frame.chat);
        let link = frame.invite_link.as_ref();
        let kind = EventKind::JoinRequest {
            code: link.map(|link| link.invite_link.clone()),
            by: link.and_then(|link| link.creator.as_ref()).map(|creator| self.user_id(creator.id)),
            about: frame.bio.clone(),
        };
        let (chat, user) = (frame.chat.id, self.user(&frame.from));
        let scene = Scene { chat, topic: None, user: Some(user), member: self.member(chat, frame.from.id) };
        Decoded { events: vec![self.event(scene, kind, now)], changed }
    }
}
