//! Approximate memory of actions. Requested actions are in the host's memory, not in the VM's.

use palabre_types::{Action, Content, Embed, Measure, Mention, RoomChange, Select};

/// The size of each object without its texts, in bytes.
const BASE: usize = 256;

/// Returns the approximate memory of an action, in bytes.
pub(crate) fn weight(action: &Action) -> usize {
    BASE + match action {
        Action::Send { content, .. }
        | Action::Edit { content, .. }
        | Action::Answer { content, .. }
        | Action::Direct { content, .. } => of_content(content),
        Action::Delete { reason, .. } | Action::Purge { reason, .. } => reason.as_ref().map_or(0, String::len),
        Action::Form { form, .. } => BASE * form.fields.len(),
        Action::Offer { offers, .. } => offers.iter().map(|offer| BASE + offer.title.len() + offer.text.len()).sum(),
        Action::Moderate { measure, reason, .. } => {
            let of_measure = match measure {
                Measure::AddRole(text) | Measure::RemoveRole(text) | Measure::Rename(text) => text.len(),
                _ => 0,
            };
            of_measure + reason.as_ref().map_or(0, String::len)
        }
        Action::Arrange { change: RoomChange::Topic(topic), .. } => topic.len(),
        Action::Thread { name, .. } => name.len(),
        Action::Invite { .. }
        | Action::Admit { .. }
        | Action::Arrange { .. }
        | Action::React { .. }
        | Action::Typing { .. }
        | Action::Pin { .. } => 0,
    }
}

fn of_content(content: &Content) -> usize {
    let embeds: usize = content.embeds.iter().map(of_embed).sum();
    let buttons =
        content.buttons.iter().map(|button| BASE + button.label.len() + button.action.len() + optional(&button.url));
    let files = content.files.iter().map(|file| {
        let from = file.from.as_ref().map_or(0, |from| from.url.len());
        BASE + file.data.len() + file.name.len() + optional(&file.content_type) + from
    });
    let select = content.select.as_ref().map_or(0, of_select);
    let poll = content
        .poll
        .as_ref()
        .map_or(0, |poll| poll.question.len() + poll.options.iter().map(|option| BASE + option.len()).sum::<usize>());
    let persona = content.persona.as_ref().map_or(0, |persona| persona.name.len() + optional(&persona.picture));
    let mentions = content.mentions.iter().map(|mention| match mention {
        Mention::Everyone => BASE,
        Mention::Role(role) => BASE + role.len(),
        Mention::User(user) => BASE + user.as_str().len(),
    });
    let lists = buttons.sum::<usize>() + files.sum::<usize>() + mentions.sum::<usize>();
    content.text.len() + lists + embeds + select + poll + persona
}

fn of_embed(embed: &Embed) -> usize {
    let texts = optional(&embed.title) + optional(&embed.description) + optional(&embed.url);
    BASE + texts + embed.fields.iter().map(|field| BASE + field.name.len() + field.value.len()).sum::<usize>()
}

fn of_select(select: &Select) -> usize {
    let options = select
        .options
        .iter()
        .map(|option| BASE + option.label.len() + option.value.len() + optional(&option.description));
    BASE + select.action.len() + optional(&select.placeholder) + options.sum::<usize>()
}

fn optional(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}
