//! The interface of a platform for scenarios, and the formats of texts that its users write.

use super::scenario::{Fate, Given, Platform, Right, Rule};

/// A message of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// The labels of its buttons.
    pub(crate) buttons: Vec<String>,
}

/// A form as its user sees it.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) title: String,
    pub(crate) labels: Vec<String>,
}

/// A platform with users.
///
/// Each wait ends with the expected message, or fails the test on timeout.
pub(crate) trait Driver {
    const PLATFORM: Platform;

    /// Formats a mention of a user as users write it.
    fn mention(&self, who: &str) -> String;
    /// Formats a room as configurations and programs write it.
    fn room(&self, place: &str) -> String;
    async fn says(&mut self, who: &str, text: &str);
    /// Posts a message that is refused, and returns the reason.
    async fn is_refused(&mut self, who: &str, text: &str) -> String;
    async fn uses(&mut self, who: &str, command: &str, given: &[(&str, Given)]);
    /// Presses the first button that fits, of the last message with buttons in the user's room.
    async fn presses(&mut self, who: &str, fits: &dyn Fn(&str) -> bool);
    /// Fills in the form that a user is shown, and returns the form.
    async fn fills_in(&mut self, who: &str, values: &[(&str, &str)]) -> Form;
    /// Denies the bot a permission.
    fn forbids(&mut self, right: Right);
    async fn enters(&mut self, who: &str);
    async fn leaves(&mut self, who: &str);
    /// Returns the bot's next message in a room.
    async fn hears(&mut self, place: &str) -> Said;
    /// Returns the bot's next message to one user.
    async fn hears_alone(&mut self, who: &str) -> Said;
    /// Waits until the message whose button was pressed has changed.
    async fn hears_change(&mut self) -> Said;
    /// Waits until messages are deleted.
    async fn vanishes(&mut self, texts: &[&str], purged: bool);
    async fn becomes(&mut self, who: &str, fate: Fate);
    async fn room_becomes(&mut self, place: &str, rule: Rule);
    /// Returns the bot's messages that no step has waited for.
    fn left_over(&mut self) -> Vec<Said>;
}

/// Formats a command with its options as a user types it.
pub(crate) fn typed(command: &str, given: &[(&str, Given)]) -> String {
    let words = given.iter().map(|(_, value)| match value {
        Given::Text(text) => (*text).to_owned(),
        Given::Number(number) => number.to_string(),
        Given::Person(name) => format!("@{name}"),
    });
    std::iter::once(format!("/{command}")).chain(words).collect::<Vec<_>>().join(" ")
}

/// Formats mentions in a text as the platform writes them.
pub(crate) fn with_mentions(text: &str, mention: impl Fn(&str) -> String) -> String {
    let mut parts = text.split("{@");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once('}') {
        Some((name, rest)) => text + &mention(name) + rest,
        None => text + "{@" + part,
    })
}
