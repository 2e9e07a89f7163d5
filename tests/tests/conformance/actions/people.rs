//! Actions of bots on members.

use palabre_platform::{Clock, SystemClock};
use palabre_types::{Action, EventName, Measure, RoomId, SpaceId, UserId};

use crate::platform::{Deed, Platform, SeenMember};
use crate::scene;

/// The duration of mutes and bans in these cases, in milliseconds.
const HOUR: u64 = 3_600_000;

pub(crate) fn measure(room: &RoomId, space: Option<SpaceId>, user: &UserId, measure: Measure) -> Action {
    let reason = Some("flood".to_owned());
    Action::Moderate { room: room.clone(), space, user: user.clone(), measure, reason }
}

async fn take<P: Platform>(platform: &mut P, who: &str, taken: Measure) -> SeenMember {
    let action = measure(&platform.room(), Some(platform.space()), &platform.user(who), taken);
    platform.fixture().does(&action).await;
    platform.member(who).await
}

pub(super) async fn mute<P: Platform>(platform: &mut P) {
    for until in [None, Some(SystemClock.now() + HOUR)] {
        assert!(take(platform, "bob", Measure::Mute { until }).await.is_muted);
        assert!(!take(platform, "bob", Measure::Unmute).await.is_muted);
    }
    scene::said(platform, "bob", "thanks").await;
}

pub(super) async fn kick<P: Platform>(platform: &mut P) {
    platform.people(Deed::Joins { who: "carol" }).await;
    scene::fence(platform).await;
    assert!(platform.member("carol").await.is_there);
    let seen = take(platform, "carol", Measure::Kick).await;
    assert_eq!((seen.is_there, seen.is_banned), (false, false));
}

pub(super) async fn ban<P: Platform>(platform: &mut P) {
    platform.people(Deed::Joins { who: "carol" }).await;
    let spam = scene::said(platform, "carol", "buy now").await;
    for until in [None, Some(SystemClock.now() + HOUR)] {
        let seen = take(platform, "carol", Measure::Ban { until, purge_since: Some(SystemClock.now() - HOUR) }).await;
        assert_eq!((seen.is_there, seen.is_banned), (false, true));
        assert_eq!(platform.message(&spam.as_str().into()).await, None, "their messages are deleted");
        assert!(!take(platform, "carol", Measure::Unban).await.is_banned);
    }
}

pub(super) async fn admit<P: Platform>(platform: &mut P) {
    for decline in [true, false] {
        let since = platform.fixture().cursor();
        platform.people(Deed::AsksToJoin { who: "carol", invited_by: "alice" }).await;
        platform.fixture().wait(EventName::JoinRequest, since, |_| true).await;
        let action = Action::Admit { room: platform.room(), user: platform.user("carol"), decline };
        platform.fixture().does(&action).await;
        assert_eq!(platform.member("carol").await.is_there, !decline);
    }
}

pub(super) async fn role<P: Platform>(platform: &mut P) {
    let seen = take(platform, "bob", Measure::AddRole("Moderator".to_owned())).await;
    assert_eq!(seen.roles, ["Moderator"]);
    let seen = take(platform, "bob", Measure::RemoveRole("Moderator".to_owned())).await;
    assert_eq!(seen.roles, [""; 0]);
}

pub(super) async fn rename<P: Platform>(platform: &mut P) {
    let seen = take(platform, "bob", Measure::Rename("Bobby".to_owned())).await;
    assert_eq!(seen.nickname.as_deref(), Some("Bobby"));
    let seen = take(platform, "bob", Measure::Rename(String::new())).await;
    assert_eq!(seen.nickname, None, "its own name again");
}
