//! The routes of the service, for the API description of the server.
//!
//! A test compares them with the routers.

use palabre_model::Endpoint;

const PAGE_ANSWERS: &[(u16, &str)] = &[(200, "The page")];
const READ_ANSWERS: &[(u16, &str)] = &[(200, "As JSON"), (429, RATE_LIMITED), (503, "The store cannot be read")];
const RATE_LIMITED: &str = "Too much was asked; Retry-After says for how long";

/// Every route of the service.
pub const ENDPOINTS: &[Endpoint] = &[
    read("/", "The page", PAGE_ANSWERS),
    read("/rooms/{room}", "The page, at a room", PAGE_ANSWERS),
    read("/chat", "The page; the query has username and room", PAGE_ANSWERS),
    Endpoint {
        method: "POST",
        path: "/join",
        summary: "Leads to the page, at a room: a form with username and room",
        body: Some("application/x-www-form-urlencoded"),
        answers: &[(303, "See the page"), (400, "Nobody can come in under that name, or there"), (429, RATE_LIMITED)],
    },
    read(
        "/assets/{path}",
        "What belongs to the page",
        &[(200, "The file"), (304, "It has not changed"), (404, "There is none")],
    ),
    read("/api/rooms", "The rooms that have somebody in them or something to read", READ_ANSWERS),
    read("/api/stats", "How much there is: messages, rooms, people, connections, memory", READ_ANSWERS),
    read(
        "/api/files/{id}",
        "A file that came with a message; Range asks for a part",
        &[
            (200, "The file"),
            (206, "The part"),
            (304, "It has not changed"),
            (404, "There is no such file any more"),
            (416, "Nothing of that part is in it"),
        ],
    ),
    Endpoint {
        method: "PUT",
        path: "/api/files/{id}",
        summary: "A file for a message, under the address that `upload` gave over Socket.IO",
        body: Some("application/octet-stream"),
        answers: &[
            (200, "What the file is called, and how large it is"),
            (404, "Nothing was announced under that id, or too long ago"),
            (408, "It did not come in time"),
            (409, "It is on its way already"),
            (413, "It is too large"),
            (422, "It is empty"),
            (429, RATE_LIMITED),
            (503, "Too many files are on their way"),
        ],
    },
    read(
        "/socket.io/",
        "Socket.IO over Engine.IO 4: a handshake, what waits for the client, or the upgrade to a websocket",
        &[(101, "A websocket from now on"), (200, "Packets"), (400, "There is no such session"), (429, RATE_LIMITED)],
    ),
    Endpoint {
        method: "POST",
        path: "/socket.io/",
        summary: "Packets of a client, by long polling",
        body: Some("text/plain"),
        answers: &[
            (200, "They were taken"),
            (400, "There is no such session"),
            (413, "They are too large"),
            (429, RATE_LIMITED),
        ],
    },
];

const fn read(path: &'static str, summary: &'static str, answers: &'static [(u16, &'static str)]) -> Endpoint {
    Endpoint { method: "GET", path, summary, body: None, answers }
}
