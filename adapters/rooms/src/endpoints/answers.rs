//! The answers of routes: each status code with its meaning.

/// A status code and its meaning.
pub(super) type Answer = (u16, &'static str);

pub(super) const PAGE: Answer = (200, "The page");
pub(super) const AS_JSON: Answer = (200, "As JSON");
pub(super) const ACCOUNT: Answer = (200, "The account");
pub(super) const SENT: Answer = (201, "The id of the message, which is durable");
pub(super) const IS_OVER: Answer = (204, "It is over");
pub(super) const TO_PAGE: Answer = (303, "Redirect to the page");
pub(super) const UNCHANGED: Answer = (304, "The file has not changed");
pub(super) const INVALID: Answer = (400, "A field is missing, not valid, or taken");
pub(super) const BAD_PARAMETER: Answer = (400, "A parameter is not valid");
pub(super) const BAD_ADDRESS: Answer = (400, "A part of the address is not valid");
pub(super) const BAD_MESSAGE: Answer = (400, "The message is not valid");
pub(super) const NO_CONNECTION: Answer = (400, "No such session");
pub(super) const NO_SESSION: Answer = (401, "No valid session or token");
pub(super) const WRONG: Answer = (401, "The username or the password is wrong");
pub(super) const WRONG_CURRENT: Answer = (401, "No valid session, or the current password is wrong");
pub(super) const FORBIDDEN: Answer =
    (403, "The token lacks the scope, the request came from another site, or the rules forbid it");
pub(super) const NO_ACCOUNT: Answer = (404, "There is no such account");
pub(super) const NO_ROOM: Answer = (404, "There is no such room or account");
pub(super) const NO_MESSAGE: Answer = (404, "There is no such room, account or message");
pub(super) const CLOSED_ROOM: Answer = (404, "There is no such room, or it is not open to the caller");
pub(super) const NO_CHAT_SESSION: Answer = (404, "There is no such session");
pub(super) const NO_CREDENTIAL: Answer = (404, "The account has no such session, token or bot");
pub(super) const REVOKED: Answer = (404, "It was revoked already");
pub(super) const TOO_LARGE: Answer = (413, "The body is too large");
pub(super) const NOT_JSON: Answer = (415, "The body is not JSON");
pub(super) const NO_FORM: Answer = (415, "The body is neither JSON nor a form");
pub(super) const LIMITED: Answer = (429, "Too many requests; see Retry-After");
pub(super) const UNREADABLE: Answer = (503, "The store cannot be read");
pub(super) const BUSY: Answer = (503, "The store cannot be used, or the server is busy; try again");

pub(super) const CHANGED: &[Answer] = &[
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
pub(super) const CREATED: &[Answer] = &[
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
pub(super) const MEMBERSHIP: &[Answer] = &[
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
pub(super) const DONE: &[Answer] = &[
    (204, "It is done"),
    BAD_ADDRESS,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such room, account, invite or message"),
    (409, "A rule forbids it"),
    LIMITED,
    BUSY,
];
pub(super) const ACCEPTED: &[Answer] = &[
    (200, "The room"),
    BAD_ADDRESS,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such invite any more"),
    (409, "It was used at the same time; try again"),
    LIMITED,
    BUSY,
];
pub(super) const OF_ACCOUNT: &[Answer] = &[AS_JSON, NO_SESSION, FORBIDDEN, LIMITED, BUSY];
pub(super) const OF_BOT: &[Answer] =
    &[AS_JSON, BAD_ADDRESS, NO_SESSION, FORBIDDEN, (404, "The account has no such bot"), LIMITED, BUSY];
pub(super) const REVOKING: &[Answer] = &[IS_OVER, BAD_ADDRESS, NO_SESSION, FORBIDDEN, NO_CREDENTIAL, LIMITED, BUSY];
pub(super) const LISTED: &[Answer] = &[AS_JSON, BAD_PARAMETER, NO_SESSION, FORBIDDEN, LIMITED, BUSY];
pub(super) const PAGES: &[Answer] = &[AS_JSON, BAD_PARAMETER, NO_SESSION, FORBIDDEN, NO_MESSAGE, LIMITED, BUSY];
pub(super) const SENDING: &[Answer] =
    &[SENT, BAD_MESSAGE, NO_SESSION, FORBIDDEN, NO_ROOM, TOO_LARGE, NOT_JSON, LIMITED, BUSY];
pub(super) const POSTED: &[Answer] = &[
    (200, "The text `ok` (Slack), or the message (Discord, with `wait=true`)"),
    (201, "The ids of the messages, which are durable"),
    (204, "The messages are durable (Discord)"),
    (400, "The body has none of the formats, has no text, or the name belongs to somebody else"),
    (403, "A script refuses the message, or the room is archived"),
    (404, "There is no such webhook, or its secret is another one"),
    TOO_LARGE,
    LIMITED,
    BUSY,
];
pub(super) const SIGNING_IN: &[Answer] = &[
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
pub(super) const EXPORTED: &[Answer] = &[
    (200, "The messages, oldest first"),
    BAD_PARAMETER,
    NO_SESSION,
    FORBIDDEN,
    (404, "There is no such room or session"),
    LIMITED,
    BUSY,
];
pub(super) const CHAT_PAGES: &[Answer] =
    &[AS_JSON, BAD_PARAMETER, NO_SESSION, FORBIDDEN, (404, "There is no such session or message"), LIMITED, BUSY];
pub(super) const RATED: &[Answer] = &[
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
pub(super) const STREAMED: &[Answer] = &[
    (200, "The events, each with an id to resume from"),
    (400, "The cursor is not the id of an event, or a name is not valid"),
    NO_SESSION,
    FORBIDDEN,
    CLOSED_ROOM,
    LIMITED,
    (503, "A connection limit is reached, or the store cannot be used"),
];
pub(super) const READING: &[Answer] = &[AS_JSON, LIMITED, UNREADABLE];
