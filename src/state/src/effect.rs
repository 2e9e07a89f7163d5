//! Effects of entries inside the process, as plain data.

use palabre_types::{Millis, ScriptName};

/// A consequence of an entry inside the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A timer is to be due.
    Arm {
        /// Its script.
        script: ScriptName,
        /// Its key.
        key: String,
        /// The due time.
        due: Millis,
    },
    /// A timer is not to be due any more.
    Disarm {
        /// Its script.
        script: ScriptName,
        /// Its key.
        key: String,
    },
}
