//! The bodies and queries of requests, as their handlers read them.

use palabre_types::{Body, Field, FieldKind};

use crate::decode::TEXT_MAX;

const JSON: &[&str] = &["application/json"];
const JSON_OR_FORM: &[&str] = &["application/json", "application/x-www-form-urlencoded"];

/// A JSON object. Unknown fields are ignored.
const fn open(fields: &'static [Field]) -> Option<Body> {
    Some(Body { media: JSON, fields: Some(fields), is_closed: false })
}

/// A JSON object. Unknown fields are refused.
const fn closed(fields: &'static [Field]) -> Option<Body> {
    Some(Body { media: JSON, fields: Some(fields), is_closed: true })
}

/// A JSON object, or a form with the same fields.
const fn or_form(fields: &'static [Field]) -> Option<Body> {
    Some(Body { media: JSON_OR_FORM, fields: Some(fields), is_closed: false })
}

/// A body that is no object.
const fn bytes(media: &'static [&'static str]) -> Option<Body> {
    Some(Body { media, fields: None, is_closed: false })
}

const fn choice(name: &'static str, values: &'static [&'static str]) -> Field {
    Field::new(name, FieldKind::Choice(values))
}

const fn boolean(name: &'static str) -> Field {
    Field::new(name, FieldKind::Boolean)
}

/// The roles in the whole service.
const ROLES: &[&str] = &["member", "trusted", "moderator", "admin", "owner"];
/// The roles in a room.
const ROOM_ROLES: &[&str] = &["banned", "muted", "member", "moderator", "owner"];
const VISIBILITIES: &[&str] = &["public", "private"];
const SCOPES: &[&str] = &["read", "write", "account"];
const MESSAGE_TYPES: &[&str] = &["text", "image", "audio", "file", "multimodal"];
/// The maximum length of a topic, in characters.
const TOPIC_MAX: usize = 1_000;
/// The maximum length of a field of a profile, in characters.
const PROFILE_MAX: usize = 100;

const REGISTRATION_FIELDS: &[Field] = &[
    Field::text("username", 1, 32),
    Field::text("email", 3, 254),
    Field::text("password", 8, 1_024),
    Field::any_text("owner").optional(),
];
const LOGIN_FIELDS: &[Field] =
    &[Field::any_text("username"), Field::any_text("password"), Field::any_text("code").optional()];

pub(super) const REGISTRATION: Option<Body> = open(REGISTRATION_FIELDS);
pub(super) const REGISTRATION_OR_FORM: Option<Body> = or_form(REGISTRATION_FIELDS);
pub(super) const LOGIN: Option<Body> = open(LOGIN_FIELDS);
pub(super) const LOGIN_OR_FORM: Option<Body> = or_form(LOGIN_FIELDS);
pub(super) const PASSWORD: Option<Body> = closed(&[Field::any_text("password")]);
pub(super) const NEW_PASSWORD: Option<Body> = closed(&[Field::any_text("current"), Field::text("new", 8, 1_024)]);
pub(super) const OTP: Option<Body> = closed(&[Field::any_text("password"), Field::any_text("code").optional()]);
pub(super) const CODE: Option<Body> = closed(&[Field::any_text("code")]);
pub(super) const TOKEN: Option<Body> = closed(&[
    Field::any_text("name"),
    Field::new("scopes", FieldKind::Choices(SCOPES)),
    Field::integer("days", 1, u32::MAX).optional(),
]);
pub(super) const PROFILE: Option<Body> = closed(&[
    Field::text("display_name", 1, PROFILE_MAX).optional(),
    Field::text("language", 1, PROFILE_MAX).optional(),
    Field::text("time_zone", 1, PROFILE_MAX).optional(),
    Field::text("status", 1, PROFILE_MAX).optional(),
]);
pub(super) const ROLE: Option<Body> = closed(&[choice("role", ROLES)]);
pub(super) const ROOM_ROLE: Option<Body> = closed(&[choice("role", ROOM_ROLES)]);
pub(super) const NEW_ROOM: Option<Body> = closed(&[
    Field::text("name", 1, 64),
    Field::text("topic", 0, TOPIC_MAX).optional(),
    choice("visibility", VISIBILITIES).defaulted(),
    boolean("guests").optional(),
]);
pub(super) const ROOM_CHANGE: Option<Body> = closed(&[
    Field::text("topic", 0, TOPIC_MAX).optional(),
    Field::integer("slowmode", 0, u32::MAX).optional(),
    boolean("locked").optional(),
    choice("visibility", VISIBILITIES).optional(),
    boolean("guests").optional(),
    boolean("archived").optional(),
]);
pub(super) const INVITE: Option<Body> =
    closed(&[Field::integer("uses", 1, u32::MAX).optional(), Field::integer("days", 1, 365).optional()]);
pub(super) const MESSAGE: Option<Body> = open(&[
    Field::text("message", 0, TEXT_MAX),
    Field::text("nonce", 1, 256).optional(),
    Field::text("reply_to", 0, 256).optional(),
    Field::new("files", FieldKind::Texts).defaulted(),
]);
pub(super) const EDIT: Option<Body> = closed(&[Field::text("message", 1, TEXT_MAX)]);
pub(super) const PRIVATE_MESSAGE: Option<Body> =
    or_form(&[Field::new("recipient_id", FieldKind::Any), Field::text("message", 1, TEXT_MAX)]);
pub(super) const RATING: Option<Body> = open(&[
    Field::integer("rating", 1, 5),
    Field::text("feedback_type", 0, 64).optional(),
    Field::text("comment", 0, TEXT_MAX).optional(),
]);
pub(super) const CHAT_RATING: Option<Body> = open(&[
    Field::any_text("session_id"),
    Field::any_text("message_id"),
    Field::integer("rating", 1, 5),
    Field::text("feedback_type", 0, 64).optional(),
    Field::text("comment", 0, TEXT_MAX).optional(),
]);
pub(super) const CHAT_MESSAGE: Option<Body> = open(&[
    Field::text("message", 0, TEXT_MAX),
    Field::any_text("session_id").optional(),
    choice("message_type", MESSAGE_TYPES).defaulted(),
    // A list of ids, or of objects with an id.
    Field::new("attachments", FieldKind::Any).optional(),
    boolean("stream").defaulted(),
]);
pub(super) const CHAT_UPLOAD: Option<Body> = Some(Body {
    media: &["multipart/form-data"],
    fields: Some(&[
        Field::new("file", FieldKind::File),
        Field::any_text("session_id").defaulted(),
        Field::any_text("description").defaulted(),
    ]),
    is_closed: false,
});
pub(super) const ENTRY: Option<Body> = Some(Body {
    media: &["application/x-www-form-urlencoded"],
    fields: Some(&[Field::text("username", 1, 64), Field::text("room", 1, 64)]),
    is_closed: false,
});
pub(super) const FILE: Option<Body> = bytes(&["application/octet-stream"]);
pub(super) const PACKETS: Option<Body> = bytes(&["text/plain"]);

/// A page of accounts.
pub(super) const LIST_PAGE: &[Field] = &[Field::any_text("after").defaulted(), Field::count("limit").defaulted()];
/// A part of a history: before or after a message, or the newest.
pub(super) const PART: &[Field] =
    &[Field::any_text("before").defaulted(), Field::any_text("after").defaulted(), Field::count("limit").defaulted()];
pub(super) const CONVERSATION: &[Field] = &[
    Field::any_text("receiver_id"),
    Field::any_text("before").defaulted(),
    Field::any_text("after").defaulted(),
    Field::count("limit").defaulted(),
];
pub(super) const CHAT_PAGE: &[Field] = &[Field::count("limit").defaulted(), Field::any_text("cursor").defaulted()];
pub(super) const EXPORT: &[Field] = &[choice("format", &["json", "txt"]).defaulted()];
pub(super) const OWNER: &[Field] = &[Field::any_text("owner").defaulted()];
pub(super) const PERSON_AND_ROOM: &[Field] =
    &[Field::any_text("username").defaulted(), Field::any_text("room").defaulted()];
/// The parameters of Engine.IO.
pub(super) const TRANSPORT: &[Field] =
    &[Field::any_text("EIO").defaulted(), Field::any_text("transport").defaulted(), Field::any_text("sid").defaulted()];

#[cfg(feature = "search")]
pub(super) const SEARCH: &[Field] = &[
    Field::text("q", 1, 200),
    Field::any_text("room").optional(),
    Field::any_text("from").optional(),
    Field::any_text("before").optional(),
    Field::any_text("after").optional(),
    Field::new("limit", FieldKind::Integer { min: 1, max: Some(100) }).optional(),
    Field::any_text("cursor").optional(),
];

pub(super) const NEW_BOT: Option<Body> = closed(&[Field::text("username", 1, 32)]);
pub(super) const NEW_WEBHOOK: Option<Body> = closed(&[Field::any_text("name")]);
pub(super) const NEW_HOOK: Option<Body> =
    closed(&[Field::any_text("url"), Field::new("events", FieldKind::Texts).optional()]);
/// The body of an incoming webhook: our format, Slack's or Discord's.
pub(super) const POST: Option<Body> = bytes(JSON_OR_FORM);
pub(super) const WAIT: &[Field] = &[Field::any_text("wait").optional()];
pub(super) const STREAM: &[Field] = &[Field::any_text("rooms").optional(), Field::any_text("cursor").optional()];
