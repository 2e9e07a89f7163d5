//! Starts the responses to interactions, before scripts handle their events.

use std::sync::Arc;

use palabre_platform::AdapterContext;
use palabre_types::UserId;
use serde::Deserialize;
use serde_json::Value;

use crate::discord::Discord;
use crate::interactions::Token;
use crate::{commands, frames, interactions};

impl Discord {
    /// Starts the response to an interaction. Returns true if it is no event.
    ///
    /// Autocompletion and the buttons that open the adapter's own forms are no events.
    pub(crate) fn start_response(self: &Arc<Self>, context: &AdapterContext, data: &Value) -> bool {
        let Ok(frame) = frames::Interaction::deserialize(data) else { return false };
        if frame.id.known().is_none() {
            return false;
        }
        let token = Token::of(&frame);
        let (discord, is_typing) = (Arc::clone(self), frame.kind == interactions::AUTOCOMPLETE);
        let wants_form = Self::is_form(&frame.data.custom_id) && frame.message.is_some();
        let by = UserId::new(self.cache.bot(), &frame.by().map(|user| user.id).unwrap_or_default().to_string());
        let used = (frame.kind == interactions::FORM).then(|| Self::form_button(frame.message.as_ref()?)).flatten();
        let offered = is_typing.then(|| commands::choices(&context.commands.borrow(), &data["data"]));
        self.background_tasks.spawn(async move {
            match offered {
                Some(choices) => discord.interactions.offer(&discord.rest, &token, choices).await,
                None if wants_form => discord.show_form(&frame.data.custom_id, &by, &token).await,
                None => {
                    let application = discord.cache.lock().application;
                    let watching = discord.interactions.watch(&discord.rest, application, &token, &*discord.clock);
                    let tidying = async {
                        if let Some((channel, message, action)) = used {
                            discord.form_is_used(channel, message, action).await;
                        }
                    };
                    tokio::join!(watching, tidying);
                }
            }
        });
        is_typing || wants_form
    }
}
