//! Data of one installation only, such as a seed that no other may share.

use crate::error::{Error, Result};
use crate::file::DatabaseFile;
use crate::snapshot::definition;
use palabre_types::TableId;

/// Removes the data of the installation that the file was copied from.
///
/// Its owners create it again when they need it.
pub(crate) fn clear(file: &DatabaseFile) -> Result<()> {
    let database = file.database()?;
    let clear = || -> std::result::Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        for table in TableId::ALL.iter().filter(|table| table.is_of_installation()) {
            transaction.delete_table(definition(*table))?;
        }
        Ok(transaction.commit()?)
    };
    clear().map_err(|error| Error::redb("write to", &file.path, error))
}
