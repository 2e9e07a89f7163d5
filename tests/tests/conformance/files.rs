//! Attachments that are sent on to another platform.
//!
//! The content must be downloadable, and nothing else that an address may lead to. Scripts supply
//! the address, so it may be anything.

use std::net::SocketAddr;

use palabre_types::{ActionError, EventKind};
use tokio::net::{TcpListener, TcpStream};

use crate::platform::{Deed, Lack, Platform};

/// The content of alice's attachment.
const NOTES: &str = "buy bread";

/// Returns the address that the event gives to an attachment of alice.
async fn attached<P: Platform>(platform: &mut P) -> String {
    let deed = Deed::Attaches { who: "alice", text: "my notes", name: "notes.txt", data: NOTES };
    platform.people(deed).await;
    let event = platform.fixture().hears("my notes").await;
    let EventKind::Message { message } = event.kind else { unreachable!("messages are heard") };
    message.content.attachments[0].url.clone()
}

/// Tests that an attachment can be downloaded repeatedly without changes, and not above the size limit.
pub(crate) async fn files_of_people_are_relayed<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::LACKS.contains(&Lack::Uploads) {
        return;
    }
    let url = attached(&mut platform).await;
    let adapter = &platform.fixture().adapter;
    for size_max in [adapter.capabilities().max_file, NOTES.len()] {
        assert_eq!(adapter.file(&url, size_max).await, Ok(NOTES.as_bytes().to_vec()));
    }
    let too_large = adapter.file(&url, NOTES.len() - 1).await;
    let names_limit = |why: &String| why.contains(&(NOTES.len() - 1).to_string());
    assert!(matches!(&too_large, Err(ActionError::Rejected(why)) if names_limit(why)), "{too_large:?}");
}

/// Tests that an address that is not a file of the platform is refused permanently, without a request.
pub(crate) async fn addresses_of_others_are_refused<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let trap = TcpListener::bind("127.0.0.1:0").await.expect("a free port on this machine");
    let at = trap.local_addr().expect("a bound socket has an address");
    let mut addresses = strange(at);
    if !P::LACKS.contains(&Lack::Uploads) {
        addresses.extend(like(&attached(&mut platform).await, at));
    }
    let adapter = &platform.fixture().adapter;
    for url in addresses {
        let refused = adapter.file(&url, adapter.capabilities().max_file).await;
        let is_refused = matches!(refused, Err(ActionError::Rejected(_) | ActionError::NotFound(_)));
        assert!(is_refused, "{refused:?} for {url:?}");
    }
    // The first connection is from the test itself.
    let own = TcpStream::connect(at).await.expect("the trap is open");
    let (_, first) = trap.accept().await.expect("a connection arrives");
    assert_eq!(own.local_addr().ok(), Some(first), "a foreign address was requested");
}

/// Returns foreign addresses: of this machine, of other platforms, of other bots, invalid ones.
fn strange(at: SocketAddr) -> Vec<String> {
    let port = at.port();
    [
        "",
        " ",
        "notes.txt",
        "🙂",
        "file:///etc/passwd",
        "/etc/passwd",
        "../../etc/passwd",
        "data:text/plain,hello",
        "/api/files/",
        "/api/files/nobodys",
        "/api/files/../../etc/passwd",
        "telegram:",
        "telegram:AgACAgIdocument99999999xkeBAAE",
        "telegram:../getMe",
        "https://example.org/notes.txt",
        "https://cdn.discordapp.com.example.org/attachments/1/2/notes.txt",
    ]
    .map(ToOwned::to_owned)
    .into_iter()
    .chain([
        format!("http://{at}/notes.txt"),
        format!("http://localhost:{port}/attachments/1/2/notes.txt"),
        format!("http://alice:secret@{at}/notes.txt"),
        format!("https://cdn.discordapp.com@{at}/attachments/1/2/notes.txt"),
        format!("//{at}/api/files/notes"),
        format!("telegram:http://{at}/notes.txt"),
    ])
    .collect()
}

/// Returns addresses that look like one of the platform's, but lead elsewhere.
fn like(own: &str, at: SocketAddr) -> Vec<String> {
    let path = own.split_once("://").map_or(own, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.trim_start_matches('/');
    vec![format!("http://{at}/{path}"), format!("http://{at}/?{own}"), format!("http://{at}#{own}")]
}
