//! Actions of bots on messages.

use palabre_types::{Action, Content, EventName, MessageId, MessageRef};

use crate::platform::{Deed, Lack, Platform, Seen};
use crate::scene::{self, EMOJI};

fn named(id: &str) -> MessageRef {
    MessageRef::Id(id.into())
}

async fn is_there<P: Platform>(platform: &mut P, id: &MessageId) -> Seen {
    platform.message(id).await.unwrap_or_else(|| panic!("{id} is not there"))
}

pub(super) async fn send<P: Platform>(platform: &mut P) {
    let asked = scene::said(platform, "alice", "who is there?").await;
    let content = Content::text("**I** am");
    let action = Action::Send { room: platform.room(), content, reply_to: Some(named(&asked)) };
    let id = platform.fixture().does(&action).await.message.expect("what is said has an id");
    let seen = is_there(platform, &id).await;
    assert_eq!((&*seen.text, seen.reply_to.as_deref()), ("**I** am", Some(&*asked)));
    let said = platform.said().await;
    assert_eq!(said.len(), 1, "it is said once: {said:#?}");
}

pub(super) async fn edit<P: Platform>(platform: &mut P) {
    let before = Content { buttons: vec![scene::button("Go", "go")], ..Content::text("ready?") };
    let id = scene::bot_says(platform, before).await;
    let message = MessageRef::Id(id.clone());
    let action = Action::Edit { room: platform.room(), message, content: Content::text("gone") };
    platform.fixture().does(&action).await;
    let seen = is_there(platform, &id).await;
    assert_eq!((&*seen.text, seen.buttons.len()), ("gone", 0), "nothing is left of what it was");
}

pub(super) async fn delete<P: Platform>(platform: &mut P) {
    let own = scene::bot_says(platform, Content::text("nonsense")).await;
    let others = scene::said(platform, "bob", "nonsense too").await;
    for id in [own, others.as_str().into()] {
        let message = MessageRef::Id(id.clone());
        let action = Action::Delete { room: platform.room(), message, reason: Some("nonsense".to_owned()) };
        platform.fixture().does(&action).await;
        assert_eq!(platform.message(&id).await, None);
    }
}

pub(super) async fn react<P: Platform>(platform: &mut P) {
    let id = scene::said(platform, "bob", "a joke").await;
    for remove in [false, true] {
        let action = Action::React { room: platform.room(), message: named(&id), emoji: EMOJI.to_owned(), remove };
        platform.fixture().does(&action).await;
        let seen = is_there(platform, &id.as_str().into()).await.reactions;
        assert_eq!(seen, if remove { vec![] } else { vec![EMOJI] });
    }
}

pub(super) async fn typing<P: Platform>(platform: &mut P) {
    let before = platform.typings().await;
    platform.fixture().does(&Action::Typing { room: platform.room() }).await;
    assert!(platform.typings().await > before, "the bot is seen typing");
}

pub(super) async fn pin<P: Platform>(platform: &mut P) {
    let id = scene::said(platform, "bob", "the rules").await;
    for remove in [false, true] {
        platform.fixture().does(&Action::Pin { room: platform.room(), message: named(&id), remove }).await;
        assert_eq!(is_there(platform, &id.as_str().into()).await.pinned, !remove);
    }
}

pub(super) async fn purge<P: Platform>(platform: &mut P) {
    let mut said = Vec::new();
    for (index, who) in ["bob", "alice", "bob", "alice", "bob", "bob"].into_iter().enumerate() {
        said.push(MessageId::from(scene::said(platform, who, &format!("purged {index}")).await));
    }
    let user = Some(platform.user("alice"));
    let reason = Some("flood".to_owned());
    let of_alice = Action::Purge { room: platform.room(), count: 1, user, since: None, reason };
    platform.fixture().does(&of_alice).await;
    assert_eq!(left(platform, &said).await, [0, 1, 2, 4, 5], "the last one of one person, and once");
    let last = Action::Purge { room: platform.room(), count: 2, user: None, since: None, reason: None };
    platform.fixture().does(&last).await;
    assert_eq!(left(platform, &said).await, [0, 1, 2], "the last two, and once");
    let since = Some(u64::MAX / 2);
    let none = Action::Purge { room: platform.room(), count: 9, user: None, since, reason: None };
    platform.fixture().does(&none).await;
    assert_eq!(left(platform, &said).await, [0, 1, 2], "none is so young");
}

/// Returns the numbers of the messages that still exist.
async fn left<P: Platform>(platform: &mut P, said: &[MessageId]) -> Vec<usize> {
    let mut left = Vec::new();
    for (index, id) in said.iter().enumerate() {
        if platform.message(id).await.is_some() {
            left.push(index);
        }
    }
    left
}

pub(super) async fn answer<P: Platform>(platform: &mut P) {
    for ephemeral in [false, true] {
        let interaction = scene::pressed(platform, "alice").await;
        let before = (platform.said().await.len(), platform.private_messages("alice").await.len());
        let content = Content { ephemeral, ..Content::text("well pressed") };
        let action = Action::Answer { room: platform.room(), user: platform.user("alice"), interaction, content };
        platform.fixture().does(&action).await;
        let after = (platform.said().await, platform.private_messages("alice").await);
        let added = (after.0.len() - before.0, after.1.len() - before.1);
        assert_eq!(added, if ephemeral { (0, 1) } else { (1, 0) }, "seen once, by whom it is for: {after:#?}");
        let seen = if ephemeral { after.1.last() } else { after.0.last() };
        assert_eq!(seen.map(|seen| &*seen.text), Some("well pressed"));
        assert_eq!(platform.private_messages("bob").await, [], "nobody else sees it");
    }
}

pub(super) async fn form<P: Platform>(platform: &mut P) {
    scene::shows_form(platform, "alice").await;
    let shown = platform.form("alice").await;
    let fields: &[&str] = if P::LACKS.contains(&Lack::WholeForms) { &["WHY"] } else { &["WHY", "ELSE"] };
    let fields = fields.iter().map(|label| (*label).to_owned()).collect();
    assert_eq!(shown, Some(("Report".to_owned(), fields)));
    assert_eq!(platform.form("bob").await, None, "nobody else sees it");
}

pub(super) async fn direct<P: Platform>(platform: &mut P) {
    let before = (platform.said().await.len(), platform.private_messages("alice").await.len());
    let content = Content { buttons: vec![scene::button("Go", "go")], ..Content::text("psst") };
    let user = platform.user("alice");
    platform.fixture().does(&Action::Direct { room: platform.room(), user, content }).await;
    let told = platform.private_messages("alice").await;
    assert_eq!((told.len(), platform.said().await.len()), (before.1 + 1, before.0), "{told:#?}");
    let last = told.last().expect("there is one");
    assert_eq!((&*last.text, last.buttons.len()), ("psst", 1));
    assert_eq!(platform.private_messages("bob").await, [], "nobody else sees it");
}

pub(super) async fn offer<P: Platform>(platform: &mut P) {
    let (user, since) = (platform.user("alice"), platform.fixture().cursor());
    let interaction = platform.people(Deed::Queries { who: "alice", text: "dice" }).await;
    platform.fixture().wait(EventName::InlineQuery, since, |_| true).await;
    let offers = vec![scene::offer("One", "**1**"), scene::offer("Two", "2")];
    let action = Action::Offer { room: platform.room(), user, interaction, offers, lasts: None };
    platform.fixture().does(&action).await;
    let pair = |title: &str, text: &str| (title.to_owned(), text.to_owned());
    assert_eq!(platform.offered("alice").await, [pair("One", "**1**"), pair("Two", "2")]);
}
