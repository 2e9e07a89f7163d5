//! The data that all crates share: everything that is written to disk or passed between layers.
//!
//! Events ([`Event`]), actions ([`Action`]), people and places ([`User`], [`Room`], …), what a step
//! of a run asks for, waits for and observes ([`Effects`], [`Wait`], [`Observation`]), and changes of
//! the store ([`Batch`]). Pure data: the crate uses no type of a platform, of Lua, of an HTTP
//! library, of the database or of the async runtime.

mod action;
mod batch;
mod capabilities;
mod catalogue;
mod command;
mod content;
mod content_limits;
mod duration;
mod effects;
mod endpoint;
mod event;
mod form;
mod http;
mod ids;
mod key;
mod limits;
mod observation;
mod offer;
mod outcome;
mod people;
mod place;
mod run_id;
mod source_files;
mod time;
mod value;
mod wait;

pub use action::{Action, ActionKey, ActionKind, Impact, Measure, MessageRef, RoomChange};
pub use batch::{Batch, Op, Require};
pub use capabilities::Capabilities;
pub use catalogue::TableId;
pub use command::{ArgSpec, ArgType, CommandSpec, Menu};
pub use content::{
    Attachment, Button, ButtonStyle, Content, DeliveryGuarantee, Embed, EmbedField, FileOrigin, FileToSend, Mention,
    Message, Persona, Poll, Select, SelectOption,
};
pub use content_limits::ContentLimits;
pub use duration::{LeadingDuration, leading_duration, parse_duration};
pub use effects::{Change, Effects, MetricChange, Refused, TimerChange, Write};
pub use endpoint::{Body, Endpoint, Field, FieldKind, Presence, Scheme};
pub use event::{Bot, Event, EventKind, EventName, Fault, Reason};
pub use form::{Form, FormField};
pub use http::{Reply, ReplyGuard, Request};
pub use ids::{BotName, MessageId, RoomId, ScriptName, SpaceId, UserId};
pub use key::Key;
pub use limits::Limits;
pub use observation::{FunctionCall, Observation};
pub use offer::{OFFERS_MAX, Offer};
pub use outcome::{ActionError, Outcome, RefusalKind};
pub use people::{Denied, Member, Permission, Rank, User};
pub use place::{Room, RoomKind, Space};
pub use run_id::{RunId, RunKind};
pub use source_files::SourceFiles;
pub use time::{Millis, iso8601, parse_time};
pub use value::{decode_value, encode_value, value_weight};
pub use wait::{Answer, Wait};
