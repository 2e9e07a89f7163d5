//! Changes of stored values by an operator, as scripts could make them too.

use bytes::Bytes;
use palabre_platform::EmitError;
use palabre_script::{KEY_BYTES, VALUE_BYTES};
use palabre_state::{EditRecord, Entry};
use palabre_store::{Error, Store};
use palabre_types::{Change, Millis, ScriptName, Write, encode_value};
use serde_json::Value;

use crate::offline_batch::OfflineBatch;

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
    /// The running engine could not write it.
    #[error(transparent)]
    Write(#[from] EmitError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Changes values of a script while no daemon runs. `now` is the time of the change, and `by` is
/// recorded in the journal.
///
/// # Errors
/// If a key or value is not one that scripts can store, or the store cannot be read or written.
pub async fn edit_stored(
    store: &Store,
    script: &ScriptName,
    by: &str,
    changes: &[ValueChange],
    now: Millis,
) -> Result<(), EditError> {
    let writes = writes(changes)?;
    let rows = {
        let batch = OfflineBatch::new(&store.snapshot(0)?, now)?;
        let (script, head, by) = (script.clone(), batch.head(script), by.to_owned());
        batch.with(Entry::Edit(EditRecord { script, head, by, writes })).into_rows()?
    };
    Ok(store.commit(rows).await?)
}

/// Returns the writes of changes, if scripts could make them too.
pub(crate) fn writes(changes: &[ValueChange]) -> Result<Vec<Write>, EditError> {
    changes.iter().map(write).collect()
}

fn write(change: &ValueChange) -> Result<Write, EditError> {
    let ValueChange { scope, name, value } = change;
    let key: Bytes = [scope.as_bytes(), &[0], name.as_bytes()].concat().into();
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
