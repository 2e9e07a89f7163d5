//! Actions: those that a platform supports are performed and visible; others are refused.

mod messages;
mod people;
mod places;

use palabre_types::{
    Action, ActionError, ActionKind, Content, Measure, MessageId, MessageRef, RoomChange, RoomId, UserId,
};

use crate::platform::Platform;
use crate::scene;

pub(crate) use people::measure;

/// The test that performs an action kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Messages,
    Answers,
    Members,
    Rooms,
}

const fn group(kind: ActionKind) -> Group {
    match kind {
        ActionKind::Send
        | ActionKind::Edit
        | ActionKind::Delete
        | ActionKind::React
        | ActionKind::Typing
        | ActionKind::Pin
        | ActionKind::Purge => Group::Messages,
        ActionKind::Answer | ActionKind::Form | ActionKind::Offer | ActionKind::Direct => Group::Answers,
        ActionKind::Mute
        | ActionKind::Kick
        | ActionKind::Ban
        | ActionKind::Admit
        | ActionKind::Role
        | ActionKind::Rename => Group::Members,
        ActionKind::Thread | ActionKind::Invite | ActionKind::Topic | ActionKind::Slowmode | ActionKind::Lock => {
            Group::Rooms
        }
    }
}

/// Performs each supported action kind of a group, and checks what users see.
pub(crate) async fn every_kind_of<P: Platform>(group_of_test: Group) {
    let Some(mut platform) = P::start().await else { return };
    let can = platform.fixture().adapter.capabilities().clone();
    for kind in can.actions.iter().copied().filter(|kind| group(*kind) == group_of_test) {
        match kind {
            ActionKind::Send => messages::send(&mut platform).await,
            ActionKind::Edit => messages::edit(&mut platform).await,
            ActionKind::Delete => messages::delete(&mut platform).await,
            ActionKind::React => messages::react(&mut platform).await,
            ActionKind::Typing => messages::typing(&mut platform).await,
            ActionKind::Pin => messages::pin(&mut platform).await,
            ActionKind::Purge => messages::purge(&mut platform).await,
            ActionKind::Answer => messages::answer(&mut platform).await,
            ActionKind::Form => messages::form(&mut platform).await,
            ActionKind::Offer => messages::offer(&mut platform).await,
            ActionKind::Direct => messages::direct(&mut platform).await,
            ActionKind::Mute => people::mute(&mut platform).await,
            ActionKind::Kick => people::kick(&mut platform).await,
            ActionKind::Ban => people::ban(&mut platform).await,
            ActionKind::Admit => people::admit(&mut platform).await,
            ActionKind::Role => people::role(&mut platform).await,
            ActionKind::Rename => people::rename(&mut platform).await,
            ActionKind::Thread => places::thread(&mut platform).await,
            ActionKind::Invite => places::invite(&mut platform).await,
            ActionKind::Topic => places::topic(&mut platform).await,
            ActionKind::Slowmode => places::slowmode(&mut platform).await,
            ActionKind::Lock => places::lock(&mut platform).await,
        }
    }
    scene::fence(&mut platform).await;
    let own = platform.fixture().since(0, |event| {
        let is_message = matches!(event.kind.name(), palabre_types::EventName::Message);
        is_message && event.user.as_ref().is_none_or(|user| user.bot)
    });
    assert!(own.is_empty(), "a bot does not hear itself: {own:#?}");
}

/// Checks that every action that is not declared as supported is refused.
pub(crate) async fn the_rest_is_refused<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    let can = platform.fixture().adapter.capabilities().clone();
    for kind in ActionKind::ALL.iter().copied() {
        assert_eq!(can.can(kind.as_str()), can.actions.contains(&kind), "{kind} is what scripts ask about");
    }
    let message = scene::said(&mut platform, "alice", "hello").await;
    let (room, user) = (platform.room(), platform.user("alice"));
    let all = examples(&room, &user, &message.as_str().into());
    for kind in ActionKind::ALL {
        assert!(all.iter().any(|action| action.kind() == *kind), "there is no example of {kind}");
    }
    for action in all.iter().filter(|action| !can.actions.contains(&action.kind())) {
        let refused = platform.fixture().tries(action).await;
        assert_eq!(refused, Err(ActionError::Unsupported(action.kind())), "{action:?}");
    }
}

/// Returns one example of each action. A missing variant does not compile.
pub(crate) fn examples(room: &RoomId, user: &UserId, message: &MessageId) -> Vec<Action> {
    let measures = [
        Measure::Mute { until: None },
        Measure::Unmute,
        Measure::Kick,
        Measure::Ban { until: None, purge_since: None },
        Measure::Unban,
        Measure::AddRole("Moderator".to_owned()),
        Measure::RemoveRole("Moderator".to_owned()),
        Measure::Rename("Al".to_owned()),
    ];
    let changes = [RoomChange::Topic("tea".to_owned()), RoomChange::Slowmode(5_000), RoomChange::Locked(true)];
    let (room, user, message) = (room.clone(), user.clone(), MessageRef::Id(message.clone()));
    let content = Content::text("hello");
    let mut all = vec![
        Action::Send { room: room.clone(), content: content.clone(), reply_to: None },
        Action::Edit { room: room.clone(), message: message.clone(), content: content.clone() },
        Action::Delete { room: room.clone(), message: message.clone(), reason: None },
        Action::React { room: room.clone(), message: message.clone(), emoji: scene::EMOJI.to_owned(), remove: false },
        Action::Typing { room: room.clone() },
        Action::Pin { room: room.clone(), message: message.clone(), remove: false },
        Action::Purge { room: room.clone(), count: 1, user: None, since: None, reason: None },
        Action::Answer { room: room.clone(), user: user.clone(), interaction: None, content: content.clone() },
        Action::Form { room: room.clone(), user: user.clone(), interaction: None, form: scene::form() },
        Action::Direct { room: room.clone(), user: user.clone(), content },
        Action::Offer {
            room: room.clone(),
            user: user.clone(),
            interaction: "1".to_owned(),
            offers: vec![scene::offer("Six", "🎲 6")],
            lasts: None,
        },
        Action::Admit { room: room.clone(), user: user.clone(), decline: false },
        Action::Thread { room: room.clone(), message: None, name: "aside".to_owned() },
        Action::Invite { room: room.clone(), lasts: None, uses: None },
    ];
    let moderate = |taken| measure(&room, None, &user, taken);
    all.extend(measures.into_iter().map(moderate));
    all.extend(changes.into_iter().map(|change| Action::Arrange { room: room.clone(), change }));
    all.iter().for_each(is_among_the_examples);
    all
}

/// Fails to compile when an action is added: it needs an example above, and a case in its file.
fn is_among_the_examples(action: &Action) {
    match action {
        Action::Send { .. }
        | Action::Edit { .. }
        | Action::Delete { .. }
        | Action::React { .. }
        | Action::Typing { .. }
        | Action::Pin { .. }
        | Action::Purge { .. }
        | Action::Answer { .. }
        | Action::Form { .. }
        | Action::Direct { .. }
        | Action::Offer { .. }
        | Action::Admit { .. }
        | Action::Thread { .. }
        | Action::Invite { .. } => {}
        Action::Moderate { measure, .. } => match measure {
            Measure::Mute { .. }
            | Measure::Unmute
            | Measure::Kick
            | Measure::Ban { .. }
            | Measure::Unban
            | Measure::AddRole(_)
            | Measure::RemoveRole(_)
            | Measure::Rename(_) => {}
        },
        Action::Arrange { change, .. } => match change {
            RoomChange::Topic(_) | RoomChange::Slowmode(_) | RoomChange::Locked(_) => {}
        },
    }
}
