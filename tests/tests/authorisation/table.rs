//! The expected answers, for each route and each Socket.IO event.
//!
//! A cell is one letter, in the order of [`Caller::ALL`](super::callers::Caller::ALL):
//! nobody, guest; account, member, moderator and founder of the room; administrator, owner; reader, revoked.
//!
//! - `a`: allowed, which is any status except 401, 403, 404 and those from 500
//! - `u`: 401, the caller is unknown
//! - `p`: 401, the caller is known, and the password that the request repeats is wrong
//! - `f`: 403, forbidden; of an event, an acknowledgement with an error
//! - `h`: 404, hidden
//! - `c`: the connection is refused, which only events have

/// The body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Json(&'static str),
    Form(&'static str),
    Text(&'static str),
    /// A file, with the id of a session.
    Upload(&'static str),
}

use Body::{Form, Json, None as Empty, Text, Upload};

/// A route, or an event whose method is `EVENT` and whose path is its name.
///
/// In `target` and `body`, words in braces stand for rows that the fixture has or makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) method: &'static str,
    /// As in `/openapi.json`.
    pub(crate) path: &'static str,
    /// The address that is requested; the path if it is empty.
    pub(crate) target: &'static str,
    pub(crate) body: Body,
    /// The cells, in the private room.
    pub(crate) private: &'static str,
    /// The cells, in the public room; empty if the request is about no room.
    pub(crate) public: &'static str,
}

const fn row(method: &'static str, path: &'static str, target: &'static str, body: Body, cells: &'static str) -> Row {
    Row { method, path, target, body, private: cells, public: "" }
}

const fn of_room(
    method: &'static str,
    path: &'static str,
    target: &'static str,
    body: Body,
    private: &'static str,
    public: &'static str,
) -> Row {
    Row { method, path, target, body, private, public }
}

const fn event(name: &'static str, data: &'static str, private: &'static str, public: &'static str) -> Row {
    of_room("EVENT", name, "", Json(data), private, public)
}

const ALL: &str = "aa aaaa aa aa";
/// Signed in, with a token that reads.
const READ: &str = "uu aaaa aa au";
/// Signed in, with a token that writes, or that is for the account itself.
const WRITE: &str = "uu aaaa aa fu";
/// Of something of one's own that does not exist.
const UNKNOWN: &str = "uu hhhh hh fu";
/// With the right password.
const PASSWORD: &str = "uu pppp pp fu";
/// Of a session of Neural Chat Engine, which belongs to the member.
const SESSION_READ: &str = "uu hahh hh au";
const SESSION_WRITE: &str = "uu hahh hh fu";
/// Of a private room: a role in the whole service opens no private room.
const MEMBERS_READ: &str = "uu haaa hh au";
const MEMBERS_WRITE: &str = "uu haaa hh fu";
const MODERATORS: &str = "uu hfaa hh fu";
const FOUNDERS: &str = "uu hffa hh fu";
const AUTHOR: &str = "uu haff hh fu";
/// Of a public room, where administrators and owners of the service may do everything.
const PUBLIC_MODERATORS: &str = "uu ffaa aa fu";
const PUBLIC_FOUNDERS: &str = "uu fffa aa fu";
const PUBLIC_AUTHOR: &str = "uu faff ff fu";

const REGISTRATION: &str = r#"{"username":"new{number}","email":"new{number}@example.org","password":"long enough"}"#;
const LOGIN: &str = r#"{"username":"target","password":"secret of target"}"#;
const TOKEN: &str = r#"{"name":"a program","scopes":["read"]}"#;
const HOOK: &str = r#"{"url":"https://example.org/hook"}"#;
const MESSAGE: &str = r#"{"message":"hello"}"#;

/// The routes of the server and of the room service.
pub(crate) const ROUTES: &[Row] = &[
    row("GET", "/health", "", Empty, ALL),
    row("GET", "/api/health", "", Empty, ALL),
    row("GET", "/health/ready", "", Empty, ALL),
    row("GET", "/health/live", "", Empty, ALL),
    row("GET", "/metrics", "", Empty, ALL),
    row("GET", "/openapi.json", "", Empty, ALL),
    row("GET", "/docs", "", Empty, ALL),
    row("GET", "/docs/", "", Empty, ALL),
    row("GET", "/docs/{name}", "/docs/swagger-ui.css", Empty, ALL),
    row("GET", "/", "", Empty, ALL),
    row("GET", "/rooms/{room}", "", Empty, ALL),
    row("GET", "/service-worker.js", "", Empty, ALL),
    row("GET", "/chat", "/chat?username=new&room=general", Empty, ALL),
    row("GET", "/assets/{path}", "/assets/app.js", Empty, ALL),
    row("GET", "/login-page", "", Empty, ALL),
    row("GET", "/register-page", "", Empty, ALL),
    row("GET", "/api/stats", "", Empty, ALL),
    row("GET", "/socket.io/", "/socket.io/?EIO=4&transport=polling", Empty, ALL),
    row("POST", "/socket.io/", "/socket.io/?EIO=4&transport=polling&sid=guessed", Text("40"), ALL),
    row("POST", "/join", "", Form("username=new&room=general"), ALL),
    // Signing in and out.
    row("POST", "/api/auth/register", "", Json(REGISTRATION), ALL),
    row("POST", "/register", "", Json(REGISTRATION), ALL),
    row("POST", "/api/auth/login", "", Json(LOGIN), ALL),
    row("POST", "/login", "", Json(LOGIN), ALL),
    row("POST", "/auth/login", "", Json(LOGIN), ALL),
    row("GET", "/logout", "", Empty, ALL),
    row("POST", "/api/auth/logout", "", Empty, READ),
    row("POST", "/auth/logout", "", Empty, READ),
    // One's own account.
    row("GET", "/api/auth/me", "", Empty, READ),
    row("DELETE", "/api/auth/me", "", Json(r#"{"password":"guessed"}"#), PASSWORD),
    row("POST", "/api/auth/password", "", Json(r#"{"current":"guessed","new":"another secret"}"#), PASSWORD),
    row("POST", "/api/auth/otp", "", Json(r#"{"password":"guessed"}"#), PASSWORD),
    row("POST", "/api/auth/otp/confirm", "", Json(r#"{"code":"000000"}"#), WRITE),
    row("DELETE", "/api/auth/otp", "", Json(r#"{"password":"guessed","code":"000000"}"#), PASSWORD),
    row("GET", "/api/auth/sessions", "", Empty, WRITE),
    row("DELETE", "/api/auth/sessions/{id}", "/api/auth/sessions/0123456789abcdef", Empty, "uu hhhh hh fu"),
    row("GET", "/api/auth/tokens", "", Empty, WRITE),
    row("POST", "/api/auth/tokens", "", Json(r#"{"name":"a program","scopes":["read"]}"#), WRITE),
    row("DELETE", "/api/auth/tokens/{id}", "/api/auth/tokens/0123456789abcdef", Empty, "uu hhhh hh fu"),
    row("PATCH", "/api/users/{id}", "/api/users/me", Json(r#"{"status":"awake"}"#), WRITE),
    // Accounts and private conversations.
    row("GET", "/api/users", "", Empty, READ),
    row("GET", "/api/users/{id}", "/api/users/{target}", Empty, READ),
    row("GET", "/get-users", "", Empty, READ),
    row("PUT", "/api/users/{id}/role", "/api/users/{target}/role", Json(r#"{"role":"member"}"#), "uu ffff aa fu"),
    row("GET", "/api/users/me/rooms", "", Empty, READ),
    row("GET", "/api/users/me/unread", "", Empty, READ),
    row("GET", "/api/users/me/conversations", "", Empty, READ),
    row("GET", "/api/users/{id}/messages", "/api/users/{target}/messages", Empty, READ),
    row("POST", "/api/users/{id}/messages", "/api/users/{target}/messages", Json(MESSAGE), WRITE),
    row("GET", "/get-messages", "/get-messages?receiver_id={target}", Empty, READ),
    row("POST", "/send-message", "", Json(r#"{"recipient_id":"{target}","message":"hello"}"#), WRITE),
    // Rooms.
    row("GET", "/api/rooms", "", Empty, "au aaaa aa au"),
    row("POST", "/api/rooms", "", Json(r#"{"name":"new-{number}"}"#), WRITE),
    of_room("GET", "/api/rooms/{room}", "", Empty, "hu haaa hh au", "au aaaa aa au"),
    of_room("PATCH", "/api/rooms/{room}", "", Json(r#"{"topic":"tea"}"#), MODERATORS, PUBLIC_MODERATORS),
    of_room("DELETE", "/api/rooms/{room}", "/api/rooms/{doomed}", Empty, FOUNDERS, PUBLIC_FOUNDERS),
    of_room("GET", "/api/rooms/{room}/members", "", Empty, MEMBERS_READ, READ),
    of_room(
        "PUT",
        "/api/rooms/{room}/members/{account}",
        "/api/rooms/{room}/members/{target}",
        Json(r#"{"role":"muted"}"#),
        MODERATORS,
        PUBLIC_MODERATORS,
    ),
    of_room(
        "DELETE",
        "/api/rooms/{room}/members/{account}",
        "/api/rooms/{room}/members/{target}",
        Empty,
        MODERATORS,
        PUBLIC_MODERATORS,
    ),
    of_room("GET", "/api/rooms/{room}/invites", "", Empty, "uu hfaa hh fu", "uu ffaa aa fu"),
    of_room("POST", "/api/rooms/{room}/invites", "", Json("{}"), MODERATORS, PUBLIC_MODERATORS),
    of_room(
        "DELETE",
        "/api/rooms/{room}/invites/{code}",
        "/api/rooms/{room}/invites/{invite}",
        Empty,
        MODERATORS,
        PUBLIC_MODERATORS,
    ),
    // Programs.
    row("GET", "/api/bots", "", Empty, WRITE),
    row("POST", "/api/bots", "", Json(r#"{"username":"bot{number}"}"#), WRITE),
    row("DELETE", "/api/bots/{id}", "/api/bots/0123456789abcdef", Empty, UNKNOWN),
    row("GET", "/api/bots/{id}/tokens", "/api/bots/0123456789abcdef/tokens", Empty, UNKNOWN),
    row("POST", "/api/bots/{id}/tokens", "/api/bots/0123456789abcdef/tokens", Json(TOKEN), UNKNOWN),
    row("DELETE", "/api/bots/{id}/tokens/{token}", "/api/bots/0123456789abcdef/tokens/guessed", Empty, UNKNOWN),
    of_room("GET", "/api/rooms/{room}/webhooks", "", Empty, MODERATORS, PUBLIC_MODERATORS),
    of_room(
        "POST",
        "/api/rooms/{room}/webhooks",
        "",
        Json(r#"{"name":"deploys{number}"}"#),
        MODERATORS,
        PUBLIC_MODERATORS,
    ),
    of_room(
        "DELETE",
        "/api/rooms/{room}/webhooks/{id}",
        "/api/rooms/{room}/webhooks/guessed",
        Empty,
        "uu hfhh hh fu",
        "uu ffhh hh fu",
    ),
    row("POST", "/api/webhooks/{id}/{secret}", "/api/webhooks/guessed/guessed", Json(MESSAGE), "hh hhhh hh hh"),
    of_room("GET", "/api/rooms/{room}/hooks", "", Empty, FOUNDERS, PUBLIC_FOUNDERS),
    of_room("POST", "/api/rooms/{room}/hooks", "", Json(HOOK), FOUNDERS, PUBLIC_FOUNDERS),
    of_room(
        "DELETE",
        "/api/rooms/{room}/hooks/{id}",
        "/api/rooms/{room}/hooks/guessed",
        Empty,
        "uu hffh hh fu",
        "uu fffh hh fu",
    ),
    row("GET", "/api/events", "", Empty, READ),
    row("GET", "/api/search", "/api/search?q=", Empty, READ),
    row("POST", "/api/invites/{code}", "/api/invites/{annex}", Empty, WRITE),
    of_room("GET", "/api/rooms/{room}/export", "", Empty, MEMBERS_READ, READ),
    // Messages.
    of_room("GET", "/api/rooms/{room}/messages", "", Empty, MEMBERS_READ, READ),
    of_room("POST", "/api/rooms/{room}/messages", "", Json(MESSAGE), MEMBERS_WRITE, WRITE),
    of_room(
        "GET",
        "/api/rooms/{room}/messages/{id}",
        "/api/rooms/{room}/messages/{message}",
        Empty,
        MEMBERS_READ,
        READ,
    ),
    of_room(
        "PATCH",
        "/api/rooms/{room}/messages/{id}",
        "/api/rooms/{room}/messages/{message}",
        Json(MESSAGE),
        AUTHOR,
        PUBLIC_AUTHOR,
    ),
    of_room(
        "DELETE",
        "/api/rooms/{room}/messages/{id}",
        "/api/rooms/{room}/messages/{message}",
        Empty,
        MEMBERS_WRITE,
        "uu faaa aa fu",
    ),
    of_room(
        "GET",
        "/api/rooms/{room}/messages/{id}/edits",
        "/api/rooms/{room}/messages/{message}/edits",
        Empty,
        MEMBERS_READ,
        READ,
    ),
    of_room(
        "PUT",
        "/api/rooms/{room}/messages/{id}/reactions/{emoji}",
        "/api/rooms/{room}/messages/{message}/reactions/%F0%9F%91%8D",
        Empty,
        MEMBERS_WRITE,
        WRITE,
    ),
    of_room(
        "DELETE",
        "/api/rooms/{room}/messages/{id}/reactions/{emoji}",
        "/api/rooms/{room}/messages/{message}/reactions/%F0%9F%91%8D",
        Empty,
        MEMBERS_WRITE,
        WRITE,
    ),
    of_room(
        "PUT",
        "/api/rooms/{room}/messages/{id}/pin",
        "/api/rooms/{room}/messages/{message}/pin",
        Empty,
        MODERATORS,
        PUBLIC_MODERATORS,
    ),
    of_room(
        "DELETE",
        "/api/rooms/{room}/messages/{id}/pin",
        "/api/rooms/{room}/messages/{message}/pin",
        Empty,
        MODERATORS,
        PUBLIC_MODERATORS,
    ),
    of_room(
        "PUT",
        "/api/rooms/{room}/messages/{id}/read",
        "/api/rooms/{room}/messages/{message}/read",
        Empty,
        MEMBERS_WRITE,
        WRITE,
    ),
    of_room(
        "DELETE",
        "/api/rooms/{room}/messages/{id}/read",
        "/api/rooms/{room}/messages/{message}/read",
        Empty,
        MEMBERS_WRITE,
        WRITE,
    ),
    of_room(
        "POST",
        "/api/rooms/{room}/messages/{id}/feedback",
        "/api/rooms/{room}/messages/{message}/feedback",
        Json(r#"{"rating":5}"#),
        MEMBERS_WRITE,
        WRITE,
    ),
    // Files: an id that was not announced is hidden from all.
    of_room("GET", "/api/files/{id}", "/api/files/{file}", Empty, "hh haaa hh ah", ALL),
    row("PUT", "/api/files/{id}", "/api/files/guessed", Text("text"), "hh hhhh hh hh"),
    // Sessions of Neural Chat Engine.
    row("POST", "/chat/message", "", Json(r#"{"message":"hello","session_id":"{talk}"}"#), SESSION_WRITE),
    row("GET", "/chat/history/{session}", "/chat/history/{talk}", Empty, SESSION_READ),
    row("GET", "/chat/sessions", "", Empty, READ),
    row("DELETE", "/chat/session/{id}", "/chat/session/{session}", Empty, SESSION_WRITE),
    row("POST", "/chat/upload", "", Upload("{talk}"), SESSION_WRITE),
    row("GET", "/chat/export/{session}", "/chat/export/{talk}", Empty, SESSION_READ),
    row(
        "POST",
        "/chat/feedback",
        "",
        Json(r#"{"session_id":"{talk}","message_id":"{said}","rating":5}"#),
        SESSION_WRITE,
    ),
    row("GET", "/ws/chat/{session_id}", "/ws/chat/{talk}", Empty, SESSION_WRITE),
];

/// May enter, and so may write.
const INSIDE: &str = "ff faaa ff cc";
const EVERYBODY: &str = "aa aaaa aa cc";
const NOBODY: &str = "ff ffff ff cc";

/// The events of clients. Except for `join_room`, each client has entered the room, if it may.
pub(crate) const EVENTS: &[Row] = &[
    event("join_room", r#"{"username":"{caller}","room":"{room}"}"#, INSIDE, EVERYBODY),
    event("leave_room", "{}", EVERYBODY, EVERYBODY),
    event("send_message", MESSAGE, INSIDE, EVERYBODY),
    event("edit_message", r#"{"id":"{message}","message":"changed"}"#, "ff faff ff cc", "ff faff ff cc"),
    event("delete_message", r#"{"id":"{message}"}"#, INSIDE, "ff faaa aa cc"),
    event("react", r#"{"id":"{message}","emoji":"👍"}"#, INSIDE, EVERYBODY),
    event("upload", r#"{"name":"a.txt"}"#, INSIDE, EVERYBODY),
    event("typing", r#"{"is_typing":true}"#, INSIDE, EVERYBODY),
    event("room_users", "{}", INSIDE, EVERYBODY),
    event("history", r#"{"before":"{message}"}"#, INSIDE, EVERYBODY),
    // The message has no components, and no form was opened.
    event("button", r#"{"id":"{message}","action":"guessed"}"#, NOBODY, NOBODY),
    event("select", r#"{"id":"{message}","action":"guessed","values":["guessed"]}"#, NOBODY, NOBODY),
    event("form", r#"{"form":"guessed","values":{}}"#, NOBODY, NOBODY),
];
