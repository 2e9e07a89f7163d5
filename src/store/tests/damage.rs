//! Files with flipped bits: the damage is found and reported, and nothing panics.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::path::Path;

use palabre_store::{Error, Store, Table, verify};
use palabre_types::{Batch, TableId};

const VALUES: Table<(String, String), String> = Table::new(TableId::ScriptValues);
const TIMERS: Table<u64, String> = Table::new(TableId::Timers);

/// Creates a file of some hundred kilobytes that was closed properly.
fn file(folder: &Path) -> Vec<u8> {
    let store = Store::open(folder).unwrap();
    for round in 0..5 {
        let mut batch = Batch::default();
        for n in 0..200_u64 {
            let text = format!("{round} {n} ").repeat(20);
            VALUES.put(&mut batch, &("script".to_owned(), n.to_string()), &text);
            TIMERS.put(&mut batch, &(n * 7), &text);
        }
        store.commit(batch).wait().unwrap();
    }
    store.close();
    std::fs::read(folder.join("palabre.redb")).unwrap()
}

#[test]
fn a_flipped_bit_in_any_page_that_is_used_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, path) = (file(folder.path()), folder.path().join("palabre.redb"));
    assert!(verify(&path).unwrap().findings.is_empty());
    let text = b"4 137 4 137 ";
    let places: Vec<usize> =
        whole.windows(text.len()).enumerate().filter(|(_, at)| at == text).map(|(n, _)| n).collect();
    assert!(!places.is_empty());
    let mut found = 0;
    for place in &places {
        let mut flipped = whole.clone();
        flipped[*place] ^= 0x10;
        std::fs::write(&path, &flipped).unwrap();
        // The place may belong to an old page that is no longer part of the store.
        found += usize::from(verify(&path).map_or(true, |inspection| !inspection.findings.is_empty()));
        assert!(std::fs::read(&path).unwrap() == flipped, "verifying changes nothing");
    }
    assert!(found > 0);
}

#[test]
fn no_flipped_bit_makes_anything_panic() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, path) = (file(folder.path()), folder.path().join("palabre.redb"));
    let mut damaged = 0;
    // The file header, then places all over the file: page headers and contents.
    for place in (0..512).step_by(37).chain((4_096..whole.len()).step_by(4_096 * 9 + 211)) {
        let mut flipped = whole.clone();
        flipped[place] ^= 1 << (place % 8);
        std::fs::write(&path, &flipped).unwrap();
        match verify(&path) {
            Ok(inspection) => damaged += usize::from(!inspection.findings.is_empty()),
            Err(Error::Damaged { .. } | Error::Io { .. } | Error::Newer { .. }) => damaged += 1,
            Err(other) => panic!("byte {place}: {other}"),
        }
        // Opening and reading may fail, but neither they nor closing may panic.
        if let Ok(store) = Store::open(folder.path()) {
            drop(store.inspect());
            store.close();
        }
    }
    assert!(damaged > 0);
}

#[test]
fn many_flipped_bits_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (mut bytes, path) = (file(folder.path()), folder.path().join("palabre.redb"));
    // All pages except the first ones; their headers say how many rows there are.
    for page in (8..bytes.len() / 4_096).map(|page| page * 4_096) {
        bytes[page + 2] ^= 0xFF;
    }
    std::fs::write(&path, &bytes).unwrap();
    match verify(&path) {
        Err(Error::Damaged { .. }) => {}
        Err(other) => panic!("{other}"),
        Ok(inspection) => assert!(!inspection.findings.is_empty()),
    }
}

#[test]
fn an_empty_or_foreign_file_is_not_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    std::fs::write(&path, []).unwrap();
    assert!(matches!(verify(&path), Err(Error::Damaged { .. })));
    std::fs::write(&path, b"a letter to a friend ".repeat(500)).unwrap();
    assert!(matches!(verify(&path), Err(Error::Damaged { .. })));
    assert!(matches!(verify(&folder.path().join("none")), Err(Error::Io { .. })));
}

#[test]
fn a_store_truncated_to_zero_is_not_taken_for_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palabre.redb");
    file(folder.path());
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(Store::open(folder.path()).err(), Some(Error::Damaged { .. })));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0, "the file is left unchanged");
}

#[test]
fn a_store_whose_creation_was_interrupted_is_created_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("palabre.new"), b"half of one").unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut batch = Batch::default();
    TIMERS.put(&mut batch, &1, &"kept".to_owned());
    store.commit(batch).wait().unwrap();
    store.close();
    assert!(verify(&folder.path().join("palabre.redb")).unwrap().findings.is_empty());
    assert!(!folder.path().join("palabre.new").exists());
}

#[test]
fn a_file_or_a_dangling_link_in_place_of_the_folder_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, dangling) = (folder.path().join("file"), folder.path().join("link"));
    std::fs::write(&plain, b"").unwrap();
    std::os::unix::fs::symlink(folder.path().join("nothing"), &dangling).unwrap();
    for path in [plain.clone(), dangling, plain.join("data")] {
        assert!(matches!(Store::open(&path).err(), Some(Error::NotAFolder { .. })), "{}", path.display());
    }
}
