//! A simulated platform with users, for the engine's tests, the benchmarks and the terminal.
//!
//! Messages are kept as a transcript. Tests can inject faults.

mod adapter;
mod people;
mod platform;
mod state;
mod transcript;

pub use people::{Person, SendFailure};
pub use platform::Sim;
pub use state::{MemberState, RoomState, Silenced};
pub use transcript::{Line, Transcript};
