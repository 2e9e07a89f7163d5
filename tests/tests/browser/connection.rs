//! Lost connections and absent users in a browser: queued messages, and the line above new ones.

use palabre_tests::{Client, Project};

use crate::browsing::{Cable, Driver, click, driver, element, enter, errors, hide, says, sees, until, value};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }";
const TEXTS: &str = "[...document.querySelectorAll('#messages article .text')].map((text) => text.innerText)";
const QUEUED: &str = "[...document.querySelectorAll('#outgoing .status')]\
    .filter((status) => status.innerText.startsWith('Queued')).length";
const FIRST_NEW: &str = "document.querySelector('.unread')?.nextElementSibling.querySelector('.text').innerText";

#[tokio::test(flavor = "multi_thread")]
async fn messages_without_a_connection_are_queued_survive_a_reload_and_are_never_doubled() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let cable = Cable::to(&daemon.address).await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &cable.address, "alice").await;
    says(&page, "one").await;
    until(&page, "!!document.querySelector('#thread article.own[data-id]')", true).await;

    cable.cut();
    element(&page, "#link-lost:not([hidden])").await;
    says(&page, "two").await;
    says(&page, "three").await;
    until(&page, QUEUED, 2).await;
    cable.mend();
    // It may have connected by itself, without this button.
    value(&page, "document.getElementById('reconnect').click()").await;
    until(&page, TEXTS, ["one", "two", "three"].to_vec()).await;
    until(&page, "document.querySelectorAll('#outgoing article').length", 0).await;

    // The page is loaded anew while messages wait: it returns to the room and sends them.
    cable.cut();
    element(&page, "#link-lost:not([hidden])").await;
    says(&page, "four").await;
    says(&page, "five").await;
    until(&page, QUEUED, 2).await;
    let saved = value(&page, "JSON.stringify(Object.entries(localStorage))").await;
    cable.mend();
    page.refresh().await.unwrap();
    until(&page, TEXTS, ["one", "two", "three", "four", "five"].to_vec()).await;
    until(&page, "document.querySelectorAll('#outgoing article').length", 0).await;

    // As after a crash: the messages are sent, and also still in the outbox.
    let restore = format!("JSON.parse({saved}).forEach(([key, text]) => localStorage.setItem(key, text))");
    value(&page, &restore).await;
    page.refresh().await.unwrap();
    until(&page, TEXTS, ["one", "two", "three", "four", "five"].to_vec()).await;
    let waiting = "Object.keys(localStorage).filter((key) => key.startsWith('palabre.outbox.')).length";
    until(&page, waiting, 0).await;
    until(&page, TEXTS, ["one", "two", "three", "four", "five"].to_vec()).await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_separates_what_arrived_while_the_user_was_away() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    bob.say("seen", "1").await.unwrap();
    sees(&page, "seen").await;
    hide(&page, true).await;
    bob.say("first", "2").await.unwrap();
    bob.say("second", "3").await.unwrap();
    until(&page, "document.title", "(2) general · Palabre").await;
    until(&page, FIRST_NEW, "first").await;
    hide(&page, false).await;
    until(&page, "document.title", "general · Palabre").await;
    until(&page, FIRST_NEW, "first").await;
    says(&page, "an answer").await;
    until(&page, "document.querySelectorAll('.unread').length", 0).await;

    // On the next visit it is above what was written since the last one.
    sees(&page, "an answer").await;
    until(&page, "!!document.querySelector('#thread article.own[data-id]')", true).await;
    click(&page, "#leave").await;
    element(&page, "#enter").await;
    bob.say("while alice was away", "4").await.unwrap();
    enter(&page, &daemon.address, "alice").await;
    until(&page, FIRST_NEW, "while alice was away").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}
