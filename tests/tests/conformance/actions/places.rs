//! Actions of bots on rooms.

use palabre_types::{Action, Content, MessageRef, RoomChange, RoomId};

use crate::platform::{Platform, SeenRoom};
use crate::scene;

async fn arrange<P: Platform>(platform: &mut P, change: RoomChange) -> SeenRoom {
    platform.fixture().does(&Action::Arrange { room: platform.room(), change }).await;
    platform.room_now().await
}

pub(super) async fn topic<P: Platform>(platform: &mut P) {
    assert_eq!(arrange(platform, RoomChange::Topic("tea".to_owned())).await.topic.as_deref(), Some("tea"));
    assert_eq!(arrange(platform, RoomChange::Topic(String::new())).await.topic, None);
}

pub(super) async fn slowmode<P: Platform>(platform: &mut P) {
    assert_eq!(arrange(platform, RoomChange::Slowmode(5_000)).await.slowmode, 5);
    assert_eq!(arrange(platform, RoomChange::Slowmode(0)).await.slowmode, 0);
}

pub(super) async fn lock<P: Platform>(platform: &mut P) {
    assert!(arrange(platform, RoomChange::Locked(true)).await.is_locked);
    scene::bot_says(platform, Content::text("closed for today")).await;
    assert!(!arrange(platform, RoomChange::Locked(false)).await.is_locked);
    scene::said(platform, "bob", "open again").await;
}

pub(super) async fn thread<P: Platform>(platform: &mut P) {
    let message = scene::said(platform, "alice", "a topic of its own").await;
    for message in [None, Some(MessageRef::Id(message.as_str().into()))] {
        let action = Action::Thread { room: platform.room(), message, name: "aside".to_owned() };
        let made = platform.fixture().does(&action).await.message.expect("a thread has an id");
        let room = RoomId::from(made.as_str());
        assert_eq!(room.bot(), platform.fixture().bot.name.as_str(), "<bot>/<native id>: {room}");
        assert_eq!(platform.thread(room.native()).await.as_deref(), Some("aside"));
        let action = Action::Send { room, content: Content::text("in here"), reply_to: None };
        platform.fixture().does(&action).await;
    }
}

pub(super) async fn invite<P: Platform>(platform: &mut P) {
    let action = Action::Invite { room: platform.room(), lasts: Some(3_600_000), uses: Some(3) };
    let made = platform.fixture().does(&action).await.message.expect("an invitation has an address");
    assert!(made.as_str().starts_with("https://"), "{made}");
}
