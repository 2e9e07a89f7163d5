//! Sessions: private rooms of one person and the bots in them.
//!
//! Whether a session exists is decided by the row of its room. A session without an account is for
//! everybody who knows its id, which cannot be guessed.

use palabre_store::{Direction, Snapshot};
use palabre_types::{Batch, Key, Millis, TableId};

use crate::accounts::error::AccountError;
use crate::accounts::rows::Account;
use crate::conversation::{SessionOwner, room_of_session, session_id, session_of_room, session_owner, sessions_of};
use crate::files::fresh_id;
use crate::guests::{Guest, PersonKind, public_id};
use crate::history::{self, ROOMS, RoomRow};
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::presence::Author;
use crate::service::Rooms;

/// Maximum number of sessions of an account.
const SESSIONS_MAX: usize = 1_000;
/// Maximum number of messages that are counted in a session.
const COUNTED_MAX: usize = 10_000;

/// A session, with the person in it.
#[derive(Clone)]
pub(crate) struct ChatSession {
    pub(crate) id: String,
    /// The name of its room.
    pub(crate) room: String,
    pub(crate) author: Author,
}

/// A session in a list.
pub(crate) struct SessionSummary {
    pub(crate) id: String,
    pub(crate) created: Millis,
    /// The time of the last message, or of the creation.
    pub(crate) last: Millis,
}

impl ChatSession {
    fn new(id: String, account: Option<&Account>) -> Self {
        let author = match (session_owner(&id), account) {
            (Some(SessionOwner::Account(_)), Some(account)) => Author::of_account(account),
            _ => {
                let guest = Guest::holding(&id).id;
                Author { username: format!("guest-{}", public_id(&guest)), kind: PersonKind::Guest, guest }
            }
        };
        Self { room: room_of_session(&id), id, author }
    }
}

impl Rooms {
    /// Creates a session: of an account, or of the guest who gets its id.
    pub(crate) async fn create_session(
        &self,
        account: Option<&Account>,
        network: Network,
    ) -> Result<ChatSession, AccountError> {
        let mut who = vec![Who::Address(network)];
        who.extend(account.map(|account| Who::Person(network, account.id.as_str().into())));
        if let Verdict::Refused(wait) = self.limiter.take(Kind::Room, &who) {
            return Err(AccountError::TooMany(wait));
        }
        if let Some(account) = account {
            let prefix = sessions_of(&account.id).into_bytes();
            let count = self.read_store(move |snapshot| {
                Ok(ROOMS.scan(snapshot, &prefix, Direction::Forward)?.take(SESSIONS_MAX).count())
            });
            if count.await? >= SESSIONS_MAX {
                let problem = format!("the account has {SESSIONS_MAX} sessions; delete one first");
                return Err(AccountError::Invalid(problem));
            }
        }
        let id = session_id(account.map(|account| account.id.as_str()), &fresh_id(&*self.entropy));
        let session = ChatSession::new(id, account);
        let mut rows = Batch::default();
        ROOMS.require_absent(&mut rows, &session.room);
        ROOMS.put(&mut rows, &session.room, &RoomRow { created: self.clock.now(), ..RoomRow::default() });
        self.write("a new session", rows).await?;
        Ok(session)
    }

    /// Returns the session with an id, if it exists and the account, or a guest, may use it.
    pub(crate) async fn find_session(&self, account: Option<&Account>, id: &str) -> Result<ChatSession, AccountError> {
        // As if it did not exist: nobody learns which sessions others have.
        let unknown = || AccountError::NotFound("there is no such session");
        if let SessionOwner::Account(owner) = session_owner(id).ok_or_else(unknown)?
            && account.is_none_or(|account| account.id != owner)
        {
            return Err(unknown());
        }
        let session = ChatSession::new(id.to_owned(), account);
        let room = session.room.clone();
        let is_known = self.read_store(move |snapshot| Ok(ROOMS.get(snapshot, &room)?.is_some())).await?;
        if is_known { Ok(session) } else { Err(unknown()) }
    }

    /// Returns all sessions of an account, the one used last first.
    pub(crate) async fn sessions(&self, account: &Account) -> Result<Vec<SessionSummary>, AccountError> {
        let prefix = sessions_of(&account.id).into_bytes();
        self.read_store(move |snapshot| {
            let mut found = Vec::new();
            for row in ROOMS.scan(snapshot, &prefix, Direction::Forward)?.take(SESSIONS_MAX) {
                let (room, RoomRow { created, .. }) = row?;
                let Some(id) = session_of_room(&room) else { continue };
                let last = history::last(snapshot, &room, 1)?.pop().map_or(created, |(_, message)| message.time);
                found.push(SessionSummary { id: id.to_owned(), created, last });
            }
            found.sort_by_key(|session| std::cmp::Reverse(session.last));
            Ok(found)
        })
        .await
    }

    /// Deletes a session with its messages and files. Returns when that is durable.
    pub(crate) async fn delete_session(&self, session: &ChatSession) -> Result<(), AccountError> {
        self.erase_room(&session.room).await
    }
}

/// Returns the number of messages of a room, at most `COUNTED_MAX`.
pub(crate) fn count_messages(snapshot: &Snapshot, room: &str) -> palabre_store::Result<usize> {
    let prefix = room.to_owned().to_bytes();
    let mut count = 0;
    for row in snapshot.scan(TableId::RoomMessages, &prefix, None, Direction::Forward)?.take(COUNTED_MAX) {
        row?;
        count += 1;
    }
    Ok(count)
}
