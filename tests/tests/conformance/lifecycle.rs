//! Start, loss, end and restart of an adapter.

use palabre_types::{Content, EventName};

use crate::platform::{Deed, Platform};
use crate::scene;

/// Checks that messages of users arrive, and messages of the bot as well.
async fn works<P: Platform>(platform: &mut P, text: &str) {
    scene::said(platform, "alice", text).await;
    let id = scene::bot_says(platform, Content::text(text)).await;
    assert_eq!(platform.message(&id).await.map(|seen| seen.text).as_deref(), Some(text));
}

/// Tests that an adapter becomes ready once, before other events, and ends after the shutdown signal.
pub(crate) async fn it_starts_and_stops<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    works(&mut platform, "first").await;
    let ready = platform.fixture().since(0, |event| event.kind.name() == EventName::Ready);
    assert_eq!(ready.len(), 1, "{ready:#?}");
    assert_eq!(platform.fixture().since(0, |_| true).first().map(|event| event.kind.name()), Some(EventName::Ready));
    let ended = platform.fixture_mut().stops().await;
    assert!(ended.is_ok(), "{ended:?}");
}

/// Tests that a lost connection is reported once, and that missed messages arrive when it is back.
pub(crate) async fn it_comes_back_when_its_platform_was_lost<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    works(&mut platform, "before").await;
    let since = platform.fixture().cursor();
    if !platform.cut().await {
        return;
    }
    platform.people(Deed::Says { who: "alice", text: "meanwhile" }).await;
    platform.fixture().hears("meanwhile").await;
    platform.fixture().wait(EventName::Ready, since, |_| true).await;
    works(&mut platform, "after").await;
    let lost = platform.fixture().since(since, |event| event.kind.name() == EventName::Lost);
    assert_eq!(lost.len(), 1, "{lost:#?}");
    // Also when there are no messages.
    let since = platform.fixture().cursor();
    platform.cut().await;
    platform.fixture().wait(EventName::Ready, since, |_| true).await;
}

/// Tests that an adapter that has failed is restarted, on the same platform in the same process.
pub(crate) async fn it_is_restarted_after_a_failure<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    works(&mut platform, "before").await;
    platform.fixture_mut().falls_over().await;
    works(&mut platform, "after").await;
}

/// Tests that another process continues where the last one stopped.
pub(crate) async fn another_process_goes_on<P: Platform>() {
    let Some(mut platform) = P::start().await else { return };
    works(&mut platform, "before").await;
    let ended = platform.fixture_mut().stops().await;
    assert!(ended.is_ok(), "{ended:?}");
    platform.restart().await;
    works(&mut platform, "after").await;
}
