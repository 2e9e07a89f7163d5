//! Messages in a browser: their menu, and links to them.

use palabre_tests::{Client, Project};

use crate::browsing::{Driver, click, driver, element, enter, errors, says, sees, types, until, value};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }";
const TEXT: &str = "document.getElementById('input').value";
/// Opens the menu of the last message, as a right click does.
const OPEN_MENU: &str = "(() => { const all = document.querySelectorAll('#thread article[data-id]'); \
    all[all.length - 1].dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, button: 2, \
    clientX: 300, clientY: 200 })) })()";
const ITEMS: &str =
    "[...document.querySelectorAll('#menu:popover-open [role=menuitem]')].map((item) => item.innerText)";
const FOCUSED: &str = "document.activeElement.dataset.id";
const ARROW_DOWN: &str = "\u{e015}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_of_a_message_offers_what_the_server_allows() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    says(&page, "my own").await;
    element(&page, "#thread article.own[data-id]").await;
    value(&page, OPEN_MENU).await;
    let own = ["React", "Reply", "Quote", "Copy text", "Copy link", "Edit", "Delete"];
    until(&page, ITEMS, own.to_vec()).await;
    until(&page, "document.activeElement.innerText", "React").await;
    types(&page, "#menu [role=menuitem]", ARROW_DOWN).await;
    until(&page, "document.activeElement.innerText", "Reply").await;
    types(&page, "#menu [role=menuitem]:nth-child(2)", ESCAPE).await;
    until(&page, "document.activeElement.matches('article.own')", true).await;

    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    bob.say("first line\nsecond line", "n").await.unwrap();
    sees(&page, "second line").await;
    value(&page, OPEN_MENU).await;
    until(&page, ITEMS, own[..5].to_vec()).await;
    click(&page, "#menu [role=menuitem]:nth-child(3)").await;
    until(&page, TEXT, "> first line\n> second line\n\n").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_the_history_at_its_message_and_later_messages_lead_back() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let mut ids = Vec::new();
    for number in 0..240 {
        ids.push(bob.say(&format!("message {number}"), &format!("n{number}")).await.unwrap());
    }
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    page.goto(&format!("http://{}/rooms/general#message-{}", daemon.address, ids[20])).await.unwrap();
    types(&page, "#name", "alice").await;
    click(&page, "#enter").await;
    until(&page, FOCUSED, ids[20].as_str()).await;
    until(&page, "document.getElementById('past').hidden", false).await;
    until(&page, "document.querySelectorAll('#past article').length", 81).await;

    // What is written meanwhile is counted, and does not move the page.
    bob.say("news", "news").await.unwrap();
    until(&page, "document.getElementById('new-messages').hidden", false).await;
    until(&page, "document.getElementById('thread').hidden", true).await;
    click(&page, "#later").await;
    until(&page, "document.getElementById('past').hidden", true).await;
    // The inner text of what is not on the screen may be empty.
    let texts = "[...document.querySelectorAll('#thread article .text')].map((text) => text.textContent.trim())";
    let mut expected: Vec<_> = (0..240).map(|number| format!("message {number}")).collect();
    expected.push("news".to_owned());
    until(&page, texts, expected).await;

    // A link in a message of the same room needs no other page.
    bob.say(&format!("see http://{}/rooms/general#message-{}", daemon.address, ids[3]), "link").await.unwrap();
    click(&page, "#thread article .text a").await;
    until(&page, FOCUSED, ids[3].as_str()).await;
    assert_eq!(page.windows().await.unwrap().len(), 1);
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}
