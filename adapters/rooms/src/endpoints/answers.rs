//! The responses of the routes, for the API description of the server.

pub(super) const PAGE_ANSWERS: &[(u16, &str)] = &[(200, "The page")];
pub(super) const READ_ANSWERS: &[(u16, &str)] =
    &[(200, "As JSON"), (429, RATE_LIMITED), (503, "The store cannot be read")];
pub(super) const RATE_LIMITED: &str = "Too many requests; see Retry-After";

pub(super) const JSON: Option<&str> = Some("application/json");
pub(super) const NO_SESSION: &str = "No valid session or token";
pub(super) const NO_SCOPE: &str =
    "The token lacks the scope, the request came from another site, or the rules forbid it";
pub(super) const INVALID: &str = "A field is missing, not valid, or taken";
pub(super) const NO_CHAT_SESSION: &str = "There is no such session";
pub(super) const BUSY: &str = "The store cannot be used, or the server is busy; try again";

pub(super) const ACCOUNT_ANSWERS: &[(u16, &str)] =
    &[(200, "As JSON"), (401, NO_SESSION), (403, NO_SCOPE), (429, RATE_LIMITED), (503, BUSY)];
pub(super) const LIST_ANSWERS: &[(u16, &str)] = &[
    (200, "As JSON"),
    (400, "A parameter is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const FOUND_ANSWERS: &[(u16, &str)] = &[
    (200, "As JSON"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such account"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const PAGES_ANSWERS: &[(u16, &str)] = &[
    (200, "As JSON"),
    (400, "A parameter is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such room, account or message"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const EXPORTED: &[(u16, &str)] = &[
    (200, "The messages, oldest first"),
    (400, "A parameter is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such room or session"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const CHAT_PAGES: &[(u16, &str)] = &[
    (200, "As JSON"),
    (400, "A parameter is not valid"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such session or message"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const RATED: &[(u16, &str)] = &[
    (200, "The rating is durable"),
    (400, INVALID),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "There is no such room, session or message"),
    (413, "The body is too large"),
    (415, "The body is not JSON"),
    (422, "The rating is not a whole number from 1 to 5, or a text is too long"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const REVOKED: &[(u16, &str)] = &[
    (204, "It is over"),
    (401, NO_SESSION),
    (403, NO_SCOPE),
    (404, "The account has no such session or token"),
    (429, RATE_LIMITED),
    (503, BUSY),
];
pub(super) const SENT: &[(u16, &str)] = &[
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
pub(super) const SENT_PRIVATELY: &[(u16, &str)] = &[
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
pub(super) const SIGNED_IN: &[(u16, &str)] = &[
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
