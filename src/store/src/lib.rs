//! Ordered tables in one file: snapshots to read from, atomic batches to write with.
//!
//! All writes go through [`Store::commit`]. A [`Batch`] is plain data (puts, deletes and the conditions under
//! which they hold), and applying one reads nothing but the store: no clock, no randomness. That is what lets the
//! same batches be ordered by a replicated log one day. One writer thread takes every batch that waits, applies them
//! in one durable transaction and answers them all (*group commit*).
//!
//! ```
//! use palabre_store::{Batch, Store, Table, TableId};
//!
//! const VALUES: Table<String, u64> = Table::new(TableId::ScriptValues);
//!
//! let store = Store::in_memory()?;
//! let mut batch = Batch::default();
//! VALUES.put(&mut batch, &"answer".to_owned(), &42);
//! store.commit(batch).wait()?;
//! assert_eq!(VALUES.get(&store.snapshot(0)?, &"answer".to_owned())?, Some(42));
//! # Ok::<(), palabre_store::Error>(())
//! ```

mod batch;
mod catalogue;
mod counts;
mod damage;
mod disk;
mod error;
mod file;
mod inspect;
mod installation;
mod key;
mod lock;
mod migrations;
mod overlay;
mod panics;
mod row;
mod snapshot;
mod store;
mod table;
mod writer;

pub use batch::{Batch, Millis, Op, Require};
pub use catalogue::TableId;
pub use disk::{Disk, MemoryDisk};
pub use error::{Error, Result};
pub use inspect::{Finding, Inspection, verify};
pub use key::Key;
pub use panics::is_panic_caught;
pub use row::Row;
pub use snapshot::{Direction, Snapshot};
pub use store::{Stats, Store};
pub use table::Table;
pub use writer::Ticket;
