//! The forms that a room keeps until they are submitted.

use std::collections::VecDeque;
use std::sync::Arc;

use palabre_types::Form;

/// Maximum number of open forms in a room; the oldest ones can no longer be submitted.
const OPEN_FORMS_MAX: usize = 1_000;

/// A form that is open for one person.
pub(crate) struct OpenForm {
    /// Lower-case username.
    pub(crate) user: String,
    /// The id of the guest who is to fill in the form.
    pub(crate) guest: Arc<str>,
    pub(crate) id: String,
    pub(crate) form: Form,
    pub(crate) is_submitted: bool,
}

/// The last forms.
#[derive(Default)]
pub(crate) struct Forms {
    kept: VecDeque<OpenForm>,
}

impl Forms {
    /// Returns the form `id` of a person.
    pub(crate) fn get(&mut self, user: &str, id: &str) -> Option<&mut OpenForm> {
        self.kept.iter_mut().rev().find(|open| open.id == id && open.user == user)
    }

    /// Keeps a form.
    pub(crate) fn keep(&mut self, open: OpenForm) {
        self.kept.push_back(open);
        if self.kept.len() > OPEN_FORMS_MAX {
            self.kept.pop_front();
        }
    }

    /// Reopens a form whose submission could not be saved.
    pub(crate) fn reopen(&mut self, user: &str, id: &str) {
        if let Some(open) = self.get(user, id) {
            open.is_submitted = false;
        }
    }
}
