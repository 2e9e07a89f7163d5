//! The URLs that each notation of a grant allows.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_fetch::{FetchError, Grants, Url};

fn check(grant: &str, url: &str) -> Result<(), FetchError> {
    Grants::parse(&[grant.to_owned()]).unwrap().allows(&Url::parse(url).unwrap())
}

#[track_caller]
fn passes(grant: &str, urls: &[&str]) {
    for url in urls {
        assert_eq!(check(grant, url), Ok(()), "{grant}, {url}");
    }
}

#[track_caller]
fn fails(grant: &str, urls: &[&str]) {
    for url in urls {
        let refused = check(grant, url);
        assert!(
            matches!(refused, Err(FetchError::NotGranted { .. } | FetchError::Inner { .. })),
            "{grant}, {url}: {refused:?}"
        );
    }
}

#[test]
fn a_host_is_that_host_on_the_ports_of_the_web() {
    passes(
        "api.example.com",
        &[
            "https://api.example.com/",
            "http://api.example.com/x?y#z",
            "https://API.EXAMPLE.COM/",
            "https://api.example.com./",
            "https://api.example.com:80/",
            "http://api.example.com:443/",
        ],
    );
    fails(
        "api.example.com",
        &[
            "https://example.com/",
            "https://v2.api.example.com/",
            "https://xapi.example.com/",
            "https://api.example.com.evil.example/",
            "https://evil.example/api.example.com",
            "https://evil.example\\api.example.com/",
            "https://evil.example#@api.example.com/",
            "https://api.example.com:8443/",
            "http://93.184.216.34/",
        ],
    );
}

#[test]
fn a_port_that_is_named_is_the_only_one() {
    passes("api.example.com:8443", &["https://api.example.com:8443/", "http://api.example.com:8443/"]);
    fails("api.example.com:8443", &["https://api.example.com/", "https://api.example.com:8444/"]);
    passes("api.example.com:443", &["https://api.example.com/"]);
    fails("api.example.com:443", &["http://api.example.com/"]);
}

#[test]
fn a_wildcard_is_one_label_or_more() {
    passes("*.example.com", &["https://a.example.com/", "https://a.b.example.com/", "https://A.Example.com./"]);
    fails(
        "*.example.com",
        &[
            "https://example.com/",
            "https://notexample.com/",
            "https://a.example.com.evil.example/",
            "https://a.example.org/",
            "https://a.example.com:8443/",
        ],
    );
    passes("*.example.com:8443", &["https://a.example.com:8443/"]);
}

#[test]
fn a_star_is_every_public_host() {
    passes("*", &["https://example.com/", "http://a.b.example/", "https://93.184.216.34/", "https://[2606:4700::1]/"]);
    fails("*", &["https://example.com:8443/", "http://localhost/", "http://a.localhost/", "http://10.0.0.1/"]);
    fails("*", &["http://[::1]/", "http://2130706433/"]);
    passes("*:8443", &["https://example.com:8443/"]);
}

#[test]
fn an_address_is_only_itself() {
    passes("127.0.0.1:8080", &["http://127.0.0.1:8080/", "http://2130706433:8080/"]);
    fails("127.0.0.1:8080", &["http://127.0.0.1/", "http://127.0.0.2:8080/", "http://localhost:8080/"]);
    fails("127.0.0.1", &["http://127.0.0.1:8080/", "http://[::ffff:127.0.0.1]/", "http://[::1]/"]);
    passes("[::1]:8080", &["http://[::1]:8080/"]);
    passes("::1", &["http://[::1]/", "https://[0:0:0:0:0:0:0:1]/"]);
    fails("::1", &["http://[::1]:8080/", "http://127.0.0.1/", "http://[::2]/"]);
    passes("10.1.2.3", &["http://10.1.2.3/"]);
    fails("10.1.2.3", &["http://10.1.2.4/", "http://inner.example/"]);
    passes("93.184.216.34", &["http://93.184.216.34/"]);
    fails("93.184.216.34", &["http://93.184.216.35/"]);
}

#[test]
fn localhost_is_its_name_and_both_its_addresses() {
    let urls = ["http://localhost:8080/", "http://LOCALHOST.:8080/", "http://127.0.0.1:8080/", "http://[::1]:8080/"];
    passes("localhost:8080", &urls);
    fails("localhost:8080", &["http://localhost/", "http://127.0.0.2:8080/", "http://a.localhost:8080/"]);
    passes("localhost", &["http://localhost/"]);
}

#[test]
fn a_name_of_another_script_is_compared_as_punycode() {
    let urls = ["https://xn--bcher-kva.example/", "https://BÜCHER.example/", "https://b%C3%BCcher.example/"];
    passes("bücher.example", &urls);
    passes("XN--BCHER-KVA.example", &["https://bücher.example/"]);
}

#[test]
fn without_a_grant_nothing_passes_and_the_error_names_the_grant() {
    let url = |text| Url::parse(text).unwrap();
    let error = Grants::default().allows(&url("https://api.example.com/x")).unwrap_err();
    assert_eq!(error, FetchError::NotGranted { host: "api.example.com".to_owned() });
    let words = error.to_string();
    assert!(words.contains("\"http:api.example.com\"") && words.contains("bots.yaml"), "{words}");
    let error = Grants::default().allows(&url("https://api.example.com:8443/x")).unwrap_err();
    assert_eq!(error, FetchError::NotGranted { host: "api.example.com:8443".to_owned() });
    let error = check("127.0.0.1", "http://127.0.0.1:8080/").unwrap_err();
    assert_eq!(error, FetchError::NotGranted { host: "127.0.0.1:8080".to_owned() });
    let error = check("::1", "http://[::1]:8080/").unwrap_err();
    assert_eq!(error, FetchError::NotGranted { host: "[::1]:8080".to_owned() });
    let error = check("*", "http://127.0.0.1:8080/").unwrap_err();
    assert_eq!(error, FetchError::Inner { host: "127.0.0.1".to_owned(), address: "127.0.0.1".parse().unwrap() });
}

#[test]
fn the_grant_named_in_an_error_allows_the_request() {
    for text in [
        "https://api.example.com/",
        "https://api.example.com:8443/",
        "http://93.184.216.34:81/",
        "http://[2606::1]:81/",
    ] {
        let url = Url::parse(text).unwrap();
        let Err(FetchError::NotGranted { host }) = Grants::default().allows(&url) else { panic!("{text}") };
        assert_eq!(check(&host, text), Ok(()), "{host}");
    }
}

#[test]
fn an_invalid_host_is_refused_with_the_reason() {
    for (grant, reason) in [
        ("", "no host"),
        (".", "no host"),
        ("https://api.example.com", "alone"),
        ("api.example.com/v1", "alone"),
        ("me@api.example.com", "alone"),
        ("api example", "alone"),
        ("api.example.com:", "port"),
        ("api.example.com:0", "port"),
        ("api.example.com:65536", "port"),
        ("api.example.com:+80", "port"),
        ("http:api.example.com", "port"),
        ("api.*.com", "wildcard"),
        ("*api.example.com", "wildcard"),
        ("*.*", "wildcard"),
        ("*.127.0.0.1", "wildcard"),
        ("*.localhost", "wildcard"),
        ("a.localhost", "localhost"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("2130706433:80", "127.0.0.1"),
        ("[::1", "no"),
    ] {
        let error = Grants::parse(&["ok.example".to_owned(), grant.to_owned()]).unwrap_err();
        assert!(error.contains(&format!("\"http:{grant}\"")) && error.contains(reason), "{grant}: {error}");
    }
}
