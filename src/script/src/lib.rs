//! The Lua host: sandboxed Luau VMs, limits that hostile code cannot evade, and the script API.
//!
//! Each script has its own VM.
//!
//! A run collects effects and changes nothing; the engine applies them. Everything from outside (time,
//! randomness, stored values, answers) enters through [`HostApi`] and [`Input`].

mod api;
mod bom;
mod builtin;
mod chunk;
mod command;
mod declarations;
mod effects;
mod fault;
mod grants;
mod handle;
mod host_api;
mod limits;
mod locale;
mod log_line;
mod manifest;
mod meter;
mod objects;
mod observation;
mod recording;
mod reference;
mod refusal;
mod repeat_limiter;
mod replaying;
mod reply;
mod routing;
mod run;
mod sandbox;
mod schedule;
mod source;
mod testing;
mod value;
mod vm;
mod wait;
mod waiting_memory;
mod watch;
mod weight;
mod yaml;

pub use bom::without_bom;
pub use builtin::BUILT_IN;
pub use chunk::{Coverage, syntax_error};
pub use declarations::{
    Declarations, FieldSpec, FieldType, Listening, Missed, PatternKind, PatternSpec, RouteAuth, RouteSpec, TaskSpec,
};
pub use effects::{Change, Effects, MetricChange, Refused, TimerChange, Write};
pub use fault::Failure;
pub use grants::GRANTS;
pub use host_api::{Denied, EmptyHost, HostApi, Input, Stored};
pub use limits::{KEY_BYTES, Limit, Limits, RequestLimits, VALUE_BYTES};
pub use manifest::{ConfigFault, ConfigField, ConfigKind, Manifest};
pub use meter::Meters;
pub use observation::{Divergence, FunctionCall, Observation};
pub use reference::{ApiItem, ApiKind, EDITOR_TYPES, Parameter, Reading, api, read_types, reference_markdown};
pub use repeat_limiter::RepeatLimiter;
pub use replaying::{HostRows, Replaying};
pub use routing::RouteReply;
pub use schedule::Schedule;
pub use source::stored::SourceFiles;
pub use source::{Source, SourceError, discover, read_file};
pub use testing::{ReadField, RunningTest, TestCase, TestFailure, TestFile, TestStep};
pub use value::{decode as decode_value, encode as encode_value};
pub use vm::call::Called;
pub use vm::{Step, SuspendedRun, Vm};
pub use wait::{Answer, Wait};
pub use watch::Ticker;
pub use yaml::{YamlError, YamlFile, nearest};
