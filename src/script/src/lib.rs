//! The Lua host: sandboxed Luau VMs, limits that hostile code cannot evade, and the script API.
//!
//! Each script has its own VM.
//!
//! A run collects effects and changes nothing; the engine applies them. Everything from outside (time,
//! randomness, stored values, answers) enters through [`HostApi`] and [`Input`].

mod api;
mod chunk;
mod command;
mod declarations;
mod effects;
mod fault;
mod host_api;
mod limits;
mod locale;
mod log_line;
mod manifest;
mod meter;
mod objects;
mod reference;
mod refusal;
mod repeat_limiter;
mod routing;
mod run;
mod sandbox;
mod schedule;
mod source;
mod testing;
mod value;
mod vm;
mod waiting_memory;
mod watch;
mod weight;
mod yaml;

pub use chunk::{Coverage, syntax_error};
pub use declarations::{
    Declarations, FieldSpec, FieldType, Listening, Missed, PatternKind, PatternSpec, RequestLimits, RouteAuth,
    RouteSpec, TaskSpec,
};
pub use effects::{Change, Effects, MetricChange, Refused, TimerChange, Write};
pub use fault::Failure;
pub use host_api::{Answer, Denied, EmptyHost, HostApi, Input, Stored, Wait};
pub use limits::{Limit, Limits};
pub use manifest::{ConfigFault, ConfigField, ConfigKind, Manifest};
pub use meter::Meters;
pub use reference::{ApiItem, ApiKind, Parameter, Reading, api, read_types, reference_markdown};
pub use repeat_limiter::RepeatLimiter;
pub use routing::RouteReply;
pub use schedule::Schedule;
pub use source::{Source, SourceError, discover, read_file, without_bom};
pub use testing::{ReadField, RunningTest, TestCase, TestFailure, TestFile, TestStep};
pub use value::{decode as decode_value, encode as encode_value};
pub use vm::{Step, SuspendedRun, Vm};
pub use watch::Ticker;
pub use yaml::{YamlError, YamlFile, nearest};

/// The grants that bots.yaml can give a script, in addition to `http:HOST`.
pub const GRANTS: &[&str] = &["moderation", "rooms", "direct", "routes", "files", "personas", "mentions"];

/// Scripts built into the runtime: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[("help", include_str!("builtin/help.luau"))];

/// Type definitions for editors, which `palabre new` writes.
pub const EDITOR_TYPES: &str = include_str!("../palabre.d.luau");
