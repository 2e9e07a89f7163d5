//! The functions that perform the operations of the description.

use crate::discord::state::State;

use super::call::Call;
use super::refusal::Refusal;
use super::reply::Outcome;
use super::{
    bans, channels, commands, guilds, interactions, invites, me, members, messages, pins, reactions, threads, webhooks,
};

/// A function that performs an operation.
type Perform = fn(&mut State, &Call) -> Outcome;

/// Performs a call.
pub(super) fn perform(state: &mut State, call: &Call) -> Outcome {
    let name = call.operation.name.as_str();
    let groups = [of_bot, of_messages, of_channels, of_guilds, of_application];
    match groups.iter().find_map(|group| group(name)) {
        Some(perform) => perform(state, call),
        None => Err(Refusal::not_played(name)),
    }
}

/// Returns the function of an operation on the bot itself.
fn of_bot(name: &str) -> Option<Perform> {
    let perform: Perform = match name {
        "get_gateway" => me::gateway,
        "get_bot_gateway" => me::bot_gateway,
        "get_my_user" => me::user,
        "get_user" => me::other_user,
        "get_my_application" | "get_my_oauth2_application" => me::application,
        "list_my_guilds" => me::guilds,
        "leave_guild" => me::leave_guild,
        "create_dm" => me::create_direct,
        _ => return None,
    };
    Some(perform)
}

/// Returns the function of an operation on messages.
fn of_messages(name: &str) -> Option<Perform> {
    let perform: Perform = match name {
        "create_message" => messages::create,
        "get_message" => messages::get,
        "list_messages" => messages::list,
        "update_message" => messages::update,
        "delete_message" => messages::delete,
        "bulk_delete_messages" => messages::bulk_delete,
        "trigger_typing_indicator" => messages::typing,
        "add_my_message_reaction" => reactions::add,
        "delete_my_message_reaction" => reactions::remove_mine,
        "delete_user_message_reaction" => reactions::remove_other,
        "delete_all_message_reactions" => reactions::remove_all,
        "delete_all_message_reactions_by_emoji" => reactions::remove_emoji,
        "list_message_reactions_by_emoji" => reactions::list,
        "list_pins" => pins::list,
        "create_pin" => pins::pin,
        "delete_pin" => pins::unpin,
        _ => return None,
    };
    Some(perform)
}

/// Returns the function of an operation on channels and threads.
fn of_channels(name: &str) -> Option<Perform> {
    let perform: Perform = match name {
        "get_channel" => channels::get,
        "update_channel" => channels::update,
        "delete_channel" => channels::delete,
        "set_channel_permission_overwrite" => channels::set_overwrite,
        "delete_channel_permission_overwrite" => channels::delete_overwrite,
        "create_channel_invite" => invites::create,
        "list_channel_invites" => invites::list,
        "create_thread" => threads::create,
        "create_thread_from_message" => threads::create_from_message,
        "join_thread" => threads::join,
        "leave_thread" => threads::leave,
        "add_thread_member" => threads::add,
        "delete_thread_member" => threads::remove,
        "get_active_guild_threads" => threads::active,
        _ => return None,
    };
    Some(perform)
}

/// Returns the function of an operation on guilds and their members.
fn of_guilds(name: &str) -> Option<Perform> {
    let perform: Perform = match name {
        "get_guild" => guilds::get,
        "list_guild_channels" => guilds::channels,
        "create_guild_channel" => guilds::create_channel,
        "list_guild_roles" => guilds::roles,
        "get_guild_role" => guilds::role,
        "list_guild_emojis" => guilds::emojis,
        "list_guild_audit_log_entries" => guilds::audit_log,
        "get_guild_member" => members::get,
        "list_guild_members" => members::list,
        "search_guild_members" => members::search,
        "update_guild_member" => members::update,
        "update_my_guild_member" => members::update_mine,
        "delete_guild_member" => members::kick,
        "add_guild_member_role" => members::add_role,
        "delete_guild_member_role" => members::remove_role,
        "get_guild_ban" => bans::get,
        "list_guild_bans" => bans::list,
        "ban_user_from_guild" => bans::create,
        "unban_user_from_guild" => bans::delete,
        _ => return None,
    };
    Some(perform)
}

/// Returns the function of an operation on webhooks, interactions and commands.
fn of_application(name: &str) -> Option<Perform> {
    let perform: Perform = match name {
        "create_webhook" => webhooks::create,
        "list_channel_webhooks" => webhooks::list,
        "get_guild_webhooks" => webhooks::list_guild,
        "get_webhook" | "get_webhook_by_token" => webhooks::get,
        "update_webhook" | "update_webhook_by_token" => webhooks::update,
        "delete_webhook" | "delete_webhook_by_token" => webhooks::delete,
        "execute_webhook" => webhooks::execute,
        "get_webhook_message" | "get_original_webhook_message" => webhooks::get_message,
        "update_webhook_message" | "update_original_webhook_message" => webhooks::update_message,
        "delete_webhook_message" | "delete_original_webhook_message" => webhooks::delete_message,
        "create_interaction_response" => interactions::answer,
        "list_application_commands" | "list_guild_application_commands" => commands::list,
        "get_application_command" | "get_guild_application_command" => commands::get,
        "create_application_command" | "create_guild_application_command" => commands::create,
        "update_application_command" | "update_guild_application_command" => commands::update,
        "delete_application_command" | "delete_guild_application_command" => commands::delete,
        "bulk_set_application_commands" | "bulk_set_guild_application_commands" => commands::set_all,
        _ => return None,
    };
    Some(perform)
}

/// The key of the result of an operation in a larger object; see [`crate::discord::rough`].
pub(super) fn kind(operation: &str) -> &'static str {
    const KINDS: [(&str, &str); 8] = [
        ("member", "member"),
        ("role", "role"),
        ("thread", "thread"),
        ("message", "message"),
        ("channel", "channel"),
        ("webhook_message", "message"),
        ("execute_webhook", "message"),
        ("user", "user"),
    ];
    let bare = ["invite", "webhook", "overwrite", "reaction"].iter().any(|other| operation.contains(other));
    let found = KINDS.iter().find(|(part, _)| operation.contains(part)).map_or("", |(_, kind)| *kind);
    if bare && found != "message" { "" } else { found }
}
