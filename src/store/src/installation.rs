//! What belongs to one installation alone, such as a seed that no other must share.

use crate::file::DatabaseFile;
use crate::snapshot::definition;
use crate::{Error, Result, TableId};

/// Forgets what belonged to the installation that the file was copied from. Whoever needs it makes it anew.
pub(crate) fn forget(file: &DatabaseFile) -> Result<()> {
    let database = file.database()?;
    let forget = || -> std::result::Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        for table in TableId::ALL.iter().filter(|table| table.is_of_installation()) {
            transaction.delete_table(definition(*table))?;
        }
        Ok(transaction.commit()?)
    };
    forget().map_err(|error| Error::redb("write to", &file.path, error))
}
