//! Runs `before_message` hooks, one script after another, before a message is delivered.

use std::sync::Arc;

use async_trait::async_trait;
use palabre_platform::{Gate, Verdict};
use palabre_types::{Event, EventKind, Permission};
use tokio::sync::oneshot;

use crate::bot_settings::{BotSettings, Settings};
use crate::declared::Declared;
use crate::published::Published;
use crate::task::Task;
use crate::workers::Workers;

/// The gate that the adapter of a platform of our own asks.
pub struct ScriptsGate {
    /// The declarations of all scripts.
    pub declared: Arc<Published<Arc<Declared>>>,
    /// The workers.
    pub workers: Workers,
    /// The settings of the bots.
    pub settings: Arc<Settings>,
}

#[async_trait]
impl Gate for ScriptsGate {
    async fn before_message(&self, mut event: Event) -> Verdict {
        let declared = self.declared.read();
        let mut verdict = Verdict::Pass;
        for script_id in &declared.gates {
            let (reply, said) = oneshot::channel();
            self.workers.send(*script_id, Task::Gate { script_id: *script_id, event: Box::new(event.clone()), reply });
            // A worker that is gone has no objection.
            match said.await.unwrap_or(Verdict::Pass) {
                Verdict::Pass => {}
                Verdict::Change(text) => {
                    // The next script sees the changed text.
                    if let EventKind::BeforeMessage { message } = &mut event.kind {
                        message.content.text.clone_from(&text);
                    }
                    verdict = Verdict::Change(text);
                }
                refused @ Verdict::Refuse(_) => return refused,
            }
        }
        verdict
    }

    fn permission(&self, event: &Event) -> Permission {
        let settings = self.settings.get(&event.bot.name);
        settings.map_or_else(|| BotSettings::default().permission(event), |settings| settings.permission(event))
    }
}
