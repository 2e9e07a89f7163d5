//! The outcomes of tests.

use palabre_sim::Line;

/// The result of a test.
pub(super) struct Outcome {
    pub(super) suite: String,
    pub(super) test: String,
    pub(super) failure: Option<Failed>,
    /// The last error of a script. If the test passed, it may be intended or not.
    pub(super) script_error: Option<String>,
}

/// The failure of a test.
pub(super) struct Failed {
    pub(super) message: String,
    /// The chat until then, in all rooms.
    pub(super) chat: Vec<Line>,
    pub(super) script_error: Option<String>,
}
