//! What people do.

/// What somebody does. Messages are named by their ids.
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
    /// Says something to the bot alone.
    Whispers {
        who: &'d str,
        text: &'d str,
    },
    /// The author does it.
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
    /// Fills in the form that they were shown.
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
    /// Shows how they are: idle.
    Idles {
        who: &'d str,
    },
    Joins {
        who: &'d str,
    },
    Leaves {
        who: &'d str,
    },
    /// Somebody who keeps order does it.
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
    /// Votes for the first answer of a poll; its message.
    Votes {
        who: &'d str,
    },
    EntersVoice {
        who: &'d str,
    },
    Invites {
        who: &'d str,
    },
    /// Asks to be let in, by an invitation of somebody else's; the invitation.
    AsksToJoin {
        who: &'d str,
        invited_by: &'d str,
    },
    /// Asks the bot for something to say; what the question is known by.
    Queries {
        who: &'d str,
        text: &'d str,
    },
    /// Something that Palabre has no kind for.
    DoesSomethingElse,
}
