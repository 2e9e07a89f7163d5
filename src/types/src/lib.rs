//! The data that all crates share: everything that is written to disk or passed between layers.
//!
//! Events ([`Event`]), actions ([`Action`]), people and places ([`User`], [`Room`], …), and changes
//! of the store ([`Batch`]). Pure data: the crate uses no type of a platform, of Lua, of the web, of
//! the database or of the async runtime.

mod action;
mod batch;
mod capabilities;
mod catalogue;
mod command;
mod content;
mod content_limits;
mod duration;
mod endpoint;
mod event;
mod form;
mod ids;
mod key;
mod offer;
mod outcome;
mod people;
mod place;
mod run_id;
mod time;

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
pub use endpoint::Endpoint;
pub use event::{Bot, Event, EventKind, EventName, Fault, Reason};
pub use form::{Form, FormField};
pub use ids::{BotName, MessageId, RoomId, ScriptName, SpaceId, UserId};
pub use key::Key;
pub use offer::{OFFERS_MAX, Offer};
pub use outcome::{ActionError, Outcome, RefusalKind};
pub use people::{Member, Permission, Rank, User};
pub use place::{Room, RoomKind, Space};
pub use run_id::{RunId, RunKind};
pub use time::{Millis, iso8601};
