//! Inline keyboards: buttons and select menus.
//!
//! A button carries at most 64 bytes of callback data. Longer data is stored here, and the button
//! carries its key. A select menu becomes one button per option; where several can be chosen,
//! chosen options are ticked until the user presses done.
//! <https://core.telegram.org/bots/api#inlinekeyboardbutton>

mod keep;
pub(crate) mod stored;

use palabre_types::{ActionError, Button, ButtonStyle, Content, Select};
use serde_json::{Value, json};

use crate::frames::{self, Markup};

use stored::{Kept, Stored};

/// Maximum size of callback data, in bytes.
const CALLBACK_DATA_MAX: usize = 64;
/// First character of callback data that is a key of stored data.
const KEY_PREFIX: char = '\u{1}';
/// Maximum number of buttons in a row, so that their labels stay readable.
const ROW_BUTTONS_MAX: usize = 3;
/// Maximum number of buttons under a message.
const BUTTONS_MAX: usize = 100;
/// Maximum length of a label, in characters; longer ones are cut.
const LABEL_MAX: usize = 64;
const CHOSEN_PREFIX: &str = "✅ ";
const DONE_LABEL: &str = "✔️";

/// The key of stored data, and the element of it that a button stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) key: String,
    pub(crate) part: Part,
}

/// The element of a select menu that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The option with this index; 0 for a plain button.
    Option(usize),
    /// The selection is complete.
    Done,
}

/// The result of a press on a select menu.
pub(crate) enum Toggle {
    Chosen(Vec<String>),
    /// The keyboard with the option ticked, or no longer.
    Shown(Value),
    Refused(String),
}

/// Parses callback data that is a key of stored data; `None` for other data.
pub(crate) fn reference(data: &str) -> Option<Reference> {
    let (key, part) = data.strip_prefix(KEY_PREFIX)?.split_once(':')?;
    let part = if part == "done" { Part::Done } else { Part::Option(part.parse().ok()?) };
    Some(Reference { key: key.to_owned(), part })
}

/// Returns the keyboard of a message, and the data to be stored for it.
pub(crate) fn keyboard(content: &Content) -> Result<(Option<Value>, Kept), ActionError> {
    let mut kept = Vec::new();
    let mut rows: Vec<Value> = Vec::new();
    for row in content.buttons.chunks(ROW_BUTTONS_MAX) {
        rows.push(row.iter().map(|button| self::button(button, &mut kept)).collect());
    }
    if let Some(select) = &content.select {
        let stored = Stored::Select(select.clone());
        let key = stored.key();
        rows.extend(options(select, &key, &[]));
        kept.push((key, stored));
    }
    let count: usize = rows.iter().filter_map(|row| row.as_array().map(Vec::len)).sum();
    if count > BUTTONS_MAX {
        return Err(ActionError::Rejected(format!("{count} buttons are too many; Telegram accepts {BUTTONS_MAX}")));
    }
    Ok(((!rows.is_empty()).then(|| json!({ "inline_keyboard": rows })), kept))
}

fn button(button: &Button, kept: &mut Kept) -> Value {
    let mut shown = json!({ "text": label(&button.label) });
    if let Some(style) = button.style {
        let style = match style {
            ButtonStyle::Primary => "primary",
            ButtonStyle::Danger => "danger",
        };
        shown["style"] = style.into();
    }
    match &button.url {
        Some(url) => shown["url"] = url.as_str().into(),
        None => shown["callback_data"] = carried(button, kept).into(),
    }
    shown
}

/// Returns the callback data of a button without a URL.
fn carried(button: &Button, kept: &mut Kept) -> String {
    if button.disabled {
        // Telegram has no disabled buttons, so this one refers to nothing.
        return format!("{KEY_PREFIX}off:0");
    }
    let action = &button.action;
    if action.len() <= CALLBACK_DATA_MAX && !action.starts_with(KEY_PREFIX) {
        return action.clone();
    }
    let stored = Stored::Button { action: action.clone() };
    let key = stored.key();
    kept.push((key.clone(), stored));
    format!("{KEY_PREFIX}{key}:0")
}

/// Returns a select menu as rows of buttons, with the chosen options ticked.
fn options(select: &Select, key: &str, chosen: &[usize]) -> Vec<Value> {
    let is_single = choices_max(select) == 1;
    let mut rows: Vec<Value> = Vec::new();
    for (index, option) in select.options.iter().enumerate() {
        let tick = if chosen.contains(&index) { CHOSEN_PREFIX } else { "" };
        let text = label(&format!("{tick}{}", option.label));
        rows.push(json!([{ "text": text, "callback_data": format!("{KEY_PREFIX}{key}:{index}") }]));
    }
    if !is_single {
        rows.push(json!([{ "text": DONE_LABEL, "callback_data": format!("{KEY_PREFIX}{key}:done") }]));
    }
    rows
}

fn choices_max(select: &Select) -> usize {
    usize::from(select.max.unwrap_or(1).max(select.min.unwrap_or(1)).max(1)).min(select.options.len().max(1))
}

fn choices_min(select: &Select) -> usize {
    usize::from(select.min.unwrap_or(1)).min(choices_max(select))
}

/// Applies a press on a select menu. Earlier choices are read from the keyboard as it was shown.
pub(crate) fn toggle(select: &Select, key: &str, part: Part, shown: Option<&Markup>) -> Toggle {
    let value = |index: usize| select.options.get(index).map(|option| option.value.clone());
    if let (1, Part::Option(index)) = (choices_max(select), part) {
        return match value(index) {
            Some(value) => Toggle::Chosen(vec![value]),
            None => Toggle::Refused("—".to_owned()),
        };
    }
    let buttons = shown.iter().flat_map(|markup| markup.inline_keyboard.iter().flatten());
    let of_list = buttons.filter_map(|button| {
        let reference = reference(button.callback_data.as_deref()?).filter(|reference| reference.key == key)?;
        match reference.part {
            Part::Option(index) if button.text.starts_with(CHOSEN_PREFIX) => Some(index),
            _ => None,
        }
    });
    let mut chosen: Vec<usize> = of_list.collect();
    match part {
        Part::Done if chosen.len() < choices_min(select) => Toggle::Refused(format!("≥ {}", choices_min(select))),
        Part::Done => Toggle::Chosen(chosen.into_iter().filter_map(value).collect()),
        Part::Option(index) => {
            match chosen.iter().position(|other| *other == index) {
                Some(at) => drop(chosen.remove(at)),
                None if chosen.len() >= choices_max(select) => {
                    return Toggle::Refused(format!("≤ {}", choices_max(select)));
                }
                None => chosen.push(index),
            }
            // Rows that are not part of the menu stay as they are.
            let others = shown.iter().flat_map(|markup| &markup.inline_keyboard);
            let others = others.filter(|row| {
                !row.iter().any(|button| {
                    button.callback_data.as_deref().and_then(reference).is_some_and(|reference| reference.key == key)
                })
            });
            let kept = others.map(|row| row.iter().map(as_shown).collect::<Value>());
            let rows: Vec<Value> = kept.chain(options(select, key, &chosen)).collect();
            Toggle::Shown(json!({ "inline_keyboard": rows }))
        }
    }
}

/// Returns an unchanged button as Telegram's JSON.
fn as_shown(button: &frames::Button) -> Value {
    let mut shown = match (&button.url, &button.callback_data) {
        (Some(url), _) => json!({ "text": button.text, "url": url }),
        (None, data) => json!({ "text": button.text, "callback_data": data }),
    };
    if let Some(style) = &button.style {
        shown["style"] = style.as_str().into();
    }
    shown
}

fn label(text: &str) -> String {
    let text = if text.trim().is_empty() { "…" } else { text };
    if text.chars().count() <= LABEL_MAX {
        return text.to_owned();
    }
    text.chars().take(LABEL_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use palabre_types::SelectOption;

    use super::*;

    fn colours(max: u8) -> Select {
        let option =
            |name: &str| SelectOption { label: name.to_uppercase(), value: name.to_owned(), description: None };
        let options = ["red", "blue", "green"].map(option).to_vec();
        Select { action: "colour".to_owned(), placeholder: None, min: Some(1), max: Some(max), options }
    }

    fn shown(markup: &Value) -> Markup {
        serde_json::from_value(markup.clone()).expect("a keyboard")
    }

    #[test]
    fn several_options_are_ticked_until_done() {
        let select = colours(2);
        let content = Content { select: Some(select.clone()), ..Content::default() };
        let (markup, kept) = keyboard(&content).expect("a keyboard");
        let key = kept[0].0.clone();
        let mut markup = markup.expect("buttons");
        let press = |markup: &Value, part| toggle(&select, &key, part, Some(&shown(markup)));
        assert!(matches!(press(&markup, Part::Done), Toggle::Refused(_)));
        for index in [2, 0] {
            let Toggle::Shown(next) = press(&markup, Part::Option(index)) else { panic!("the option is not ticked") };
            markup = next;
        }
        assert!(matches!(press(&markup, Part::Option(1)), Toggle::Refused(_)));
        let Toggle::Chosen(values) = press(&markup, Part::Done) else { panic!("the selection is not complete") };
        assert_eq!(values, ["red", "green"]);
    }

    #[test]
    fn long_callback_data_is_stored_and_found() {
        let long = "x".repeat(65);
        let button = |action: &str| Button {
            label: "Go".to_owned(),
            action: action.to_owned(),
            style: None,
            url: None,
            disabled: false,
        };
        let content = Content { buttons: vec![button("go"), button(&long)], ..Content::default() };
        let (markup, kept) = keyboard(&content).expect("a keyboard");
        let markup = shown(&markup.expect("buttons"));
        let row = &markup.inline_keyboard[0];
        assert_eq!(row[0].callback_data.as_deref(), Some("go"));
        let found = reference(row[1].callback_data.as_deref().expect("data")).expect("a key");
        assert_eq!(kept, [(found.key, Stored::Button { action: long })]);
    }
}
