//! Links and mentions in a text.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_text::{MentionKind, links, mentions};
use proptest::prelude::*;

fn urls(text: &str) -> Vec<String> {
    links(text).into_iter().map(|link| link.url).collect()
}

fn hosts(text: &str) -> Vec<String> {
    links(text).into_iter().map(|link| link.host).collect()
}

#[test]
fn links_end_before_the_punctuation_and_have_a_host() {
    let text = "see https://Example.com/a?b=c, (http://example.org/x) or «example.net/y».";
    assert_eq!(urls(text), ["https://Example.com/a?b=c", "http://example.org/x", "example.net/y"]);
    assert_eq!(hosts(text), ["example.com", "example.org", "example.net"]);
    for link in links(text) {
        assert_eq!(&text[link.start..link.end], link.url);
    }
    assert_eq!(hosts("https://münchen.de/straße."), ["münchen.de"]);
    assert_eq!(hosts("看看example.com吧 https://例え.jp/パス"), ["example.com", "例え.jp"]);
    assert_eq!(hosts("http://localhost:8080/x 1.2.3.4/x"), ["localhost", "1.2.3.4"]);
}

#[test]
fn a_name_without_a_scheme_has_to_look_like_one() {
    assert_eq!(
        urls("discord.gg/abc t.me/abc www.site.it example.com"),
        ["discord.gg/abc", "t.me/abc", "www.site.it", "example.com"]
    );
    for text in
        ["main.rs README.md node.js", "e.g. this", "bob@example.com", "version 1.2.3.4", "So it is.it was", "a.b"]
    {
        assert!(urls(text).is_empty(), "{text}: {:?}", urls(text));
    }
}

#[test]
fn a_link_does_not_hide_its_host() {
    assert_eq!(hosts("https://paypal.com@evil.example/"), ["evil.example"]);
    assert_eq!(hosts("see.https://evil.example/x"), ["evil.example"]);
    assert_eq!(hosts("HTTPS://EVIL.EXAMPLE"), ["evil.example"]);
    assert_eq!(hosts(&format!("{} https://evil.example", "a".repeat(10_000))), ["evil.example"]);
}

/// Returns each mention as its kind, its id or name, and its text.
fn named(text: &str) -> Vec<(MentionKind, String, &str)> {
    let named = mentions(text).into_iter();
    named.map(|found| (found.kind, found.id.or(found.name).unwrap(), &text[found.start..found.end])).collect()
}

#[test]
fn people_roles_rooms_and_everyone_are_mentioned() {
    use MentionKind::{Everyone, Role, Room, User};
    let text = "<@12> <@!34> <@&5>, <#6> @zoé! (@al_ice.b.) @everyone @here";
    let expected = [
        (User, "12", "<@12>"),
        (User, "34", "<@!34>"),
        (Role, "5", "<@&5>"),
        (Room, "6", "<#6>"),
        (User, "zoé", "@zoé"),
        (User, "al_ice.b", "@al_ice.b"),
        (Everyone, "everyone", "@everyone"),
        (Everyone, "here", "@here"),
    ];
    assert_eq!(named(text), expected.map(|(kind, of, text)| (kind, of.to_owned(), text)));
    assert!(mentions(text)[0].name.is_none() && mentions(text)[4].id.is_none());
}

#[test]
fn addresses_links_and_code_mention_nobody() {
    for text in [
        "bob@example.com",
        "https://t.me/@bob",
        r"\@bob",
        "@ bob",
        "<@> <@12",
        "`@bob` ``<@1> ` @bob``",
        "```\n@bob\n```",
    ] {
        assert!(mentions(text).is_empty(), "{text}: {:?}", mentions(text));
    }
    // There is no code without a second backtick, nor with escaped ones.
    assert_eq!(mentions("a ` @bob").len(), 1);
    assert_eq!(mentions(r"\` @bob \`").len(), 1);
    assert_eq!(mentions("`code` @bob `code` @eve").len(), 2);
}

proptest! {
    #[test]
    fn what_is_found_is_in_the_text(text in "[a-c.:/@<>#!&1`\\\\\"' éя\u{3000}?-]{0,40}") {
        for link in links(&text) {
            prop_assert_eq!(text.get(link.start..link.end), Some(link.url.as_str()));
        }
        let mut last = 0;
        for found in mentions(&text) {
            prop_assert!(found.start >= last && text.get(found.start..found.end).is_some());
            last = found.end;
        }
    }

    #[test]
    fn links_are_found_wherever_they_are(
        before in "[a-z ,(]{0,12} ",
        path in "[a-z0-9/]{0,12}",
        after in "[,.!?]{0,2}( .{0,12})?",
    ) {
        let url = format!("https://example.com/{path}");
        let found = links(&format!("{before}{url}{after}"));
        prop_assert!(found.iter().any(|link| link.url == url && link.start == before.len()));
    }
}
