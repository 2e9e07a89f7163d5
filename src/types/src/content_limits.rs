//! Limits of a message's content, except its text.

use crate::content::Content;

/// The limits of a platform for the content of one message.
///
/// A script that exceeds one gets an error at the line that sends the message, before anything is
/// sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLimits {
    /// Maximum number of embeds.
    pub embeds: usize,
    /// Maximum length of an embed's title, in characters.
    pub embed_title: usize,
    /// Maximum length of an embed's description, in characters.
    pub embed_description: usize,
    /// Maximum number of fields of an embed.
    pub embed_fields: usize,
    /// Maximum length of a field's name, in characters.
    pub field_name: usize,
    /// Maximum length of a field's value, in characters.
    pub field_value: usize,
    /// Maximum length of the texts of all embeds together, in characters.
    pub embeds_total: usize,
    /// Whether names and values of fields must not be empty.
    pub requires_field_text: bool,
    /// Maximum number of buttons.
    pub buttons: usize,
    /// Maximum number of options of a list.
    pub options: usize,
    /// Maximum length of an option's value, in characters.
    pub option_value: usize,
    /// Maximum length of the action of a button or list, in characters.
    pub action: usize,
    /// Maximum number of options of a poll.
    pub poll_options: usize,
    /// Maximum number of files.
    pub files: usize,
}

impl ContentLimits {
    /// No limits: the platform refuses or cuts content that exceeds its own.
    pub const NONE: Self = Self {
        embeds: usize::MAX,
        embed_title: usize::MAX,
        embed_description: usize::MAX,
        embed_fields: usize::MAX,
        field_name: usize::MAX,
        field_value: usize::MAX,
        embeds_total: usize::MAX,
        requires_field_text: false,
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
    /// A sentence with the limit that is exceeded, the actual value and the maximum.
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
                if self.requires_field_text && (field.name.trim().is_empty() || field.value.trim().is_empty()) {
                    let problem = "this content cannot be sent: a field of an embed has an empty name or value";
                    return Err(problem.to_owned());
                }
            }
        }
        within("characters in all embeds together", total, self.embeds_total)
    }
}

fn within(what: &str, count: usize, max: usize) -> Result<(), String> {
    if count <= max {
        return Ok(());
    }
    Err(format!("this content cannot be sent: it has {count} {what}; this platform takes at most {max}"))
}

/// Counts the characters of a text, and refuses it if there are more than `max`.
fn characters(what: &str, text: &str, max: usize) -> Result<usize, String> {
    let count = text.chars().count();
    if count <= max {
        return Ok(count);
    }
    Err(format!("this content cannot be sent: {what} has {count} characters; this platform takes at most {max}"))
}
