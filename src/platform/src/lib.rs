//! The interface between platforms and the engine ([`Adapter`], [`EventSink`]), the sources of time
//! and randomness ([`Clock`], [`Entropy`]), and what adapters and the parts of the engine share, such
//! as [`Backoff`], [`TrackedTasks`] and [`Vitals`].

mod adapter;
mod background_tasks;
mod backoff;
mod clock;
mod entropy;
mod ingress;
mod recent_outcomes;
mod sink_cell;
mod tracked_tasks;
mod vitals;

pub use adapter::{
    Adapter, AdapterContext, AdapterError, Condition, EmitError, EventSink, Gate, Metric, Receipt, Shutdown, Verdict,
};
pub use background_tasks::BackgroundTasks;
pub use backoff::{Backoff, Delays, Retry, jittered};
pub use clock::{Clock, SystemClock, VirtualClock};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use ingress::IngressBuffer;
pub use recent_outcomes::RecentOutcomes;
pub use sink_cell::SinkCell;
pub use tracked_tasks::TrackedTasks;
pub use vitals::{Fatal, Pulse, ThreadStatus, Vitals};
