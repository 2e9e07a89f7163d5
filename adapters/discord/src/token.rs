//! The bot's token, as it is pasted into bots.yaml, a file or the environment.

/// Returns the token without the characters that are often pasted along with it.
///
/// White space, line ends, a byte order mark, and the word `Bot` in front are removed.
pub(crate) fn trimmed(token: &str) -> &str {
    let is_padding = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}');
    let token = token.trim_matches(is_padding);
    match token.split_at_checked("Bot".len()) {
        Some((word, rest)) if word.eq_ignore_ascii_case("Bot") && rest.starts_with(char::is_whitespace) => {
            rest.trim_matches(is_padding)
        }
        _ => token,
    }
}

#[cfg(test)]
mod tests {
    use super::trimmed;

    #[test]
    fn a_token_is_trimmed_of_what_is_pasted_along() {
        let pasted = [
            "MTE.x.y",
            " MTE.x.y ",
            "MTE.x.y\r\n",
            "\u{feff}MTE.x.y\n",
            "Bot MTE.x.y",
            "bot \tMTE.x.y\r\n",
            "\u{feff} Bot MTE.x.y ",
        ];
        for token in pasted {
            assert_eq!(trimmed(token), "MTE.x.y", "{token:?}");
        }
        assert_eq!(trimmed("Botany.x.y"), "Botany.x.y");
        assert_eq!(trimmed(" \r\n"), "");
    }
}
