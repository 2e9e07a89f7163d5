//! Authorisation: every route and every event, for every kind of caller; and attempts to evade it.

#![allow(clippy::unwrap_used, clippy::large_futures, missing_docs, reason = "a test that cannot continue panics")]

mod attacks;
mod callers;
mod hidden;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use palabre_tests::Site;

use crate::callers::{Caller, Fixture, PRIVATE, PUBLIC};
use crate::table::{EVENTS, ROUTES, Row};

#[tokio::test]
async fn every_route_of_the_description_has_a_row_and_every_row_a_route() {
    let site = Site::new("", &[]).await;
    let described = site.daemon.get("/openapi.json").await;
    let mut shown = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().unwrap() {
        shown.extend(methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    let rows: BTreeSet<String> = ROUTES.iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(shown, rows, "the description on the left, the table on the right");
    assert_eq!(rows.len(), ROUTES.len(), "each route has one row");
}

#[test]
fn every_event_of_clients_has_a_row_and_every_row_an_event() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let source = std::fs::read_to_string(root.join("adapters/rooms/src/transport.rs")).unwrap();
    let calls = source.split("(\"").skip(1).filter_map(|rest| rest.split_once("\", Kind::"));
    let handled: BTreeSet<&str> = calls.map(|(name, _)| name).filter(|name| !name.contains('"')).collect();
    let rows: BTreeSet<&str> = EVENTS.iter().map(|row| row.path).collect();
    assert_eq!(handled, rows, "the handlers on the left, the table on the right");
}

#[test]
fn every_row_has_a_cell_for_each_caller() {
    for row in ROUTES.iter().chain(EVENTS) {
        let is_complete = |cells: &str| cells.chars().filter(|cell| *cell != ' ').count() == Caller::ALL.len();
        let is_optional = row.public.is_empty() && row.method != "EVENT";
        assert!(is_complete(row.private) && (is_optional || is_complete(row.public)), "{row:?}");
    }
}

/// Compares the answers to all callers with the cells of a row.
async fn compare(fixture: &Fixture, row: &Row, wrong: &mut Vec<String>) {
    for (room, cells) in [(PRIVATE, row.private), (PUBLIC, row.public)] {
        for (caller, expected) in Caller::ALL.into_iter().zip(cells.chars().filter(|cell| *cell != ' ')) {
            let is_event = row.method == "EVENT";
            // One test shows that these are not connected, which takes a while.
            if is_event && expected == 'c' {
                continue;
            }
            let got = if is_event {
                fixture.acknowledgement(row, room, caller).await
            } else {
                fixture.answer(row, room, caller).await
            };
            if got != expected {
                wrong.push(format!("{} {} in {room}: {caller:?} got {got}, not {expected}", row.method, row.path));
            }
        }
    }
}

async fn check(rows: impl Iterator<Item = &'static Row>) {
    let fixture = Fixture::start().await;
    let mut wrong = Vec::new();
    for row in rows {
        compare(&fixture, row, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), fixture.site.project.log());
}

fn is_of_messages(row: &Row) -> bool {
    row.path.starts_with("/api/rooms/{room}/messages")
}

fn is_of_rooms(row: &Row) -> bool {
    ["/api/rooms", "/api/invites", "/api/files"].iter().any(|path| row.path.starts_with(path)) && !is_of_messages(row)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_does_with_messages_what_the_table_says() {
    check(ROUTES.iter().filter(|row| is_of_messages(row))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_does_with_rooms_and_files_what_the_table_says() {
    check(ROUTES.iter().filter(|row| is_of_rooms(row))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_does_everything_else_as_the_table_says() {
    check(ROUTES.iter().filter(|row| !is_of_messages(row) && !is_of_rooms(row))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_does_over_socket_io_what_the_table_says() {
    check(EVENTS.iter()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_only_reads_and_a_revoked_one_open_no_connection() {
    let fixture = Fixture::start().await;
    let (reader, revoked) = tokio::join!(fixture.connect(Caller::Reader), fixture.connect(Caller::Revoked));
    assert!(reader.is_err() && revoked.is_err(), "{reader:?} {revoked:?}");
}
