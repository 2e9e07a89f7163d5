//! The routes of the service, for the API description of the server.
//!
//! A test compares them with the routers.

mod answers;
mod bodies;

use palabre_types::{Body, Endpoint};

use self::answers::{
    ACCEPTED, ACCOUNT, AS_JSON, Answer, BAD_ADDRESS, BAD_MESSAGE, BAD_PARAMETER, BUSY, CHANGED, CHAT_PAGES,
    CLOSED_ROOM, CREATED, DONE, EXPORTED, FORBIDDEN, INVALID, IS_OVER, LIMITED, LISTED, MEMBERSHIP, NO_ACCOUNT,
    NO_CHAT_SESSION, NO_CONNECTION, NO_SESSION, NOT_JSON, OF_ACCOUNT, OF_BOT, PAGE, PAGES, POSTED, RATED, READING,
    REVOKED, REVOKING, SENDING, SIGNING_IN, STREAMED, TO_PAGE, TOO_LARGE, UNCHANGED, WRONG, WRONG_CURRENT,
};
use self::bodies::{
    CHAT_MESSAGE, CHAT_PAGE, CHAT_RATING, CHAT_UPLOAD, CODE, CONVERSATION, EDIT, ENTRY, EXPORT, FILE, INVITE,
    LIST_PAGE, LOGIN, LOGIN_OR_FORM, MESSAGE, NEW_BOT, NEW_HOOK, NEW_PASSWORD, NEW_ROOM, NEW_WEBHOOK, OTP, OWNER,
    PACKETS, PART, PASSWORD, PERSON_AND_ROOM, POST, PRIVATE_MESSAGE, PROFILE, RATING, REGISTRATION,
    REGISTRATION_OR_FORM, ROLE, ROOM_CHANGE, ROOM_ROLE, STREAM, TOKEN, TRANSPORT, WAIT,
};

const JSON: &[&str] = &["application/json"];
const HTML: &[&str] = &["text/html"];
const EVENT_STREAM: &[&str] = &["text/event-stream"];
const SCRIPT: &[&str] = &["text/javascript"];
const EXPORTS: &[&str] = &["application/json", "text/plain"];
/// Answers together, or as server-sent events.
const ANSWERS: &[&str] = &["application/json", "text/event-stream"];

/// Every route of the service.
pub const ENDPOINTS: &[Endpoint] = &[
    write(
        "POST",
        "/api/auth/register",
        "Creates an account and signs in",
        REGISTRATION,
        &[(201, "The account, with the token of its session"), INVALID, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    write(
        "POST",
        "/api/auth/login",
        "Signs in with a username or an e-mail address",
        LOGIN,
        &[
            (200, "The account, with the token of its session"),
            INVALID,
            WRONG,
            FORBIDDEN,
            TOO_LARGE,
            NOT_JSON,
            LIMITED,
            BUSY,
        ],
    ),
    write(
        "POST",
        "/api/auth/logout",
        "Ends the session, or revokes the token",
        None,
        &[IS_OVER, NO_SESSION, FORBIDDEN, REVOKED, LIMITED, BUSY],
    ),
    read("/api/auth/me", "The account that is signed in", OF_ACCOUNT),
    write("DELETE", "/api/auth/me", "Deletes one's own account, with its messages", PASSWORD, MEMBERSHIP),
    write(
        "POST",
        "/api/auth/password",
        "Changes the password; all other sessions and tokens end",
        NEW_PASSWORD,
        &[(204, "The password is changed"), INVALID, WRONG_CURRENT, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    write("POST", "/api/auth/otp", "Begins with one-time codes; returns the secret", OTP, CHANGED),
    write("POST", "/api/auth/otp/confirm", "Turns one-time codes on; returns recovery codes, once", CODE, CHANGED),
    write("DELETE", "/api/auth/otp", "Turns one-time codes off", OTP, MEMBERSHIP),
    read("/api/auth/sessions", "The sessions of the account", OF_ACCOUNT),
    write("DELETE", "/api/auth/sessions/{id}", "Ends a session", None, REVOKING),
    read("/api/auth/tokens", "The access tokens of the account", OF_ACCOUNT),
    write(
        "POST",
        "/api/auth/tokens",
        "Creates an access token, which is shown once",
        TOKEN,
        &[(201, "The token and its id"), INVALID, NO_SESSION, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    write("DELETE", "/api/auth/tokens/{id}", "Revokes an access token", None, REVOKING),
    read("/api/bots", "One's bot accounts", OF_ACCOUNT),
    write("POST", "/api/bots", "Creates a bot account", NEW_BOT, CREATED),
    write("DELETE", "/api/bots/{id}", "Deletes a bot account, with its messages", None, REVOKING),
    read("/api/bots/{id}/tokens", "The access tokens of a bot account", OF_BOT),
    write("POST", "/api/bots/{id}/tokens", "Creates an access token of a bot account, shown once", TOKEN, CREATED),
    write("DELETE", "/api/bots/{id}/tokens/{token}", "Revokes an access token of a bot account", None, REVOKING),
    read("/api/users", "All accounts, in pages", LISTED).with_query(LIST_PAGE),
    read(
        "/api/users/{id}",
        "An account, as others see it",
        &[AS_JSON, BAD_ADDRESS, NO_SESSION, FORBIDDEN, NO_ACCOUNT, LIMITED, BUSY],
    ),
    write(
        "PATCH",
        "/api/users/{id}",
        "Replaces one's own profile; `me` is oneself",
        PROFILE,
        &[ACCOUNT, INVALID, NO_SESSION, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    read("/api/rooms/{room}/messages", "A page of a room's messages: before or after one, or the newest", PAGES)
        .with_query(PART),
    write("POST", "/api/rooms/{room}/messages", "Sends a message to a room", MESSAGE, SENDING),
    read("/api/users/{id}/messages", "A page of the private conversation with an account", PAGES).with_query(PART),
    write("POST", "/api/users/{id}/messages", "Sends a private message to an account", MESSAGE, SENDING),
    write("PUT", "/api/users/{id}/role", "Gives an account another role in the whole service", ROLE, CHANGED),
    read("/api/users/me/rooms", "The rooms of which one is a member", OF_ACCOUNT),
    read("/api/users/me/unread", "Unread messages in one's rooms and private conversations", OF_ACCOUNT),
    read("/api/users/me/conversations", "One's private conversations", OF_ACCOUNT),
    write("PUT", "/api/rooms/{room}/messages/{id}/read", "Moves one's read marker forward to a message", None, DONE),
    write("DELETE", "/api/rooms/{room}/messages/{id}/read", "Moves one's read marker back to a message", None, DONE),
    write("POST", "/api/rooms", "Creates a room", NEW_ROOM, CREATED),
    read(
        "/api/rooms/{room}",
        "A room, with one's role in it",
        &[AS_JSON, (400, "The name is not valid"), NO_SESSION, CLOSED_ROOM, LIMITED, BUSY],
    ),
    write("PATCH", "/api/rooms/{room}", "Changes topic, rules and access of a room", ROOM_CHANGE, CHANGED),
    write("DELETE", "/api/rooms/{room}", "Deletes a room with its messages", None, DONE),
    read("/api/rooms/{room}/members", "The members of a room, with their roles", PAGES),
    write("PUT", "/api/rooms/{room}/members/{account}", "Gives an account a role in a room", ROOM_ROLE, MEMBERSHIP),
    write("DELETE", "/api/rooms/{room}/members/{account}", "Removes a member; `me` leaves", None, DONE),
    read("/api/rooms/{room}/invites", "The open invites of a room", PAGES),
    write("POST", "/api/rooms/{room}/invites", "Creates an invite to a room", INVITE, CREATED),
    write("DELETE", "/api/rooms/{room}/invites/{code}", "Revokes an invite", None, DONE),
    write("POST", "/api/invites/{code}", "Accepts an invite", None, ACCEPTED),
    read("/api/rooms/{room}/webhooks", "The incoming webhooks of a room", PAGES),
    write(
        "POST",
        "/api/rooms/{room}/webhooks",
        "Creates an incoming webhook; its address is shown once",
        NEW_WEBHOOK,
        CREATED,
    ),
    write("DELETE", "/api/rooms/{room}/webhooks/{id}", "Deletes an incoming webhook", None, DONE),
    write("POST", "/api/webhooks/{id}/{secret}", "Posts a message, in our format, Slack's or Discord's", POST, POSTED)
        .with_query(WAIT)
        .producing(&[]),
    read("/api/rooms/{room}/hooks", "The outgoing webhooks of a room, with their state", PAGES),
    write(
        "POST",
        "/api/rooms/{room}/hooks",
        "Creates an outgoing webhook; its secret is shown once",
        NEW_HOOK,
        CREATED,
    ),
    write("DELETE", "/api/rooms/{room}/hooks/{id}", "Deletes an outgoing webhook", None, DONE),
    read("/api/rooms/{room}/messages/{id}", "A message", PAGES),
    #[cfg(feature = "search")]
    read(
        "/api/search",
        "The messages with all words and phrases of `q` that the account may read: newest first, in pages",
        &[
            AS_JSON,
            BAD_PARAMETER,
            NO_SESSION,
            FORBIDDEN,
            (404, "There is no such room, or search is turned off"),
            LIMITED,
            (503, "The index is being built, or cannot be used; try again"),
        ],
    )
    .with_query(bodies::SEARCH),
    write("PATCH", "/api/rooms/{room}/messages/{id}", "Edits one's own message", EDIT, MEMBERSHIP),
    write("DELETE", "/api/rooms/{room}/messages/{id}", "Deletes a message", None, DONE),
    read("/api/rooms/{room}/messages/{id}/edits", "The earlier versions of a message", PAGES),
    write("PUT", "/api/rooms/{room}/messages/{id}/reactions/{emoji}", "Adds a reaction", None, DONE),
    write("DELETE", "/api/rooms/{room}/messages/{id}/reactions/{emoji}", "Removes one's own reaction", None, DONE),
    write("PUT", "/api/rooms/{room}/messages/{id}/pin", "Pins a message", None, DONE),
    write("DELETE", "/api/rooms/{room}/messages/{id}/pin", "Unpins a message", None, DONE),
    write("POST", "/register", "Creates an account, with JSON or a form (VaultRoom)", REGISTRATION_OR_FORM, SIGNING_IN),
    write("POST", "/login", "Signs in, with JSON or a form (VaultRoom)", LOGIN_OR_FORM, SIGNING_IN),
    read("/login-page", "The form to sign in", &[PAGE]).producing(HTML),
    read("/register-page", "The form to register", &[PAGE, BAD_PARAMETER]).with_query(OWNER).producing(HTML),
    read("/logout", "Ends the session of the cookie (VaultRoom)", &[TO_PAGE, LIMITED, BUSY]),
    write("POST", "/auth/login", "Signs in (Neural Chat)", LOGIN_OR_FORM, SIGNING_IN),
    write(
        "POST",
        "/auth/logout",
        "Ends the session (Neural Chat)",
        None,
        &[(200, "It is over"), NO_SESSION, FORBIDDEN, REVOKED, LIMITED, BUSY],
    ),
    read("/get-users", "All accounts but one's own (VaultRoom)", LISTED),
    write(
        "POST",
        "/send-message",
        "Sends a private message (VaultRoom)",
        PRIVATE_MESSAGE,
        &[
            (200, "The message, which is durable"),
            BAD_MESSAGE,
            NO_SESSION,
            FORBIDDEN,
            NO_ACCOUNT,
            TOO_LARGE,
            NOT_JSON,
            LIMITED,
            BUSY,
        ],
    ),
    read("/get-messages", "Messages of a private conversation: before or after one, or the newest (VaultRoom)", PAGES)
        .with_query(CONVERSATION),
    read("/api/events", "The events of one's rooms, as server-sent events that can be resumed", STREAMED)
        .with_query(STREAM)
        .producing(EVENT_STREAM),
    read("/api/rooms/{room}/export", "The whole history of a room, as JSON or text", EXPORTED)
        .with_query(EXPORT)
        .producing(EXPORTS),
    write("POST", "/api/rooms/{room}/messages/{id}/feedback", "Rates a message from 1 to 5", RATING, RATED),
    write(
        "POST",
        "/chat/message",
        "Sends a message to the bots of a session, and answers with what they say (Neural Chat Engine)",
        CHAT_MESSAGE,
        &[
            (200, "The answers, as JSON or as server-sent events"),
            INVALID,
            NO_SESSION,
            FORBIDDEN,
            NO_CHAT_SESSION,
            (409, "The previous message of the session is still being answered"),
            TOO_LARGE,
            NOT_JSON,
            (422, "The message is empty or too long, or its type is unknown"),
            LIMITED,
            BUSY,
        ],
    )
    .producing(ANSWERS),
    read("/chat/history/{session}", "A page of the messages of a session (Neural Chat Engine)", CHAT_PAGES)
        .with_query(CHAT_PAGE),
    read("/chat/sessions", "The sessions of the account (Neural Chat Engine)", OF_ACCOUNT),
    write(
        "DELETE",
        "/chat/session/{id}",
        "Deletes a session with its messages and files (Neural Chat Engine)",
        None,
        &[(200, "It is deleted"), BAD_ADDRESS, NO_SESSION, FORBIDDEN, NO_CHAT_SESSION, LIMITED, BUSY],
    ),
    write(
        "POST",
        "/chat/upload",
        "Uploads a file for a message of a session (Neural Chat Engine)",
        CHAT_UPLOAD,
        &[
            (200, "The id, name, type and size of the file"),
            (400, "The form cannot be read"),
            NO_SESSION,
            FORBIDDEN,
            NO_CHAT_SESSION,
            (408, "The upload took too long"),
            (413, "The file is too large"),
            (422, "There is no file, or it is empty"),
            LIMITED,
            (503, "Too many files are being uploaded"),
        ],
    ),
    read("/chat/export/{session}", "The whole history of a session, as JSON or text (Neural Chat Engine)", EXPORTED)
        .with_query(EXPORT)
        .producing(EXPORTS),
    write("POST", "/chat/feedback", "Rates a message of a session (Neural Chat Engine)", CHAT_RATING, RATED),
    read(
        "/ws/chat/{session_id}",
        "A session over a WebSocket; `new` creates one (Neural Chat Engine)",
        &[
            (101, "Switching to a WebSocket"),
            (400, "This is not the request of a WebSocket"),
            NO_SESSION,
            FORBIDDEN,
            NO_CHAT_SESSION,
            (426, "Another version of the protocol"),
            LIMITED,
            (503, "A connection limit is reached, or the store cannot be used"),
        ],
    ),
    read("/", "The page", &[PAGE]).producing(HTML),
    read("/rooms/{room}", "The page of a room", &[PAGE]).producing(HTML),
    read("/service-worker.js", "The script that keeps the assets in the browser", &[(200, "The script")])
        .producing(SCRIPT),
    read("/chat", "The page, with username and room in the query", &[PAGE]).with_query(PERSON_AND_ROOM).producing(HTML),
    write(
        "POST",
        "/join",
        "Redirects a form with username and room to the page of the room",
        ENTRY,
        &[
            TO_PAGE,
            (400, "The username or room is not valid"),
            FORBIDDEN,
            TOO_LARGE,
            (415, "The body is not a form"),
            (422, "The username or room is missing"),
            LIMITED,
        ],
    ),
    read(
        "/assets/{path}",
        "An asset of the page",
        &[(200, "The file"), UNCHANGED, BAD_ADDRESS, (404, "No such asset")],
    )
    .producing(&[]),
    read(
        "/api/rooms",
        "The rooms that have people or messages, or that an account has created",
        &[AS_JSON, NO_SESSION, LIMITED, BUSY],
    ),
    read("/api/stats", "Statistics: messages, rooms, people, connections, memory", READING),
    read(
        "/api/files/{id}",
        "A file attached to a message; supports Range",
        &[
            (200, "The file"),
            (206, "The requested range"),
            UNCHANGED,
            BAD_ADDRESS,
            (404, "The file does not exist any more"),
            (416, "The range is outside the file"),
        ],
    )
    .producing(&[]),
    write(
        "PUT",
        "/api/files/{id}",
        "Uploads a file for a message, to the address that `upload` returned over Socket.IO",
        FILE,
        &[
            (200, "Name, type and size of the file"),
            BAD_ADDRESS,
            (404, "No file was announced under that id, or too long ago"),
            (408, "The upload took too long"),
            (409, "The file is already being uploaded"),
            (413, "The file is too large"),
            (422, "The file is empty"),
            LIMITED,
            (503, "Too many files are being uploaded"),
        ],
    ),
    read(
        "/socket.io/",
        "Socket.IO over Engine.IO 4: a handshake, queued packets, or the upgrade to a WebSocket",
        &[(101, "Switching to a WebSocket"), (200, "Packets"), NO_CONNECTION, LIMITED],
    )
    .with_query(TRANSPORT)
    .producing(&[]),
    write(
        "POST",
        "/socket.io/",
        "Packets of a client that uses long polling",
        PACKETS,
        &[(200, "The packets were accepted"), NO_CONNECTION, (413, "The packets are too large"), LIMITED],
    )
    .with_query(TRANSPORT)
    .producing(&[]),
];

const fn write(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<Body>,
    answers: &'static [Answer],
) -> Endpoint {
    Endpoint::new(method, path, summary, answers).with_body(body).producing(JSON)
}

const fn read(path: &'static str, summary: &'static str, answers: &'static [Answer]) -> Endpoint {
    write("GET", path, summary, None, answers)
}
