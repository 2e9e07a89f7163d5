//! Conversion of texts from CommonMark to Telegram, and back.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_telegram::text::{
    Entity, EntityKind, Mentioned, Person, Rich, cut, quiet, to_commonmark, to_telegram, to_telegram_with,
};

/// Returns the text, and below it the range of each entity.
fn shown(rich: &Rich) -> String {
    let units: Vec<u16> = rich.text.encode_utf16().collect();
    let mut shown = rich.text.clone();
    for entity in &rich.entities {
        let start = usize::try_from(entity.offset).unwrap();
        let covered = String::from_utf16(&units[start..start + usize::try_from(entity.length).unwrap()]).unwrap();
        shown.push_str(&format!("\n  {} {covered:?}", name(&entity.kind)));
    }
    shown
}

fn name(kind: &EntityKind) -> String {
    let mut json = serde_json::to_value(kind).unwrap();
    let kind = json.as_object_mut().unwrap().remove("type").unwrap();
    let rest = json.as_object().unwrap();
    if rest.is_empty() { kind.as_str().unwrap().to_owned() } else { format!("{} {json}", kind.as_str().unwrap()) }
}

fn entity(kind: EntityKind, offset: i64, length: i64) -> Entity {
    Entity { kind, offset, length }
}

fn link(url: &str) -> EntityKind {
    EntityKind::TextLink { url: url.to_owned() }
}

fn pre(language: &str) -> EntityKind {
    EntityKind::Pre { language: Some(language.to_owned()) }
}

#[test]
fn a_whole_message_as_telegram_shows_it() {
    let markdown = "# Results\n\
        Well *played*, **all _of_ you** ~~not~~ &amp; `you` \\*too\\*!\n\
        See [the **page**](https://example.com/a_(b)) or <https://example.com>, \
        ![a picture](https://example.com/p.png)\n\
        \n\
        - first\n  - inner\n    still inner\n- second\n\n\
        3) third\n4) fourth\n\
        \n\
        > said\n> *twice*\n\
        \n\
        and ||hidden||, <u>under</u>, <b>not bold</b>\n\
        ```lua\nlocal a = 1 < 2\n\n  return a\n```\n\
        ***\n\
        | name | points |\n|---|--:|\n| **Zoé** | 5 |\n| 日本 | 12 |\n\n\
        ![👍](tg://emoji?id=5) ![noon](tg://time?unix=9&format=t) <@12> [Zoé](<@34>)\n";
    insta::assert_snapshot!(shown(&to_telegram(markdown)));
}

#[test]
fn lines_and_empty_lines_stay_as_they_are_written() {
    for text in
        ["a\nb", "a\n\nb", "a\n\n\nb", "a\n  b", "1. a\n2. b", "3. what", "a\n   b\n      c", "a | b", "\\o/", "a ~ b"]
    {
        assert_eq!(to_telegram(text).text, text);
    }
    assert_eq!(to_telegram("a  \nb\\\nc \r\nd").text, "a\nb\nc\nd");
    assert_eq!(to_telegram("\n\n  a  \n\n").text, "a");
    assert_eq!(to_telegram("").text, "");
    assert_eq!(to_telegram("a\n\n> b\n\nc").text, "a\nb\nc");
}

#[test]
fn entities_that_telegram_would_drop_are_not_sent() {
    assert_eq!(shown(&to_telegram("**a `b` c**")), "a b c\n  bold \"a\"\n  code \"b\"\n  bold \"c\"");
    assert_eq!(shown(&to_telegram("[`a`](https://b.c)")), "a\n  text_link {\"url\":\"https://b.c\"} \"a\"");
    assert_eq!(shown(&to_telegram("||`a`||")), "a\n  spoiler \"a\"");
    assert_eq!(shown(&to_telegram("**a ||b** c||")), "a b c\n  bold \"a\"\n  spoiler \"b c\"\n  bold \"b\"");
}

#[test]
fn delimiters_that_are_not_paired_are_text() {
    for text in [
        "|| a",
        "||||",
        "`||a||`",
        "<u>a",
        "a</u>",
        "~a~",
        "<@x>",
        "`<@1>`",
        "<@99999999999999999999>",
        "a_b_c",
        "2 * 3 * 4",
    ] {
        let rich = to_telegram(text);
        assert_eq!(rich.text, text.trim_matches('`'));
        assert!(rich.entities.iter().all(|entity| entity.kind == EntityKind::Code), "{rich:?}");
    }
    for text in ["\\||a||", "\\<@12>", "\\<u>a</u>", "\\[a](https://b.c)"] {
        assert_eq!(shown(&to_telegram(text)), text.trim_start_matches('\\'));
    }
}

#[test]
fn plain_text_is_left_as_it_is() {
    for text in [
        "!ping",
        "/roll 20",
        "snake_case",
        "5 > 3 && 2 < 4",
        "3. yes",
        "- no",
        "<3",
        ":-)",
        "(a) [b] {c}",
        "#tag",
        "a*b",
        "C:\\dir",
        "# not a *heading",
        "@bob, hello!",
        "https://example.com/a_b_(c)?d=e&f=g*h",
        "AT&T",
        "a || b",
        "1.5 * 2",
        "¯\\_(ツ)_/¯",
    ] {
        let written = to_commonmark(text, &[]);
        assert_eq!(to_telegram(&written).text, text);
        if !text.starts_with(['#', '-', '¯']) {
            assert_eq!(written, text);
        }
    }
}

#[test]
fn entities_as_commonmark() {
    use EntityKind::{Blockquote, Bold, Code, Italic, Spoiler, Strikethrough, Underline};
    let person = EntityKind::TextMention { user: Person { id: 12, first_name: "Zoé".to_owned(), is_bot: false } };
    let emoji = EntityKind::CustomEmoji { custom_emoji_id: "5".to_owned() };
    let time = EntityKind::DateTime { unix_time: 9, date_time_format: Some("t".to_owned()) };
    let cases: Vec<(&str, Vec<Entity>)> = vec![
        ("bold and italic", vec![entity(Bold, 0, 4), entity(Italic, 9, 6)]),
        ("abcdefghi", vec![entity(Bold, 0, 6), entity(Italic, 3, 6)]),
        ("abc", vec![entity(Bold, 0, 3), entity(Italic, 0, 3), entity(Underline, 0, 3), entity(Spoiler, 0, 3)]),
        ("in a  word  here", vec![entity(Bold, 4, 7)]),
        ("say\"this\"now", vec![entity(Bold, 3, 6)]),
        ("word", vec![entity(Italic, 1, 2)]),
        ("two\nlines\n\nand more", vec![entity(Strikethrough, 0, 19)]),
        ("5 * 3 *is* 15", vec![entity(Bold, 11, 2)]),
        ("a `b`` c", vec![entity(Code, 2, 4)]),
        ("one\ntwo", vec![entity(Code, 0, 7)]),
        ("x\nlocal a\n\n  b\ny", vec![entity(pre("lua"), 2, 13)]),
        ("not a block", vec![entity(pre("lua"), 4, 1)]),
        ("before\nquoted\n\nquoted\nbehind", vec![entity(Blockquote, 7, 14)]),
        ("one\ntwo", vec![entity(Blockquote, 0, 3), entity(Blockquote, 4, 3)]),
        ("a link", vec![entity(link("https://example.com/a (b)"), 2, 4)]),
        ("a link", vec![entity(link("https://example.com/a_(b)"), 2, 4), entity(Bold, 0, 4)]),
        ("https://example.com", vec![entity(link("https://example.com"), 0, 19), entity(EntityKind::Url, 0, 19)]),
        ("[x] y", vec![entity(link("https://example.com"), 0, 3)]),
        ("Zoé 👍 noon", vec![entity(person, 0, 3), entity(emoji, 4, 2), entity(time, 7, 4)]),
        ("@bob #tag /start", vec![entity(EntityKind::Mention, 0, 4), entity(EntityKind::BotCommand, 10, 6)]),
        ("<@12> ||no|| <u>x</u> &amp; *a* b", vec![entity(Bold, 32, 1)]),
        ("title\n---\n# b\n> c\n- d\n1. e", vec![entity(Bold, 0, 5)]),
        ("[word]:a", vec![entity(Code, 1, 6)]),
        ("word up", vec![entity(Bold, 0, 6), entity(Italic, 3, 4), entity(Underline, 1, 6)]),
        ("aéb", vec![entity(Bold, 0, 3), entity(Italic, 1, 1), entity(Strikethrough, 1, 2)]),
        ("a\\\\👍b *", vec![entity(Bold, 3, 2)]),
        ("    indented\n\n\tmore", vec![entity(Bold, 15, 4)]),
    ];
    let written = cases.iter().map(|(text, entities)| {
        let markdown = to_commonmark(text, entities);
        format!("{}\n==>\n{markdown}\n", shown(&Rich { text: (*text).to_owned(), entities: entities.clone() }))
    });
    insta::assert_snapshot!(written.collect::<Vec<_>>().join("\n"));
}

#[test]
fn documents_that_once_changed_on_their_way_back_do_so_no_more() {
    for markdown in [
        "> a\n\n\n\n> b",
        "- 1. ```\n      \n      \n      ```\n  a",
        "> 1. ```\n>     a\n>     \n>     ```\n- a",
        "- a\n  2. - a\n      \n      - a\n        \n        a",
        "- a\n  \n  <u>\u{a0}</u>\n\n- b",
        "~~~`\na",
        "3. > [[a](https://b.c) _![noon](tg://time?unix=9&format=t)\\_\\_Zoé_](<@12>)",
        "a <u>\n😀</u>",
    ] {
        let sent = to_telegram(markdown);
        assert_eq!(to_telegram(&to_commonmark(&sent.text, &sent.entities)), sent, "{markdown}");
    }
}

#[test]
fn offsets_from_outside_are_brought_into_the_text() {
    for (offset, length) in
        [(-5, 7), (1, 1), (2, 99), (i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (3, -9), (0, i64::MIN)]
    {
        let wild = [entity(EntityKind::Bold, offset, length), entity(pre("x"), offset, length)];
        assert_eq!(to_telegram(&to_commonmark("😀ab", &wild)).text, "😀ab");
    }
    assert_eq!(to_commonmark("😀ab", &[entity(EntityKind::Bold, -3, 99)]), "**😀ab**");
    assert_eq!(to_commonmark("😀ab", &[entity(EntityKind::Bold, 1, 2)]), "**😀a**b");
}

#[test]
fn entities_have_telegrams_json() {
    let user = serde_json::json!({ "id": 12, "is_bot": false, "first_name": "Zoé" });
    let json = serde_json::json!([
        { "type": "text_mention", "offset": 0, "length": 3, "user": user },
        { "type": "pre", "offset": 4, "length": 1, "language": "lua" },
        { "type": "date_time", "offset": 4, "length": 1, "unix_time": 5, "date_time_format": "wDT" },
        { "type": "something_new", "offset": 4, "length": 1 },
        { "type": "bold", "offset": 4, "length": 1 },
    ]);
    let entities: Vec<Entity> = serde_json::from_value(json).unwrap();
    assert_eq!(entities[3].kind, EntityKind::Other);
    let bold = serde_json::to_value(&entities[4]).unwrap();
    assert_eq!(bold, serde_json::json!({ "type": "bold", "offset": 4, "length": 1 }));
}

#[test]
fn nobody_is_notified_who_is_not_meant() {
    let named = |id| (id == 12).then(|| "Zoé".to_owned());
    let rich = to_telegram_with("<@12> <@13> @bob @eve a@b.c `@bob` [@bob](https://b.c) **@bob**", &named);
    assert!(rich.text.starts_with("Zoé @13 @bob"));
    let quiet = quiet(&rich, |who| matches!(who, Mentioned::Id(12) | Mentioned::Name("eve")));
    insta::assert_snapshot!(shown(&quiet).replace('\u{2060}', "<joiner>"));
}

#[test]
fn a_long_text_is_cut_with_its_entities() {
    let rich =
        to_telegram("First **bold paragraph. It\ngoes** on.\n\n```lua\nlocal a = 1\nlocal b = 2\nlocal c = 3\n```");
    let parts = cut(&rich, 26);
    insta::assert_snapshot!(parts.iter().map(shown).collect::<Vec<_>>().join("\n-----\n"));
    assert!(cut(&to_telegram(" "), 10).is_empty());
}

#[test]
fn a_text_made_to_harm_becomes_no_larger_text() {
    let deep = format!("{}a\n{}", "- ".repeat(5_000), "a\n".repeat(5_000));
    let wide = format!("| {} | b |\n|---|---|\n{}", "a".repeat(10_000), "| c | d |\n".repeat(2_000));
    for text in [
        deep,
        wide,
        "*_".repeat(10_000),
        "**a ||".repeat(5_000),
        "<u>".repeat(10_000),
        "> ".repeat(10_000),
        "[![".repeat(5_000),
    ] {
        let sent = to_telegram(&text);
        assert!(sent.text.len() < 400_000, "{} bytes become {}", text.len(), sent.text.len());
        let start = sent.text.chars().take(4_000).collect::<String>();
        assert_eq!(to_telegram(&to_commonmark(&start, &[])).text, start.trim());
    }
}
