//! `before_message`: every script that has the hook sees a message before it is delivered, one after another.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use palabre_model::{BotName, Event, EventKind, Gate, Permission, Verdict};
use tokio::sync::oneshot;

use crate::operators::BotSettings;
use crate::router::Declared;
use crate::status::Board;
use crate::worker::Task;
use crate::workers::Workers;

/// The scripts, as a platform of our own asks them.
pub(crate) struct ScriptsGate {
    pub(crate) declared: Arc<Board<Arc<Declared>>>,
    pub(crate) workers: Workers,
    pub(crate) settings: Arc<HashMap<BotName, BotSettings>>,
}

#[async_trait]
impl Gate for ScriptsGate {
    async fn before_message(&self, mut event: Event) -> Verdict {
        let declared = self.declared.read();
        let mut verdict = Verdict::Pass;
        for slot in &declared.gates {
            let (reply, said) = oneshot::channel();
            self.workers.tell(*slot, Task::Gate { slot: *slot, event: Box::new(event.clone()), reply });
            // A worker that is gone says nothing against it.
            match said.await.unwrap_or(Verdict::Pass) {
                Verdict::Pass => {}
                Verdict::Change(text) => {
                    // The next script sees what it has become.
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
