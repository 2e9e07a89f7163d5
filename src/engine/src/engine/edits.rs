//! Changes stored values of scripts for an operator.

use palabre_platform::EmitError;
use palabre_types::ScriptName;
use tokio::sync::oneshot;

use super::Engine;
use crate::edits::{EditError, ValueChange, writes};
use crate::message::{CoreMessage, EditRequest};

impl Engine {
    /// Changes values of a script between two of its steps. Returns once the change is durable.
    ///
    /// Waiting runs see it when they continue. The new values do not expire. `by` is recorded in the
    /// journal. The script need not be running.
    ///
    /// # Errors
    /// If a key or value is not one that scripts can store, or nothing can be stored at present.
    pub async fn edit(&self, script: &ScriptName, by: &str, changes: &[ValueChange]) -> Result<(), EditError> {
        let writes = writes(changes)?;
        let (receipt, edited) = oneshot::channel();
        let request = EditRequest { script: script.clone(), by: by.to_owned(), writes, receipt };
        self.cx.send(CoreMessage::Edit(request));
        // An error means that the sequencer has ended.
        edited.await.unwrap_or(Err(EmitError::Stopped))?;
        Ok(())
    }
}
