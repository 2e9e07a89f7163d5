//! Documented rules about messages that are missing in Discord's description.

use std::collections::HashSet;

use serde_json::Value;

use super::refusal::Refusal;

/// The flag of messages that consist of components only.
const COMPONENTS_V2: u64 = 1 << 15;

/// Checks a new message; `files` counts new and remaining attachments.
pub(in crate::discord) fn check_message(body: &Value, files: usize) -> Result<(), Refusal> {
    check_edit(body)?;
    let empty = |field: &str| body[field].as_array().is_none_or(Vec::is_empty);
    let says = body["content"].as_str().is_some_and(|text| !text.trim().is_empty());
    let carries = files > 0 || !body["poll"].is_null() || body["message_reference"]["type"] == 1;
    if !says && !carries && ["embeds", "components", "sticker_ids"].into_iter().all(empty) {
        return Err(Refusal::empty_message().blamed("a message needs something in it"));
    }
    Ok(())
}

/// Checks the new fields of an edit.
pub(super) fn check_edit(body: &Value) -> Result<(), Refusal> {
    within("/content", &body["content"], 2_000)?;
    let embeds = body["embeds"].as_array().map(Vec::as_slice).unwrap_or_default();
    if embeds.len() > 10 {
        return Err(Refusal::form("/embeds", "Must be 10 or fewer in length."));
    }
    let mut total = 0;
    for (index, embed) in embeds.iter().enumerate() {
        total += check_embed(&format!("/embeds/{index}"), embed)?;
    }
    if total > 6_000 {
        return Err(Refusal::form("/embeds", "Embed size exceeds maximum size of 6000"));
    }
    check_components(body)?;
    check_allowed_mentions(&body["allowed_mentions"])
}

fn within(at: &str, value: &Value, length_max: usize) -> Result<usize, Refusal> {
    let count = value.as_str().map_or(0, |text| text.chars().count());
    if count > length_max {
        return Err(Refusal::form(at, &format!("Must be {length_max} or fewer in length.")));
    }
    Ok(count)
}

fn check_embed(at: &str, embed: &Value) -> Result<usize, Refusal> {
    let mut total = within(&format!("{at}/title"), &embed["title"], 256)?;
    total += within(&format!("{at}/description"), &embed["description"], 4_096)?;
    total += within(&format!("{at}/footer/text"), &embed["footer"]["text"], 2_048)?;
    total += within(&format!("{at}/author/name"), &embed["author"]["name"], 256)?;
    let fields = embed["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    if fields.len() > 25 {
        return Err(Refusal::form(&format!("{at}/fields"), "Must be 25 or fewer in length."));
    }
    for (index, field) in fields.iter().enumerate() {
        for (part, length_max) in [("name", 256), ("value", 1_024)] {
            let place = format!("{at}/fields/{index}/{part}");
            if field[part].as_str().is_none_or(|text| text.trim().is_empty()) {
                return Err(Refusal::form(&place, "This field is required"));
            }
            total += within(&place, &field[part], length_max)?;
        }
    }
    Ok(total)
}

/// Checks components: rows of five buttons or one select, unique ids.
fn check_components(body: &Value) -> Result<(), Refusal> {
    let components = body["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    let new_kind = body["flags"].as_u64().unwrap_or_default() & COMPONENTS_V2 != 0;
    if new_kind && (body["content"].as_str().is_some_and(|text| !text.is_empty()) || !body["embeds"].is_null()) {
        return Err(Refusal::form("/content", "content and embeds cannot be used with the flag IS_COMPONENTS_V2"));
    }
    if !new_kind && components.len() > 5 {
        return Err(Refusal::form("/components", "Must be between 1 and 5 in length."));
    }
    let mut seen = HashSet::new();
    for (index, component) in components.iter().enumerate() {
        if !new_kind && component["type"] != 1 {
            let why = "outside of IS_COMPONENTS_V2 only action rows stand at the top";
            return Err(Refusal::form(&format!("/components/{index}/type"), why));
        }
        check_component(&format!("/components/{index}"), component, &mut seen)?;
    }
    Ok(())
}

fn check_component<'a>(at: &str, component: &'a Value, seen: &mut HashSet<&'a str>) -> Result<(), Refusal> {
    if let Some(id) = component["custom_id"].as_str()
        && !seen.insert(id)
    {
        return Err(Refusal::form(&format!("{at}/custom_id"), "Component custom id cannot be duplicated"));
    }
    within(&format!("{at}/custom_id"), &component["custom_id"], 100)?;
    let children = component["components"].as_array().map(Vec::as_slice).unwrap_or_default();
    match component["type"].as_u64() {
        Some(1) => check_row(at, children)?,
        Some(2) => check_button(at, component)?,
        Some(3) => check_select(at, component)?,
        _ => {}
    }
    for (index, child) in children.iter().enumerate() {
        check_component(&format!("{at}/components/{index}"), child, seen)?;
    }
    Ok(())
}

fn check_row(at: &str, children: &[Value]) -> Result<(), Refusal> {
    let selects = children.iter().filter(|child| matches!(child["type"].as_u64(), Some(3 | 5..=8))).count();
    if children.is_empty() || children.len() > 5 || selects > 0 && children.len() > 1 {
        return Err(Refusal::form(&format!("{at}/components"), "A row has one to five buttons, or one select"));
    }
    Ok(())
}

fn check_button(at: &str, button: &Value) -> Result<(), Refusal> {
    let has = |field: &str| !button[field].is_null();
    let (link, premium) = (button["style"] == 5, button["style"] == 6);
    let whole = match (link, premium) {
        (true, _) => has("url") && !has("custom_id"),
        (_, true) => has("sku_id") && !has("custom_id"),
        _ => has("custom_id") && !has("url"),
    };
    if !whole {
        return Err(Refusal::form(at, "A button has a custom id, or a url if its style is link"));
    }
    if !premium && !has("label") && !has("emoji") {
        return Err(Refusal::form(&format!("{at}/label"), "A button needs a label or an emoji"));
    }
    within(&format!("{at}/label"), &button["label"], 80).map(|_| ())
}

fn check_select(at: &str, select: &Value) -> Result<(), Refusal> {
    let options = select["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    if options.is_empty() || options.len() > 25 {
        return Err(Refusal::form(&format!("{at}/options"), "Must be between 1 and 25 in length."));
    }
    let mut values = HashSet::new();
    for (index, option) in options.iter().enumerate() {
        if !values.insert(option["value"].as_str()) {
            let why = "The specified option value is already used";
            return Err(Refusal::form(&format!("{at}/options/{index}/value"), why));
        }
    }
    let count = |field: &str, default| select[field].as_u64().unwrap_or(default);
    if count("max_values", 1) > options.len() as u64 || count("min_values", 1) > count("max_values", 1) {
        return Err(Refusal::form(&format!("{at}/max_values"), "min_values and max_values must fit the options"));
    }
    Ok(())
}

/// Checks that `parse` and the list of the same kind are not used together.
fn check_allowed_mentions(allowed: &Value) -> Result<(), Refusal> {
    for kind in ["users", "roles"] {
        let parses = allowed["parse"].as_array().is_some_and(|all| all.iter().any(|one| one == kind));
        let listed = allowed[kind].as_array().map_or(0, Vec::len);
        if parses && listed > 0 {
            let why = format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            return Err(Refusal::form("/allowed_mentions", &why));
        }
        if listed > 100 {
            return Err(Refusal::form(&format!("/allowed_mentions/{kind}"), "Must be 100 or fewer in length."));
        }
    }
    Ok(())
}
