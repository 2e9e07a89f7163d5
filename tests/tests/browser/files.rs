//! Files in a browser: the image viewer, players, uploads that can be cancelled.

use fantoccini::Locator;
use palabre_tests::Project;

use crate::browsing::{Driver, click, driver, element, enter, errors, says, types, until, value};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }";
/// One pixel.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf,
    0x50, 0x0f, 0, 3, 0x86, 1, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60,
    0x82,
];
const ARROW_RIGHT: &str = "\u{e014}";
const ESCAPE: &str = "\u{e00c}";

/// A second of silence: 8 bits, 8 kHz, one channel.
fn wav() -> Vec<u8> {
    let samples = 8_000_u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(8_000_u32.to_le_bytes());
    file.extend(8_000_u32.to_le_bytes());
    file.extend(b"\x01\0\x08\0data");
    file.extend(samples.to_le_bytes());
    file.extend(vec![128; 8_000]);
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn images_open_in_a_viewer_with_a_keyboard_and_sound_has_a_player() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    for (name, data) in [("one.png", PNG.to_vec()), ("two.png", PNG.to_vec()), ("tone.wav", wav())] {
        let path = project.path().join(name);
        std::fs::write(&path, data).unwrap();
        let input = page.find(Locator::Css("#file-input")).await.unwrap();
        input.send_keys(path.to_str().unwrap()).await.unwrap();
        element(&page, "#files .chosen").await;
        says(&page, name).await;
        let sent = "[...document.querySelectorAll('#thread article.own[data-id] .text')].at(-1)?.innerText";
        until(&page, sent, name).await;
    }
    until(&page, "document.querySelectorAll('#thread .picture:not(.loading)').length", 2).await;
    until(&page, "Math.round(document.querySelector('#thread .player audio')?.duration)", 1).await;

    click(&page, "#thread a.picture").await;
    element(&page, "#viewer[open]").await;
    until(&page, "document.getElementById('viewer-count').innerText", "1 of 2").await;
    types(&page, "#viewer-close", ARROW_RIGHT).await;
    until(&page, "document.getElementById('viewer-name').innerText", "two.png").await;
    until(&page, "document.getElementById('viewer-next').getAttribute('aria-disabled')", "true").await;
    types(&page, "#viewer-close", ESCAPE).await;
    until(&page, "document.getElementById('viewer').open", false).await;
    until(&page, "document.activeElement.querySelector('img')?.alt", "two.png").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_shows_its_progress_and_can_be_cancelled_and_repeated() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    // An upload that stops after a half.
    let stopping = "(() => { const send = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function () { \
         XMLHttpRequest.prototype.send = send; \
         this.upload.dispatchEvent(new ProgressEvent('progress', { loaded: 5, total: 10 })); } })()";
    value(&page, stopping).await;
    let path = project.path().join("notes.txt");
    std::fs::write(&path, "0123456789").unwrap();
    let input = page.find(Locator::Css("#file-input")).await.unwrap();
    input.send_keys(path.to_str().unwrap()).await.unwrap();
    element(&page, "#files .chosen").await;
    says(&page, "my notes").await;
    until(&page, "document.querySelector('#outgoing progress')?.value", 0.5).await;
    click(&page, "#outgoing .retry").await;
    until(&page, "document.querySelector('#outgoing .status').innerText.includes('cancelled')", true).await;
    click(&page, "#outgoing .retry").await;
    element(&page, "#thread article.own[data-id] .file").await;
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}
