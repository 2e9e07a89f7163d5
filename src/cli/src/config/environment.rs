//! Fills in values of the environment: `${NAME}` in texts of bots.yaml.

use super::errors::Place;
use super::file::File;
use crate::problem::Problem;

/// Replaces `${NAME}` by values of the environment in all settings that allow it.
pub(super) fn fill_in(file: &mut File, place: &Place<'_>) -> Result<(), Problem> {
    for text in [&mut file.data, &mut file.listen, &mut file.scripts_folder] {
        *text = from_environment(text).map_err(|what| place.wrong_literal(text, &what))?;
    }
    if let Some(webhook) = &mut file.operators.webhook {
        *webhook = secret(webhook).map_err(|what| place.wrong_literal(webhook, &what))?;
    }
    for bot in file.bots.values_mut() {
        for text in [&mut bot.value.token, &mut bot.value.api].into_iter().flatten() {
            *text = secret(text).map_err(|what| place.wrong(&bot.referenced, &what))?;
        }
        for token in bot.value.rooms.name_tokens.values_mut() {
            *token = from_environment(token).map_err(|what| place.wrong(&bot.referenced, &what))?;
        }
    }
    for token in file.tokens.values_mut() {
        let filled = secret(&token.value.token).map_err(|what| place.wrong(&token.referenced, &what))?;
        token.value.token = filled;
    }
    for script in file.scripts.values_mut() {
        for value in script.value.config.values_mut() {
            fill_in_value(&mut value.value).map_err(|what| place.wrong(&value.referenced, &what))?;
        }
        if let Some(token) = &mut script.value.token {
            *token = secret(token).map_err(|what| place.wrong(&script.referenced, &what))?;
        }
    }
    Ok(())
}

fn fill_in_value(value: &mut serde_json::Value) -> Result<(), String> {
    match value {
        serde_json::Value::String(text) => *text = from_environment(text)?,
        serde_json::Value::Array(list) => list.iter_mut().try_for_each(fill_in_value)?,
        serde_json::Value::Object(map) => map.values_mut().try_for_each(fill_in_value)?,
        _ => {}
    }
    Ok(())
}

/// Does the same as [`from_environment`] for a secret.
///
/// A secret is sent or compared as it is, so this also trims what copying and files leave on both sides:
/// white space, control characters, byte order marks and zero-width spaces.
fn secret(text: &str) -> Result<String, String> {
    let is_padding = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{FEFF}' | '\u{200B}');
    Ok(from_environment(text)?.trim_matches(is_padding).to_owned())
}

/// Replaces `${NAME}` by values of the environment; `$${` is a literal `${`.
fn from_environment(text: &str) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or_else(|| format!("\"{text}\" has ${{ without }}"))?;
        let value = std::env::var(name).ok().ok_or_else(|| {
            format!("the environment variable {name} is not set; set it, or replace ${{{name}}} by the value")
        })?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn two_signs_before_a_brace_mean_the_sign_itself() {
        let home = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        for (text, expected) in [
            ("$${HOME}", "${HOME}".to_owned()),
            ("a $${x} b $${y}", "a ${x} b ${y}".to_owned()),
            ("$${HOME} ${CARGO_MANIFEST_DIR}", format!("${{HOME}} {home}")),
            ("${CARGO_MANIFEST_DIR}$${", format!("{home}${{")),
            ("$5 and $HOME", "$5 and $HOME".to_owned()),
        ] {
            assert_eq!(from_environment(text).unwrap(), expected, "{text}");
        }
        assert!(from_environment("${NOT_THERE_AT_ALL}").is_err());
        assert!(from_environment("${HOME").is_err());
    }

    #[test]
    fn a_secret_has_nothing_around_it() {
        for text in ["token\r\n", " token ", "\u{FEFF}token\n", "\ttoken\u{A0}", "token\u{200B}", "token"] {
            assert_eq!(secret(text).unwrap(), "token", "{text:?}");
        }
    }

    #[test]
    fn every_secret_of_the_file_is_trimmed() {
        let text = "tokens:\n  ci: {token: \"0123456789abcdef\\r\\n\"}\n\
                    operators: {webhook: \" https://example.org/hook\\n\"}\n\
                    bots:\n  d: {platform: discord, token: \"  secret\\n\"}\n\
                    scripts:\n  s: {token: \"\\uFEFFfedcba9876543210 \"}\n";
        let mut file: File = serde_saphyr::from_str(text).unwrap();
        fill_in(&mut file, &Place { path: Path::new("bots.yaml"), text }).unwrap();
        assert_eq!(file.tokens["ci"].value.token, "0123456789abcdef");
        assert_eq!(file.operators.webhook.as_deref(), Some("https://example.org/hook"));
        assert_eq!(file.bots["d"].value.token.as_deref(), Some("secret"));
        assert_eq!(file.scripts["s"].value.token.as_deref(), Some("fedcba9876543210"));
    }
}
