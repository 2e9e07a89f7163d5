//! Errors about content that exceeds a platform's limits: they state the value and the maximum.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_types::{Content, ContentLimits, Embed, EmbedField};

const LIMITS: ContentLimits = ContentLimits {
    embed_title: 10,
    embed_fields: 2,
    field_value: 8,
    embeds_total: 30,
    requires_field_text: true,
    options: 2,
    ..ContentLimits::NONE
};

fn embed(title: &str, fields: &[(&str, &str)]) -> Embed {
    let field = |(name, value): &(&str, &str)| EmbedField {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
        inline: false,
    };
    Embed { title: Some(title.to_owned()), fields: fields.iter().map(field).collect(), ..Embed::default() }
}

#[test]
fn content_over_a_limit_is_refused_with_the_limit() {
    for (embeds, part) in [
        (vec![embed("eleven long", &[])], "has 11 characters; this platform takes at most 10"),
        (
            vec![embed("x", &[("a", "1"), ("b", "2"), ("c", "3")])],
            "3 fields of an embed; this platform takes at most 2",
        ),
        (vec![embed("x", &[("a", "nine long")])], "has 9 characters; this platform takes at most 8"),
        (vec![embed("x", &[("a", " ")])], "has an empty name or value"),
        (vec![embed("ten longer", &[("name", "12345678")]); 2], "44 characters in all embeds together"),
    ] {
        let problem = LIMITS.check(&Content { embeds: embeds.clone(), ..Content::default() }).unwrap_err();
        assert!(problem.contains(part), "{problem}");
        assert_eq!(ContentLimits::NONE.check(&Content { embeds, ..Content::default() }), Ok(()));
    }
    // Characters are counted, not bytes.
    let wide =
        Content { embeds: vec![embed("ééééééééé🌳", &[("ü", "üüüüüüüü")])], ..Content::default() };
    assert_eq!(LIMITS.check(&wide), Ok(()));
}
