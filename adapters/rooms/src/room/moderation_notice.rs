//! Moderation notices: measures in the form that their users receive, in all rooms that they concern.

use palabre_types::{Measure, Millis};

/// A moderation notice: the measure in the form that its user receives.
pub(crate) struct ModerationNotice {
    /// Lower-case username.
    pub(super) user: String,
    pub(super) kind: &'static str,
    pub(super) reason: Option<String>,
    pub(super) until: Option<Millis>,
    /// The role or the nickname.
    pub(super) name: Option<String>,
    pub(super) reach: Reach,
}

/// The rooms that the user has to leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The user has to leave this room.
    OutOfRoom,
    /// The user has to leave all rooms.
    OutOfAll,
    /// The user is only notified, in all rooms.
    NotifyOnly,
}

impl ModerationNotice {
    /// Returns the notice of a measure against a user, by lower-case username.
    pub(super) fn of(user: String, measure: &Measure, reason: Option<String>) -> Self {
        let (kind, until, name, reach) = match measure {
            Measure::Mute { until } => ("muted", *until, None, Reach::NotifyOnly),
            Measure::Unmute => ("unmuted", None, None, Reach::NotifyOnly),
            Measure::Kick => ("kicked", None, None, Reach::OutOfRoom),
            Measure::Ban { until, .. } => ("banned", *until, None, Reach::OutOfAll),
            Measure::Unban => ("unbanned", None, None, Reach::NotifyOnly),
            Measure::AddRole(role) => ("role_added", None, Some(role.clone()), Reach::NotifyOnly),
            Measure::RemoveRole(role) => ("role_removed", None, Some(role.clone()), Reach::NotifyOnly),
            Measure::Rename(nickname) => ("renamed", None, Some(nickname.clone()), Reach::NotifyOnly),
        };
        Self { user, kind, reason, until, name, reach }
    }
}
