//! The message box in a browser: drafts, completion, the emoji palette.

use palabre_tests::Project;

use crate::browsing::{Driver, click, driver, element, enter, errors, says, sees, types, until};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }";
const ARROW_UP: &str = "\u{e013}";
const TEXT: &str = "document.getElementById('input').value";

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_survives_a_reload_and_the_last_message_is_edited_with_the_arrow_key() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    types(&page, "#input", "not finished").await;
    enter(&page, &daemon.address, "alice").await;
    until(&page, TEXT, "not finished").await;
    types(&page, "#input", ", now it is\n").await;
    sees(&page, "not finished, now it is").await;
    until(&page, "localStorage.getItem('palabre.draft.general')", serde_json::Value::Null).await;

    until(&page, "!!document.querySelector('article.own[data-id]')", true).await;
    types(&page, "#input", ARROW_UP).await;
    until(&page, TEXT, "not finished, now it is").await;
    types(&page, "#input", " edited\n").await;
    sees(&page, "now it is edited").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_emoji_are_completed_with_the_keyboard_and_the_mouse() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let (alice, bob) = (driver.browser().await, driver.browser().await);
    enter(&alice, &daemon.address, "alice").await;
    enter(&bob, &daemon.address, "bobby").await;
    element(&alice, "#people li[data-username='bobby']").await;

    types(&alice, "#input", "hello @bo").await;
    element(&alice, "#completion:not([hidden]) [role=option][aria-selected=true]").await;
    until(&alice, "document.getElementById('input').getAttribute('role')", "combobox").await;
    types(&alice, "#input", "\n").await;
    until(&alice, TEXT, "hello @bobby ").await;
    until(&alice, "document.getElementById('completion').hidden", true).await;

    types(&alice, "#input", ":tad").await;
    click(&alice, "#completion:not([hidden]) [role=option]").await;
    until(&alice, TEXT, "hello @bobby 🎉 ").await;
    // A name between colons needs no choice.
    types(&alice, "#input", ":+1:").await;
    until(&alice, TEXT, "hello @bobby 🎉 👍").await;
    says(&alice, "").await;
    sees(&bob, "hello @bobby 🎉 👍").await;
    for browser in [&alice, &bob] {
        assert_eq!(errors(browser).await, [""; 0]);
    }
    alice.close().await.unwrap();
    bob.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emoji_is_searched_in_the_palette_for_a_message_and_for_a_reaction() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    click(&page, "#emoji").await;
    types(&page, "#palette-search", "octopus\n").await;
    until(&page, TEXT, "🐙").await;
    says(&page, "").await;
    sees(&page, "🐙").await;

    let article = element(&page, "article.own[data-id]").await;
    article.click().await.unwrap();
    click(&page, "article.own .tools [aria-label=React]").await;
    click(&page, "article.own .tools .palette-opener").await;
    types(&page, "#palette-search", "rocket\n").await;
    element(&page, "article.own .chip[data-emoji='🚀'][aria-pressed=true]").await;
    // It is offered first the next time.
    click(&page, "#emoji").await;
    element(&page, "#palette-recent:not([hidden]) [data-emoji='🚀']").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}
