//! The state shared by the sockets and the tests.

use super::options::Options;
use super::rules::Rules;
use super::state::State;

/// The state of the stand-in with what never changes, and a way to wait for changes.
pub(super) type Shared = crate::server::shared::Shared<State, Rules, Options>;
