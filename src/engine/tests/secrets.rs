//! Values of the installation, such as configurations with secrets, are in one table alone.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use palabre_engine::ScriptSetup;
use palabre_script::Source;
use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::{Harness, script};

const FIRST: &str = "hunter2-hunter2-hunter2";
const SECOND: &str = "correct-horse-battery-staple";
const KEEPER: &str = r#"
  function on_load() store.set("length", #config.api.token) end
  function on_message(event) event:reply(`{event.text} {#config.api.token}`) end"#;

/// A row of the journal as it is stored.
#[derive(Serialize, Deserialize)]
struct Packed {
    #[serde(with = "serde_bytes")]
    lz4: Vec<u8>,
}

/// Returns the bytes of all entry batches, unpacked.
fn journal(snapshot: &Snapshot) -> Vec<Vec<u8>> {
    let table: Table<u64, Packed> = Table::new(TableId::Journal);
    let rows = table.scan(snapshot, &Vec::new(), Direction::Forward).unwrap();
    rows.map(|row| lz4_flex::decompress_size_prepended(&row.unwrap().1.lz4).unwrap()).collect()
}

/// Returns the bytes of all values in a table.
fn values(snapshot: &Snapshot, table: TableId) -> Vec<Vec<u8>> {
    let rows = snapshot.scan(table, &[], None, Direction::Forward).unwrap();
    rows.map(|row| row.unwrap().1.value).collect()
}

fn is_among(secret: &str, texts: &[Vec<u8>]) -> bool {
    texts.iter().any(|text| text.windows(secret.len()).any(|part| part == secret.as_bytes()))
}

fn keeper(token: &str) -> ScriptSetup {
    ScriptSetup { config: json!({ "api": { "token": token } }), ..script("keeper", KEEPER) }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_configuration_is_in_the_journal_or_in_any_other_table() {
    let harness = Harness::new(vec![keeper(FIRST)]).await;
    harness.alice("one").await;
    let changed = keeper(SECOND);
    harness.engine.reload_configured(Source::from_text("keeper", KEEPER), changed.config).await.unwrap();
    harness.alice("two").await;
    let harness = harness.restart(vec![keeper(FIRST)]).await;
    harness.alice("three").await;
    assert_eq!(harness.replies(), ["one 23", "two 28", "three 23"]);

    let snapshot = harness.store.snapshot(0).unwrap();
    let installation: Table<(String, String), Value> = Table::new(TableId::Installation);
    let seed = installation.get(&snapshot, &("engine".to_owned(), "idempotency seed".to_owned())).unwrap().unwrap();
    let secrets = [FIRST, SECOND, seed.as_str().unwrap()];
    let (kept, journal) = (values(&snapshot, TableId::Installation), journal(&snapshot));
    assert!(is_among("one 23", &journal), "what is in the journal is found");
    for secret in secrets {
        assert!(is_among(secret, &kept), "{secret} is not stored, which shows nothing");
        assert!(!is_among(secret, &journal), "{secret} is in the journal");
    }
    for table in TableId::ALL.iter().copied().filter(|table| !table.is_of_installation()) {
        let found = values(&snapshot, table);
        assert!(secrets.iter().all(|secret| !is_among(secret, &found)), "there is a secret in {}", table.name());
    }
    harness.engine.shutdown().await;
}
