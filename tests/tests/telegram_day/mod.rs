//! A day on Telegram on which every kind of update occurs once.

use palabre_tests::telegram::StandIn;
use serde_json::json;

pub fn begins(town: &StandIn) {
    talk(town);
    files(town);
    elsewhere(town);
    members(town);
    chats(town);
    the_bot_itself(town);
    other_kinds(town);
}

fn talk(town: &StandIn) {
    let entities = json!([{ "type": "bold", "offset": 6, "length": 3 }, { "type": "text_link", "offset": 11, "length": 4, "url": "https://a.example" }]);
    let first = town.posts("alice", "Village", json!({ "text": "hello all, here *x*", "entities": entities }));
    let answer = town.replies("bob", first, "hi @alice");
    town.replies_to_quote("bob", first, "all", "not all");
    town.says("bob", "Village", "/roll@palabre_bot 20 *x*");
    town.says("bob", "Village", "/roll@other_bot 20");
    town.forwards("bob", first, "Hamlet");
    town.edits(first, "hello again");
    // A link preview is added.
    town.edits_to(first, json!({ "link_preview_options": { "url": "https://a.example" } }));
    town.reacts("alice", answer, "👍");
    town.reacts_with("alice", answer, &["👍", "❤"]);
    town.unreacts("alice", answer, "👍");
    town.reacts_with("alice", answer, &[]);
    town.pins("olivia", first);
    town.says_anonymously("olivia", "Village", "order!");
    let mention = json!([{ "type": "text_mention", "offset": 0, "length": 3, "user": { "id": 5, "is_bot": false, "first_name": "Zoé" } }]);
    town.posts("alice", "Village", json!({ "text": "Zoé++, 👍", "entities": mention }));
    town.renames("bob", "Bob", Some("Baker"), None);
    town.says("bob", "Village", "under another name");
}

fn files(town: &StandIn) {
    let kinds = [
        ("photo", "a.jpg", "image/jpeg"),
        ("document", "b.pdf", "application/pdf"),
        ("audio", "c.mp3", "audio/mpeg"),
        ("voice", "d.ogg", "audio/ogg"),
        ("video", "e.mp4", "video/mp4"),
        ("video_note", "f.mp4", "video/mp4"),
        ("animation", "g.mp4", "video/mp4"),
        ("sticker", "h.webp", "image/webp"),
    ];
    for (kind, name, media) in kinds {
        let caption = if matches!(kind, "photo" | "document" | "audio" | "voice" | "video" | "animation") {
            json!({ "caption": format!("a {kind}") })
        } else {
            json!({})
        };
        town.posts_files("alice", "Village", caption, &[(kind, name, media, b"xyz")]);
    }
    let entities = json!([{ "type": "italic", "offset": 0, "length": 3 }]);
    let album = [("photo", "1.jpg", "image/jpeg", &b"1"[..]), ("photo", "2.jpg", "image/jpeg", b"2")];
    town.posts_files("alice", "Village", json!({ "caption": "two of them", "caption_entities": entities }), &album);
    let place = json!({ "latitude": 48.85, "longitude": 2.35 });
    town.posts("alice", "Village", json!({ "location": place }));
    let venue = json!({ "location": place, "title": "The *Tree*", "address": "Square 1" });
    town.posts("alice", "Village", json!({ "venue": venue, "location": place }));
    let contact = json!({ "phone_number": "+33123456", "first_name": "Zoé", "last_name": "Doe" });
    town.posts("alice", "Village", json!({ "contact": contact }));
    town.posts("alice", "Village", json!({ "dice": { "emoji": "🎲", "value": 6 } }));
    let poll = json!({ "question": "Tea?", "options": [{ "text": "yes" }, { "text": "no" }] });
    town.posts("alice", "Village", json!({ "poll": poll }));
}

fn elsewhere(town: &StandIn) {
    let idea = town.says("alice", "Forum/ideas", "a bench");
    town.replies("bob", idea, "two");
    town.says("alice", "Forum/General", "no topic");
    let post = town.says("olivia", "News", "it rains");
    town.edits(post, "it pours");
    town.forwards("alice", post, "Village");
    town.starts("alice", "deep-link");
    town.whispers("alice", "psst");
}

fn members(town: &StandIn) {
    // In the Village the bot is an administrator and receives each of them twice; in Hamlet once.
    for place in ["Village", "Hamlet"] {
        town.joins("carol", place);
        town.leaves("carol", place);
        town.brings("alice", "carol", place);
        town.kicks("olivia", "carol", place);
    }
    town.joins("dave", "Village");
    town.restricts("olivia", "dave", "Village", 0);
    town.says("olivia", "Village", "enough");
    town.bans("olivia", "dave", "Village");
    town.unbans("olivia", "dave", "Village");
    town.is_promoted("olivia", "alice", "Village", &["can_delete_messages"]);
    town.is_promoted("olivia", "alice", "Village", &[]);
    town.says("alice", "Village", "as an administrator");
    town.is_demoted("olivia", "alice", "Village");
    town.asks_to_join("erin", "Village");
    town.bot_joins("rival_bot", "Village");
}

fn chats(town: &StandIn) {
    town.opens_topic("olivia", "Forum", "games");
    town.says("alice", "Forum/games", "chess?");
    town.renames_topic("olivia", "Forum/games", "play");
    town.closes_topic("olivia", "Forum/play");
    town.reopens_topic("olivia", "Forum/play");
    town.retitles("olivia", "Village", "Town");
    town.says("alice", "Town", "renamed");
    town.retitles("olivia", "Town", "Village");
    town.add_group("Square");
    town.says("alice", "Square", "before");
    town.migrates("Square");
    town.says("alice", "Square", "after");
}

fn the_bot_itself(town: &StandIn) {
    town.promotes_bot("Hamlet");
    town.deny("Hamlet", "can_pin_messages");
    town.demotes_bot("Hamlet");
    town.throws_bot_out("Hamlet");
    town.adds_bot("alice", "Hamlet");
    town.throws_bot_out("News");
    town.blocks("alice");
    town.unblocks("alice");
}

/// Causes updates that have no event kind of their own.
fn other_kinds(town: &StandIn) {
    town.inline_query("alice", "cats");
    town.service("olivia", "Village", json!({ "delete_chat_photo": true }));
    let poll = town
        .messages("Village")
        .into_iter()
        .find(|message| message["from"]["is_bot"] == true && message["poll"].is_object());
    let poll = poll.expect("the bot has asked");
    let at = palabre_tests::telegram::MessageRef {
        chat: town.chat("Village"),
        id: poll["message_id"].as_i64().expect("a number"),
    };
    town.votes("bob", at, &[1]);
    town.raw(json!({ "chat_boost": { "chat": { "id": town.chat("Village"), "type": "supergroup" }, "boost": {} } }));
    town.raw(json!({ "something_new": { "chat": { "id": town.chat("Village"), "type": "supergroup" } } }));
    town.raw(json!({ "message": { "message_id": "not a number", "chat": 5 } }));
    town.raw(json!({}));
}
