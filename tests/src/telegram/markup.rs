//! Keyboards of messages.

use serde_json::Value;

use super::refusal::Refusal;

/// The maximum number of buttons in a row, and in total. Undocumented; clients show no more.
const ROW_MAX: usize = 8;
const BUTTONS_MAX: usize = 100;

/// Checks a `reply_markup`; `inline_only` for edits and in channels.
pub(super) fn check(markup: &Value, inline_only: bool) -> Result<(), Refusal> {
    let Some(rows) = markup["inline_keyboard"].as_array() else {
        if inline_only && !markup.is_null() {
            return Err(Refusal::broken_rule("inline keyboard expected"));
        }
        return Ok(());
    };
    let mut count = 0;
    for row in rows {
        let row = row.as_array().map(Vec::as_slice).unwrap_or_default();
        count += row.len();
        if row.len() > ROW_MAX {
            return Err(Refusal::blamed("BUTTONS_TOO_MANY", "there are more than 8 buttons in a row"));
        }
        row.iter().try_for_each(check_button)?;
    }
    if count > BUTTONS_MAX {
        return Err(Refusal::blamed("reply markup is too long", "there are more than 100 buttons"));
    }
    Ok(())
}

fn check_button(button: &Value) -> Result<(), Refusal> {
    let text = button["text"].as_str().unwrap_or_default();
    if text.trim().is_empty() {
        return Err(Refusal::broken_rule("can't parse inline keyboard button: button text must be non-empty"));
    }
    let kinds = button.as_object().into_iter().flatten();
    let kinds = kinds.filter(|(name, _)| !matches!(name.as_str(), "text" | "style" | "icon_custom_emoji_id")).count();
    if kinds != 1 {
        let reason = "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";
        return Err(Refusal::blamed(reason, "a button has exactly one of the optional fields"));
    }
    if let Some(style) = button["style"].as_str()
        && !matches!(style, "danger" | "success" | "primary")
    {
        return Err(Refusal::broken_rule(&format!(
            "can't parse inline keyboard button: invalid button style {style:?}"
        )));
    }
    if let Some(data) = button["callback_data"].as_str()
        && !(1..=64).contains(&data.len())
    {
        return Err(Refusal::blamed("BUTTON_DATA_INVALID", "callback_data has 1 to 64 bytes"));
    }
    if let Some(url) = button["url"].as_str()
        && !["http://", "https://", "tg://"].iter().any(|scheme| url.starts_with(scheme))
    {
        return Err(Refusal::broken_rule(&format!("inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")));
    }
    Ok(())
}
