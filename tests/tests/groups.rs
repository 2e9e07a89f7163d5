//! Rooms that accounts create, from outside: roles, invites, privacy, moderation and deletion.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_tests::{Client, Site, registration, text};
use reqwest::Method;
use serde_json::{Value, json};

const SETTINGS: &str = "limits: { logins: { burst: 1000, per_minute: 0 }, rooms: { burst: 1000, per_minute: 0 } }";

/// Creates a room and returns what the service says about it.
async fn create(site: &Site, token: &str, room: Value) -> Value {
    let (status, created) = site.post("/api/rooms", token, room).await;
    assert_eq!(status, 201, "{created}");
    created
}

/// Makes an account a member through an invite.
async fn invite(site: &Site, room: &str, owner: &str, guest: &str) {
    let (status, made) = site.post(&format!("/api/rooms/{room}/invites"), owner, json!({ "uses": 1 })).await;
    assert_eq!(status, 201, "{made}");
    let code = text(&made["code"]);
    let (status, joined) = site.post(&format!("/api/invites/{code}"), guest, Value::Null).await;
    assert_eq!((status.as_u16(), &joined["role"]), (200, &json!("member")), "{joined}");
    assert_eq!(site.post(&format!("/api/invites/{code}"), owner, Value::Null).await.0, 404, "it is used up");
}

async fn say(site: &Site, room: &str, token: &str, message: &str) -> String {
    let (status, sent) = site.post(&format!("/api/rooms/{room}/messages"), token, json!({ "message": message })).await;
    assert_eq!(status, 201, "{sent}");
    text(&sent["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_room_is_closed_to_everybody_without_an_invite() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (bob_id, bob), (_, carol)) =
        (site.register("alice").await, site.register("bob").await, site.register("carol").await);
    let room = create(&site, &alice, json!({ "name": "den", "visibility": "private", "topic": "plans" })).await;
    assert_eq!(
        (&room["role"], &room["topic"], &room["visibility"]),
        (&json!("owner"), &json!("plans"), &json!("private"))
    );
    let id = say(&site, "den", &alice, "our secret").await;

    for stranger in [&bob, &carol] {
        for path in ["/api/rooms/den", "/api/rooms/den/messages", "/api/rooms/den/members", "/api/rooms/den/invites"] {
            assert_eq!(site.get(path, stranger).await.0, 404, "{path}");
        }
        let path = format!("/api/rooms/den/messages/{id}");
        assert_eq!(site.get(&path, stranger).await.0, 404);
        assert_eq!(site.call(Method::DELETE, &path, stranger, Value::Null).await.0, 404);
        let (_, listed) = site.get("/api/rooms", stranger).await;
        assert!(!listed.to_string().contains("den"), "{listed}");
    }
    assert_eq!(site.get("/api/rooms/den", "").await.0, 404);
    let refused = Client::enter(&site.daemon.address, "guest", "den").await.err().unwrap();
    assert!(format!("{refused:?}").contains("private"), "{refused:?}");

    invite(&site, "den", &alice, &bob).await;
    let (_, page) = site.get("/api/rooms/den/messages", &bob).await;
    assert_eq!(page["messages"][0]["message"], "our secret");
    assert!(site.get("/api/rooms", &bob).await.1.to_string().contains("den"));
    assert_eq!(site.get("/api/users/me/rooms", &bob).await.1["rooms"], json!([{ "room": "den", "role": "member" }]));

    // A member who is removed has to leave.
    let mut client = Client::connect_with(&site.daemon.address, Some(&bob)).await.unwrap();
    client.join(json!({ "username": "bob", "room": "den" })).await.unwrap();
    let member = format!("/api/rooms/den/members/{bob_id}");
    assert_eq!(site.call(Method::DELETE, &member, &alice, Value::Null).await.0, 204);
    assert_eq!(client.wait("moderated").await.unwrap()["kind"], "removed");
    assert_eq!(site.get("/api/rooms/den/messages", &bob).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_in_a_room_decide_who_may_do_what() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((alice_id, alice), (bob_id, bob), (carol_id, carol)) =
        (site.register("alice").await, site.register("bob").await, site.register("carol").await);
    create(&site, &alice, json!({ "name": "club" })).await;
    invite(&site, "club", &alice, &bob).await;
    let role = async |token: &str, account: &str, role: &str| {
        let path = format!("/api/rooms/club/members/{account}");
        site.call(Method::PUT, &path, token, json!({ "role": role })).await.0.as_u16()
    };
    let patch =
        async |token: &str, change: Value| site.call(Method::PATCH, "/api/rooms/club", token, change).await.0.as_u16();
    assert_eq!(role(&bob, &bob_id, "moderator").await, 403, "nobody promotes themselves");
    assert_eq!(role(&bob, &alice_id, "banned").await, 403);
    assert_eq!(patch(&bob, json!({ "topic": "mine" })).await, 403);
    assert_eq!(role(&alice, &bob_id, "moderator").await, 204);
    assert_eq!(patch(&bob, json!({ "topic": "ours", "slowmode": 0, "locked": false })).await, 200);
    assert_eq!(site.get("/api/rooms/club", &carol).await.1["topic"], "ours");
    assert_eq!(patch(&bob, json!({ "visibility": "private" })).await, 403, "only owners");
    assert_eq!(role(&bob, &alice_id, "member").await, 403, "an owner is above a moderator");
    assert_eq!(role(&alice, &carol_id, "owner").await, 409, "nobody becomes a member without an invite");

    // A moderator deletes messages of members, and mutes and bans them in this room.
    let id = say(&site, "club", &carol, "spam").await;
    let message = format!("/api/rooms/club/messages/{id}");
    assert_eq!(site.call(Method::PATCH, &message, &bob, json!({ "message": "x" })).await.0, 403);
    assert_eq!(site.call(Method::PUT, &format!("{message}/pin"), &carol, Value::Null).await.0, 403);
    assert_eq!(site.call(Method::PUT, &format!("{message}/pin"), &bob, Value::Null).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &message, &bob, Value::Null).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &message, &bob, Value::Null).await.0, 404);
    let of_owner = say(&site, "club", &alice, "rules").await;
    let of_owner = format!("/api/rooms/club/messages/{of_owner}");
    assert_eq!(site.call(Method::DELETE, &of_owner, &bob, Value::Null).await.0, 403);
    assert_eq!(role(&bob, &carol_id, "muted").await, 204);
    let muted = site.post("/api/rooms/club/messages", &carol, json!({ "message": "more" })).await;
    assert_eq!(muted.0, 403, "{}", muted.1);
    assert_eq!(site.get("/api/rooms/club/messages", &carol).await.0, 200);
    let leave = site.call(Method::DELETE, "/api/rooms/club/members/me", &carol, Value::Null).await;
    assert_eq!(leave.0, 403, "leaving must not end a mute");
    assert_eq!(role(&bob, &carol_id, "banned").await, 204);
    assert_eq!(site.get("/api/rooms/club/messages", &carol).await.0, 404);
    assert_eq!(role(&carol, &carol_id, "member").await, 404, "the banned do not lift their ban");

    assert_eq!(role(&alice, &bob_id, "owner").await, 204);
    assert_eq!(role(&bob, &alice_id, "moderator").await, 403, "owners do not demote each other");
    assert_eq!(role(&bob, &bob_id, "moderator").await, 204);

    // An archived room is read-only, and the last owner stays.
    assert_eq!(patch(&alice, json!({ "archived": true })).await, 200);
    assert_eq!(site.post("/api/rooms/club/messages", &alice, json!({ "message": "x" })).await.0, 403);
    assert_eq!(patch(&alice, json!({ "archived": false })).await, 200);
    let leave = site.call(Method::DELETE, "/api/rooms/club/members/me", &alice, Value::Null).await;
    assert_eq!(leave.0, 409, "{}", leave.1);
    assert_eq!(site.call(Method::DELETE, "/api/rooms/club/members/me", &bob, Value::Null).await.0, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_is_created_once_under_names_that_look_alike_and_is_deleted_with_its_messages() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    create(&site, &alice, json!({ "name": "Garden", "guests": false })).await;
    for name in ["Garden", "garden", "g\u{430}rden"] {
        let (status, refused) = site.post("/api/rooms", &bob, json!({ "name": name })).await;
        assert_eq!(status, 409, "{name}: {refused}");
    }
    for name in ["", "a/b", &"x".repeat(500)] {
        assert_eq!(site.post("/api/rooms", &bob, json!({ "name": name })).await.0, 400, "{name}");
    }
    let guest = Client::enter(&site.daemon.address, "guest", "Garden").await;
    assert!(guest.is_err(), "guests are not allowed");
    // Names that look alike are the same room for everybody.
    let (_visitor, joined) = Client::enter(&site.daemon.address, "visitor", "Square").await.unwrap();
    assert_eq!(joined["room"], "Square");
    let (_other, joined) = Client::enter(&site.daemon.address, "other", "sQUARE").await.unwrap();
    assert_eq!(joined["room"], "Square");
    // A room that guests use already is nobody's.
    let (_guest, _) = Client::enter(&site.daemon.address, "guest", "square").await.unwrap();
    assert_eq!(site.post("/api/rooms", &bob, json!({ "name": "square" })).await.0, 409);

    say(&site, "Garden", &alice, "seeds").await;
    let mut client = Client::connect_with(&site.daemon.address, Some(&bob)).await.unwrap();
    client.join(json!({ "username": "bob", "room": "Garden" })).await.unwrap();
    let delete =
        async |token: &str| site.call(Method::DELETE, "/api/rooms/Garden", token, Value::Null).await.0.as_u16();
    assert_eq!(delete(&bob).await, 403);
    assert_eq!(delete(&alice).await, 204);
    assert_eq!(client.wait("moderated").await.unwrap()["kind"], "removed");
    assert_eq!(delete(&alice).await, 404, "it is closed to everybody");
    assert_eq!(site.post("/api/rooms/Garden/messages", &alice, json!({ "message": "x" })).await.0, 404);
    assert!(Client::enter(&site.daemon.address, "guest", "garden").await.is_err(), "it does not become public");
    // The next owner finds nothing of it, also in memory.
    create(&site, &bob, json!({ "name": "Garden" })).await;
    assert_eq!(site.get("/api/rooms/Garden/messages", &bob).await.1["messages"], json!([]));
    let mut client = Client::connect_with(&site.daemon.address, Some(&bob)).await.unwrap();
    let joined = client.join(json!({ "username": "bob", "room": "Garden" })).await.unwrap();
    assert_eq!(joined["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_edited_with_their_history_over_http() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    let id = say(&site, "general", &alice, "first").await;
    let message = format!("/api/rooms/general/messages/{id}");
    // In one go, so that the first edit is not durable when the second one arrives.
    let mut client = Client::connect_with(&site.daemon.address, Some(&alice)).await.unwrap();
    client.join(json!({ "username": "alice", "room": "general" })).await.unwrap();
    let mut asked = Vec::new();
    for text in ["second", "third"] {
        asked.push(client.ask("edit_message", json!({ "id": id, "message": text })).await.unwrap());
    }
    for number in asked {
        client.ack(number).await.unwrap();
    }
    assert_eq!(site.call(Method::PATCH, &message, &alice, json!({ "message": "" })).await.0, 400);
    assert_eq!(site.call(Method::PATCH, &message, &bob, json!({ "message": "x" })).await.0, 403);
    let (_, now) = site.get(&message, &bob).await;
    assert_eq!((&now["message"], &now["edited"]), (&json!("third"), &json!(true)));
    let (_, edits) = site.get(&format!("{message}/edits"), &bob).await;
    let texts: Vec<&Value> = edits["versions"].as_array().unwrap().iter().map(|version| &version["message"]).collect();
    assert_eq!(texts, ["first", "second"]);
    let heart = format!("{message}/reactions/%E2%9D%A4");
    assert_eq!(site.call(Method::PUT, &heart, &bob, Value::Null).await.0, 204);
    assert_eq!(site.get(&message, &bob).await.1["reactions"], json!({ "\u{2764}": ["bob"] }));
    assert_eq!(site.call(Method::DELETE, &heart, &alice, Value::Null).await.0, 204, "nothing to remove");
    assert_eq!(site.call(Method::DELETE, &heart, &bob, Value::Null).await.0, 204);
    assert_eq!(site.get(&message, &bob).await.1["reactions"], Value::Null);
    assert_eq!(site.call(Method::DELETE, &message, &bob, Value::Null).await.0, 403);
    assert_eq!(site.call(Method::DELETE, &message, &alice, Value::Null).await.0, 204);
    assert_eq!(site.get(&format!("{message}/edits"), &alice).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_the_first_start_creates_the_owner_who_gives_roles() {
    let script = r#"command("level", {}, function(event)
        event:reply(`{event.user.name} is {event:permission()}`)
    end)"#;
    let site = Site::new(SETTINGS, &[("level.luau", script)]).await;
    let said = &site.daemon.said;
    let secret = said.split("owner=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let with = |name: &str, secret: &str| {
        let mut body = registration(name);
        body["owner"] = json!(secret);
        body
    };
    assert_eq!(site.post("/api/auth/register", "", with("mallory", "guessed")).await.0, 403);
    let (status, owner) = site.post("/api/auth/register", "", with("root", &secret)).await;
    assert_eq!((status.as_u16(), &owner["role"]), (201, &json!("owner")), "{owner}");
    assert_eq!(site.post("/api/auth/register", "", with("second", &secret)).await.0, 403, "it works once");
    let (owner_id, owner) = (text(&owner["id"]), text(&owner["token"]));
    let ((mod_id, moderator), (bob_id, bob)) = (site.register("maria").await, site.register("bob").await);
    let role = async |token: &str, account: &str, role: &str| {
        site.call(Method::PUT, &format!("/api/users/{account}/role"), token, json!({ "role": role })).await.0.as_u16()
    };
    assert_eq!(role(&bob, &bob_id, "owner").await, 403);
    assert_eq!(role(&owner, &mod_id, "moderator").await, 200);
    assert_eq!(role(&moderator, &bob_id, "trusted").await, 403, "moderators give no roles");
    assert_eq!(role(&owner, &bob_id, "admin").await, 200);
    assert_eq!(role(&bob, &owner_id, "member").await, 403, "an owner is above an administrator");
    assert_eq!(role(&bob, &bob_id, "owner").await, 403);
    assert_eq!(role(&bob, &mod_id, "trusted").await, 200);
    assert_eq!(role(&owner, &owner_id, "admin").await, 400, "the last owner stays");
    assert_eq!(role(&owner, &mod_id, "everyone").await, 400);
    assert_eq!(role(&owner, &mod_id, "moderator").await, 200);

    // Scripts see the role, and a guest is everyone.
    for (token, name, level) in
        [(Some(&owner), "root", "owner"), (Some(&moderator), "maria", "moderator"), (None, "visitor", "everyone")]
    {
        let mut client = Client::connect_with(&site.daemon.address, token.map(String::as_str)).await.unwrap();
        client.join(json!({ "username": name, "room": "general" })).await.unwrap();
        client.say("/level", name).await.unwrap();
        client.hears(&format!("{name} is {level}")).await.unwrap();
    }

    // A moderator of the service moderates every room.
    let id = say(&site, "general", &bob, "an administrator's").await;
    let message = format!("/api/rooms/general/messages/{id}");
    assert_eq!(site.call(Method::DELETE, &message, &moderator, Value::Null).await.0, 403);
    assert_eq!(role(&owner, &bob_id, "member").await, 200);
    assert_eq!(site.call(Method::DELETE, &message, &moderator, Value::Null).await.0, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_roles_and_invites_survive_a_kill() {
    let site = Site::new(SETTINGS, &[]).await;
    let ((_, alice), (_, bob)) = (site.register("alice").await, site.register("bob").await);
    create(&site, &alice, json!({ "name": "den", "visibility": "private" })).await;
    let (_, made) = site.post("/api/rooms/den/invites", &alice, json!({})).await;
    say(&site, "den", &alice, "hello").await;
    let Site { daemon, http, project } = site;
    daemon.kill().await;
    let site = Site { daemon: project.start().await, http, project };
    assert_eq!(site.get("/api/rooms/den", &bob).await.0, 404);
    let (status, joined) = site.post(&format!("/api/invites/{}", text(&made["code"])), &bob, Value::Null).await;
    assert_eq!((status.as_u16(), &joined["member_count"]), (200, &json!(2)), "{joined}");
    assert_eq!(site.get("/api/rooms/den/messages", &bob).await.1["messages"][0]["message"], "hello");
    assert_eq!(site.call(Method::DELETE, "/api/rooms/den", &alice, Value::Null).await.0, 204);
}
