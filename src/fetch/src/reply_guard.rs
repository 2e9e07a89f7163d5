//! Resources that are held together with a reply.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A value that is held until the last copy of a reply is dropped.
///
/// It is the reply's share of a limit.
#[derive(Clone, Default)]
pub struct ReplyGuard(Option<Arc<dyn Any + Send + Sync>>);

impl ReplyGuard {
    /// Creates a holder of `what`.
    #[must_use]
    pub fn new(what: impl Any + Send + Sync) -> Self {
        Self(Some(Arc::new(what)))
    }
}

impl fmt::Debug for ReplyGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReplyGuard").field(&self.0.is_some()).finish()
    }
}

/// All are equal, because they are not part of a reply's content.
impl PartialEq for ReplyGuard {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ReplyGuard {}
