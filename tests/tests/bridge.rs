//! Bridged rooms: the real daemon with the shipped bridge, and users on several platforms.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::Duration;

use palabre_tests::discord::{Limits, Options, StandIn};
use palabre_tests::telegram;
use palabre_tests::{Client, Daemon, Project};
use serde_json::{Value, json};

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\x00\xff not quite a picture";

/// Uploads a file in the room service, posts a message with it, and returns the message's id.
async fn shows(client: &mut Client, address: &str, name: &str, data: &[u8], text: &str) -> String {
    let asked = client.ask("upload", json!({ "name": name, "size": data.len() })).await.unwrap();
    let place = client.ack(asked).await.unwrap();
    let url = format!("http://{address}{}", place["url"].as_str().unwrap());
    let put = reqwest::Client::new().put(url).body(data.to_vec()).send().await.unwrap();
    assert_eq!(put.status(), 200);
    let told: Value = put.json().await.unwrap();
    assert_eq!((told["content_type"].as_str(), told["size"].as_u64()), (Some("image/png"), Some(data.len() as u64)));
    let asked = client.ask("send_message", json!({ "message": text, "files": [place["id"]] })).await.unwrap();
    client.ack(asked).await.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Returns a bots.yaml whose bridge connects `lobby/general` with a room of another bot or two.
fn bots(others: &str, rooms: &str) -> String {
    format!(
        "listen: 127.0.0.1:0
bots:
  lobby: {{ platform: rooms }}
{others}
scripts:
  bridge:
    grants: [rooms, files, personas]
    config: {{ bridges: [[lobby/general, {rooms}]] }}
"
    )
}

/// Returns the line of the bot on Discord in bots.yaml.
fn guild(discord: &StandIn) -> String {
    format!("  guild: {{ platform: discord, token: {}, api: {} }}", discord.token(), discord.api())
}

/// Connected rooms on Discord and in the room service.
struct Pair {
    discord: StandIn,
    carol: Client,
    project: Project,
    daemon: Daemon,
}

impl Pair {
    async fn start() -> Option<Self> {
        let discord = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let bots = bots(&guild(&discord), &format!("guild/{}", discord.channel("general")));
        let project = Project::with_shipped(&bots, &["bridge"]);
        let daemon = project.start().await;
        discord.identified(1).await;
        let (carol, _) = Client::enter(&daemon.address, "carol", "general").await.unwrap();
        Some(Self { discord, carol, project, daemon })
    }
}

#[tokio::test]
async fn a_picture_an_edit_and_a_delete_go_both_ways() {
    let Some(pair) = Pair::start().await else { return };
    let Pair { discord, mut carol, project, daemon } = pair;
    let (address, general) = (daemon.address.clone(), discord.channel("general"));

    // From Discord to the room: text, author and picture.
    let alice = discord.person("alice");
    let said = discord.posts_files(
        "alice",
        "general",
        json!({ "content": format!("look, <@{alice}> **here** <:wave:123456789012345678>") }),
        &[("tree.png", "image/png", PICTURE)],
    );
    let seen = carol.hears("look").await.unwrap();
    assert_eq!(seen["message"], "look, @Alice **here** :wave:");
    assert_eq!((seen["username"].as_str(), seen["bot"].as_bool()), (Some("Alice"), Some(true)));
    let file = &seen["attachments"][0];
    assert_eq!((file["name"].as_str(), file["content_type"].as_str()), (Some("tree.png"), Some("image/png")));
    let url = format!("http://{address}{}", file["url"].as_str().unwrap());
    assert_eq!(reqwest::get(url).await.unwrap().bytes().await.unwrap(), PICTURE);

    // A reply and a reaction in the room to a message from Discord.
    let copy = seen["id"].clone();
    let asked = carol.ask("send_message", json!({ "message": "lovely", "reply_to": copy })).await.unwrap();
    let answer = carol.ack(asked).await.unwrap()["id"].as_str().unwrap().to_owned();
    let post = discord.hears("general", "lovely").await;
    assert_eq!(post.author, "carol");
    assert!(post.text().contains(&format!("/{general}/{said}")), "it points at what it answers: {}", post.text());
    carol.emit("react", json!({ "id": copy, "emoji": "🌳" })).await.unwrap();
    let reactions = |discord: &StandIn| discord.message(said)["reactions"][0]["emoji"]["name"] == "🌳";
    discord.until("the reaction is there", |discord| reactions(discord).then_some(())).await;

    // An edit and a deletion.
    discord.edits(said, "look *there*");
    assert_eq!(carol.wait("message_edited").await.unwrap()["message"], "look *there*");
    discord.deletes(said);
    assert_eq!(carol.wait("message_deleted").await.unwrap()["id"], copy);

    // From the room to Discord.
    carol.emit("edit_message", json!({ "id": answer, "message": "lovely!" })).await.unwrap();
    let changed = |discord: &StandIn| discord.message(post.id)["content"].as_str()?.ends_with("lovely!").then_some(());
    discord.until("the edit is there", changed).await;
    let shown = shows(&mut carol, &address, "moon.png", PICTURE, "and the moon").await;
    let post = discord.hears("general", "and the moon").await;
    assert_eq!((post.author.as_str(), &post.files[0].bytes[..]), ("carol", PICTURE));
    assert_eq!(post.files[0].name, "moon.png");
    carol.emit("delete_message", json!({ "id": shown })).await.unwrap();
    discord.until("it is gone", |discord| discord.message(post.id).is_null().then_some(())).await;

    // A reaction on Discord to the copy of carol's message.
    let kept = carol.say("still here", "n1").await.unwrap();
    let copy = discord.hears("general", "still here").await;
    // The script knows the copy once the run that sent it has got its id.
    let metrics = format!("http://{address}/metrics");
    let is_known = async || {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        if text.contains("palabre_script_waiting_runs{script=\"bridge\"} 0") { Ok(()) } else { Err(text) }
    };
    palabre_tests::eventually(Duration::from_secs(20), "no run waits", is_known).await;
    discord.reacts("bob", copy.id, "👍");
    // The first is carol's own.
    assert_eq!(carol.wait("reaction").await.unwrap()["emoji"], "🌳");
    let reaction = carol.wait("reaction").await.unwrap();
    assert_eq!((&reaction["id"], &reaction["emoji"]), (&json!(kept), &json!("👍")));

    assert_eq!(format!("{:#?}", discord.violations()), "[]", "log:\n{}", project.log());
    assert!(!project.log().contains("WARN"), "{}", project.log());
    assert!(daemon.stop().await, "{}", project.log());
}

/// Connected rooms on Discord, on Telegram and in the room service.
struct Square {
    discord: StandIn,
    telegram: telegram::StandIn,
    carol: Client,
    project: Project,
    daemon: Daemon,
}

impl Square {
    async fn start() -> Option<Self> {
        let discord = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let limits = telegram::Limits::none();
        let telegram =
            telegram::StandIn::start_with(telegram::Options { limits, ..telegram::Options::default() }).await?;
        let pace = "{ per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 }";
        let on_telegram = format!(
            "  tg: {{ platform: telegram, token: \"{}\", api: {}, telegram: {{ pace: {pace} }} }}",
            telegram.token(),
            telegram.api(),
        );
        let rooms = format!("guild/{}, tg/{}", discord.channel("general"), telegram.chat("Village"));
        let bots = bots(&format!("{}\n{on_telegram}", guild(&discord)), &rooms);
        let project = Project::with_shipped(&bots, &["bridge"]);
        let daemon = project.start().await;
        discord.identified(1).await;
        let (carol, _) = Client::enter(&daemon.address, "carol", "general").await.unwrap();
        Some(Self { discord, telegram, carol, project, daemon })
    }
}

#[tokio::test]
async fn three_rooms_are_one() {
    let Some(square) = Square::start().await else { return };
    let Square { discord, telegram, mut carol, project, daemon } = square;

    // From Telegram: formatted text, picture and author.
    let bold = json!({ "caption": "a big tree", "caption_entities": [{ "type": "bold", "offset": 2, "length": 3 }] });
    let said = telegram.posts_files("alice", "Village", bold, &[("photo", "tree.jpg", "image/jpeg", PICTURE)]);
    let seen = carol.hears("tree").await.unwrap();
    assert_eq!((seen["message"].as_str(), seen["username"].as_str()), (Some("a **big** tree"), Some("Alice")));
    let url = format!("http://{}{}", daemon.address, seen["attachments"][0]["url"].as_str().unwrap());
    assert_eq!(reqwest::get(url).await.unwrap().bytes().await.unwrap(), PICTURE);
    let on_discord = discord.hears("general", "tree").await;
    assert_eq!((on_discord.text(), on_discord.author.as_str()), ("a **big** tree", "Alice"));
    assert_eq!(&on_discord.files[0].bytes[..], PICTURE);

    // A reply from Discord refers to the right message everywhere.
    let answer = discord.replies("bob", on_discord.id, "~~very~~ *big*");
    let seen = carol.hears("big*").await.unwrap();
    assert!(seen["reply_to"].is_string(), "{seen}");
    let on_telegram = telegram.hears("Village", "very big").await;
    assert_eq!(on_telegram.text(), "Bob: very big");
    assert_eq!(on_telegram.reply_to(), Some(said[0].id));
    let kinds: Vec<_> =
        on_telegram.message["entities"].as_array().unwrap().iter().map(|one| one["type"].clone()).collect();
    assert_eq!(kinds, [json!("bold"), json!("strikethrough"), json!("italic")]);

    // A reaction in the room, an edit, and a deletion.
    carol.emit("react", json!({ "id": seen["id"], "emoji": "👍" })).await.unwrap();
    discord
        .until("it is on Discord", |discord| {
            (discord.message(answer)["reactions"][0]["emoji"]["name"] == "👍").then_some(())
        })
        .await;
    telegram
        .until("it is on Telegram", |telegram| (!telegram.reactions(on_telegram.at).is_empty()).then_some(()))
        .await;
    discord.edits(answer, "huge");
    assert_eq!(carol.wait("message_edited").await.unwrap()["message"], "huge");
    telegram
        .until("it is edited", |telegram| (telegram.message(on_telegram.at)["text"] == "Bob: huge").then_some(()))
        .await;
    telegram.edits(said[0], "a small tree");
    assert_eq!(carol.wait("message_edited").await.unwrap()["message"], "a small tree");
    discord.deletes(answer);
    assert_eq!(carol.wait("message_deleted").await.unwrap()["id"], seen["id"]);
    telegram.until("it is gone", |telegram| telegram.message(on_telegram.at).is_null().then_some(())).await;

    // From the room, with a picture.
    let address = daemon.address.clone();
    let shown = shows(&mut carol, &address, "moon.png", PICTURE, "the moon").await;
    let on_telegram = telegram.hears("Village", "the moon").await;
    assert_eq!((on_telegram.method.as_str(), on_telegram.text()), ("sendPhoto", "carol: the moon"));
    assert_eq!(&on_telegram.files[0].bytes[..], PICTURE);
    carol.emit("delete_message", json!({ "id": shown })).await.unwrap();
    telegram.until("it is gone", |telegram| telegram.message(on_telegram.at).is_null().then_some(())).await;

    assert_eq!(format!("{:#?}{:#?}", discord.violations(), telegram.violations()), "[][]", "{}", project.log());
    assert!(!project.log().contains("ERROR"), "{}", project.log());
    assert!(daemon.stop().await, "{}", project.log());
}
