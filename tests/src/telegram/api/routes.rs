//! The functions that perform each method.

use serde_json::json;

use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;
use super::{
    answering, chats, commands, copying, deleting, editing, invites, me, members, pins, polls, reactions, sending,
    topics, updates,
};

/// Performs a call.
pub(super) fn perform(state: &mut State, call: &Call) -> Outcome {
    let act: fn(&mut State, &Call) -> Outcome = match call.method.name.as_str() {
        "getMe" => me::get,
        "setMyName" | "setMyDescription" | "setMyShortDescription" => me::set,
        "getMyName" | "getMyDescription" | "getMyShortDescription" => me::show,
        "setWebhook" => updates::set_webhook,
        "deleteWebhook" => updates::delete_webhook,
        "getWebhookInfo" => |state, _| Ok(state.webhook_frame()),
        "sendMessage" | "sendPhoto" | "sendDocument" | "sendAudio" | "sendVoice" | "sendVideo" | "sendAnimation"
        | "sendSticker" | "sendVideoNote" | "sendLocation" | "sendVenue" | "sendContact" | "sendPoll" | "sendDice" => {
            sending::send
        }
        "sendMediaGroup" => sending::send_album,
        "sendChatAction" => sending::act,
        "copyMessage" => copying::copy,
        "forwardMessage" => copying::forward,
        "editMessageText" => editing::text,
        "editMessageCaption" => editing::caption,
        "editMessageMedia" => editing::media,
        "editMessageReplyMarkup" => editing::markup,
        "deleteMessage" => deleting::one,
        "deleteMessages" => deleting::many,
        "setMessageReaction" => reactions::set,
        "pinChatMessage" => pins::pin,
        "unpinChatMessage" => pins::unpin,
        "unpinAllChatMessages" => pins::unpin_all,
        "stopPoll" => polls::stop,
        "getFile" => |state, call| state.file_frame(call.text("file_id")),
        "banChatMember" => members::ban,
        "unbanChatMember" => members::unban,
        "restrictChatMember" => members::restrict,
        "promoteChatMember" => members::promote,
        "setChatAdministratorCustomTitle" => members::set_title,
        "setChatMemberTag" => members::set_tag,
        "getChatMember" => members::get,
        "getChatAdministrators" => members::administrators,
        "getChatMemberCount" => members::count,
        "getUserProfilePhotos" => |state, call| {
            state.reach_user(call)?;
            Ok(json!({ "total_count": 0, "photos": [] }))
        },
        "getChat" => chats::get,
        "leaveChat" => chats::leave,
        "setChatPermissions" => chats::set_permissions,
        "setChatTitle" => chats::set_title,
        "setChatDescription" => chats::set_description,
        "exportChatInviteLink" => invites::export,
        "createChatInviteLink" => invites::create,
        "revokeChatInviteLink" => invites::revoke,
        "approveChatJoinRequest" => invites::approve,
        "declineChatJoinRequest" => invites::decline,
        "createForumTopic" => topics::create,
        "editForumTopic" => topics::edit,
        "closeForumTopic" => topics::close,
        "reopenForumTopic" => topics::reopen,
        "deleteForumTopic" => topics::delete,
        "setMyCommands" => commands::set,
        "getMyCommands" => commands::get,
        "deleteMyCommands" => commands::delete,
        "answerCallbackQuery" => answering::callback,
        "answerInlineQuery" => answering::inline,
        other => return Err(Refusal::not_played(other)),
    };
    act(state, call)
}
