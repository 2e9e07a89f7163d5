//! About how much memory an action takes: what a run wants done lies in the host's memory, not in the VM's.

use palabre_model::{Action, Content, Measure, RoomChange};

/// What each thing takes beside its texts, in bytes.
const EACH: usize = 256;

/// About how many bytes.
pub(crate) fn weight(action: &Action) -> usize {
    EACH + match action {
        Action::Send { content, .. }
        | Action::Edit { content, .. }
        | Action::Answer { content, .. }
        | Action::Direct { content, .. } => of_content(content),
        Action::Delete { reason, .. } | Action::Purge { reason, .. } => reason.as_ref().map_or(0, String::len),
        Action::Form { form, .. } => EACH * form.fields.len(),
        Action::Offer { offers, .. } => offers.iter().map(|offer| EACH + offer.title.len() + offer.text.len()).sum(),
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

/// What is in content is bounded when it leaves the VM, so that its texts are the most of it.
fn of_content(content: &Content) -> usize {
    let embeds = content.embeds.iter().map(|embed| EACH + embed.description.as_ref().map_or(0, String::len));
    let files =
        content.files.iter().map(|file| EACH + file.data.len() + file.from.as_ref().map_or(0, |from| from.url.len()));
    let options = content.select.as_ref().map_or(0, |select| EACH * (1 + select.options.len()));
    let poll = content.poll.as_ref().map_or(0, |poll| poll.options.iter().map(|option| EACH + option.len()).sum());
    poll + content.text.len() + content.buttons.len() * EACH + embeds.sum::<usize>() + files.sum::<usize>() + options
}
