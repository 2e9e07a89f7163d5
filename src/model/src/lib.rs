//! The types that all crates share.
//!
//! Events ([`Event`]), actions ([`Action`]), people and places ([`User`], [`Room`], …), the
//! interface between platforms and the engine ([`Adapter`]), and the sources of time and
//! randomness, [`Clock`] and [`Entropy`]. The crate uses no type of a platform, of Lua or of the
//! web, and only `Batch` and `Millis` of the store.

mod action;
mod adapter;
mod capabilities;
mod clock;
mod command;
mod content;
mod content_limits;
mod duration;
mod endpoint;
mod entropy;
mod event;
mod form;
mod ids;
mod ingress;
mod offer;
mod outcome;
mod people;
mod place;

pub use action::{Action, ActionKey, ActionKind, Impact, Measure, MessageRef, RoomChange};
pub use adapter::{
    Adapter, AdapterContext, AdapterError, Condition, EmitError, EventSink, Gate, Metric, Receipt, Shutdown, Verdict,
};
pub use capabilities::Capabilities;
pub use clock::{Clock, SystemClock, VirtualClock, iso8601};
pub use command::{ArgSpec, ArgType, CommandSpec, Menu};
pub use content::{
    Attachment, Button, ButtonStyle, Content, Embed, EmbedField, FileOrigin, FileToSend, Mention, Message, Persona,
    Poll, Select, SelectOption,
};
pub use content_limits::ContentLimits;
pub use duration::{LeadingDuration, leading_duration, parse_duration};
pub use endpoint::Endpoint;
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use event::{Bot, Event, EventKind, EventName, Fault, Reason};
pub use form::{Form, FormField};
pub use ids::{BotName, MessageId, RoomId, ScriptName, SpaceId, UserId};
pub use ingress::IngressBuffer;
pub use offer::{OFFERS_MAX, Offer};
pub use outcome::{ActionError, Outcome, RefusalKind};
pub use palabre_store::{Batch, Millis};
pub use people::{Member, Permission, Rank, User};
pub use place::{Room, RoomKind, Space};
