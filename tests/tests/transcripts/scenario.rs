//! Scenarios: the steps of a conversation with a script, and its requirements.

/// The platform of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Rooms,
    Discord,
    Telegram,
}

/// A conversation with a shipped script.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The script, its dependencies, and others that the conversation needs.
    pub(crate) scripts: &'static [&'static str],
    /// The settings of the script in bots.yaml, in the flow style of YAML.
    ///
    /// `{here}` is the room `general`, `{target}` the configured room, `{feed}` the address of the
    /// feed.
    pub(crate) settings: &'static str,
    /// The users and their rooms.
    pub(crate) cast: &'static [(&'static str, &'static str)],
    /// The moderators among them. Olivia outranks them.
    pub(crate) moderators: &'static [&'static str],
    /// The room named in the script's config.
    pub(crate) target: Option<&'static str>,
    /// The reason why two platforms cannot share a daemon; none if they do.
    pub(crate) apart: Option<&'static str>,
    /// Inherent differences of a platform, as notes for readers of the transcript.
    pub(crate) notes: &'static [(Platform, &'static str)],
    /// Regular expressions of varying parts, and their placeholders.
    pub(crate) placeholders: &'static [(&'static str, &'static str)],
    pub(crate) steps: &'static [Step],
}

/// Alice and Bob in one room with a script without requirements: a base for other scenarios.
pub(crate) const PLAIN: Scenario = Scenario {
    scripts: &[],
    settings: "",
    cast: &[("Alice", "general"), ("Bob", "general")],
    moderators: &[],
    target: None,
    apart: None,
    notes: &[],
    placeholders: &[],
    steps: &[],
};

/// The reason for separate daemons if a script posts in a configured room.
pub(crate) const ONE_ROOM: &str = "the script's config names one room, which is of one platform";
/// The reason for separate daemons if a script counts over all bots.
pub(crate) const ONE_STORE: &str =
    "what the script keeps is one for all platforms, so one would see what the other did";
/// The destination of ephemeral answers.
pub(crate) const IN_PRIVATE: &[(Platform, &str)] = &[
    (
        Platform::Discord,
        "On Discord a typed command is no interaction, \
         so that an answer for one person's eyes comes as a direct message.",
    ),
    (
        Platform::Telegram,
        "On Telegram an answer for one person's eyes comes as a direct message, \
         which takes that they have begun with the bot; \
         to whoever presses a button it is shown over the chat.",
    ),
];

const REFUSALS: &str =
    "on Telegram the runtime refuses a command before all, since whoever has not begun with the bot would hear nothing";

/// The platforms on which administrators set the permissions of a bot.
pub(crate) const WITH_RIGHTS: &[Platform] = &[Platform::Discord, Platform::Telegram];
pub(crate) const WHO_HAS_RIGHTS: &str = "the room service keeps its bots from nothing";

/// A step: an action, or an expected result.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) act: Act,
    /// The platforms on which it can be played, and the reason for leaving out the others.
    pub(crate) only: Option<(&'static [Platform], &'static str)>,
}

/// The content of a step. `{@Bob}` in a text is a mention of Bob in the platform's format.
#[derive(Debug)]
pub(crate) enum Act {
    Says {
        who: &'static str,
        text: &'static str,
    },
    /// Posts a message that the platform refuses.
    IsRefused {
        who: &'static str,
        text: &'static str,
    },
    /// Uses a command from the platform's list if it has one; otherwise it is typed.
    Uses {
        who: &'static str,
        command: &'static str,
        given: &'static [(&'static str, Given)],
    },
    Presses {
        who: &'static str,
        button: Button,
    },
    FillsIn {
        who: &'static str,
        values: &'static [(&'static str, &'static str)],
    },
    /// Denies the bot a permission from now on.
    Forbids(Right),
    Enters {
        who: &'static str,
    },
    Leaves {
        who: &'static str,
    },
    /// Expects a number of messages of the bot in a room.
    Answers {
        place: &'static str,
        count: usize,
    },
    /// Expects a message of the bot that contains `part`; earlier ones are skipped.
    Begins {
        place: &'static str,
        part: &'static str,
    },
    /// Expects an ephemeral message of the bot.
    AnswersAlone {
        who: &'static str,
    },
    /// Expects an edit of the message whose button was pressed.
    Changes,
    /// Expects the deletion of messages; several at once by a purge.
    Vanishes {
        texts: &'static [&'static str],
        purged: bool,
    },
    Becomes {
        who: &'static str,
        fate: Fate,
    },
    RoomBecomes {
        place: &'static str,
        rule: Rule,
    },
    /// Calls a route of the script; `{room}` in the body is the room `general`.
    Asks {
        method: &'static str,
        path: &'static str,
        body: &'static str,
    },
    /// Adds an article to the feed, once the script has processed the previous ones.
    Publishes {
        title: &'static str,
    },
}

/// A value of an option.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given {
    Text(&'static str),
    Number(i64),
    Person(&'static str),
}

/// The button that is pressed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Button {
    Labelled(&'static str),
    /// A button with a random label: the first that fits, and its name in the transcript.
    Fitting(&'static str, fn(&str) -> bool),
}

/// A permission that a platform can deny a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Muting, kicking and banning, in `general`.
    Restrict,
    /// Deleting messages of others, in `general`.
    Remove,
    /// Posting in a room.
    Speak(&'static str),
}

/// The expected state of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Muted,
    Unmuted,
    Kicked,
    Banned,
    Unbanned,
}

/// The expected state of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Topic(&'static str),
    /// Seconds between two messages.
    Pause(u64),
    Locked(bool),
}

impl Step {
    const fn of(act: Act) -> Self {
        Self { act, only: None }
    }

    pub(crate) const fn only_on(self, platforms: &'static [Platform], why: &'static str) -> Self {
        Self { act: self.act, only: Some((platforms, why)) }
    }

    pub(crate) fn is_on(&self, platform: Platform) -> bool {
        self.only.is_none_or(|(platforms, _)| platforms.contains(&platform))
    }
}

pub(crate) const fn says(who: &'static str, text: &'static str) -> Step {
    Step::of(Act::Says { who, text })
}

pub(crate) const fn is_refused(who: &'static str, text: &'static str) -> Step {
    Step::of(Act::IsRefused { who, text })
}

pub(crate) const fn uses(who: &'static str, command: &'static str, given: &'static [(&'static str, Given)]) -> Step {
    Step::of(Act::Uses { who, command, given })
}

pub(crate) const fn presses(who: &'static str, label: &'static str) -> Step {
    Step::of(Act::Presses { who, button: Button::Labelled(label) })
}

pub(crate) const fn presses_one(who: &'static str, called: &'static str, fits: fn(&str) -> bool) -> Step {
    Step::of(Act::Presses { who, button: Button::Fitting(called, fits) })
}

pub(crate) const fn fills_in(who: &'static str, values: &'static [(&'static str, &'static str)]) -> Step {
    Step::of(Act::FillsIn { who, values })
}

/// The room service denies its bots nothing.
pub(crate) const fn forbids(right: Right) -> Step {
    Step::of(Act::Forbids(right)).only_on(WITH_RIGHTS, WHO_HAS_RIGHTS)
}

pub(crate) const fn enters(who: &'static str) -> Step {
    Step::of(Act::Enters { who })
}

pub(crate) const fn leaves(who: &'static str) -> Step {
    Step::of(Act::Leaves { who })
}

/// Expects a number of messages of the bot in `general`.
pub(crate) const fn answers(count: usize) -> Step {
    answers_in("general", count)
}

pub(crate) const fn answers_in(place: &'static str, count: usize) -> Step {
    Step::of(Act::Answers { place, count })
}

pub(crate) const fn begins_in(place: &'static str, part: &'static str) -> Step {
    Step::of(Act::Begins { place, part })
}

pub(crate) const fn answers_alone(who: &'static str) -> Step {
    Step::of(Act::AnswersAlone { who })
}

/// Expects that the runtime refuses a command with an ephemeral message.
///
/// Belongs to [`refuses_before_all`].
pub(crate) const fn refuses(who: &'static str) -> Step {
    answers_alone(who).only_on(&[Platform::Rooms, Platform::Discord], REFUSALS)
}

pub(crate) const fn refuses_before_all() -> Step {
    answers(1).only_on(&[Platform::Telegram], REFUSALS)
}

pub(crate) const fn changes() -> Step {
    Step::of(Act::Changes)
}

pub(crate) const fn vanishes(texts: &'static [&'static str]) -> Step {
    Step::of(Act::Vanishes { texts, purged: false })
}

pub(crate) const fn is_purged(texts: &'static [&'static str]) -> Step {
    Step::of(Act::Vanishes { texts, purged: true })
}

pub(crate) const fn becomes(who: &'static str, fate: Fate) -> Step {
    Step::of(Act::Becomes { who, fate })
}

pub(crate) const fn room_becomes(rule: Rule) -> Step {
    Step::of(Act::RoomBecomes { place: "general", rule })
}

pub(crate) const fn asks(method: &'static str, path: &'static str, body: &'static str) -> Step {
    Step::of(Act::Asks { method, path, body })
}

pub(crate) const fn publishes(title: &'static str) -> Step {
    Step::of(Act::Publishes { title })
}
