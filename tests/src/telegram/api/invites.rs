//! Invite links and join requests.

use serde_json::{Value, json};

use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::world::World;

use super::call::Call;

fn place(world: &mut World, call: &Call) -> Result<i64, Refusal> {
    let chat = world.reach(call.get("chat_id"))?;
    world.need(chat, "can_invite_users", "manage chat invite link")?;
    Ok(chat)
}

pub(super) fn export(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call)?;
    for link in world.place(chat).invites.iter_mut().filter(|link| link["is_primary"] == true) {
        link["is_primary"] = json!(false);
        link["is_revoked"] = json!(true);
    }
    let link = world.create_invite(chat, world.bot, &json!({}), true);
    Ok(link["invite_link"].clone())
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call)?;
    if call.is_true("creates_join_request") && call.number("member_limit").is_some() {
        return Err(Refusal::broken_rule("member limit can't be specified for links requiring administrator approval"));
    }
    Ok(world.create_invite(chat, world.bot, &call.parameters, false))
}

pub(super) fn revoke(world: &mut World, call: &Call) -> Outcome {
    let chat = place(world, call)?;
    let mut links = world.place(chat).invites.iter_mut();
    let link = links.find(|link| link["invite_link"] == *call.get("invite_link") && link["is_revoked"] == false);
    let link = link.ok_or_else(|| Refusal::bad("INVITE_HASH_EXPIRED"))?;
    link["is_revoked"] = json!(true);
    Ok(link.clone())
}

pub(super) fn approve(world: &mut World, call: &Call) -> Outcome {
    let (chat, user) = asked(world, call)?;
    world.enter(chat, user, user, &json!({ "via_join_request": true }));
    Ok(json!(true))
}

pub(super) fn decline(world: &mut World, call: &Call) -> Outcome {
    asked(world, call)?;
    Ok(json!(true))
}

/// Takes the join request of a user.
fn asked(world: &mut World, call: &Call) -> Result<(i64, i64), Refusal> {
    let chat = place(world, call)?;
    let user = world.reach_user(call)?;
    if world.member(chat, user).is_in() {
        return Err(Refusal::bad("USER_ALREADY_PARTICIPANT"));
    }
    if !world.place(chat).requests.remove(&user) {
        return Err(Refusal::bad("HIDE_REQUESTER_MISSING"));
    }
    Ok((chat, user))
}

impl World {
    /// Creates an invite link.
    pub(in crate::telegram) fn create_invite(&mut self, chat: i64, by: i64, fields: &Value, is_primary: bool) -> Value {
        let number = self.fresh();
        let mut link = json!({
            "invite_link": format!("https://t.me/+standin{number:08}"), "creator": self.user_frame(by), "is_primary": is_primary,
            "creates_join_request": fields["creates_join_request"] == true, "is_revoked": false,
        });
        for name in ["name", "expire_date", "member_limit"] {
            if !fields[name].is_null() {
                link[name] = fields[name].clone();
            }
        }
        self.place(chat).invites.push(link.clone());
        link
    }
}
