//! `cargo run --release -p palabre-bench`: measures each figure in the same run as its limit.
//!
//! With names (`events`, `store`, `listening`, `ranking`, `reply`, `daemon`, `discord`) it runs
//! only those parts.

mod daemon;
mod discord;
mod disk;
mod events;
mod hook;
mod listening;
mod process;
mod ranking;
mod report;

use report::Report;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|name| name == part);
    let mut report = Report::new();
    let sync = disk::sync(&mut report);
    if wants("store") {
        disk::commits(&mut report, sync);
    }
    if wants("events") {
        let bare = hook::bare(&mut report);
        events::durable(&mut report, bare);
    }
    if wants("listening") {
        listening::scan(&mut report);
    }
    if wants("ranking") {
        ranking::large(&mut report);
    }
    if wants("daemon") {
        daemon::idle(&mut report);
    }
    if wants("reply") {
        daemon::replies(&mut report, sync);
    }
    if wants("discord") {
        discord::busy(&mut report);
    }
    report.print();
}
