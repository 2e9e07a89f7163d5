//! How much a message of a platform may have beside its text.

use crate::Content;

/// The most that a message of a platform may have. What goes past one is told to the script at its own line, before anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLimits {
    /// Embeds.
    pub embeds: usize,
    /// Characters of an embed's title.
    pub embed_title: usize,
    /// Characters of an embed's description.
    pub embed_description: usize,
    /// Fields of an embed.
    pub embed_fields: usize,
    /// Characters of a field's name.
    pub field_name: usize,
    /// Characters of a field's value.
    pub field_value: usize,
    /// Characters of all embeds together.
    pub embeds_total: usize,
    /// Whether the names and the values of fields have to say something.
    pub fields_speak: bool,
    /// Buttons.
    pub buttons: usize,
    /// Options of a list.
    pub options: usize,
    /// Characters of an option's value.
    pub option_value: usize,
    /// Characters of the action of a button or a list.
    pub action: usize,
    /// Options of a poll.
    pub poll_options: usize,
    /// Files.
    pub files: usize,
}

impl ContentLimits {
    /// No limits: what is too much is refused by the platform, or cut.
    pub const NONE: Self = Self {
        embeds: usize::MAX,
        embed_title: usize::MAX,
        embed_description: usize::MAX,
        embed_fields: usize::MAX,
        field_name: usize::MAX,
        field_value: usize::MAX,
        embeds_total: usize::MAX,
        fields_speak: false,
        buttons: usize::MAX,
        options: usize::MAX,
        option_value: usize::MAX,
        action: usize::MAX,
        poll_options: usize::MAX,
        files: usize::MAX,
    };

    /// Checks a message against the limits.
    ///
    /// # Errors
    /// What there is too much of, how much, and the limit.
    pub fn check(&self, content: &Content) -> Result<(), String> {
        let listed = content.select.as_ref().map_or(0, |select| select.options.len());
        let answers = content.poll.as_ref().map_or(0, |poll| poll.options.len());
        within("embeds", content.embeds.len(), self.embeds)?;
        within("buttons", content.buttons.len(), self.buttons)?;
        within("options of the select", listed, self.options)?;
        within("options of the poll", answers, self.poll_options)?;
        within("files", content.files.len(), self.files)?;
        let actions = content.buttons.iter().map(|button| &button.action);
        for action in actions.chain(content.select.iter().map(|select| &select.action)) {
            characters("an action", action, self.action)?;
        }
        for option in content.select.iter().flat_map(|select| &select.options) {
            characters("the value of an option", &option.value, self.option_value)?;
        }
        self.check_embeds(content)
    }

    fn check_embeds(&self, content: &Content) -> Result<(), String> {
        let mut total = 0;
        for embed in &content.embeds {
            total += characters("an embed's title", embed.title.as_deref().unwrap_or_default(), self.embed_title)?;
            let description = embed.description.as_deref().unwrap_or_default();
            total += characters("an embed's description", description, self.embed_description)?;
            within("fields of an embed", embed.fields.len(), self.embed_fields)?;
            for field in &embed.fields {
                total += characters("the name of an embed's field", &field.name, self.field_name)?;
                total += characters("the value of an embed's field", &field.value, self.field_value)?;
                if self.fields_speak && (field.name.trim().is_empty() || field.value.trim().is_empty()) {
                    return Err("a field of an embed has a name and a value; here one is empty".to_owned());
                }
            }
        }
        within("characters in all embeds together", total, self.embeds_total)
    }
}

fn within(what: &str, count: usize, most: usize) -> Result<(), String> {
    if count <= most {
        return Ok(());
    }
    Err(format!("this content cannot be sent: it has {count} {what}; this platform takes at most {most}"))
}

/// Counts the characters of a text that has at most so many.
fn characters(what: &str, text: &str, most: usize) -> Result<usize, String> {
    let count = text.chars().count();
    if count <= most {
        return Ok(count);
    }
    Err(format!("this content cannot be sent: {what} has {count} characters; this platform takes at most {most}"))
}
