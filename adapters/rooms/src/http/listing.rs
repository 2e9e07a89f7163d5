//! `GET /api/rooms`: the rooms that a person may see, and one of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::future::join_all;
use palabre_store::{Direction, Result as StoreResult, Snapshot};
use palabre_types::iso8601;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::caller::Reader;
use super::problem::Problem;
use crate::conversation::is_hidden;
use crate::groups::Groups;
use crate::groups::rows::Visibility;
use crate::history::{self, ROOMS, RoomRow};
use crate::room::command::Command;
use crate::service::Rooms;

/// Time for which a room may be busy before its people are left out.
const COUNT_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    Router::new().route("/api/rooms", get(list)).route("/api/rooms/{room}", get(one)).with_state(Arc::clone(rooms))
}

/// Lists the rooms that have people or messages, or that an account has created.
async fn list(State(rooms): State<Arc<Rooms>>, reader: Reader) -> Result<Json<Value>, Problem> {
    let groups = Arc::clone(&rooms.authority.groups);
    let account = reader.account().map(ToOwned::to_owned);
    let may_see = {
        let (groups, account) = (Arc::clone(&groups), account.clone());
        move |name: &str| !is_hidden(name) && groups.may_enter(name, account.as_deref())
    };
    let open = rooms.directory.rooms().into_iter().filter(|(name, _)| may_see(name));
    let asked = open.map(async |(name, room)| (name, people_in(&room).await));
    let mut people: HashMap<String, Vec<String>> = join_all(asked).await.into_iter().collect();
    let listed = rooms.read_store(move |snapshot| {
        let account = account.as_deref();
        let (mut list, mut known) = (Vec::new(), HashSet::new());
        for row in ROOMS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let (name, row) = row?;
            if may_see(&name) {
                let users = people.remove(&name).unwrap_or_default();
                list.push(describe(snapshot, (&groups, account), &name, &users, Some(&row))?);
                known.insert(name);
            }
        }
        // Rooms without messages.
        let created = groups.visible_to(account).into_iter().map(|name| (name, Vec::new()));
        let mut silent: HashMap<String, Vec<String>> = created.filter(|(name, _)| !known.contains(name)).collect();
        silent.extend(people.into_iter().filter(|(name, users)| !users.is_empty() && !known.contains(name)));
        for (name, users) in silent {
            list.push(describe(snapshot, (&groups, account), &name, &users, None)?);
        }
        Ok(list)
    });
    let listed = listed.await?;
    Ok(Json(json!({ "total": listed.len(), "rooms": listed })))
}

async fn one(
    State(rooms): State<Arc<Rooms>>,
    reader: Reader,
    Path(room): Path<String>,
) -> Result<Json<Value>, Problem> {
    let room = rooms.room_named(&room)?;
    let account = reader.account();
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "there is no such room");
    if !rooms.authority.groups.may_enter(&room, account) {
        return Err(unknown());
    }
    let described = rooms.describe_room(&room, account).await?;
    if described["last_activity"].is_null() && described["visibility"].is_null() && described["user_count"] == 0 {
        return Err(unknown());
    }
    Ok(Json(described))
}

async fn people_in(room: &tokio::sync::mpsc::Sender<Command>) -> Vec<String> {
    let (answer, names) = oneshot::channel();
    let asked = async {
        room.send(Command::Count(answer)).await.ok()?;
        names.await.ok()
    };
    // A room that has ended meanwhile is empty, and nobody waits for a busy one.
    tokio::time::timeout(COUNT_TIMEOUT, asked).await.ok().flatten().unwrap_or_default()
}

impl Rooms {
    /// Returns what an account, or a guest, may know about a room that it may enter.
    pub(super) async fn describe_room(&self, room: &str, account: Option<&str>) -> Result<Value, Problem> {
        let users = match self.directory.open(room) {
            Some(open) => people_in(&open).await,
            None => Vec::new(),
        };
        let groups = Arc::clone(&self.authority.groups);
        let (room, account) = (room.to_owned(), account.map(ToOwned::to_owned));
        let described = self.read_store(move |snapshot| {
            let row = ROOMS.get(snapshot, &room)?;
            describe(snapshot, (&groups, account.as_deref()), &room, &users, row.as_ref())
        });
        Ok(described.await?)
    }
}

/// Describes a room, with the role of the account in it.
fn describe(
    snapshot: &Snapshot,
    (groups, account): (&Groups, Option<&str>),
    name: &str,
    users: &[String],
    row: Option<&RoomRow>,
) -> StoreResult<Value> {
    let last = match row {
        Some(row) => {
            let newest = history::last(snapshot, name, 1)?.pop();
            Some(newest.map_or(row.created, |(_, message)| message.time))
        }
        None => None,
    };
    let unset = RoomRow::default();
    let rules = row.unwrap_or(&unset);
    let mut described = json!({
        "name": name,
        "room": name,
        "users": users,
        "user_count": users.len(),
        "last_activity": last.map(iso8601),
        "topic": rules.topic,
        "locked": rules.locked,
    });
    if let Some((group, members, role)) = groups.summary(name, account) {
        described["created"] = json!(iso8601(group.created));
        described["visibility"] = json!(group.visibility);
        described["guests"] = json!(group.allows_guests && group.visibility == Visibility::Public);
        described["archived"] = json!(group.is_archived);
        described["member_count"] = json!(members);
        described["role"] = json!(role);
    }
    Ok(described)
}
