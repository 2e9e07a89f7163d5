//! The interface between platforms and the engine ([`Adapter`], [`EventSink`]), and the sources of
//! time and randomness, [`Clock`] and [`Entropy`].

mod adapter;
mod clock;
mod entropy;
mod ingress;

pub use adapter::{
    Adapter, AdapterContext, AdapterError, Condition, EmitError, EventSink, Gate, Metric, Receipt, Shutdown, Verdict,
};
pub use clock::{Clock, SystemClock, VirtualClock};
pub use entropy::{Entropy, SeededEntropy, SystemEntropy};
pub use ingress::IngressBuffer;
