//! Benchmarks of the disk's sync, of redb alone, and of the store on top of it.

use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use palabre_store::{Store, Table};
use palabre_types::{Batch, TableId};
use redb::{Database, TableDefinition};

use crate::report::{Report, thousands};

const SYNCS: usize = 300;
const TIME: Duration = Duration::from_secs(3);

/// Returns the median time of writing 4 KiB in place and syncing, the minimum of a durable commit.
pub(crate) fn sync(report: &mut Report) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = std::fs::File::create(folder.path().join("file")).expect("a file");
    file.write_all(&[0; 1 << 20]).and_then(|()| file.sync_all()).expect("a disk");
    let mut times: Vec<_> = (0..SYNCS)
        .map(|number| {
            let began = Instant::now();
            file.seek(SeekFrom::Start((number % 256) as u64 * 4_096)).expect("a disk");
            file.write_all(&[number as u8; 4_096]).and_then(|()| file.sync_data()).expect("a disk");
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    let (median, late) = (times[SYNCS / 2], times[SYNCS * 99 / 100]);
    report.row("sync of 4 KiB by the disk", format!("{median:.0?}"), format!("99th percentile {late:.0?}"));
    median
}

/// Measures commits per second of redb alone and of the store, one at a time and in groups.
pub(crate) fn commits(report: &mut Report, sync: Duration) {
    let alone = redb(1);
    let grouped = redb(1_000);
    let limit = 1.0 / sync.as_secs_f64();
    report.row(
        "bare redb, one row a commit",
        format!("{} /s", thousands(alone)),
        format!("the disk syncs {} /s", thousands(limit)),
    );
    report.row("bare redb, 1,000 rows a commit", format!("{} rows/s", thousands(grouped)), String::new());
    let store = one_at_a_time();
    report.row(
        "store, one batch at a time",
        format!("{} /s", thousands(store)),
        format!("{:.0} % of bare redb", 100.0 * store / alone),
    );
    let store = in_groups();
    report.row(
        "store, 1,000 batches waiting",
        format!("{} batches/s", thousands(store)),
        format!("{:.0} % of bare redb in groups", 100.0 * store / grouped),
    );
}

fn redb(rows: u64) -> f64 {
    const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("t");
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::create(folder.path().join("redb")).expect("a database");
    let began = Instant::now();
    let mut number: u64 = 0;
    while began.elapsed() < TIME {
        let transaction = database.begin_write().expect("a transaction");
        {
            let mut table = transaction.open_table(TABLE).expect("a table");
            for _ in 0..rows {
                number += 1;
                table.insert((number % 10_000).to_be_bytes().as_slice(), [7; 32].as_slice()).expect("a row");
            }
        }
        transaction.commit().expect("a commit");
    }
    number as f64 / began.elapsed().as_secs_f64()
}

const VALUES: Table<u64, Vec<u8>> = Table::new(TableId::ScriptValues);

fn batch(number: u64) -> Batch {
    let mut batch = Batch::default();
    VALUES.put(&mut batch, &(number % 10_000), &vec![7; 32]);
    batch
}

fn one_at_a_time() -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let began = Instant::now();
    let mut number = 0;
    while began.elapsed() < TIME {
        number += 1;
        store.commit(batch(number)).wait().expect("a commit");
    }
    number as f64 / began.elapsed().as_secs_f64()
}

fn in_groups() -> f64 {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let began = Instant::now();
    let mut number = 0;
    let mut waiting = std::collections::VecDeque::new();
    while began.elapsed() < TIME {
        while waiting.len() < 2_000 {
            number += 1;
            waiting.push_back(store.commit(batch(number)));
        }
        for ticket in waiting.drain(..1_000) {
            ticket.wait().expect("a commit");
        }
    }
    let done = number - waiting.len() as u64;
    done as f64 / began.elapsed().as_secs_f64()
}
