//! Actions of users.

/// An action of a user. Messages are named by their ids.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'d> {
    Says {
        who: &'d str,
        text: &'d str,
    },
    Replies {
        who: &'d str,
        to: &'d str,
        text: &'d str,
    },
    Attaches {
        who: &'d str,
        text: &'d str,
        name: &'d str,
        data: &'d str,
    },
    /// Sends a direct message to the bot.
    SendsDirect {
        who: &'d str,
        text: &'d str,
    },
    /// Edits the author's own message.
    Edits {
        who: &'d str,
        message: &'d str,
        text: &'d str,
    },
    Deletes {
        who: &'d str,
        message: &'d str,
    },
    Reacts {
        who: &'d str,
        message: &'d str,
        emoji: &'d str,
    },
    Unreacts {
        who: &'d str,
        message: &'d str,
        emoji: &'d str,
    },
    Presses {
        who: &'d str,
        message: &'d str,
        action: &'d str,
    },
    Chooses {
        who: &'d str,
        message: &'d str,
        action: &'d str,
        values: &'d [&'d str],
    },
    /// Submits the form that the user was shown.
    Submits {
        who: &'d str,
        action: &'d str,
        values: &'d [(&'d str, &'d str)],
    },
    /// Uses the command `roll`.
    Rolls {
        who: &'d str,
        sides: u64,
    },
    Types {
        who: &'d str,
    },
    Connects {
        who: &'d str,
    },
    Disconnects {
        who: &'d str,
    },
    /// Changes the presence to idle.
    Idles {
        who: &'d str,
    },
    Joins {
        who: &'d str,
    },
    Leaves {
        who: &'d str,
    },
    /// Assigns a role as a moderator.
    IsGivenRole {
        who: &'d str,
        role: &'d str,
    },
    IsBanned {
        who: &'d str,
        reason: &'d str,
    },
    IsUnbanned {
        who: &'d str,
    },
    Pins {
        message: &'d str,
    },
    MakesRoom {
        name: &'d str,
    },
    ChangesTopic {
        topic: &'d str,
    },
    RenamesRoom {
        name: &'d str,
    },
    RemovesRoom {
        name: &'d str,
    },
    /// Votes for the first answer of the poll in a message.
    Votes {
        who: &'d str,
    },
    EntersVoice {
        who: &'d str,
    },
    Invites {
        who: &'d str,
    },
    /// Sends a join request with an invitation of another user.
    AsksToJoin {
        who: &'d str,
        invited_by: &'d str,
    },
    /// Sends an inline query; returns its id.
    Queries {
        who: &'d str,
        text: &'d str,
    },
    /// Causes an event that Palabre has no kind for.
    DoesSomethingElse,
}
