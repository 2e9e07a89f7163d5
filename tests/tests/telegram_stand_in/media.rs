//! Files, albums, and other contents of messages.

use palabre_tests::telegram::{Fault, MessageRef};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::bot::Bot;

fn file(name: &str, bytes: &[u8]) -> Part {
    Part::bytes(bytes.to_vec()).file_name(name.to_owned()).mime_str("image/png").unwrap()
}

async fn upload(bot: &Bot, method: &str, form: Form) -> Value {
    bot.http.post(bot.url(method)).multipart(form).send().await.unwrap().json().await.unwrap()
}

async fn download(bot: &Bot, id: &Value) -> Vec<u8> {
    let path = bot.ok("getFile", json!({ "file_id": id })).await["file_path"].as_str().unwrap().to_owned();
    let url = format!("{}/file/bot{}/{path}", bot.stand_in.api(), bot.stand_in.token());
    bot.http.get(url).send().await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn files_are_uploaded_used_again_and_fetched() {
    let Some(mut bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    let form = Form::new()
        .text("chat_id", chat.to_string())
        .text("caption", "a tree")
        .part("photo", file("tree.png", b"\x89PNG"));
    let said = upload(&bot, "sendPhoto", form).await["result"].clone();
    let original = &said["photo"][2];
    assert_eq!((&said["caption"], download(&bot, &original["file_id"]).await), (&json!("a tree"), b"\x89PNG".to_vec()));
    let known = json!({ "chat_id": chat, "photo": original["file_id"] });
    assert_eq!(bot.ok("sendPhoto", known).await["photo"], said["photo"]);
    let wrong = json!({ "chat_id": chat, "document": original["file_id"] });
    assert_eq!(bot.refused("sendDocument", wrong).await, "Bad Request: can't use file of type photo as document");
    let unknown = json!({ "chat_id": chat, "photo": "no-such-id" });
    assert_eq!(bot.refused("sendPhoto", unknown).await, "Bad Request: wrong file identifier/HTTP URL specified");
    bot.ok("sendPhoto", json!({ "chat_id": chat, "photo": "https://palabre.invalid/tree.png" })).await;
    let form = Form::new().text("chat_id", chat.to_string()).text("document", "attach://absent");
    assert_eq!(upload(&bot, "sendDocument", form).await["ok"], false);
    let long = json!({ "chat_id": chat, "photo": original["file_id"], "caption": "x".repeat(1_025) });
    assert_eq!(bot.refused("sendPhoto", long).await, "Bad Request: message caption is too long");
    assert_eq!(bot.stand_in.violations().len(), 2);
    assert_eq!(bot.stand_in.posted("Village")[0].files[0].name, "tree.png");
    let heard = [("photo", "cat.jpg", "image/jpeg", &b"cat"[..]), ("photo", "dog.jpg", "image/jpeg", &b"dog"[..])];
    bot.stand_in.posts_files("alice", "Village", json!({ "caption": "pets" }), &heard);
    let (cat, dog) = (bot.next("message").await, bot.next("message").await);
    assert_eq!(cat["media_group_id"], dog["media_group_id"]);
    assert_eq!((&cat["caption"], &dog["caption"]), (&json!("pets"), &Value::Null));
    assert_eq!(download(&bot, &dog["photo"][2]["file_id"]).await, b"dog");
    assert_ne!(download(&bot, &dog["photo"][0]["file_id"]).await, b"dog", "a smaller size is another file");
    bot.stand_in.fault_next("download", Fault::Truncated);
    let path =
        bot.ok("getFile", json!({ "file_id": original["file_id"] })).await["file_path"].as_str().unwrap().to_owned();
    let url = format!("{}/file/bot{}/{path}", bot.stand_in.api(), bot.stand_in.token());
    bot.http.get(&url).send().await.unwrap().bytes().await.unwrap_err();
    assert_eq!(bot.http.get(url.replace(bot.stand_in.token(), "1:x")).send().await.unwrap().status().as_u16(), 404);
    bot.end();
}

#[tokio::test]
async fn files_have_a_size() {
    let Some(mut bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village").to_string();
    let form = Form::new().text("chat_id", chat.clone()).part("document", file("big", &vec![0; (50 << 20) + 1]));
    assert_eq!(upload(&bot, "sendDocument", form).await["error_code"], 413);
    let large = vec![0; (20 << 20) + 1];
    bot.stand_in.posts_files("alice", "Village", json!({}), &[("document", "large", "text/plain", &large)]);
    let id = bot.next("message").await["document"]["file_id"].clone();
    assert_eq!(bot.refused("getFile", json!({ "file_id": id })).await, "Bad Request: file is too big");
    let form = Form::new().text("chat_id", chat).part("document", file("empty", b""));
    assert_eq!(upload(&bot, "sendDocument", form).await["description"], "Bad Request: file must be non-empty");
}

#[tokio::test]
async fn an_album_has_two_to_ten_that_go_together() {
    let Some(bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village").to_string();
    let album = |media: Value| {
        let form = Form::new().text("chat_id", chat.clone()).text("media", media.to_string());
        form.part("a", file("a.png", b"a")).part("b", file("b.png", b"b"))
    };
    let item = |kind: &str, part: &str| json!({ "type": kind, "media": format!("attach://{part}") });
    let sent = upload(&bot, "sendMediaGroup", album(json!([item("photo", "a"), item("photo", "b")]))).await;
    assert_eq!(sent["result"].as_array().unwrap().len(), 2, "{sent}");
    assert_eq!(sent["result"][0]["media_group_id"], sent["result"][1]["media_group_id"]);
    for bad in [
        json!([item("photo", "a")]),
        json!([item("photo", "a"), item("document", "b")]),
        json!([item("photo", "a"), item("x", "b")]),
    ] {
        assert_eq!(upload(&bot, "sendMediaGroup", album(bad)).await["ok"], false);
    }
    let first = &sent["result"][0];
    let photo = &sent["result"][1]["photo"][2]["file_id"];
    let media = json!({ "type": "photo", "media": photo, "caption": "b" });
    let edit = json!({ "chat_id": first["chat"]["id"], "message_id": first["message_id"], "media": media });
    let edited = bot.ok("editMessageMedia", edit).await;
    assert_eq!((&edited["photo"], &edited["caption"]), (&sent["result"][1]["photo"], &json!("b")));
    assert_eq!(bot.stand_in.file(edited["photo"][2]["file_id"].as_str().unwrap()).unwrap(), &b"b"[..]);
    assert_eq!(bot.stand_in.asked("editMessageMedia")[0]["media"]["type"], "photo");
    assert_eq!(bot.stand_in.violations().len(), 3);
    bot.end();
}

#[tokio::test]
async fn a_poll_is_voted_in_and_ends() {
    let Some(mut bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    let ask = |count: usize| {
        let options: Vec<_> = (0..count).map(|number| json!({ "text": format!("option {number}") })).collect();
        json!({ "chat_id": chat, "question": "Which?", "options": options, "is_anonymous": false })
    };
    assert_eq!(bot.refused("sendPoll", ask(1)).await, "Bad Request: poll must have at least 2 option");
    assert_eq!(bot.refused("sendPoll", ask(13)).await, "Bad Request: poll can't have more than 12 options");
    let said = bot.ok("sendPoll", ask(3)).await;
    let at = MessageRef { chat, id: said["message_id"].as_i64().unwrap() };
    bot.stand_in.votes("alice", at, &[2]);
    assert_eq!(bot.next("poll").await["options"][2]["voter_count"], 1);
    let answer = bot.next("poll_answer").await;
    assert_eq!((&answer["user"]["username"], &answer["option_ids"]), (&json!("alice"), &json!([2])));
    let stop = json!({ "chat_id": chat, "message_id": at.id });
    let ended = bot.ok("stopPoll", stop.clone()).await;
    assert_eq!((&ended["is_closed"], &ended["total_voter_count"]), (&json!(true), &json!(1)));
    assert_eq!(bot.refused("stopPoll", stop).await, "Bad Request: poll has already been closed");
    bot.end();
}

#[tokio::test]
async fn places_contacts_dice_and_stickers_come_and_go() {
    let Some(mut bot) = Bot::start().await else { return };
    let chat = bot.stand_in.chat("Village");
    bot.ok("sendLocation", json!({ "chat_id": chat, "latitude": 48.85, "longitude": 2.35 })).await;
    bot.refused("sendLocation", json!({ "chat_id": chat, "latitude": 98.85, "longitude": 2.35 })).await;
    bot.ok("sendContact", json!({ "chat_id": chat, "phone_number": "+1", "first_name": "Carol" })).await;
    let thrown = bot.ok("sendDice", json!({ "chat_id": chat, "emoji": "🎰" })).await;
    assert!((1..=64).contains(&thrown["dice"]["value"].as_u64().unwrap()));
    bot.refused("sendDice", json!({ "chat_id": chat, "emoji": "🍕" })).await;
    bot.stand_in.posts_files(
        "alice",
        "Village",
        json!({ "emoji": "🐈" }),
        &[("sticker", "cat.webp", "image/webp", b"cat")],
    );
    let sticker = bot.next("message").await["sticker"].clone();
    assert_eq!(sticker["emoji"], "🐈");
    assert_eq!(
        bot.ok("sendSticker", json!({ "chat_id": chat, "sticker": sticker["file_id"] })).await["sticker"],
        sticker
    );
    bot.stand_in.posts("alice", "Village", json!({ "location": { "latitude": 1.5, "longitude": 2.5 } }));
    assert_eq!(bot.next("message").await["location"]["latitude"], 1.5);
    for (kind, name) in
        [("voice", "a.ogg"), ("video", "a.mp4"), ("audio", "a.mp3"), ("animation", "a.gif"), ("video_note", "a.mp4")]
    {
        bot.stand_in.posts_files(
            "alice",
            "Village",
            json!({ "duration": 5 }),
            &[(kind, name, "application/x-test", b"a")],
        );
        assert_eq!(bot.next("message").await[kind]["duration"], 5);
    }
    bot.end();
}
