//! Changes stored values of scripts for an operator.

use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_script::{KEY_BYTES, VALUE_BYTES};
use palabre_types::{Change, ScriptName, Write, encode_value};
use serde_json::Value;
use tokio::sync::oneshot;

use super::Engine;
use crate::message::{CoreMessage, EditRequest};

/// A stored value of a script that an operator changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueChange {
    /// The scope: empty for `store` itself.
    pub scope: String,
    /// The name within the scope.
    pub name: String,
    /// The new value; `None` or null deletes it.
    pub value: Option<Value>,
}

/// The reason why an edit was refused; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A scope or name is not one that scripts can use.
    #[error("{scope:?} {name:?} is no key: a name has 1 to {KEY_BYTES} bytes, and a scope no zero byte")]
    Key {
        /// The scope.
        scope: String,
        /// The name.
        name: String,
    },
    /// A value is larger than scripts may store.
    #[error("the value of {name:?} has {bytes} bytes; a value may have {VALUE_BYTES}")]
    Value {
        /// Its name.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] EmitError),
}

impl Engine {
    /// Changes values of a script between two of its steps. Returns once the change is durable.
    ///
    /// Waiting runs see it when they continue. The new values do not expire. `by` is recorded in the
    /// journal. The script need not be running.
    ///
    /// # Errors
    /// If a key or value is not one that scripts can store, or nothing can be stored at present.
    pub async fn edit(&self, script: &ScriptName, by: &str, changes: &[ValueChange]) -> Result<(), EditError> {
        let writes = changes.iter().map(write).collect::<Result<_, _>>()?;
        let (receipt, edited) = oneshot::channel();
        let request = EditRequest { script: script.clone(), by: by.to_owned(), writes, receipt };
        self.cx.send(CoreMessage::Edit(request));
        // An error means that the sequencer has ended.
        edited.await.unwrap_or(Err(EmitError::Stopped))?;
        Ok(())
    }
}

/// Returns the write of a change, if scripts could make it too.
fn write(change: &ValueChange) -> Result<Write, EditError> {
    let ValueChange { scope, name, value } = change;
    let key: Arc<[u8]> = [scope.as_bytes(), &[0], name.as_bytes()].concat().into();
    if !(1..=KEY_BYTES).contains(&name.len()) || scope.contains('\0') {
        return Err(EditError::Key { scope: scope.clone(), name: name.clone() });
    }
    let change = match value {
        None | Some(Value::Null) => Change::Delete,
        Some(value) => {
            let value = encode_value(value);
            if value.len() > VALUE_BYTES {
                return Err(EditError::Value { name: name.clone(), bytes: value.len() });
            }
            Change::Set { value: value.into(), expires: None }
        }
    };
    Ok(Write { key, change })
}
