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
pub use fault::Failure;
pub use grants::GRANTS;
pub use host_api::{EmptyHost, HostApi, Input, Stored};
pub use limits::{KEY_BYTES, Limit, RequestLimits, VALUE_BYTES};
pub use manifest::{ConfigFault, ConfigField, ConfigKind, Manifest};
pub use meter::Meters;
pub use reference::{ApiItem, ApiKind, EDITOR_TYPES, Parameter, Reading, api, read_types, reference_markdown};
pub use repeat_limiter::RepeatLimiter;
pub use replaying::{Divergence, HostRows, Replaying};
pub use routing::RouteReply;
pub use schedule::Schedule;
pub use source::{Source, SourceError, discover, read_file};
pub use testing::{ReadField, RunningTest, TestCase, TestFailure, TestFile, TestStep};
pub use vm::call::Called;
pub use vm::{Step, SuspendedRun, Vm};
pub use watch::Ticker;
pub use yaml::{YamlError, YamlFile, nearest};
