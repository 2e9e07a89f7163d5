//! A scenario: what people do with a script, as a list of steps, and what the script needs for it.

/// Where a scenario is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Rooms,
    Discord,
    Telegram,
}

/// A conversation with a script that ships.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The script, with those that it builds on or that the conversation needs besides.
    pub(crate) scripts: &'static [&'static str],
    /// What bots.yaml says of the script, in the flow style of YAML: `{here}` is the room `general`, `{told}` the room beside,
    /// `{feed}` the address of the feed.
    pub(crate) settings: &'static str,
    /// Who is there, and in which room.
    pub(crate) cast: &'static [(&'static str, &'static str)],
    /// Who of them are moderators. Olivia stands above them.
    pub(crate) moderators: &'static [&'static str],
    /// The room that the script's config names.
    pub(crate) told: Option<&'static str>,
    /// Why two platforms cannot be played before the same daemon; none where they are.
    pub(crate) apart: Option<&'static str>,
    /// Where a platform differs by its nature, for those who read the transcript.
    pub(crate) notes: &'static [(Platform, &'static str)],
    /// Regular expressions of what differs from time to time, and the marks that take its place.
    pub(crate) marks: &'static [(&'static str, &'static str)],
    pub(crate) steps: &'static [Step],
}

/// Alice and Bob in one room with a script that needs nothing: to be filled up.
pub(crate) const PLAIN: Scenario = Scenario {
    scripts: &[],
    settings: "",
    cast: &[("Alice", "general"), ("Bob", "general")],
    moderators: &[],
    told: None,
    apart: None,
    notes: &[],
    marks: &[],
    steps: &[],
};

/// Why scripts are played apart that tell something to a room of their config.
pub(crate) const ONE_ROOM: &str = "the script's config names one room, which is of one platform";
/// Why scripts are played apart that count over all bots.
pub(crate) const ONE_STORE: &str =
    "what the script keeps is one for all platforms, so one would see what the other did";
/// Where answers for one person's eyes go.
pub(crate) const IN_PRIVATE: &[(Platform, &str)] = &[
    (
        Platform::Discord,
        "On Discord a typed command is no interaction, so that an answer for one person's eyes comes as a direct message.",
    ),
    (
        Platform::Telegram,
        "On Telegram an answer for one person's eyes comes as a direct message, which takes that they have begun with the bot; to whoever presses a button it is shown over the chat.",
    ),
];

const REFUSALS: &str =
    "on Telegram the runtime refuses a command before all, since whoever has not begun with the bot would hear nothing";

/// Where administrators say what a bot may do.
pub(crate) const WITH_RIGHTS: &[Platform] = &[Platform::Discord, Platform::Telegram];
pub(crate) const WHO_HAS_RIGHTS: &str = "the room service keeps its bots from nothing";

/// One thing that happens, or is waited for.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) act: Act,
    /// The platforms that it can be played on, and why the others cannot.
    pub(crate) only: Option<(&'static [Platform], &'static str)>,
}

/// What happens. `{@Bob}` in a text is a mention of Bob's, as the platform writes it.
#[derive(Debug)]
pub(crate) enum Act {
    Says {
        who: &'static str,
        text: &'static str,
    },
    /// Says something that the platform does not take.
    IsRefused {
        who: &'static str,
        text: &'static str,
    },
    /// Uses a command from the platform's list, where it has one; elsewhere it is typed.
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
    /// From now on the platform keeps the bot from something.
    Forbids(Right),
    Enters {
        who: &'static str,
    },
    Leaves {
        who: &'static str,
    },
    /// The bot says so many things in a room.
    Answers {
        place: &'static str,
        count: usize,
    },
    /// The bot says something in a room that has `part` in it; what it says before is passed over.
    Begins {
        place: &'static str,
        part: &'static str,
    },
    /// The bot says something for one person's eyes.
    AnswersAlone {
        who: &'static str,
    },
    /// The bot changes the message whose button was pressed.
    Changes,
    /// What somebody said is removed; several at once by a purge.
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
    /// A program asks a route of the script; `{room}` in the body is the room `general`.
    Asks {
        method: &'static str,
        path: &'static str,
        body: &'static str,
    },
    /// An article appears in the feed, once the script has looked at those before.
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

/// Which button is pressed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Button {
    Labelled(&'static str),
    /// What is on it is random: the first that fits, and what it is called here.
    Fitting(&'static str, fn(&str) -> bool),
}

/// What a platform can keep a bot from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Muting, kicking and banning, in `general`.
    Restrict,
    /// Removing what others said, in `general`.
    Remove,
    /// Saying anything in a room.
    Speak(&'static str),
}

/// What becomes of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Muted,
    Unmuted,
    Kicked,
    Banned,
    Unbanned,
}

/// What becomes of a room.
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

/// The room service keeps its bots from nothing.
pub(crate) const fn forbids(right: Right) -> Step {
    Step::of(Act::Forbids(right)).only_on(WITH_RIGHTS, WHO_HAS_RIGHTS)
}

pub(crate) const fn enters(who: &'static str) -> Step {
    Step::of(Act::Enters { who })
}

pub(crate) const fn leaves(who: &'static str) -> Step {
    Step::of(Act::Leaves { who })
}

/// The bot says so many things in `general`.
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

/// The runtime does not take a command, and says so to whoever typed it alone, where it can. Goes with [`refuses_before_all`].
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
