//! The routes of the service, for the API description of the server.
//!
//! A test compares them with the routers.

use palabre_types::Endpoint;

const PAGE_ANSWERS: &[(u16, &str)] = &[(200, "The page")];
const READ_ANSWERS: &[(u16, &str)] = &[(200, "As JSON"), (429, RATE_LIMITED), (503, "The store cannot be read")];
const RATE_LIMITED: &str = "Too many requests; see Retry-After";

/// Every route of the service.
pub const ENDPOINTS: &[Endpoint] = &[
    read("/", "The page", PAGE_ANSWERS),
    read("/rooms/{room}", "The page of a room", PAGE_ANSWERS),
    read("/chat", "The page, with username and room in the query", PAGE_ANSWERS),
    Endpoint {
        method: "POST",
        path: "/join",
        summary: "Redirects a form with username and room to the page of the room",
        body: Some("application/x-www-form-urlencoded"),
        answers: &[(303, "Redirect to the page"), (400, "The username or room is not valid"), (429, RATE_LIMITED)],
    },
    read(
        "/assets/{path}",
        "An asset of the page",
        &[(200, "The file"), (304, "The file has not changed"), (404, "No such asset")],
    ),
    read("/api/rooms", "The rooms that have people or messages", READ_ANSWERS),
    read("/api/stats", "Statistics: messages, rooms, people, connections, memory", READ_ANSWERS),
    read(
        "/api/files/{id}",
        "A file attached to a message; supports Range",
        &[
            (200, "The file"),
            (206, "The requested range"),
            (304, "The file has not changed"),
            (404, "The file does not exist any more"),
            (416, "The range is outside the file"),
        ],
    ),
    Endpoint {
        method: "PUT",
        path: "/api/files/{id}",
        summary: "Uploads a file for a message, to the address that `upload` returned over Socket.IO",
        body: Some("application/octet-stream"),
        answers: &[
            (200, "Name, type and size of the file"),
            (404, "No file was announced under that id, or too long ago"),
            (408, "The upload took too long"),
            (409, "The file is already being uploaded"),
            (413, "The file is too large"),
            (422, "The file is empty"),
            (429, RATE_LIMITED),
            (503, "Too many files are being uploaded"),
        ],
    },
    read(
        "/socket.io/",
        "Socket.IO over Engine.IO 4: a handshake, queued packets, or the upgrade to a WebSocket",
        &[(101, "Switching to a WebSocket"), (200, "Packets"), (400, "No such session"), (429, RATE_LIMITED)],
    ),
    Endpoint {
        method: "POST",
        path: "/socket.io/",
        summary: "Packets of a client that uses long polling",
        body: Some("text/plain"),
        answers: &[
            (200, "The packets were accepted"),
            (400, "No such session"),
            (413, "The packets are too large"),
            (429, RATE_LIMITED),
        ],
    },
];

const fn read(path: &'static str, summary: &'static str, answers: &'static [(u16, &'static str)]) -> Endpoint {
    Endpoint { method: "GET", path, summary, body: None, answers }
}
