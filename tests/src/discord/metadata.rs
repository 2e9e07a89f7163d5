//! The metadata of interactions, which the messages in response contain.

use serde_json::{Value, json};

use super::id::Id;
use super::interaction::Kind;
use super::state::State;
use crate::json::merge;

impl State {
    /// The description of the interaction in the message that responds to it.
    pub(super) fn metadata(&self, id: Id) -> Value {
        let Some(interaction) = self.interactions.get(&id) else { return Value::Null };
        let guild = self.guild_of(interaction.channel).unwrap_or(Id(0));
        let mut metadata = json!({
            "id": id, "type": interaction.kind as u8, "user": self.user_frame(interaction.user),
            "authorizing_integration_owners": { "0": guild },
        });
        if let Some(original) = interaction.original {
            metadata["original_response_message_id"] = json!(original);
        }
        match interaction.kind {
            Kind::Component => {
                metadata["interacted_message_id"] = json!(interaction.message.map(|(_, message)| message))
            }
            Kind::Modal => {
                let opened_by = interaction.opened_by.map(|opened_by| self.metadata(opened_by));
                metadata["triggering_interaction_metadata"] = opened_by.unwrap_or_default();
            }
            Kind::Command | Kind::Autocomplete => merge(&mut metadata, interaction.target.clone()),
        }
        metadata
    }

    /// The metadata of the target of a context menu, for the response.
    pub(super) fn metadata_of_target(&self, data: &Value) -> Value {
        match (Id::of(data, "target_id"), data["type"].as_u64()) {
            (Some(user), Some(2)) => json!({ "target_user": self.user_frame(user) }),
            (Some(message), Some(3)) => json!({ "target_message_id": message }),
            _ => json!({}),
        }
    }
}
