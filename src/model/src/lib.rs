//! The vocabulary: what happens ([`Event`]), what is to be done about it ([`Action`]), who and where ([`User`],
//! [`Room`], …), what a platform is to the engine ([`Adapter`]), and the two doors to the world outside, [`Clock`] and
//! [`Entropy`]. No platform, Lua or web type is named here; of the store, its `Batch` alone.

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
mod flight;
mod form;
mod ids;
mod offer;
mod outcome;
mod people;
mod place;

pub use action::{Action, ActionKey, ActionKind, Impact, Measure, MessageRef, RoomChange};
pub use adapter::{
    Adapter, AdapterContext, AdapterError, Condition, EmitError, EventSink, Figure, Gate, Receipt, Shutdown, Verdict,
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
pub use flight::Flight;
pub use form::{Form, FormField};
pub use ids::{BotName, MessageId, RoomId, ScriptName, SpaceId, UserId};
pub use offer::{OFFERS, Offer};
pub use outcome::{ActionError, Outcome, RefusalKind};
pub use palabre_store::{Batch, Millis};
pub use people::{Member, Permission, Rank, User};
pub use place::{Room, RoomKind, Space};
