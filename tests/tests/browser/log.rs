//! The log in a browser: formatted text, and thousands of messages.

use palabre_tests::{Client, Project};
use serde_json::{Value, json};

use crate::browsing::{Driver, click, driver, enter, errors, sees, types, until, value};

const ROOMS: &str = "bots: { lobby: { platform: rooms, rooms: { retention: { keep: ['*'] } } } }";
/// Messages sent before the answers to them are awaited.
const IN_FLIGHT: usize = 20;
const LAST: &str = "[...document.querySelectorAll('#thread article .text')].at(-1)?.innerText";
const AT_END: &str = "(() => { const log = document.getElementById('messages'); \
    return log.scrollHeight - log.scrollTop - log.clientHeight < 2 })()";
/// The number and the place of the first message that is visible.
const VISIBLE: &str = "(() => { const { top } = document.getElementById('messages').getBoundingClientRect(); \
    const all = [...document.querySelectorAll('.thread:not([hidden]) article')]; \
    const first = all.find((article) => article.getBoundingClientRect().top >= top); \
    return [first.querySelector('.text').innerText, Math.round(first.getBoundingClientRect().top - top)] })()";
const COUNT: &str = "document.querySelectorAll('#messages article').length";

/// Sends numbered messages.
async fn talk(client: &mut Client, numbers: std::ops::Range<usize>) {
    let numbers: Vec<_> = numbers.collect();
    for part in numbers.chunks(IN_FLIGHT) {
        let mut asked = Vec::new();
        for number in part {
            let message = json!({ "message": format!("message {number}"), "nonce": format!("n{number}") });
            asked.push(client.ask("send_message", message).await.unwrap());
        }
        for number in asked {
            let answer = client.ack(number).await.unwrap();
            assert!(answer["id"].is_string(), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spoilers_tables_and_code_are_built_without_markup_of_people() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let text = "the end: ||bob <img src=x onerror=alert(1)> **did** it||\n\n| name | points |\n| --- | --: |\n\
        | <b>alice</b> | 12 |\n\n```js\nconst x = \"<i>\"; // done\n```\n\nall || of || this is text";
    bob.say(text, "1").await.unwrap();
    sees(&page, "all || of || this is text").await;
    until(&page, "document.querySelectorAll('.text :is(img, b, i)').length", 0).await;
    until(&page, "document.querySelector('.text th.align-end').innerText", "points").await;
    until(&page, "document.querySelector('.text td').innerText", "<b>alice</b>").await;
    let code = "['keyword', 'string', 'comment'].map((kind) => document.querySelector(`.code-${kind}`).innerText)";
    until(&page, code, ["const", "\"<i>\"", "// done"].to_vec()).await;

    // A spoiler cannot be read or reached before it is opened, here with the keyboard.
    until(&page, "document.querySelector('.spoiler-content').inert", true).await;
    bob.say("about the end", "2").await.unwrap();
    types(&page, ".text .spoiler", "\n").await;
    until(&page, "document.querySelector('.spoiler-content').inert", false).await;
    until(&page, "document.querySelector('.spoiler').innerText", "bob <img src=x onerror=alert(1)> did it").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_stays_bounded_and_at_the_place_that_is_read() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    let (mut bob, _) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    talk(&mut bob, 0..900).await;
    until(&page, LAST, "message 899").await;
    until(&page, AT_END, true).await;
    let count = value(&page, COUNT).await;
    assert!(count.as_u64() <= Some(800), "{count} messages");

    // The user scrolls up, and many more arrive.
    let scroll = "(() => { const log = document.getElementById('messages'); log.dispatchEvent(new Event('wheel')); \
        log.scrollTop = log.scrollHeight / 2 })()";
    value(&page, scroll).await;
    until(&page, AT_END, false).await;
    let place = value(&page, VISIBLE).await;
    talk(&mut bob, 900..2_000).await;
    until(&page, LAST, Value::from("message 1999")).await;
    until(&page, "document.getElementById('past').hidden", false).await;
    assert_eq!(value(&page, VISIBLE).await[0], place[0], "the same message is at the same place");
    let count = value(&page, COUNT).await;
    assert!(count.as_u64() <= Some(1_400), "{count} messages");

    // Back to the newest, and from there to the first.
    click(&page, "#to-newest").await;
    until(&page, AT_END, true).await;
    let first = "document.querySelector('.thread:not([hidden]) article .text').innerText === 'message 0'";
    for _page in 0..20 {
        if value(&page, first).await == true {
            break;
        }
        value(&page, "document.getElementById('earlier').click()").await;
        until(&page, "document.getElementById('earlier').hasAttribute('aria-disabled')", false).await;
        let count = value(&page, COUNT).await;
        assert!(count.as_u64() <= Some(1_600), "{count} messages");
    }
    until(&page, first, true).await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}
