//! The page in another language, and as an installed app.

use palabre_tests::Project;
use palabre_tests::http::ask;
use serde_json::Value;

use crate::browsing::{Driver, click, driver, element, enter, errors, says, sees, types, until, value};

const ROOMS: &str = "bots: { lobby: { platform: rooms } }";
/// The keys of a module of texts, with those of the texts inside.
const KEYS: &str = "const keys = (texts) => Object.entries(texts).flatMap(([key, text]) => \
    text && typeof text === 'object' && !Array.isArray(text) ? keys(text).map((inner) => `${key}.${inner}`) : [key])";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_french_after_a_choice_and_returns_to_the_room() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    enter(&page, &daemon.address, "alice").await;
    says(&page, "the same in every language").await;
    sees(&page, "the same in every language").await;
    until(&page, "document.documentElement.lang", "en").await;
    until(&page, "document.querySelector('#thread .day').innerText", "Today").await;

    click(&page, "#settings-toggle").await;
    types(&page, "#language", "F").await;
    until(&page, "document.documentElement.lang", "fr").await;
    sees(&page, "the same in every language").await;
    until(&page, "document.querySelector('#thread .day').innerText", "Aujourd’hui").await;
    until(&page, "document.getElementById('input').placeholder", "Écrire un message").await;
    until(&page, "document.getElementById('leave').innerText.trim()", "Quitter le salon").await;

    // Each text has a translation: those of the modules, and the fixed ones of the page.
    let missing = format!(
        "Promise.all([import('/assets/english.js'), import('/assets/french.js')]) \
         .then(([{{ english }}, {{ french }}]) => \
         {{ {KEYS}; const [a, b] = [english, french].map((texts) => keys({{ ...texts, page: null }})); \
         return [a.filter((key) => !b.includes(key)), b.filter((key) => !a.includes(key))] }})"
    );
    assert_eq!(value(&page, &missing).await, serde_json::json!([[], []]));
    let untranslated = "Promise.all([import('/assets/french.js'), fetch('/').then((answer) => answer.text())])\
        .then(([{ french }, html]) => { const page = new DOMParser().parseFromString(html, 'text/html'); \
        const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT); const found = []; \
        while (walker.nextNode()) { found.push(walker.currentNode.data.trim()) } \
        for (const name of ['aria-label', 'title', 'placeholder']) \
          found.push(...[...page.body.querySelectorAll(`[${name}]`)].map((el) => el.getAttribute(name))); \
        return found.filter((text) => /[a-z]{2}/i.test(text) && !(text in french.page)) })";
    let names = ["Palabre", "general", "random", "tech", "!roll 20"];
    assert_eq!(value(&page, untranslated).await, serde_json::json!(names));
    assert_eq!(errors(&page).await, [""; 0]);
    page.close().await.unwrap();
    driver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_can_be_installed_and_keeps_only_versioned_assets() {
    let Some(driver) = driver() else { return };
    let project = Project::new(ROOMS, &[]);
    let daemon = project.start().await;
    let driver = Driver::start(driver).await;
    let page = driver.browser().await;
    page.goto(&format!("http://{}/", daemon.address)).await.unwrap();
    until(&page, "navigator.serviceWorker.ready.then((worker) => new URL(worker.scope).pathname)", "/").await;
    until(&page, "!!navigator.serviceWorker.controller", true).await;
    page.refresh().await.unwrap();
    element(&page, "#enter").await;
    let kept = "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name)))).then((all) => \
        Promise.all(all.map((cache) => cache.keys()))).then((keys) => \
        keys.flat().map(({ url }) => new URL(url).pathname))";
    until(&page, &format!("{kept}.then((paths) => paths.some((path) => path.endsWith('/app.js')))"), true).await;
    let strange =
        format!("{kept}.then((paths) => paths.filter((path) => !/^\\/assets\\/[0-9a-f]{{16}}\\//.test(path)))");
    assert_eq!(value(&page, &strange).await, serde_json::json!([]));

    let address = value(&page, "new URL(document.querySelector('link[rel=manifest]').href).pathname").await;
    let address = address.as_str().unwrap();
    let manifest = ask(&daemon.address, &format!("GET {address}"), &[], b"").await;
    assert_eq!(manifest.header("content-type"), Some("application/manifest+json"));
    let manifest: Value = serde_json::from_slice(&manifest.body).unwrap();
    for icon in manifest["icons"].as_array().unwrap() {
        let path = address.replace("manifest.webmanifest", icon["src"].as_str().unwrap());
        let found = ask(&daemon.address, &format!("GET {path}"), &[], b"").await;
        assert_eq!((found.status, found.header("content-type")), (200, icon["type"].as_str()), "{path}");
    }
    page.close().await.unwrap();
    driver.stop().await;
}
