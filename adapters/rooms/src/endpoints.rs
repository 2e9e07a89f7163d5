//! The routes of the service, for the API description of the server.
//!
//! A test compares them with the routers.

use palabre_types::Endpoint;

/// A status code and its meaning.
type Answer = (u16, &'static str);

const PAGE: Answer = (200, "The page");
const AS_JSON: Answer = (200, "As JSON");
const ACCOUNT: Answer = (200, "The account");
const SENT: Answer = (201, "The id of the message, which is durable");
const IS_OVER: Answer = (204, "It is over");
const TO_PAGE: Answer = (303, "Redirect to the page");
const UNCHANGED: Answer = (304, "The file has not changed");
const INVALID: Answer = (400, "A field is missing, not valid, or taken");
const BAD_PARAMETER: Answer = (400, "A parameter is not valid");
const BAD_MESSAGE: Answer = (400, "The message is not valid");
const NO_CONNECTION: Answer = (400, "No such session");
const NO_SESSION: Answer = (401, "No valid session or token");
const WRONG: Answer = (401, "The username or the password is wrong");
const WRONG_CURRENT: Answer = (401, "No valid session, or the current password is wrong");
const FORBIDDEN: Answer =
    (403, "The token lacks the scope, the request came from another site, or the rules forbid it");
const NO_ACCOUNT: Answer = (404, "There is no such account");
const NO_ROOM: Answer = (404, "There is no such room or account");
const NO_MESSAGE: Answer = (404, "There is no such room, account or message");
const CLOSED_ROOM: Answer = (404, "There is no such room, or it is not open to the caller");
const NO_CHAT_SESSION: Answer = (404, "There is no such session");
const NO_CREDENTIAL: Answer = (404, "The account has no such session or token");
const REVOKED: Answer = (404, "It was revoked already");
const TOO_LARGE: Answer = (413, "The body is too large");
const NOT_JSON: Answer = (415, "The body is not JSON");
const NO_FORM: Answer = (415, "The body is neither JSON nor a form");
const LIMITED: Answer = (429, "Too many requests; see Retry-After");
const UNREADABLE: Answer = (503, "The store cannot be read");
const BUSY: Answer = (503, "The store cannot be used, or the server is busy; try again");

const JSON: Option<&str> = Some("application/json");

/// Every route of the service.
pub const ENDPOINTS: &[Endpoint] = &[
    write(
        "POST",
        "/api/auth/register",
        "Creates an account and signs in",
        JSON,
        &[(201, "The account, with the token of its session"), INVALID, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    write(
        "POST",
        "/api/auth/login",
        "Signs in with a username or an e-mail address",
        JSON,
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
    write("DELETE", "/api/auth/me", "Deletes one's own account, with its messages", JSON, MEMBERSHIP),
    write(
        "POST",
        "/api/auth/password",
        "Changes the password; all other sessions and tokens end",
        JSON,
        &[(204, "The password is changed"), INVALID, WRONG_CURRENT, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    write("POST", "/api/auth/otp", "Begins with one-time codes; returns the secret", JSON, CHANGED),
    write("POST", "/api/auth/otp/confirm", "Turns one-time codes on; returns recovery codes, once", JSON, CHANGED),
    write("DELETE", "/api/auth/otp", "Turns one-time codes off", JSON, MEMBERSHIP),
    read("/api/auth/sessions", "The sessions of the account", OF_ACCOUNT),
    write("DELETE", "/api/auth/sessions/{id}", "Ends a session", None, REVOKING),
    read("/api/auth/tokens", "The access tokens of the account", OF_ACCOUNT),
    write(
        "POST",
        "/api/auth/tokens",
        "Creates an access token, which is shown once",
        JSON,
        &[(201, "The token and its id"), INVALID, NO_SESSION, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    write("DELETE", "/api/auth/tokens/{id}", "Revokes an access token", None, REVOKING),
    read("/api/users", "All accounts, in pages", LISTED),
    read(
        "/api/users/{id}",
        "An account, as others see it",
        &[AS_JSON, NO_SESSION, FORBIDDEN, NO_ACCOUNT, LIMITED, BUSY],
    ),
    write(
        "PATCH",
        "/api/users/{id}",
        "Replaces one's own profile; `me` is oneself",
        JSON,
        &[ACCOUNT, INVALID, NO_SESSION, FORBIDDEN, TOO_LARGE, NOT_JSON, LIMITED, BUSY],
    ),
    read("/api/rooms/{room}/messages", "A page of a room's messages: before or after one, or the newest", PAGES),
    write("POST", "/api/rooms/{room}/messages", "Sends a message to a room", JSON, SENDING),
    read("/api/users/{id}/messages", "A page of the private conversation with an account", PAGES),
    write("POST", "/api/users/{id}/messages", "Sends a private message to an account", JSON, SENDING),
    write("PUT", "/api/users/{id}/role", "Gives an account another role in the whole service", JSON, CHANGED),
    read("/api/users/me/rooms", "The rooms of which one is a member", OF_ACCOUNT),
    read("/api/users/me/unread", "Unread messages in one's rooms and private conversations", OF_ACCOUNT),
    read("/api/users/me/conversations", "One's private conversations", OF_ACCOUNT),
    write("PUT", "/api/rooms/{room}/messages/{id}/read", "Moves one's read marker forward to a message", None, DONE),
    write("DELETE", "/api/rooms/{room}/messages/{id}/read", "Moves one's read marker back to a message", None, DONE),
    write("POST", "/api/rooms", "Creates a room", JSON, CREATED),
    read(
        "/api/rooms/{room}",
        "A room, with one's role in it",
        &[AS_JSON, (400, "The name is not valid"), NO_SESSION, CLOSED_ROOM, LIMITED, BUSY],
    ),
    write("PATCH", "/api/rooms/{room}", "Changes topic, rules and access of a room", JSON, CHANGED),
    write("DELETE", "/api/rooms/{room}", "Deletes a room with its messages", None, DONE),
    read("/api/rooms/{room}/members", "The members of a room, with their roles", PAGES),
    write("PUT", "/api/rooms/{room}/members/{account}", "Gives an account a role in a room", JSON, MEMBERSHIP),
    write("DELETE", "/api/rooms/{room}/members/{account}", "Removes a member; `me` leaves", None, DONE),
    read("/api/rooms/{room}/invites", "The open invites of a room", PAGES),
    write("POST", "/api/rooms/{room}/invites", "Creates an invite to a room", JSON, CREATED),
    write("DELETE", "/api/rooms/{room}/invites/{code}", "Revokes an invite", None, DONE),
    write("POST", "/api/invites/{code}", "Accepts an invite", None, ACCEPTED),
    read("/api/rooms/{room}/messages/{id}", "A message", PAGES),
    write("PATCH", "/api/rooms/{room}/messages/{id}", "Edits one's own message", JSON, MEMBERSHIP),
    write("DELETE", "/api/rooms/{room}/messages/{id}", "Deletes a message", None, DONE),
    read("/api/rooms/{room}/messages/{id}/edits", "The earlier versions of a message", PAGES),
    write("PUT", "/api/rooms/{room}/messages/{id}/reactions/{emoji}", "Adds a reaction", None, DONE),
    write("DELETE", "/api/rooms/{room}/messages/{id}/reactions/{emoji}", "Removes one's own reaction", None, DONE),
    write("PUT", "/api/rooms/{room}/messages/{id}/pin", "Pins a message", None, DONE),
    write("DELETE", "/api/rooms/{room}/messages/{id}/pin", "Unpins a message", None, DONE),
    write("POST", "/register", "Creates an account, with JSON or a form (VaultRoom)", JSON, SIGNING_IN),
    write("POST", "/login", "Signs in, with JSON or a form (VaultRoom)", JSON, SIGNING_IN),
    read("/login-page", "The form to sign in", &[PAGE]),
    read("/register-page", "The form to register", &[PAGE]),
    read("/logout", "Ends the session of the cookie (VaultRoom)", &[TO_PAGE, LIMITED, BUSY]),
    write("POST", "/auth/login", "Signs in (Neural Chat)", JSON, SIGNING_IN),
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
        JSON,
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
    read("/get-messages", "Messages of a private conversation: before or after one, or the newest (VaultRoom)", PAGES),
    read("/api/rooms/{room}/export", "The whole history of a room, as JSON or text", EXPORTED),
    write("POST", "/api/rooms/{room}/messages/{id}/feedback", "Rates a message from 1 to 5", JSON, RATED),
    write(
        "POST",
        "/chat/message",
        "Sends a message to the bots of a session, and answers with what they say (Neural Chat Engine)",
        JSON,
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
    ),
    read("/chat/history/{session}", "A page of the messages of a session (Neural Chat Engine)", CHAT_PAGES),
    read("/chat/sessions", "The sessions of the account (Neural Chat Engine)", OF_ACCOUNT),
    write(
        "DELETE",
        "/chat/session/{id}",
        "Deletes a session with its messages and files (Neural Chat Engine)",
        None,
        &[(200, "It is deleted"), NO_SESSION, FORBIDDEN, NO_CHAT_SESSION, LIMITED, BUSY],
    ),
    write(
        "POST",
        "/chat/upload",
        "Uploads a file for a message of a session (Neural Chat Engine)",
        Some("multipart/form-data"),
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
    read("/chat/export/{session}", "The whole history of a session, as JSON or text (Neural Chat Engine)", EXPORTED),
    write("POST", "/chat/feedback", "Rates a message of a session (Neural Chat Engine)", JSON, RATED),
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
    read("/", "The page", &[PAGE]),
    read("/rooms/{room}", "The page of a room", &[PAGE]),
    read("/service-worker.js", "The script that keeps the assets in the browser", &[(200, "The script")]),
    read("/chat", "The page, with username and room in the query", &[PAGE]),
    write(
        "POST",
        "/join",
        "Redirects a form with username and room to the page of the room",
        Some("application/x-www-form-urlencoded"),
        &[TO_PAGE, (400, "The username or room is not valid"), LIMITED],
    ),
    read("/assets/{path}", "An asset of the page", &[(200, "The file"), UNCHANGED, (404, "No such asset")]),
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
            (404, "The file does not exist any more"),
            (416, "The range is outside the file"),
        ],
    ),
    write(
        "PUT",
        "/api/files/{id}",
        "Uploads a file for a message, to the address that `upload` returned over Socket.IO",
        Some("application/octet-stream"),
        &[
            (200, "Name, type and size of the file"),
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
    ),
    write(
        "POST",
        "/socket.io/",
        "Packets of a client that uses long polling",
        Some("text/plain"),
        &[(200, "The packets were accepted"), NO_CONNECTION, (413, "The packets are too large"), LIMITED],
    ),
];

const CHANGED: &[Answer] = &[
    (200, "As it is now"),
    INVALID,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such account or room"),
    (409, "The change conflicts with another one, or with a rule"),
    TOO_LARGE,
    NOT_JSON,
    LIMITED,
    BUSY,
];
const CREATED: &[Answer] = &[
    (201, "What was created"),
    INVALID,
    NO_SESSION,
    FORBIDDEN,
    CLOSED_ROOM,
    (409, "The name is taken, or a limit is reached"),
    TOO_LARGE,
    NOT_JSON,
    LIMITED,
    BUSY,
];
const MEMBERSHIP: &[Answer] = &[
    (204, "It is done"),
    INVALID,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such room, account or message"),
    (409, "The change conflicts with another one, or with a rule"),
    TOO_LARGE,
    NOT_JSON,
    LIMITED,
    BUSY,
];
const DONE: &[Answer] = &[
    (204, "It is done"),
    (400, "A part of the address is not valid"),
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such room, account, invite or message"),
    (409, "A rule forbids it"),
    LIMITED,
    BUSY,
];
const ACCEPTED: &[Answer] = &[
    (200, "The room"),
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such invite any more"),
    (409, "It was used at the same time; try again"),
    LIMITED,
    BUSY,
];
const OF_ACCOUNT: &[Answer] = &[AS_JSON, NO_SESSION, FORBIDDEN, LIMITED, BUSY];
const REVOKING: &[Answer] = &[IS_OVER, NO_SESSION, FORBIDDEN, NO_CREDENTIAL, LIMITED, BUSY];
const LISTED: &[Answer] = &[AS_JSON, BAD_PARAMETER, NO_SESSION, FORBIDDEN, LIMITED, BUSY];
const PAGES: &[Answer] = &[AS_JSON, BAD_PARAMETER, NO_SESSION, FORBIDDEN, NO_MESSAGE, LIMITED, BUSY];
const SENDING: &[Answer] = &[SENT, BAD_MESSAGE, NO_SESSION, FORBIDDEN, NO_ROOM, TOO_LARGE, NOT_JSON, LIMITED, BUSY];
const SIGNING_IN: &[Answer] = &[
    ACCOUNT,
    (201, "The new account"),
    (303, "After a form: redirect to the page"),
    INVALID,
    WRONG,
    FORBIDDEN,
    TOO_LARGE,
    NO_FORM,
    LIMITED,
    BUSY,
];
const EXPORTED: &[Answer] = &[
    (200, "The messages, oldest first"),
    BAD_PARAMETER,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such room or session"),
    LIMITED,
    BUSY,
];
const CHAT_PAGES: &[Answer] =
    &[AS_JSON, BAD_PARAMETER, NO_SESSION, FORBIDDEN, (404, "There is no such session or message"), LIMITED, BUSY];
const RATED: &[Answer] = &[
    (200, "The rating is durable"),
    INVALID,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such room, session or message"),
    TOO_LARGE,
    NOT_JSON,
    (422, "The rating is not a whole number from 1 to 5, or a text is too long"),
    LIMITED,
    BUSY,
];
const READING: &[Answer] = &[AS_JSON, LIMITED, UNREADABLE];

const fn write(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    answers: &'static [Answer],
) -> Endpoint {
    Endpoint { method, path, summary, body, answers }
}

const fn read(path: &'static str, summary: &'static str, answers: &'static [Answer]) -> Endpoint {
    write("GET", path, summary, None, answers)
}
