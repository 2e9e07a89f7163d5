//! Notifications of the desktop in a browser.

use palabre_tests::{Client, Project};

use crate::browsing::{Driver, click, driver, element, enter, errors, hide, sees, until, value};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }";
/// Records notifications instead of showing them, and how often the page asked for permission.
const RECORDER: &str = "(() => { window.shown = []; window.asked = 0; window.Notification = class { \
    static permission = 'default'; \
    static async requestPermission() { window.asked++; return this.permission = 'granted'; } \
    constructor(title, { body }) { window.shown.push(`${title}: ${body}`); } close() {} }; })()";

#[tokio::test(flavor = "multi_thread")]
async fn mentions_in_a_hidden_tab_are_notified_once_the_user_has_turned_that_on() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    value(&page, RECORDER).await;
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();

    hide(&page, true).await;
    bob.say("@alice before", "1").await.unwrap();
    sees(&page, "@alice before").await;
    element(&page, "article.mention").await;
    hide(&page, false).await;
    assert_eq!(value(&page, "[window.asked, window.shown]").await, serde_json::json!([0, []]));

    click(&page, "#settings-toggle").await;
    click(&page, "#notify").await;
    until(&page, "window.asked", 1).await;
    until(&page, "document.getElementById('notify').checked", true).await;
    bob.say("@alice visible", "2").await.unwrap();
    sees(&page, "@alice visible").await;
    hide(&page, true).await;
    for (number, text) in ["not for alice", "nor @alicette", "hello @Alice, are you there?"].into_iter().enumerate() {
        bob.say(text, &format!("hidden {number}")).await.unwrap();
    }
    sees(&page, "are you there?").await;
    until(&page, "window.shown", ["bob in #general: hello @Alice, are you there?"].to_vec()).await;
    until(&page, "document.title", "(3) general · Palabre").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}
