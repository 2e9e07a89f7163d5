//! The forms to sign in and to register, which work without scripts.

use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::web;

const TEMPLATE: &str = include_str!("../../web/sign-in.html");

/// One of the two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    SignIn,
    Register,
}

/// A field: its label, name, type and what a browser may fill in.
type Field = (&'static str, &'static str, &'static str, &'static str);

const EMAIL: Field = ("E-mail address", "email", "email", "email");

const CODE: Field = ("One-time code, if you use an authenticator app", "code", "text", "one-time-code");

impl Form {
    /// Returns the page with the form, and what was wrong with the last attempt.
    ///
    /// `owner` is the secret of the one-time link that creates the owner, or empty.
    pub(super) fn page(self, status: StatusCode, error: &str, owner: &str) -> Response {
        let (title, action, lead, other) = match self {
            Self::SignIn => (
                "Sign in",
                "/login",
                "Use your username or your e-mail address.",
                "<a href=\"/register-page\">Register</a>",
            ),
            Self::Register => {
                ("Register", "/register", "Keep your name, and talk in private.", "<a href=\"/login-page\">Sign in</a>")
            }
        };
        let mut fields: String = self.fields().iter().map(field).collect();
        if !owner.is_empty() {
            fields.push_str("      <p>You become the owner of this service.</p>\n");
            fields.push_str(&format!("      <input name=\"owner\" type=\"hidden\" value=\"{}\">\n", escape(owner)));
        }
        let page = web::with_versions(TEMPLATE)
            .replace("{{title}}", title)
            .replace("{{action}}", action)
            .replace("{{lead}}", lead)
            .replace("{{other}}", other)
            .replace("{{fields}}", &fields)
            // Last: what a person typed is in it, and must not be taken for a placeholder.
            .replace("{{error}}", &escape(error));
        (status, [(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
    }

    fn fields(self) -> Vec<Field> {
        let password = if self == Self::Register { "new-password" } else { "current-password" };
        let mut fields = vec![("Username", "username", "text", "username")];
        fields.extend((self == Self::Register).then_some(EMAIL));
        fields.push(("Password", "password", "password", password));
        fields.extend((self == Self::SignIn).then_some(CODE));
        fields
    }
}

fn field((label, name, kind, fill): &Field) -> String {
    let required = if *name == CODE.1 { "" } else { " required" };
    format!(
        "      <label for=\"{name}\">{label}</label>\n      <input id=\"{name}\" name=\"{name}\" type=\"{kind}\" \
         autocomplete=\"{fill}\" autocapitalize=\"off\" spellcheck=\"false\"{required}>\n"
    )
}

/// Escapes text for HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
