//! Contents of messages arrive, or are replaced by the closest equivalent that the platform can show.

use palabre_platform::Verdict;
use palabre_types::{
    Action, Button, ButtonStyle, Content, Embed, EmbedField, Event, EventKind, FileToSend, Mention, MessageId, Persona,
};

use crate::platform::{Deed, Lack, Platform, Seen};
use crate::scene;

async fn shown<P: Platform>(platform: &mut P, content: Content) -> Seen {
    let id = scene::bot_says(platform, content).await;
    platform.message(&id).await.expect("what is said is there")
}

/// Tests CommonMark, and mentions, which notify only those that the script names.
pub(crate) async fn texts<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let marked = "# Title\n\n**bold** _it_ `code`\n\n```lua\nprint(1)\n```\n\n- a\n- [b](https://b.example)";
    let seen = shown(&mut platform, Content::text(marked)).await;
    let expected = if P::LACKS.contains(&Lack::Headings) {
        "**Title**\n\n**bold** _it_ `code`\n\n```lua\nprint(1)\n```\n\n• a\n• [b](https://b.example)"
    } else {
        marked
    };
    assert_eq!((&*seen.text, &seen.notifies[..]), (expected, &[][..]));
    let alice = platform.user("alice");
    let loud = format!("@everyone @here <@{}>", alice.native());
    let inert = shown(&mut platform, Content::text(loud.clone())).await;
    assert_eq!(inert.notifies, [""; 0], "a text notifies nobody by itself");
    let mentions = vec![Mention::Everyone, Mention::User(alice.clone())];
    let meant = shown(&mut platform, Content { mentions, ..Content::text(loud) }).await;
    let notifies = !P::LACKS.contains(&Lack::Notifications);
    let everyone = (notifies && !P::LACKS.contains(&Lack::Everyone)).then(|| "everyone".to_owned());
    let expected: Vec<_> = everyone.into_iter().chain(notifies.then(|| alice.native().to_owned())).collect();
    assert_eq!(meant.notifies, expected, "the users that the script names are notified");
    let quiet = shown(&mut platform, Content { silent: true, ..Content::text("hush") }).await;
    assert_eq!(&*quiet.text, "hush");
    assert_eq!(quiet.silent, notifies, "silent, if the platform has notifications");
}

/// Tests buttons and lists with all of their fields.
pub(crate) async fn components<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let buttons = vec![
        Button { style: Some(ButtonStyle::Primary), ..scene::button("Yes", "yes") },
        Button { style: Some(ButtonStyle::Danger), ..scene::button("No", "no") },
        Button { disabled: true, ..scene::button("Later", "later") },
        Button { url: Some("https://read.example/".to_owned()), ..scene::button("Read", "") },
    ];
    let seen = shown(&mut platform, Content { buttons: buttons.clone(), ..Content::text("well?") }).await;
    if platform.fixture().adapter.capabilities().buttons {
        // A platform may hide buttons that cannot be pressed.
        let visible =
            |button: Button| if button.disabled { Button { action: String::new(), ..button } } else { button };
        let visible = |buttons: Vec<Button>| buttons.into_iter().map(visible).collect::<Vec<_>>();
        assert_eq!(visible(seen.buttons), visible(buttons));
    } else {
        assert!(buttons.iter().all(|button| seen.text.contains(&button.label)), "{seen:#?}");
    }
    let seen = shown(&mut platform, Content { select: Some(scene::list()), ..Content::text("which?") }).await;
    assert_eq!(seen.select, Some(["RED", "GREEN", "BLUE"].map(ToOwned::to_owned).into()));
}

/// Tests embeds: all of their fields can be read.
pub(crate) async fn embeds<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let embed = Embed {
        title: Some("News".to_owned()),
        description: Some("_big_".to_owned()),
        url: Some("https://news.example/".to_owned()),
        color: Some(0xff_00_00),
        fields: vec![EmbedField { name: "where".to_owned(), value: "here".to_owned(), inline: true }],
    };
    let seen = shown(&mut platform, Content { embeds: vec![embed], ..Content::default() }).await;
    let all = format!("{} {}", seen.text, seen.embeds.join(" "));
    for part in ["News", "_big_", "where", "here"] {
        assert!(all.contains(part), "{part} is not shown: {seen:#?}");
    }
}

/// Tests that files arrive complete, under their names.
pub(crate) async fn files<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let file =
        |name: &str, data: &str| FileToSend { name: name.to_owned(), data: data.into(), ..FileToSend::default() };
    let files = vec![file("notes.txt", "buy bread\n"), file("naïve.csv", "a,b\n1,2\n")];
    let seen = shown(&mut platform, Content { files, ..Content::text("here") }).await;
    let expected = [("notes.txt", "buy bread\n"), ("naïve.csv", "a,b\n1,2\n")];
    assert_eq!(seen.files, expected.map(|(name, data)| (name.to_owned(), data.to_owned())));
}

/// Tests posting under another name, if the bot can.
pub(crate) async fn personas<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let persona = Some(Persona { name: "The Weather".to_owned(), picture: None });
    let seen = shown(&mut platform, Content { persona, ..Content::text("it rains") }).await;
    assert_eq!(&*seen.text, "it rains");
    assert_eq!(seen.author == "The Weather", platform.fixture().adapter.capabilities().personas, "{seen:#?}");
}

/// Tests that ephemeral messages can be edited and deleted like any other.
pub(crate) async fn ephemeral_messages<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::LACKS.contains(&Lack::LastingEphemerals) {
        return;
    }
    let interaction = scene::pressed(&mut platform, "alice").await;
    let (room, user) = (platform.room(), platform.user("alice"));
    let content = Content { ephemeral: true, ..Content::text("a secret") };
    let action = Action::Answer { room: room.clone(), user, interaction, content };
    let id: MessageId = platform.fixture().does(&action).await.message.expect("an answer has an id");
    assert_eq!(texts_of(&platform.private_messages("alice").await), ["a secret"]);
    let message = palabre_types::MessageRef::Id(id);
    let edit = Action::Edit { room: room.clone(), message: message.clone(), content: Content::text("another") };
    platform.fixture().does(&edit).await;
    assert_eq!(texts_of(&platform.private_messages("alice").await), ["another"]);
    platform.fixture().does(&Action::Delete { room, message, reason: None }).await;
    assert_eq!(texts_of(&platform.private_messages("alice").await), [""; 0]);
}

fn texts_of(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| &*seen.text).collect()
}

/// Tests that a platform that asks scripts before delivery follows their verdict.
pub(crate) async fn verdicts_of_scripts<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    if P::NEVER.iter().any(|(name, _)| *name == palabre_types::EventName::BeforeMessage) {
        return;
    }
    platform.fixture().judges(Verdict::Change("d***".to_owned()));
    let id = platform.people(Deed::Says { who: "alice", text: "darn" }).await;
    platform.fixture().hears("d***").await;
    assert_eq!(platform.message(&id.as_str().into()).await.map(|seen| seen.text).as_deref(), Some("d***"));
    platform.fixture().judges(Verdict::Refuse("no".to_owned()));
    platform.people(Deed::Says { who: "alice", text: "spam" }).await;
    platform.fixture().judges(Verdict::Pass);
    scene::fence(&mut platform).await;
    let is_spam =
        |event: &Event| matches!(&event.kind, EventKind::Message { message } if message.content.text == "spam");
    assert_eq!(platform.fixture().since(0, is_spam), []);
}
