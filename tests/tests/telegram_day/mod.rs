//! A day on Telegram on which every kind of update occurs once.

use palabre_tests::telegram::StandIn;
use serde_json::json;

pub fn begins(telegram: &StandIn) {
    talk(telegram);
    files(telegram);
    elsewhere(telegram);
    members(telegram);
    chats(telegram);
    the_bot_itself(telegram);
    other_kinds(telegram);
}

fn talk(telegram: &StandIn) {
    let bold = json!({ "type": "bold", "offset": 6, "length": 3 });
    let link = json!({ "type": "text_link", "offset": 11, "length": 4, "url": "https://a.example" });
    let entities = json!([bold, link]);
    let first = telegram.posts("alice", "Village", json!({ "text": "hello all, here *x*", "entities": entities }));
    let answer = telegram.replies("bob", first, "hi @alice");
    telegram.replies_to_quote("bob", first, "all", "not all");
    telegram.says("bob", "Village", "/roll@palabre_bot 20 *x*");
    telegram.says("bob", "Village", "/roll@other_bot 20");
    telegram.forwards("bob", first, "Hamlet");
    telegram.edits(first, "hello again");
    // A link preview is added.
    telegram.edits_to(first, json!({ "link_preview_options": { "url": "https://a.example" } }));
    telegram.reacts("alice", answer, "👍");
    telegram.reacts_with("alice", answer, &["👍", "❤"]);
    telegram.unreacts("alice", answer, "👍");
    telegram.reacts_with("alice", answer, &[]);
    telegram.pins("olivia", first);
    telegram.says_anonymously("olivia", "Village", "order!");
    let zoe = json!({ "id": 5, "is_bot": false, "first_name": "Zoé" });
    let mention = json!([{ "type": "text_mention", "offset": 0, "length": 3, "user": zoe }]);
    telegram.posts("alice", "Village", json!({ "text": "Zoé++, 👍", "entities": mention }));
    telegram.renames("bob", "Bob", Some("Baker"), None);
    telegram.says("bob", "Village", "under another name");
}

fn files(telegram: &StandIn) {
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
        telegram.posts_files("alice", "Village", caption, &[(kind, name, media, b"xyz")]);
    }
    let entities = json!([{ "type": "italic", "offset": 0, "length": 3 }]);
    let album = [("photo", "1.jpg", "image/jpeg", &b"1"[..]), ("photo", "2.jpg", "image/jpeg", b"2")];
    telegram.posts_files("alice", "Village", json!({ "caption": "two of them", "caption_entities": entities }), &album);
    let place = json!({ "latitude": 48.85, "longitude": 2.35 });
    telegram.posts("alice", "Village", json!({ "location": place }));
    let venue = json!({ "location": place, "title": "The *Tree*", "address": "Square 1" });
    telegram.posts("alice", "Village", json!({ "venue": venue, "location": place }));
    let contact = json!({ "phone_number": "+33123456", "first_name": "Zoé", "last_name": "Doe" });
    telegram.posts("alice", "Village", json!({ "contact": contact }));
    telegram.posts("alice", "Village", json!({ "dice": { "emoji": "🎲", "value": 6 } }));
    let poll = json!({ "question": "Tea?", "options": [{ "text": "yes" }, { "text": "no" }] });
    telegram.posts("alice", "Village", json!({ "poll": poll }));
}

fn elsewhere(telegram: &StandIn) {
    let idea = telegram.says("alice", "Forum/ideas", "a bench");
    telegram.replies("bob", idea, "two");
    telegram.says("alice", "Forum/General", "no topic");
    let post = telegram.says("olivia", "News", "it rains");
    telegram.edits(post, "it pours");
    telegram.forwards("alice", post, "Village");
    telegram.starts("alice", "deep-link");
    telegram.sends_direct("alice", "psst");
}

fn members(telegram: &StandIn) {
    // In the Village the bot is an administrator and receives each of them twice; in Hamlet once.
    for place in ["Village", "Hamlet"] {
        telegram.joins("carol", place);
        telegram.leaves("carol", place);
        telegram.brings("alice", "carol", place);
        telegram.kicks("olivia", "carol", place);
    }
    telegram.joins("dave", "Village");
    telegram.restricts("olivia", "dave", "Village", 0);
    telegram.says("olivia", "Village", "enough");
    telegram.bans("olivia", "dave", "Village");
    telegram.unbans("olivia", "dave", "Village");
    telegram.is_promoted("olivia", "alice", "Village", &["can_delete_messages"]);
    telegram.is_promoted("olivia", "alice", "Village", &[]);
    telegram.says("alice", "Village", "as an administrator");
    telegram.is_demoted("olivia", "alice", "Village");
    telegram.asks_to_join("erin", "Village");
    telegram.bot_joins("rival_bot", "Village");
}

fn chats(telegram: &StandIn) {
    telegram.opens_topic("olivia", "Forum", "games");
    telegram.says("alice", "Forum/games", "chess?");
    telegram.renames_topic("olivia", "Forum/games", "play");
    telegram.closes_topic("olivia", "Forum/play");
    telegram.reopens_topic("olivia", "Forum/play");
    telegram.retitles("olivia", "Village", "Town");
    telegram.says("alice", "Town", "renamed");
    telegram.retitles("olivia", "Town", "Village");
    telegram.add_group("Square");
    telegram.says("alice", "Square", "before");
    telegram.migrates("Square");
    telegram.says("alice", "Square", "after");
}

fn the_bot_itself(telegram: &StandIn) {
    telegram.promotes_bot("Hamlet");
    telegram.deny("Hamlet", "can_pin_messages");
    telegram.demotes_bot("Hamlet");
    telegram.throws_bot_out("Hamlet");
    telegram.adds_bot("alice", "Hamlet");
    telegram.throws_bot_out("News");
    telegram.blocks("alice");
    telegram.unblocks("alice");
}

/// Causes updates that have no event kind of their own.
fn other_kinds(telegram: &StandIn) {
    telegram.inline_query("alice", "cats");
    telegram.service("olivia", "Village", json!({ "delete_chat_photo": true }));
    let poll = telegram
        .messages("Village")
        .into_iter()
        .find(|message| message["from"]["is_bot"] == true && message["poll"].is_object());
    let poll = poll.expect("the bot has asked");
    let at = palabre_tests::telegram::MessageRef {
        chat: telegram.chat("Village"),
        id: poll["message_id"].as_i64().expect("a number"),
    };
    telegram.votes("bob", at, &[1]);
    let boosted = json!({ "id": telegram.chat("Village"), "type": "supergroup" });
    telegram.raw(json!({ "chat_boost": { "chat": boosted, "boost": {} } }));
    telegram.raw(json!({ "something_new": { "chat": { "id": telegram.chat("Village"), "type": "supergroup" } } }));
    telegram.raw(json!({ "message": { "message_id": "not a number", "chat": 5 } }));
    telegram.raw(json!({}));
}
