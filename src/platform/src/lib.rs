//! The interface between platforms and the engine ([`Adapter`], [`EventSink`]), the sources of time
//! and randomness ([`Clock`] and [`Entropy`]), and retry with back-off ([`Backoff`]).

mod adapter;
mod backoff;
mod clock;
mod entropy;
mod ingress;

pub use adapter::{
    Adapter, AdapterContext, AdapterError, Condition, EmitError, EventSink, Gate, Metric, Receipt, Shutdown, Verdict,
};
pub use backoff::{Backoff, Delays, Retry, jittered};
pub use clock::{Clock, SystemClock, VirtualClock};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use ingress::IngressBuffer;
