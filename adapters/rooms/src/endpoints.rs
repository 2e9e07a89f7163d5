//! The routes of the service, for the API description of the server.
//!
//! A test compares them with the routers.

use palabre_types::Endpoint;

const PAGE_ANSWERS: &[(u16, &str)] = &[(200, "The page")];
const READ_ANSWERS: &[(u16, &str)] = &[(200, "As JSON"), (429, RATE_LIMITED), (503, "The store cannot be read")];
const RATE_LIMITED: &str = "Too many requests; see Retry-After";

const JSON: Option<&str> = Some("application/json");
const NO_SESSION: &str = "No valid session or token";
const NO_SCOPE: &str = "The token lacks the scope, the request came from another site, or the rules forbid it";
const INVALID: &str = "A field is missing, not valid, or taken";
const BUSY: &str = "The store cannot be used, or the server is busy; try again";

/// Every route of the service.
pub const ENDPOINTS: &[Endpoint] = &[
    write(
        "POST",
        "/api/auth/register",
        "Creates an account and signs in",
        JSON,
        &[
            (201, "The account, with the token of its session"),
            (400, INVALID),
            (403, NO_SCOPE),
            (413, "The body is too large"),
            (415, "The body is not JSON"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    write(
        "POST",
        "/api/auth/login",
        "Signs in with a username or an e-mail address",
        JSON,
        &[
            (200, "The account, with the token of its session"),
            (400, INVALID),
            (401, "The username or the password is wrong"),
            (403, NO_SCOPE),
            (413, "The body is too large"),
            (415, "The body is not JSON"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    write(
        "POST",
        "/api/auth/logout",
        "Ends the session, or revokes the token",
        None,
        &[
            (204, "It is over"),
            (401, NO_SESSION),
            (403, NO_SCOPE),
            (404, "It was revoked already"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    read("/api/auth/me", "The account that is signed in", ACCOUNT_ANSWERS),
    write(
        "POST",
        "/api/auth/password",
        "Changes the password; all other sessions and tokens end",
        JSON,
        &[
            (204, "The password is changed"),
            (400, INVALID),
            (401, "No valid session, or the current password is wrong"),
            (403, NO_SCOPE),
            (413, "The body is too large"),
            (415, "The body is not JSON"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    read("/api/auth/sessions", "The sessions of the account", ACCOUNT_ANSWERS),
    write("DELETE", "/api/auth/sessions/{id}", "Ends a session", None, REVOKED),
    read("/api/auth/tokens", "The access tokens of the account", ACCOUNT_ANSWERS),
    write(
        "POST",
        "/api/auth/tokens",
        "Creates an access token, which is shown once",
        JSON,
        &[
            (201, "The token and its id"),
            (400, INVALID),
            (401, NO_SESSION),
            (403, NO_SCOPE),
            (413, "The body is too large"),
            (415, "The body is not JSON"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    write("DELETE", "/api/auth/tokens/{id}", "Revokes an access token", None, REVOKED),
    read("/api/users", "All accounts, in pages", LIST_ANSWERS),
    read("/api/users/{id}", "An account, as others see it", FOUND_ANSWERS),
    write(
        "PATCH",
        "/api/users/{id}",
        "Replaces one's own profile; `me` is oneself",
        JSON,
        &[
            (200, "The account"),
            (400, INVALID),
            (401, NO_SESSION),
            (403, NO_SCOPE),
            (413, "The body is too large"),
            (415, "The body is not JSON"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    read(
        "/api/rooms/{room}/messages",
        "A page of a room's messages: before or after one, or the newest",
        PAGES_ANSWERS,
    ),
    write("POST", "/api/rooms/{room}/messages", "Sends a message to a room", JSON, SENT),
    read("/api/users/{id}/messages", "A page of the private conversation with an account", PAGES_ANSWERS),
    write("POST", "/api/users/{id}/messages", "Sends a private message to an account", JSON, SENT),
    write("POST", "/register", "Creates an account, with JSON or a form (VaultRoom)", JSON, SIGNED_IN),
    write("POST", "/login", "Signs in, with JSON or a form (VaultRoom)", JSON, SIGNED_IN),
    read("/login-page", "The form to sign in", PAGE_ANSWERS),
    read("/register-page", "The form to register", PAGE_ANSWERS),
    read(
        "/logout",
        "Ends the session of the cookie (VaultRoom)",
        &[(303, "Redirect to the page"), (429, RATE_LIMITED), (503, BUSY)],
    ),
    write("POST", "/auth/login", "Signs in (Neural Chat)", JSON, SIGNED_IN),
    write(
        "POST",
        "/auth/logout",
        "Ends the session (Neural Chat)",
        None,
        &[
            (200, "It is over"),
            (401, NO_SESSION),
            (403, NO_SCOPE),
            (404, "It was revoked already"),
            (429, RATE_LIMITED),
            (503, BUSY),
        ],
    ),
    read("/get-users", "All accounts but one's own (VaultRoom)", LIST_ANSWERS),
    write("POST", "/send-message", "Sends a private message (VaultRoom)", JSON, SENT_PRIVATELY),
    read("/get-messages", "The newest messages of a private conversation (VaultRoom)", PAGES_ANSWERS),
    read("/", "The page", PAGE_ANSWERS),
    read("/rooms/{room}", "The page of a room", PAGE_ANSWERS),
    read("/service-worker.js", "The script that keeps the assets in the browser", &[(200, "The script")]),
    read("/chat", "The page, with username and room in the query", PAGE_ANSWERS),
    Endpoint {
        method: "POST",
        path: "/join",
        summary: "Redirects a form with username and room to the page of the room",
        body: Some("application/x-www-form-urlencoded"),
        answers: &[(303, "Redirect to the page"), (400, "The username or room is not valid"), (429, RATE_LIMITED)],
    },
    read(
        "/assets/{path}",
        "An asset of the page",
        &[(200, "The file"), (304, "The file has not changed"), (404, "No such asset")],
    ),
    read("/api/rooms", "The rooms that have people or messages", READ_ANSWERS),
    read("/api/stats", "Statistics: messages, rooms, people, connections, memory", READ_ANSWERS),
    read(
        "/api/files/{id}",
        "A file attached to a message; supports Range",
        &[
            (200, "The file"),
            (206, "The requested range"),
            (304, "The file has not changed"),
            (404, "The file does not exist any more"),
            (416, "The range is outside the file"),
        ],
    ),
    Endpoint {
        method: "PUT",
        path: "/api/files/{id}",
        summary: "Uploads a file for a message, to the address that `upload` returned over Socket.IO",
        body: Some("application/octet-stream"),
        answers: &[
            (200, "Name, type and size of the file"),
            (404, "No file was announced under that id, or too long ago"),
            (408, "The upload took too long"),
            (409, "The file is already being uploaded"),
            (413, "The file is too large"),
            (422, "The file is empty"),
            (429, RATE_LIMITED),
            (503, "Too many files are being uploaded"),
        ],
    },
    read(
        "/socket.io/",
        "Socket.IO over Engine.IO 4: a handshake, queued packets, or the upgrade to a WebSocket",
        &[(101, "Switching to a WebSocket"), (200, "Packets"), (400, "No such session"), (429, RATE_LIMITED)],
    ),
    Endpoint {
        method: "POST",
        path: "/socket.io/",
        summary: "Packets of a client that uses long polling",
        body: Some("text/plain"),
        answers: &[
            (200, "The packets were accepted"),
            (400, "No such session"),
            (413, "The packets are too large"),
            (429, RATE_LIMITED),
        ],
    },
];

const ACCOUNT_ANSWERS: &[(u16, &str)] =
    &[(200, "As JSON"), (401, NO_SESSION), (403, NO_SCOPE), (429, RATE_LIMITED), (503, BUSY)];
const LIST_ANSWERS: &[(u16, &str)] = &[
    (200, "As JSON"),
    (400, "A parameter is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (429, RATE_LIMITED),
    (503, BUSY),
];
const FOUND_ANSWERS: &[(u16, &str)] = &[
    (200, "As JSON"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such account"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
const PAGES_ANSWERS: &[(u16, &str)] = &[
    (200, "As JSON"),
    (400, "A parameter is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such room, account or message"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
const REVOKED: &[(u16, &str)] = &[
    (204, "It is over"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "The account has no such session or token"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
const SENT: &[(u16, &str)] = &[
    (201, "The id of the message, which is durable"),
    (400, "The message is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such room or account"),
    (413, "The body is too large"),
    (415, "The body is not JSON"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
const SENT_PRIVATELY: &[(u16, &str)] = &[
    (200, "The message, which is durable"),
    (400, "The message is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such account"),
    (413, "The body is too large"),
    (415, "The body is not JSON"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
const SIGNED_IN: &[(u16, &str)] = &[
    (200, "The account"),
    (201, "The new account"),
    (303, "After a form: redirect to the page"),
    (400, INVALID),
    (401, "The username or the password is wrong"),
    (403, NO_SCOPE),
    (413, "The body is too large"),
    (415, "The body is neither JSON nor a form"),
    (429, RATE_LIMITED),
    (503, BUSY),
];

const fn write(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    answers: &'static [(u16, &'static str)],
) -> Endpoint {
    Endpoint { method, path, summary, body, answers }
}

const fn read(path: &'static str, summary: &'static str, answers: &'static [(u16, &'static str)]) -> Endpoint {
    Endpoint { method: "GET", path, summary, body: None, answers }
}
