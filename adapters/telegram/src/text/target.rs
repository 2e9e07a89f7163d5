//! Targets of links and images.

use super::entity::{EntityKind, Person};

const USER: &str = "tg://user?id=";
const EMOJI: &str = "tg://emoji?id=";
const TIME: &str = "tg://time?unix=";
const FORMAT: &str = "&format=";

/// Returns the entity of a link to a target.
pub(super) fn of_link(target: &str) -> Option<EntityKind> {
    let person = target.strip_prefix(USER).or_else(|| target.strip_prefix('@')).and_then(id);
    if let Some(id) = person {
        return Some(EntityKind::TextMention { user: Person { id, ..Person::default() } });
    }
    Some(target.trim()).filter(|url| !url.is_empty()).map(|url| EntityKind::TextLink { url: url.to_owned() })
}

/// Returns the entity of an image with a target.
pub(super) fn of_image(target: &str) -> Option<EntityKind> {
    if let Some(id) = target.strip_prefix(EMOJI)
        && is_word(id)
    {
        return Some(EntityKind::CustomEmoji { custom_emoji_id: id.to_owned() });
    }
    if let Some(time) = target.strip_prefix(TIME) {
        let (unix, format) = time.split_once(FORMAT).map_or((time, None), |(unix, format)| (unix, Some(format)));
        if let Ok(unix_time) = unix.parse()
            && format.is_none_or(is_word)
        {
            return Some(EntityKind::DateTime { unix_time, date_time_format: format.map(str::to_owned) });
        }
    }
    of_link(target)
}

/// Parses the number of a mention such as `<@12>`.
pub(super) fn id(digits: &str) -> Option<i64> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Returns the language of a block of code from its info string.
///
/// A name with a backtick is dropped: it could not follow a fence.
pub(super) fn language(info: &str) -> Option<String> {
    let first = info.split_whitespace().next();
    first.filter(|name| !name.contains(['`', '\0'])).map(str::to_owned)
}

/// Returns the kind as far as CommonMark can express it, or `None`.
pub(super) fn writable(kind: &EntityKind) -> Option<EntityKind> {
    match kind {
        EntityKind::ExpandableBlockquote => Some(EntityKind::Blockquote),
        EntityKind::TextLink { url } => of_link(&encode_controls(url)),
        EntityKind::TextMention { user } if user.id > 0 => of_link(&format!("@{}", user.id)),
        EntityKind::CustomEmoji { custom_emoji_id } => Some(kind.clone()).filter(|_| is_word(custom_emoji_id)),
        EntityKind::DateTime { unix_time, date_time_format } => {
            let date_time_format = date_time_format.clone().filter(|format| is_word(format));
            Some(EntityKind::DateTime { unix_time: *unix_time, date_time_format })
        }
        EntityKind::Pre { language } => {
            Some(EntityKind::Pre { language: language.as_deref().and_then(self::language) })
        }
        EntityKind::Bold
        | EntityKind::Italic
        | EntityKind::Underline
        | EntityKind::Strikethrough
        | EntityKind::Spoiler
        | EntityKind::Code
        | EntityKind::Blockquote => Some(kind.clone()),
        EntityKind::TextMention { .. }
        | EntityKind::Mention
        | EntityKind::Hashtag
        | EntityKind::Cashtag
        | EntityKind::BotCommand
        | EntityKind::Url
        | EntityKind::Email
        | EntityKind::PhoneNumber
        | EntityKind::Other => None,
    }
}

/// Percent-encodes control characters, such as line breaks, which no CommonMark link can have.
fn encode_controls(url: &str) -> String {
    let mut encoded = String::with_capacity(url.len());
    for c in url.trim().chars() {
        if c.is_ascii_control() {
            encoded.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            encoded.push(c);
        }
    }
    encoded
}

/// Returns the text before and after the text of a link or an image.
pub(super) fn written(kind: &EntityKind) -> Option<(&'static str, String)> {
    match kind {
        EntityKind::TextLink { url } => Some(("[", format!("]({})", destination(url)))),
        EntityKind::TextMention { user } => Some(("[", format!("](<@{}>)", user.id))),
        EntityKind::CustomEmoji { custom_emoji_id } => Some(("![", format!("]({EMOJI}{custom_emoji_id})"))),
        EntityKind::DateTime { unix_time, date_time_format } => {
            let format = date_time_format.as_ref().map(|format| format!("{FORMAT}{format}")).unwrap_or_default();
            Some(("![", format!("]({TIME}{unix_time}{format})")))
        }
        _ => None,
    }
}

fn destination(url: &str) -> String {
    let mut depth = 0_i32;
    let mut is_bare = true;
    for c in url.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        is_bare &= depth >= 0 && !c.is_whitespace() && !matches!(c, '<' | '>');
    }
    let mut written = String::with_capacity(url.len() + 2);
    for (at, c) in url.char_indices() {
        let is_reference = c == '&' && super::escape::begins_reference(&url[at..]);
        if is_reference || c == '\\' || matches!(c, '<' | '>') {
            written.push('\\');
        }
        written.push(c);
    }
    // CommonMark allows 32 nested parentheses.
    if is_bare && depth == 0 && url.matches('(').count() < 32 { written } else { format!("<{written}>") }
}
