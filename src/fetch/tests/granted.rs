//! Requests to hosts that a script is granted.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use palabre_fetch::{
    FetchError, Fetcher, NameResolver, REDIRECTS_MAX, REPLY_BYTES_MAX, REQUEST_BYTES_MAX, REQUEST_HEADERS_MAX,
};
use support::*;
use tokio::net::TcpListener;

/// A resolver for tests that resolve no name.
struct NoNames;

#[async_trait]
impl NameResolver for NoNames {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other(format!("{name} should not be looked up")))
    }
}

fn client() -> Fetcher {
    fetcher(Arc::new(NoNames))
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_get_is_sent_and_its_reply_read() {
    let server = Server::always("200 OK", &[("X-Answer", "42"), ("x-answer", "43")], "hello").await;
    let mut asking = request("get", server.url("/path?q=1#part"));
    asking.headers = owned(&[("X-Asked", "yes"), ("x-asked", "twice"), ("accept-encoding", "gzip")]);
    let reply = client().fetch(&asking, &grants(&[server.grant()])).await.unwrap();

    assert_eq!((reply.status, reply.body.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(reply.url, server.url("/path?q=1#part"));
    let answers: Vec<_> = reply.headers.iter().filter(|(name, _)| name == "x-answer").map(|(_, value)| value).collect();
    assert_eq!(answers, ["42", "43"]);

    let seen = server.seen().remove(0).to_lowercase();
    assert!(seen.starts_with("get /path?q=1 http/1.1\r\n"), "{seen}");
    for line in ["x-asked: yes", "x-asked: twice", "user-agent: palabre/", "accept-encoding: gzip"] {
        assert!(seen.contains(&format!("\r\n{line}")), "{line} in {seen}");
    }
    for name in ["cookie", "referer", "authorization"] {
        assert!(!seen.contains(&format!("\r\n{name}:")), "{name} in {seen}");
    }
}

#[tokio::test]
async fn a_body_is_sent() {
    let server = Server::always("201 Created", &[], "").await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let mut asking = request(method, server.url("/"));
        asking.headers = owned(&[("content-type", "text/plain")]);
        asking.body = Some(b"the body".to_vec());
        let reply = client().fetch(&asking, &grants(&[server.grant()])).await.unwrap();
        assert_eq!((reply.status, reply.body), (201, Vec::new()));
        let seen = server.seen().pop().unwrap();
        assert!(seen.starts_with(&format!("{method} / HTTP/1.1\r\n")), "{seen}");
        assert!(seen.contains("content-length: 8\r\n") && seen.ends_with("\r\n\r\nthe body"), "{seen}");
    }
}

#[tokio::test]
async fn an_error_status_is_a_reply() {
    for status in ["204 No Content", "304 Not Modified", "404 Not Found", "429 Too Many Requests", "500 Oh"] {
        let server = Server::always(status, &[], "").await;
        let reply = client().fetch(&request("GET", server.url("/")), &grants(&[server.grant()])).await.unwrap();
        assert_eq!(reply.status.to_string(), status[..3]);
    }
    // A redirect without a target is a reply too.
    let server = Server::always("302 Found", &[], "where?").await;
    let reply = client().fetch(&request("GET", server.url("/")), &grants(&[server.grant()])).await.unwrap();
    assert_eq!((reply.status, reply.body.as_slice()), (302, b"where?".as_slice()));
}

#[tokio::test]
async fn a_reply_to_head_has_no_body_whatever_its_content_length() {
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 2 * REPLY_BYTES_MAX);
    let server = Server::start(move |_| Answer::Whole(head.clone().into_bytes())).await;
    let reply = client().fetch(&request("HEAD", server.url("/")), &grants(&[server.grant()])).await.unwrap();
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(header(&reply, "content-length"), Some((2 * REPLY_BYTES_MAX).to_string().as_str()));
}

#[tokio::test]
async fn a_compressed_body_stays_compressed() {
    // An empty gzip stream.
    let packed: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let bytes = reply("200 OK", &[("content-encoding", "gzip")], packed);
    let server = Server::start(move |_| Answer::Whole(bytes.clone())).await;
    let reply = client().fetch(&request("GET", server.url("/")), &grants(&[server.grant()])).await.unwrap();
    assert_eq!(reply.body, packed);
    assert_eq!(header(&reply, "content-encoding"), Some("gzip"));
}

#[tokio::test]
async fn localhost_is_reached_if_it_is_granted() {
    let server = Server::always("200 OK", &[], "here").await;
    let granted = grants(&[format!("localhost:{}", server.port)]);
    for host in ["localhost", "LOCALHOST.", "127.0.0.1"] {
        let url = format!("http://{host}:{}/", server.port);
        let reply = client().fetch(&request("GET", url), &granted).await.unwrap();
        assert_eq!(reply.body, b"here", "{host}");
    }
}

#[tokio::test]
async fn redirects_change_the_method_as_browsers_do() {
    for (status, method, becomes, keeps_body) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (303, "HEAD", "HEAD", false),
        (301, "PUT", "PUT", true),
        (302, "DELETE", "DELETE", true),
        (307, "POST", "POST", true),
        (308, "PATCH", "PATCH", true),
        (307, "GET", "GET", false),
    ] {
        let server = Server::start(move |request| {
            let first = request.lines().next().unwrap();
            Answer::Whole(if first.contains(" /from ") {
                reply(&format!("{status} Elsewhere"), &[("location", "to?x=1")], "")
            } else {
                reply("200 OK", &[], "")
            })
        })
        .await;
        let mut asking = request(method, server.url("/from"));
        asking.headers = owned(&[("authorization", "Bearer hush"), ("x-kept", "yes")]);
        if !matches!(method, "GET" | "HEAD") {
            asking.headers.extend(owned(&[("content-type", "text/plain")]));
            asking.body = Some(b"the body".to_vec());
        }
        let reply = client().fetch(&asking, &grants(&[server.grant()])).await.unwrap();
        assert_eq!((reply.status, reply.url), (200, server.url("/to?x=1")), "{status} {method}");

        let seen = server.seen().pop().unwrap();
        assert!(seen.starts_with(&format!("{becomes} /to?x=1 HTTP/1.1\r\n")), "{status} {method}: {seen}");
        assert_eq!(seen.contains("the body"), keeps_body, "{status} {method}: {seen}");
        assert_eq!(seen.contains("content-type"), keeps_body, "{status} {method}: {seen}");
        // The same origin still gets the credentials.
        assert!(seen.contains("authorization: Bearer hush") && seen.contains("x-kept: yes"), "{seen}");
    }
}

#[tokio::test]
async fn credentials_are_not_sent_to_another_origin() {
    let other = Server::always("200 OK", &[], "").await;
    let to = other.url("/");
    let server = Server::start(move |_| {
        Answer::Whole(reply("307 Elsewhere", &[("location", to.as_str()), ("set-cookie", "a=b")], ""))
    })
    .await;
    let mut asking = request("POST", server.url("/"));
    asking.headers = owned(&[("authorization", "Bearer hush"), ("cookie", "hush"), ("x-kept", "yes")]);
    asking.body = Some(b"the body".to_vec());
    let reply = client().fetch(&asking, &grants(&[server.grant(), other.grant()])).await.unwrap();
    assert_eq!((reply.status, reply.url), (200, other.url("/")));

    assert!(server.seen().remove(0).contains("hush"));
    let seen = other.seen().remove(0);
    assert!(!seen.contains("hush") && !seen.contains("cookie") && !seen.contains("referer"), "{seen}");
    assert!(seen.contains("x-kept: yes") && seen.ends_with("the body"), "{seen}");
}

#[tokio::test]
async fn an_idempotency_key_goes_on_within_the_origin_and_to_no_other() {
    let other = Server::always("200 OK", &[], "").await;
    let to = other.url("/");
    let server = Server::start(move |request| {
        let next = if request.contains(" /first ") { "/second" } else { to.as_str() };
        Answer::Whole(reply("307 Elsewhere", &[("location", next)], ""))
    })
    .await;
    let mut asking = request("POST", server.url("/first"));
    asking.headers = owned(&[("Idempotency-Key", "once")]);
    asking.body = Some(b"the body".to_vec());
    let reply = client().fetch(&asking, &grants(&[server.grant(), other.grant()])).await.unwrap();
    assert_eq!((reply.status, reply.url), (200, other.url("/")));

    let seen = server.seen();
    assert!(seen.len() == 2 && seen.iter().all(|seen| seen.contains("idempotency-key: once")), "{seen:?}");
    let seen = other.seen().remove(0);
    assert!(!seen.contains("idempotency-key") && seen.ends_with("the body"), "{seen}");
}

#[tokio::test]
async fn five_redirects_are_followed_and_six_are_not() {
    // /3 redirects to /2, and /0 is the end.
    let server = Server::start(|request| {
        let path = request.split(' ').nth(1).unwrap();
        let left: usize = path.trim_start_matches('/').parse().unwrap();
        Answer::Whole(match left.checked_sub(1) {
            Some(next) => reply("302 Found", &[("location", next.to_string().as_str())], "on and on"),
            None => reply("200 OK", &[], "here"),
        })
    })
    .await;
    let granted = grants(&[server.grant()]);
    let last = client().fetch(&request("GET", server.url(&format!("/{REDIRECTS_MAX}"))), &granted).await.unwrap();
    assert_eq!((last.body.as_slice(), last.url), (b"here".as_slice(), server.url("/0")));
    assert_eq!(server.seen().len(), REDIRECTS_MAX + 1);

    let too_many = client().fetch(&request("GET", server.url(&format!("/{}", REDIRECTS_MAX + 1))), &granted).await;
    assert_eq!(too_many, Err(FetchError::Redirects { limit: REDIRECTS_MAX }));
    assert_eq!(server.seen().len(), 2 * (REDIRECTS_MAX + 1));
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
    let announced = |length| reply("200 OK", &[], vec![b'x'; length]);
    let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    let unannounced = |length| [head.to_vec(), vec![b'x'; length]].concat();
    for (length, fits) in [(REPLY_BYTES_MAX, true), (REPLY_BYTES_MAX + 1, false), (8 * REPLY_BYTES_MAX, false)] {
        for bytes in [announced(length), unannounced(length)] {
            let server = Server::start(move |_| Answer::Whole(bytes.clone())).await;
            let outcome = client().fetch(&request("GET", server.url("/")), &grants(&[server.grant()])).await;
            let outcome = outcome.map(|reply| reply.body.len());
            let expected = if fits { Ok(length) } else { Err(FetchError::TooLarge { limit: REPLY_BYTES_MAX }) };
            assert_eq!(outcome, expected);
        }
    }
    // A reply that announces too large a body is refused before the body arrives.
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", REPLY_BYTES_MAX + 1);
    let server = Server::start(move |_| Answer::Unfinished(head.clone().into_bytes())).await;
    let outcome = client().fetch(&request("GET", server.url("/")), &grants(&[server.grant()])).await;
    assert_eq!(outcome, Err(FetchError::TooLarge { limit: REPLY_BYTES_MAX }));
}

#[tokio::test]
async fn the_timeout_is_for_the_whole_exchange() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbegun";
    for bytes in ["", "HTTP/1.1 200 OK\r\n", head] {
        let server = Server::start(move |_| Answer::Unfinished(bytes.as_bytes().to_vec())).await;
        let mut asking = request("GET", server.url("/"));
        asking.timeout = Duration::from_millis(200);
        let outcome = client().fetch(&asking, &grants(&[server.grant()])).await;
        assert_eq!(outcome, Err(FetchError::Timeout), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_failure_names_the_host_and_the_cause_but_no_secret() {
    // A port that nothing listens on any more.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let granted = grants(&[format!("127.0.0.1:{port}")]);
    let outcome = client().fetch(&request("GET", format!("http://127.0.0.1:{port}/?key=hush")), &granted).await;
    let Err(FetchError::Failed(why)) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("127.0.0.1") && why.to_lowercase().contains("refused") && !why.contains("hush"), "{why}");

    let outcome = client().fetch(&request("GET", "http://me:hush@127.0.0.1/"), &granted).await;
    let Err(FetchError::BadUrl(why)) = outcome else { panic!("{outcome:?}") };
    assert!(!why.contains("hush"), "{why}");

    // An incomplete reply is an error.
    let server = Server::start(|_| Answer::Whole(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nbegun".to_vec())).await;
    let outcome = client().fetch(&request("GET", server.url("/")), &grants(&[server.grant()])).await;
    assert!(matches!(outcome, Err(FetchError::Failed(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_failure() {
    let outcome = client().fetch(&request("GET", "http://nobody.example/"), &grants(&["*"])).await;
    let Err(FetchError::Failed(why)) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("nobody.example") && why.contains("resolve"), "{why}");
}

#[tokio::test]
async fn an_invalid_request_is_refused_unsent() {
    let server = Server::always("200 OK", &[], "").await;
    let granted = grants(&[server.grant()]);
    let mut refused = Vec::new();
    for method in ["", "TRACE", "CONNECT", "GET ", "GET / HTTP/1.1\r\nx: y", "PROPFIND"] {
        refused.push(request(method, server.url("/")));
    }
    for (name, value) in [
        ("host", "inner.example"),
        ("Host", "inner.example"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive, authorization"),
        ("Keep-Alive", "timeout=5"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"),
        ("TE", "trailers"),
        ("Trailer", "x"),
        ("Expect", "100-continue"),
        ("Proxy-Authorization", "Basic x"),
        ("Proxy-Connection", "close"),
        ("", "x"),
        ("x y", "x"),
        ("x:", "x"),
        ("x\r\ny", "x"),
        ("x", "a\r\nhost: inner.example"),
        ("x", "a\nb"),
        ("x", "a\0b"),
    ] {
        let mut asking = request("GET", server.url("/"));
        asking.headers = owned(&[(name, value)]);
        refused.push(asking);
    }
    let mut asking = request("GET", server.url("/"));
    asking.headers = owned(&[("x", "y"); REQUEST_HEADERS_MAX + 1]);
    refused.push(asking);
    let mut asking = request("POST", server.url("/"));
    asking.body = Some(vec![b'x'; REQUEST_BYTES_MAX + 1]);
    refused.push(asking);

    for asking in refused {
        let outcome = client().fetch(&asking, &granted).await;
        let method = asking.method;
        assert!(matches!(outcome, Err(FetchError::BadRequest(_))), "{method:?} {:?}: {outcome:?}", asking.headers);
    }
    assert!(server.seen().is_empty());
}
