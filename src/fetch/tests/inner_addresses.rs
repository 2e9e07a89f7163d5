//! Attempts to reach this machine, its network and the metadata service of its cloud.
//!
//! Each must fail before a connection is made.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use palabre_fetch::{FetchError, NameResolver};
use palabre_types::Reply;
use support::*;
use tokio::net::{TcpListener, TcpStream};

/// Hosts that are this machine, its network, a metadata service, or nowhere; separated by spaces.
const HOSTS: &[&str] = &[
    // Loopback, in all the spellings of an IPv4 address.
    "127.0.0.1 127.0.0.1. 127.1 127.0.1 127.8.9.10 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 0x7F.0x0.0x0.0x1 0177.0.0.1",
    "0177.1 017700000001 0177.0x0.0.1 127.000.000.001 127.0x1 0 0.0.0.0 0x0 00000000000",
    // The same, in notations that URL parsing decodes.
    "%31%32%37.0.0.1 127%2e0%2e0%2e1 127.0.0.%31 １２７.０.０.１ 127。0。0。1 ①②⑦.⓪.⓪.①",
    // Loopback by name.
    "localhost localhost. LOCALHOST LocalHost. foo.localhost foo.localhost. A.B.LOCALHOST 127.0.0.1.localhost",
    "loc%61lhost ｌｏｃａｌｈｏｓｔ ⓛocalhost local\u{ad}host",
    // Loopback in IPv6, and IPv4 addresses embedded in it.
    "[::1] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::] [::1%25lo] [::1%lo]",
    "[::ffff:127.0.0.1] [::FFFF:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0.0.0.0] [::ffff:169.254.169.254]",
    "[::127.0.0.1] [::7f00:1] [::ffff:0:127.0.0.1] [2002:7f00:1::] [2002:7f00:1::1] [2002:a9fe:a9fe::]",
    "[2001:0:7f00:1::80ff:fffe] [2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::10.0.0.1] [64:ff9b::169.254.169.254] [64:ff9b:1::127.0.0.1]",
    // Metadata services and link-local addresses.
    "169.254.169.254 169.254.0.1 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 100.100.100.200",
    "168.63.129.16 192.0.0.192 [fd00:ec2::254] [fd20:ce::254] [fe80::1] [febf::1] [fe80::a9fe:a9fe]",
    // Inner networks.
    "10.0.0.1 10.255.255.255 0xa.1 012.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1 192.168.257 3232235521 100.64.0.1",
    "[fc00::1] [fd12:3456::1] [fec0::1]",
    // Reserved.
    "198.18.0.1 192.0.2.1 198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255",
    "0.1.2.3 [ff02::1] [100::1] [2001:db8::1] [3fff::1] [5f00::1] [2001:2::1] [2001:20::1]",
    // NameResolver that resolve to inner addresses.
    "inward.example INWARD.example. private.example v6.example mapped.example wrapped.example",
    "metadata.google.internal ip6-localhost first.example last.example nowhere.example",
];

fn hosts() -> impl Iterator<Item = &'static str> {
    HOSTS.iter().flat_map(|line| line.split(' '))
}

/// URLs that differ in more than the host between `http://` and `:PORT/`.
const URLS: &[&str] = &[
    "https://127.0.0.1:PORT/",
    "HTTP://127.0.0.1:PORT/",
    " \t http://127.0.0.1:PORT/ ",
    "ht\ntp://127.0.0.1:PORT/",
    "http:127.0.0.1:PORT/",
    "http:/127.0.0.1:PORT/",
    "http:////127.0.0.1:PORT/",
    "http:\\\\127.0.0.1:PORT\\",
    "http:/\\127.0.0.1:PORT/",
    // The part before the @ is not the host.
    "http://example.com@127.0.0.1:PORT/",
    "http://example.com:80@127.0.0.1:PORT/",
    "http://example.com:80@@127.0.0.1:PORT/",
    "http://example.com%40127.0.0.1:PORT/",
    "http://example.com%00@127.0.0.1:PORT/",
    "http://@127.0.0.1:PORT/",
    "http://:@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@example.com/",
    "http://user:secret@example.com/",
    // An @ after the host has no meaning.
    "http://127.0.0.1:PORT\\@example.com/",
    "http://127.0.0.1:PORT#@example.com/",
    "http://127.0.0.1:PORT?@example.com/",
    "http://127.0.0.1:PORT/@example.com/",
    "http://127.0.\n0.1:PORT/",
    "http://127.0.\t0.1:PORT/",
    "http://127.0.0.1:PORT;@example.com/",
    // Other schemes.
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "gopher://127.0.0.1:PORT/_GET",
    "ftp://127.0.0.1:PORT/",
    "ws://127.0.0.1:PORT/",
    "dict://127.0.0.1:PORT/",
    "ldap://127.0.0.1:PORT/",
    "unix:/run/docker.sock",
    "jar:http://127.0.0.1:PORT/!/",
    "blob:http://127.0.0.1:PORT/1",
    "data:text/plain,x",
    "javascript:1",
    // Invalid URLs.
    "",
    "/",
    "127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http://",
    "http:///",
    "http://./",
    "http://:PORT/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.256:PORT/",
    "http://[::1:PORT/",
    "http://exa mple.com/",
];

/// Resolves some names to inner addresses, and refuses all others.
struct Inward;

#[async_trait]
impl NameResolver for Inward {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses: &[&str] = match name.trim_end_matches('.') {
            "inward.example" => &["127.0.0.1"],
            "private.example" => &["10.1.2.3"],
            "v6.example" | "ip6-localhost" => &["::1"],
            "mapped.example" => &["::ffff:127.0.0.1"],
            "wrapped.example" => &["64:ff9b::7f00:1"],
            "metadata.google.internal" => &["169.254.169.254"],
            "first.example" => &["127.0.0.1", "2d00::1"],
            "last.example" => &["2d00::1", "2d00::2", "127.0.0.1"],
            "nowhere.example" => &["0.0.0.0"],
            _ => return Err(io::Error::other(format!("{name} should not be looked up"))),
        };
        Ok(addresses.iter().map(|text| text.parse().unwrap()).collect())
    }
}

/// Listens on the loopback addresses, to check that no connection arrives.
struct Canary {
    listeners: Vec<TcpListener>,
    port: u16,
}

impl Canary {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut listeners = vec![listener];
        // Not every machine has IPv6.
        listeners.extend(TcpListener::bind(("::1", port)).await.ok());
        Self { listeners, port }
    }

    fn at(&self, text: &str) -> String {
        text.replace("PORT", &self.port.to_string())
    }

    /// Checks that no connection arrived before the test's own.
    ///
    /// Connections are accepted in the order in which they were made.
    async fn has_seen_nobody(&self) {
        for listener in &self.listeners {
            let own = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!(peer, own.local_addr().unwrap(), "a connection has reached {listener:?}");
        }
    }
}

fn is_refused(outcome: &Result<Reply, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Inner { .. } | FetchError::NotGranted { .. } | FetchError::BadUrl(_)))
}

/// The grants that allow as much as possible without naming an inner host.
fn widest(canary: &Canary) -> Vec<String> {
    vec!["*".to_owned(), canary.at("*:PORT"), "*.example".to_owned(), "*.example.com".to_owned()]
}

#[tokio::test]
async fn no_spelling_of_an_inner_host_gets_through_a_wildcard() {
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    let wide = grants(&widest(&canary));
    for host in hosts() {
        for url in [format!("http://{host}:{}/", canary.port), format!("http://{host}/latest/meta-data/")] {
            let outcome = fetcher.fetch(&request("GET", &url), &wide).await;
            let refused = matches!(outcome, Err(FetchError::Inner { .. } | FetchError::BadUrl(_)));
            assert!(refused, "{url}: {outcome:?}");
        }
        let outcome = fetcher.fetch(&request("POST", canary.at(&format!("https://{host}:PORT/"))), &wide).await;
        assert!(is_refused(&outcome), "https, {host}: {outcome:?}");
    }
    canary.has_seen_nobody().await;
}

#[tokio::test]
async fn no_spelling_of_an_inner_host_gets_through_narrow_grants() {
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    // Another port of this machine, another address, and names that resolve to inner addresses.
    let narrow = grants(&["127.0.0.1:1", "[::1]:1", "localhost:1", "8.8.8.8", "*.example", "api.example.com"]);
    let nothing = grants::<&str>(&[]);
    for host in hosts() {
        let url = format!("http://{host}:{}/", canary.port);
        for grants in [&narrow, &nothing] {
            let outcome = fetcher.fetch(&request("GET", &url), grants).await;
            assert!(is_refused(&outcome), "{url} with {grants:?}: {outcome:?}");
        }
    }
    canary.has_seen_nobody().await;
}

#[tokio::test]
async fn no_trick_with_a_url_gets_through() {
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    let wide = grants(&widest(&canary));
    for url in URLS.iter().map(|url| canary.at(url)) {
        let outcome = fetcher.fetch(&request("GET", &url), &wide).await;
        let refused = matches!(outcome, Err(FetchError::Inner { .. } | FetchError::BadUrl(_)));
        assert!(refused, "{url:?}: {outcome:?}");
    }
    canary.has_seen_nobody().await;
}

#[tokio::test]
async fn an_inner_address_that_is_granted_grants_no_other_spelling_nor_neighbour() {
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    let granted = grants(&[canary.at("127.0.0.2:PORT"), canary.at("[::ffff:127.0.0.2]:PORT"), canary.at("*:PORT")]);
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "inward.example", "127.0.0.3"] {
        let outcome = fetcher.fetch(&request("GET", canary.at(&format!("http://{host}:PORT/"))), &granted).await;
        assert!(matches!(outcome, Err(FetchError::Inner { .. })), "{host}: {outcome:?}");
    }
    let granted = grants(&[canary.at("127.0.0.1:PORT")]);
    for host in ["localhost", "foo.localhost", "[::ffff:127.0.0.1]", "[::1]"] {
        let outcome = fetcher.fetch(&request("GET", canary.at(&format!("http://{host}:PORT/"))), &granted).await;
        assert!(matches!(outcome, Err(FetchError::Inner { .. })), "{host}: {outcome:?}");
    }
    canary.has_seen_nobody().await;
}

#[tokio::test]
async fn a_granted_name_still_does_not_reach_an_inner_address() {
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    // Not even when the address that it resolves to is granted too.
    let granted = grants(&[canary.at("inward.example:PORT"), canary.at("127.0.0.1:PORT")]);
    let outcome = fetcher.fetch(&request("GET", canary.at("http://inward.example:PORT/")), &granted).await;
    let loopback = "127.0.0.1".parse().unwrap();
    assert_eq!(outcome, Err(FetchError::Inner { host: "inward.example".to_owned(), address: loopback }));
    canary.has_seen_nobody().await;
}

#[tokio::test]
async fn no_redirect_leads_inward() {
    const TARGETS: &[&str] = &[
        "http://127.0.0.1:PORT/",
        "//127.0.0.1:PORT/",
        "\\\\127.0.0.1:PORT\\",
        "https://127.0.0.1:PORT/",
        "http://2130706433:PORT/",
        "http://0x7f.1:PORT/",
        "http://0177.0.0.1:PORT/",
        "http://localhost:PORT/",
        "http://foo.localhost:PORT/",
        "http://[::1]:PORT/",
        "http://[::ffff:127.0.0.1]:PORT/",
        "http://inward.example:PORT/",
        "http://last.example:PORT/",
        "http://user:secret@127.0.0.1:FRONT/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:PORT/_GET",
        "data:text/plain,x",
        "http://127.0.0.1:99999/",
    ];
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    for status in [301, 302, 303, 307, 308] {
        for (target, method) in TARGETS.iter().zip(["GET", "POST"].into_iter().cycle()) {
            // The front server redirects requests for /; its own port is known only then.
            let to = canary.at(target);
            let front = Server::start(move |request| {
                let port = request.lines().find_map(|line| line.strip_prefix("host: 127.0.0.1:")).unwrap_or_default();
                let to = to.replace("FRONT", port);
                Answer::Whole(reply(&format!("{status} Elsewhere"), &[("location", to.as_str())], ""))
            })
            .await;
            for granted in [vec![front.grant()], [widest(&canary), vec![front.grant()]].concat()] {
                let outcome = fetcher.fetch(&request(method, front.url("/")), &grants(&granted)).await;
                assert!(is_refused(&outcome), "{method}, {status} to {target} with {granted:?}: {outcome:?}");
            }
            assert_eq!(front.seen().len(), 2, "{target} was requested from the front server");
        }
    }
    canary.has_seen_nobody().await;
}

#[tokio::test]
async fn the_last_of_several_redirects_does_not_lead_inward() {
    let canary = Canary::new().await;
    let fetcher = fetcher(Arc::new(Inward));
    let inward = canary.at("http://127.0.0.1:PORT/");
    let front = Server::start(move |request| {
        let to = if request.starts_with("GET /1 ") { "/2" } else { inward.as_str() };
        Answer::Whole(reply("302 Found", &[("location", to)], ""))
    })
    .await;
    let outcome = fetcher.fetch(&request("GET", front.url("/1")), &grants(&[front.grant()])).await;
    assert_eq!(outcome, Err(FetchError::NotGranted { host: canary.at("127.0.0.1:PORT") }));
    assert_eq!(front.seen().len(), 2);
    canary.has_seen_nobody().await;
}

/// Resolves a name to a public address at first, and to this machine from then on.
#[derive(Default)]
struct Rebinding {
    asked: AtomicUsize,
}

#[async_trait]
impl NameResolver for Rebinding {
    async fn look_up(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        // A public address that is not assigned.
        let address = if self.asked.fetch_add(1, SeqCst) == 0 { "2d00::1" } else { "127.0.0.1" };
        Ok(vec![address.parse().unwrap()])
    }
}

#[tokio::test]
async fn a_name_that_changes_between_check_and_use_gains_nothing() {
    let canary = Canary::new().await;
    let names = Arc::new(Rebinding::default());
    let fetcher = fetcher(names.clone());
    let wide = grants(&widest(&canary));
    let mut asking = request("GET", canary.at("http://turning.example:PORT/"));
    asking.timeout = Duration::from_millis(300);

    let outcome = fetcher.fetch(&asking, &wide).await;
    assert!(matches!(outcome, Err(FetchError::Failed(_) | FetchError::Timeout)), "{outcome:?}");
    assert_eq!(names.asked.load(SeqCst), 1, "the address that is used is not the one that was checked");

    let outcome = fetcher.fetch(&asking, &wide).await;
    assert!(matches!(outcome, Err(FetchError::Inner { .. })), "{outcome:?}");
    canary.has_seen_nobody().await;
}
