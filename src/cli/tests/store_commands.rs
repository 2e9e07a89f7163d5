//! Commands on a store that no daemon has open.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::path::Path;

use palabre_engine::DeadLetter;
use palabre_store::{Store, Table};
use palabre_tests::Project;
use palabre_types::{Action, ActionKey, Content, RunId};
use palabre_types::{Batch, TableId};

const LOADS_SET: &str = "loads is set; shop sees it when the daemon starts\n";
const BOTS: &str = "bots:\n  lobby:\n    platform: rooms\n";
const VALUES: Table<(String, String), String> = Table::new(TableId::ScriptValues);
const LETTERS: Table<u64, DeadLetter> = Table::new(TableId::DeadLetters);

fn put(folder: &Path, text: &str) {
    let store = Store::open(folder).unwrap();
    let mut batch = Batch::default();
    for n in 0..100 {
        VALUES.put(&mut batch, &("hello".to_owned(), n.to_string()), &text.repeat(20));
    }
    store.commit(batch).wait().unwrap();
    store.close();
}

fn value(folder: &Path) -> String {
    let store = Store::open(folder).unwrap();
    VALUES.get(&store.snapshot(0).unwrap(), &("hello".to_owned(), "1".to_owned())).unwrap().unwrap()
}

fn rescue_copies(data: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains("before-restore")).collect()
}

fn runs(project: &Project, args: &[&str]) -> String {
    let (code, out, err) = project.run(args);
    assert_eq!(code, Some(0), "{args:?}: {out}{err}");
    out
}

#[test]
fn restoring_twice_keeps_both_stores_that_were_there() {
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    put(&data, "backed up");
    runs(&project, &["backup", "b.redb"]);
    for text in ["first", "second", "third"] {
        put(&data, text);
        let out = runs(&project, &["restore", "b.redb"]);
        assert!(out.contains("kept the old store as"), "{out}");
        assert_eq!(value(&data), "backed up".repeat(20));
    }
    let copies = rescue_copies(&data);
    assert_eq!(copies.len(), 3, "{copies:?}");
    let mut kept: Vec<String> = copies
        .iter()
        .map(|copy| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::copy(copy, folder.path().join("palabre.redb")).unwrap();
            value(folder.path())
        })
        .collect();
    kept.sort();
    assert_eq!(kept, ["first".repeat(20), "second".repeat(20), "third".repeat(20)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_values_are_listed_set_and_deleted_and_the_script_sees_it() {
    let text = r#"function on_load() store.set("price", 1) store.incr("loads") end"#;
    let project = Project::new(BOTS, &[("shop.luau", text)]);
    assert!(project.start().await.stop().await);
    assert_eq!(runs(&project, &["values", "list", "shop"]), "loads = 1\nprice = 1\n2 values\n");
    assert_eq!(runs(&project, &["values", "set", "shop", "loads", "41"]), LOADS_SET);
    assert_eq!(runs(&project, &["values", "delete", "shop", "price"]), "1 value deleted\n");
    assert_eq!(runs(&project, &["values", "list", "shop", "--json"]), "{\n  \"loads\": 41\n}\n");
    assert!(project.start().await.stop().await);
    assert_eq!(runs(&project, &["values", "get", "shop", "loads"]), "42\n");
    assert_eq!(runs(&project, &["values", "list", "shop", "--prefix", "p"]), "price = 1\n1 value\n");
    for (args, problem) in [
        (&["values", "get", "shop", "prize"][..], "shop has no value \"prize\""),
        (&["values", "delete", "shop", "price", "prize"], "shop has no value \"prize\""),
        (&["values", "set", "shop", "name", "Ann"], "a text is written in quotes: '\"Ann\"'"),
        (&["values", "set", "shop", "", "1"], "a name has 1 to 512 bytes"),
        (&["values", "set", "shop", "price", "null"], "null is no value"),
        (&["values", "set", "shpo", "price", "7"], "there is no script shpo"),
        (&["values", "delete", "shop", "caf\u{fffd}"], "only its script can change that value"),
    ] {
        let (code, out, err) = project.run(args);
        assert!(code == Some(1) && err.contains(problem), "{args:?}: {code:?} {out}{err}");
    }
    assert_eq!(runs(&project, &["values", "list", "shop"]), "loads = 42\nprice = 1\n2 values\n", "nothing changed");
}

#[test]
fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    put(&data, "backed up");
    runs(&project, &["backup", "b.redb"]);
    put(&data, "in use");
    let before = std::fs::read(data.join("palabre.redb")).unwrap();

    let out = runs(&project, &["restore", "b.redb", "--dry-run"]);

    assert!(out.contains("would be kept as") && out.contains("would be written"), "{out}");
    assert!(std::fs::read(data.join("palabre.redb")).unwrap() == before);
    assert!(rescue_copies(&data).is_empty());
}

#[test]
fn a_damaged_backup_is_refused_before_anything_is_moved() {
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    put(&data, "backed up");
    runs(&project, &["backup", "b.redb"]);
    let path = project.path().join("b.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let (text, length) = (b"backed upbacked up", bytes.len());
    let places: Vec<usize> = (0..length - text.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    places.iter().for_each(|at| bytes[*at] ^= 1);
    std::fs::write(&path, &bytes).unwrap();

    for args in [&["restore", "b.redb"][..], &["restore", "b.redb", "--dry-run"]] {
        let (code, out, err) = project.run(args);
        assert_eq!(code, Some(65), "{out}{err}");
        assert!(err.contains("is damaged"), "{err}");
    }
    assert!(rescue_copies(&data).is_empty());
    assert_eq!(value(&data), "backed up".repeat(20));
}

#[test]
fn check_finds_a_flipped_bit_with_a_code_of_its_own_and_changes_nothing() {
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    put(&data, "precious");
    let path = data.join("palabre.redb");
    let whole = std::fs::read(&path).unwrap();
    let (text, mut found) = (b"preciousprecious", 0);
    let places: Vec<usize> = (0..whole.len() - text.len()).filter(|at| whole[*at..].starts_with(text)).collect();
    for place in places.iter().step_by(places.len() / 5 + 1) {
        let mut flipped = whole.clone();
        flipped[*place] ^= 4;
        std::fs::write(&path, &flipped).unwrap();
        let (code, out, err) = project.run(&["check"]);
        assert!(matches!(code, Some(0 | 65)), "{code:?} {out}{err}");
        assert!(!err.contains("panicked"), "{err}");
        found += usize::from(code == Some(65));
        assert!(std::fs::read(&path).unwrap() == flipped);
    }
    assert!(found > 0, "none of {} places", places.len());
}

#[test]
fn check_counts_anew_what_scripts_store_when_asked_to() {
    const USAGE: Table<String, u64> = Table::new(TableId::ScriptUsage);
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    put(&data, "x");
    let store = Store::open(&data).unwrap();
    let mut batch = Batch::default();
    USAGE.put(&mut batch, &"hello".to_owned(), &5_000_000);
    store.commit(batch).wait().unwrap();
    store.close();

    let (code, out, _) = project.run(&["check"]);
    assert!(code == Some(65) && out.contains("5000000 bytes") && out.contains("--repair"), "{out}");
    let out = runs(&project, &["check", "--repair"]);
    assert!(out.contains("recounted"), "{out}");
    runs(&project, &["check"]);
}

fn letter(seq: u64) -> DeadLetter {
    let key = ActionKey { script: "hello".into(), run: RunId::hook(seq, 0), index: 0 };
    let content = Content::text("good morning");
    let action = Action::Send { room: "lobby/general".into(), content, reply_to: None };
    let (requested, at) = (1_799_999_000_000, 1_800_000_000_000);
    DeadLetter::Action { key, action, requested, reason: "the platform was away".to_owned(), at }
}

#[test]
fn dead_letters_are_listed_shown_tried_again_and_dropped() {
    let project = Project::new(BOTS, &[]);
    let data = project.path().join("data");
    let (code, _, err) = project.run(&["dead-letters", "list"]);
    assert!(code == Some(1) && err.contains("there is no store"), "{err}");
    let store = Store::open(&data).unwrap();
    let mut batch = Batch::default();
    for number in [5, 6, 7, 8] {
        LETTERS.put(&mut batch, &number, &letter(number));
    }
    store.commit(batch).wait().unwrap();
    let (code, _, err) = project.run(&["dead-letters", "list"]);
    assert!(code == Some(1) && err.contains("is in use by"), "{err}");
    store.close();

    let out = runs(&project, &["dead-letters", "list"]);
    assert!(out.contains("5  2027-01-15T08:00:00.000Z") && out.contains("4 dead letters"), "{out}");
    assert!(out.contains("send in lobby/general of script hello: the platform was away"), "{out}");
    assert!(!out.contains("good morning"), "texts are shown when they are asked for: {out}");
    let all: serde_json::Value = serde_json::from_str(&runs(&project, &["dead-letters", "list", "--json"])).unwrap();
    assert_eq!(all[3]["number"], 8);
    let one: serde_json::Value = serde_json::from_str(&runs(&project, &["dead-letters", "show", "6"])).unwrap();
    assert_eq!(one["action"]["reason"], "the platform was away");
    assert!(one.to_string().contains("good morning"));
    assert!(runs(&project, &["check"]).contains("4 dead letters"));

    let (code, _, err) = project.run(&["dead-letters", "retry", "5", "9"]);
    assert!(code == Some(1) && err.contains("there is no dead letter 9"), "{err}");
    assert!(runs(&project, &["dead-letters", "retry", "5"]).contains("1 dead letter"));
    assert!(runs(&project, &["dead-letters", "drop", "6"]).contains("1 dead letter dropped"));
    assert!(runs(&project, &["dead-letters", "retry", "--all"]).contains("2 dead letters"));
    assert!(runs(&project, &["dead-letters", "list"]).contains("0 dead letters"));
    let (code, _, err) = project.run(&["dead-letters", "retry"]);
    assert!(code == Some(2), "{err}");
}
