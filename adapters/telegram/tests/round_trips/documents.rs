//! Generators of documents for the conversions.

use palabre_telegram::text::{EntityKind, Person};
use proptest::prelude::*;
use proptest::sample::select;

/// Words in several scripts: surrogate pairs, combining marks, right to left, emoji of several characters.
const WORDS: &[&str] = &[
    "a",
    "word",
    "two",
    "Zoé",
    "e\u{301}a",
    "😀",
    "👨‍👩‍👧",
    "🇫🇷",
    "👍🏽",
    "שלום",
    "مرحبا",
    "日本語",
    "「引用」",
    "don't",
    "(x)",
    "\"q\"",
    "5",
    "end.",
    "¿ya?",
    "\u{200f}x",
    "𝒳",
];
/// Fragments that CommonMark may take for markup.
const STRANGE: &[&str] = &[
    "*",
    "**",
    "***",
    "_",
    "__",
    "~",
    "~~",
    "~~~",
    "|",
    "||",
    "`",
    "``",
    "```",
    "[",
    "]",
    "(",
    ")",
    "](",
    "](x)",
    "]:",
    "!",
    "![",
    "<",
    ">",
    "<u>",
    "</u>",
    "<@1>",
    "<@",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "<a href=\"*\">",
    "&",
    "&amp;",
    "&#42;",
    "#",
    "##",
    "-",
    "--",
    "---",
    "+",
    "=",
    "===",
    "1.",
    "2)",
    ":",
    "|-|",
    "\\",
    "\\\\",
    "\n",
    "\n",
    "\n\n",
    " ",
    "  ",
    "    ",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "•",
    "@bob",
    "https://a.b/c_d*e",
];

pub(crate) fn word() -> impl Strategy<Value = String> {
    select(WORDS).prop_map(str::to_owned)
}

fn url() -> impl Strategy<Value = String> {
    select(
        &[
            "https://a.b/c_d",
            "https://a.b/c_(d)?e=f&g=h",
            "<https://a.b/c d>",
            "tg://user?id=7",
            "<@12>",
            "https://a.b/\\)\\*",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn inline() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => word(),
        1 => select(STRANGE).prop_map(palabre_text::escape).prop_map(|text| text.replace('\n', " ")),
        1 => word().prop_map(|word| format!("`{word} *a*`")),
        1 => Just("`` a`b ``".to_owned()),
        1 => Just("![👍](tg://emoji?id=5)".to_owned()),
        1 => Just("<@12>".to_owned()),
        1 => Just("![noon](tg://time?unix=9&format=t)".to_owned()),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let several =
            prop::collection::vec(inner, 1..4).prop_flat_map(|parts| (Just(parts), select(&[" ", " ", "", "\n"][..])));
        let several = several.prop_map(|(parts, between)| parts.join(between));
        prop_oneof![
            several.clone().prop_map(|text| format!("**{text}**")),
            several.clone().prop_map(|text| format!("*{text}*")),
            several.clone().prop_map(|text| format!("_{text}_")),
            several.clone().prop_map(|text| format!("~~{text}~~")),
            several.clone().prop_map(|text| format!("||{text}||")),
            several.clone().prop_map(|text| format!("<u>{text}</u>")),
            (several.clone(), url()).prop_map(|(text, url)| format!("[{text}]({url})")),
            several,
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    prop::collection::vec(inline(), 1..4).prop_map(|parts| parts.join(" ").replace('\n', " "))
}

fn code_line() -> impl Strategy<Value = String> {
    prop_oneof![word(), Just("  *a* `b`".to_owned()), Just(String::new())]
}

fn block() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::collection::vec(inline(), 1..4).prop_map(|lines| lines.join("\n")),
        1 => (1_usize..4, line()).prop_map(|(level, text)| format!("{} {text}", "#".repeat(level))),
        1 => (select(&["", "lua", "c++"][..]), prop::collection::vec(code_line(), 0..4))
            .prop_map(|(language, lines)| format!("```{language}\n{}\n```", lines.join("\n"))),
        1 => Just("---".to_owned()),
        1 => (line(), line()).prop_map(|(a, b)| {
            let cell = |text: String| text.replace('|', "");
            format!("| a | b |\n|:-:|--:|\n| {} | {} |", cell(a), cell(b))
        }),
    ];
    leaf.prop_recursive(3, 6, 2, |inner| {
        let item = prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            (prop::collection::vec(item.clone(), 1..4), select(&["\n", "\n\n"][..])).prop_map(|(items, between)| {
                items
                    .iter()
                    .map(|blocks| format!("- {}", blocks.join(between).replace('\n', "\n  ")))
                    .collect::<Vec<_>>()
                    .join(between)
            }),
            (prop::collection::vec(item.clone(), 1..3), 1_usize..12).prop_map(|(items, first)| {
                let number = |(at, blocks): (usize, &Vec<String>)| {
                    format!("{}. {}", first + at, blocks.join("\n").replace('\n', "\n    "))
                };
                items.iter().enumerate().map(number).collect::<Vec<_>>().join("\n")
            }),
            item.prop_map(|blocks| format!("> {}", blocks.join("\n\n").replace('\n', "\n> "))),
        ]
    })
}

/// Generates a document as a person might write it.
pub(crate) fn document() -> impl Strategy<Value = String> {
    prop::collection::vec((block(), select(&["\n", "\n\n", "\n\n\n"][..])), 1..5)
        .prop_map(|blocks| blocks.into_iter().flat_map(|(block, between)| [block, between.to_owned()]).collect())
}

/// Generates a text of everything that could be taken for markup.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![1 => word(), 2 => select(STRANGE).prop_map(str::to_owned)];
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

/// Generates an entity within lines.
pub(crate) fn emphasis() -> impl Strategy<Value = EntityKind> {
    select(vec![
        EntityKind::Bold,
        EntityKind::Italic,
        EntityKind::Underline,
        EntityKind::Strikethrough,
        EntityKind::Spoiler,
        EntityKind::Code,
        EntityKind::TextLink { url: "https://a.b/c_(d)".to_owned() },
        EntityKind::TextLink { url: "https://a.b/c d)\\&amp;<>".to_owned() },
        EntityKind::TextMention { user: Person { id: 12, ..Person::default() } },
        EntityKind::CustomEmoji { custom_emoji_id: "5".to_owned() },
        EntityKind::DateTime { unix_time: -5, date_time_format: Some("wDT".to_owned()) },
    ])
}

pub(crate) fn kind() -> impl Strategy<Value = EntityKind> {
    prop_oneof![
        emphasis(),
        select(vec![
            EntityKind::Pre { language: Some("c++".to_owned()) },
            EntityKind::Pre { language: None },
            EntityKind::Blockquote,
            EntityKind::ExpandableBlockquote,
            EntityKind::Url,
            EntityKind::Other,
        ])
    ]
}
