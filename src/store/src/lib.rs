//! A key-value store in one file: ordered tables, snapshots for reads, atomic batches for writes.
//!
//! All writes go through [`Store::commit`]. A [`Batch`](palabre_types::Batch) is plain data (puts, deletes and the
//! conditions under which they apply). Applying one reads nothing but the store: no clock and no
//! random numbers, so that a replicated log could order the same batches one day. One writer thread
//! takes all queued batches, applies them in one durable transaction and then answers them
//! (*group commit*).
//!
//! ```
//! use palabre_store::{Store, Table};
//! use palabre_types::{Batch, TableId};
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

mod apply;
mod counts;
mod damage;
mod disk;
mod error;
mod file;
mod inspect;
mod installation;
mod lock;
mod migrations;
mod overlay;
mod panics;
mod preallocated;
mod refused_parts;
mod row;
mod snapshot;
mod stats;
mod store;
mod submission;
mod table;
mod writer;

pub use disk::{Disk, MemoryDisk};
pub use error::{Error, Result};
pub use inspect::{Finding, Inspection, verify};
pub use panics::is_panic_caught;
pub use row::Row;
pub use snapshot::{Direction, Snapshot};
pub use stats::Stats;
pub use store::Store;
pub use submission::{Applied, BatchIdentity, Ticket};
pub use table::Table;
