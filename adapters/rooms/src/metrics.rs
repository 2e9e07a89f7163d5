//! Metrics of the room service.

use std::sync::atomic::Ordering::Relaxed;

use palabre_platform::Metric;

use crate::service::Rooms;

/// Returns all metrics.
pub(crate) fn of(rooms: &Rooms) -> Vec<Metric> {
    let figure = |name, help, value, is_count| Metric { name, help, labels: Vec::new(), value, is_count };
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let mut metrics = vec![
        figure("rooms_connections", "Open connections", number(rooms.connections()), false),
        figure("rooms_open", "Open rooms", number(rooms.directory.rooms().len()), false),
        figure("rooms_people", "People online", number(rooms.directory.people()), false),
        figure("rooms_uploads_under_way", "Files being uploaded", number(rooms.transfers.taken()), false),
        figure("rooms_messages", "Messages since the start", rooms.counts.messages.load(Relaxed), true),
        figure(
            "rooms_slow_clients",
            "Clients disconnected because their queue was full",
            rooms.counts.slow_clients.load(Relaxed),
            true,
        ),
        figure(
            "rooms_refused_connections",
            "Connections refused at a limit",
            rooms.counts.refused_connections.load(Relaxed),
            true,
        ),
    ];
    for (kind, late, refused) in rooms.limiter.counts() {
        let of = |name, help, value| Metric { name, help, labels: vec![("limit", kind.name())], value, is_count: true };
        metrics.push(of("rooms_late_events", "Events over a limit that were accepted late", late));
        metrics.push(of("rooms_refused_events", "Events over a limit that were refused", refused));
    }
    metrics
}
