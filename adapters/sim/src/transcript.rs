//! The messages of the platform, as users see them.

use std::collections::HashMap;
use std::fmt;

use palabre_types::{
    Action, ActionError, ActionKey, Button, Content, FileToSend, Form, MessageRef, Millis, Outcome, Select,
};

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The id of the message.
    pub id: String,
    /// The native id of the room; empty for direct messages.
    pub room: String,
    /// The time of sending.
    pub time: Millis,
    /// The author's native id.
    pub author: String,
    /// The only user who sees it; `None` for everyone in the room.
    pub to: Option<String>,
    /// The current text.
    pub text: String,
    /// The buttons below it.
    pub buttons: Vec<Button>,
    /// The list below it.
    pub select: Option<Select>,
    /// A form instead of a text.
    pub form: Option<Form>,
    /// The attached files.
    pub files: Vec<FileToSend>,
    /// The texts of its embeds.
    pub embeds: Vec<String>,
    /// Reactions by emoji, with the user.
    pub reactions: Vec<(String, String)>,
    /// The id of the message that it replies to.
    pub reply_to: Option<String>,
    /// Whether it was edited.
    pub edited: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether it is pinned.
    pub pinned: bool,
}

impl Line {
    /// Whether `user`, who is in `room`, sees it.
    #[must_use]
    pub fn is_seen_by(&self, user: &str, room: &str) -> bool {
        match &self.to {
            Some(to) => to == user,
            None => self.room == room && !self.deleted,
        }
    }

    /// Returns the text together with embeds and the title of a form, for searching.
    #[must_use]
    pub fn shown(&self) -> String {
        let form = self.form.iter().map(|form| form.title.clone());
        let parts = (!self.text.is_empty()).then(|| self.text.clone()).into_iter();
        parts.chain(self.embeds.iter().cloned()).chain(form).collect::<Vec<_>>().join(" ")
    }
}

/// All messages, in order.
#[derive(Debug, Clone, Default)]
pub struct Transcript {
    lines: Vec<Line>,
    performed: HashMap<ActionKey, Outcome>,
    repeats: usize,
}

impl Transcript {
    /// Returns all messages, including deleted ones.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Returns the texts that everyone in a room sees, without those of deleted messages.
    #[must_use]
    pub fn texts(&self, room: &str) -> Vec<&str> {
        let shown = |line: &&Line| line.room == room && line.to.is_none() && !line.deleted;
        self.lines.iter().filter(shown).map(|line| line.text.as_str()).collect()
    }

    /// Returns the number of actions that were repeated under the key of a performed one.
    #[must_use]
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    pub(crate) fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Changes the text of a user's own message. Returns the old text, and the time of sending.
    pub(crate) fn reword(&mut self, id: &str, author: &str, text: &str) -> Option<(String, Millis)> {
        let line = self.lines.iter_mut().find(|line| line.id == id && line.author == author && !line.deleted)?;
        line.edited = true;
        Some((std::mem::replace(&mut line.text, text.to_owned()), line.time))
    }

    /// Returns the outcome of the action with this key, if it was performed before.
    ///
    /// A platform that honours action keys answers a repetition with the same outcome.
    pub(crate) fn outcome(&mut self, key: &ActionKey) -> Option<Outcome> {
        let outcome = self.performed.get(key).cloned()?;
        self.repeats += 1;
        Some(outcome)
    }

    /// Records the outcome of the action with this key.
    pub(crate) fn note(&mut self, key: &ActionKey, outcome: &Outcome) {
        self.performed.insert(key.clone(), outcome.clone());
    }

    pub(crate) fn perform(
        &mut self,
        bot: &str,
        now: Millis,
        action: &Action,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        let id = key.to_string();
        let said = |content: &Content| Line {
            id: id.clone(),
            time: now,
            author: bot.to_owned(),
            text: content.text.clone(),
            buttons: content.buttons.clone(),
            select: content.select.clone(),
            files: content.files.clone(),
            embeds: content.embeds.iter().map(shown).collect(),
            ..Line::default()
        };
        let line = match action {
            Action::Send { room, content, reply_to } => {
                Line { room: room.native().to_owned(), reply_to: reply_to.as_ref().map(id_of), ..said(content) }
            }
            Action::Answer { room, user, content, .. } => Line {
                room: room.native().to_owned(),
                to: content.ephemeral.then(|| user.native().to_owned()),
                ..said(content)
            },
            Action::Direct { user, content, .. } => Line { to: Some(user.native().to_owned()), ..said(content) },
            Action::Form { room, user, form, .. } => Line {
                room: room.native().to_owned(),
                to: Some(user.native().to_owned()),
                form: Some(form.clone()),
                ..said(&Content::default())
            },
            Action::Offer { user, offers, .. } => {
                let offers = offers.iter().map(|offer| format!("{}: {}", offer.title, offer.text));
                Line {
                    to: Some(user.native().to_owned()),
                    text: offers.collect::<Vec<_>>().join("\n"),
                    ..said(&Content::default())
                }
            }
            other => {
                self.change(bot, other)?;
                return Ok(Outcome::default());
            }
        };
        self.lines.push(line);
        Ok(Outcome { message: Some(id.into()) })
    }

    fn change(&mut self, bot: &str, action: &Action) -> Result<(), ActionError> {
        match action {
            Action::Edit { message, content, .. } => {
                let line = self.line(&id_of(message))?;
                if line.author != bot {
                    return Err(ActionError::Forbidden("a bot can edit its own messages only".to_owned()));
                }
                line.text.clone_from(&content.text);
                line.buttons.clone_from(&content.buttons);
                line.select.clone_from(&content.select);
                line.embeds = content.embeds.iter().map(shown).collect();
                line.edited = true;
            }
            // A missing message is what these want.
            Action::Delete { message, .. }
            | Action::React { message, remove: true, .. }
            | Action::Pin { message, remove: true, .. }
                if self.line(&id_of(message)).is_err() => {}
            Action::Delete { message, .. } => self.line(&id_of(message))?.deleted = true,
            Action::React { message, emoji, remove, .. } => {
                let reaction = (emoji.clone(), bot.to_owned());
                let line = self.line(&id_of(message))?;
                line.reactions.retain(|there| *there != reaction);
                if !remove {
                    line.reactions.push(reaction);
                }
            }
            Action::Pin { message, remove, .. } => self.line(&id_of(message))?.pinned = !remove,
            Action::Purge { room, count, user, since, .. } => {
                let wanted = |line: &&mut Line| {
                    line.room == room.native()
                        && line.to.is_none()
                        && !line.deleted
                        && user.as_ref().is_none_or(|user| user.native() == line.author)
                        && since.is_none_or(|since| line.time >= since)
                };
                self.lines.iter_mut().rev().filter(wanted).take(*count as usize).for_each(|line| line.deleted = true);
            }
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self, id: &str) -> Result<&mut Line, ActionError> {
        let found = self.lines.iter_mut().rev().find(|line| line.id == id && !line.deleted);
        found.ok_or_else(|| ActionError::NotFound(format!("message {id}")))
    }
}

/// Returns the message id of a resolved reference.
fn id_of(reference: &MessageRef) -> String {
    match reference {
        MessageRef::Id(id) | MessageRef::Own(id) => id.to_string(),
        MessageRef::Sent(key) => key.to_string(),
    }
}

fn shown(embed: &palabre_types::Embed) -> String {
    let fields = embed.fields.iter().map(|field| format!("{} {}", field.name, field.value));
    let parts = [embed.title.clone(), embed.description.clone()].into_iter().flatten();
    parts.chain(fields).collect::<Vec<_>>().join(": ")
}

/// Formats the transcript as a chat: `alice: hi`, then buttons and reactions.
impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.author)?;
        if let Some(to) = &self.to {
            write!(f, " → {to}")?;
        }
        write!(f, ": {}", if self.deleted { "(removed)".to_owned() } else { self.shown() })?;
        for button in &self.buttons {
            write!(f, " [{}]", button.label)?;
        }
        if let Some(select) = &self.select {
            let labels: Vec<_> = select.options.iter().map(|option| option.label.as_str()).collect();
            write!(f, " [{} ▾]", labels.join("|"))?;
        }
        for file in &self.files {
            write!(f, " ({})", file.name)?;
        }
        for (emoji, _) in &self.reactions {
            write!(f, " {emoji}")?;
        }
        for (is_set, label) in [(self.pinned, " (pinned)"), (self.edited, " (edited)")] {
            f.write_str(if is_set { label } else { "" })?;
        }
        Ok(())
    }
}
