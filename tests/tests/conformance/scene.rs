//! Common steps of test cases.

use std::sync::atomic::{AtomicU64, Ordering};

use palabre_types::{
    Action, Button, ButtonStyle, Content, EventKind, EventName, Form, FormField, MessageId, Offer, Select, SelectOption,
};

use crate::platform::{Deed, Platform};

/// The emoji of reactions.
pub(crate) const EMOJI: &str = "👍";

/// Posts a message as a user, waits until the bot has received it, and returns its id.
pub(crate) async fn said<P: Platform>(platform: &mut P, who: &str, text: &str) -> String {
    let id = platform.people(Deed::Says { who, text }).await;
    platform.fixture().hears(text).await;
    id
}

/// Posts a message as bob and waits for it: all earlier events have then arrived.
pub(crate) async fn fence<P: Platform>(platform: &mut P) {
    static SAID: AtomicU64 = AtomicU64::new(0);
    let text = format!("fence {}", SAID.fetch_add(1, Ordering::Relaxed));
    said(platform, "bob", &text).await;
}

/// Waits until carol's leave has arrived.
pub(crate) async fn is_gone<P: Platform>(platform: &P, since: usize) {
    platform.fixture().wait(EventName::Disconnect, since, |_| true).await;
}

/// Posts a message as the bot and returns its id.
pub(crate) async fn bot_says<P: Platform>(platform: &P, content: Content) -> MessageId {
    let action = Action::Send { room: platform.room(), content, reply_to: None };
    platform.fixture().does(&action).await.message.expect("what is said has an id")
}

pub(crate) fn button(label: &str, action: &str) -> Button {
    Button { label: label.to_owned(), action: action.to_owned(), style: None, url: None, disabled: false }
}

/// Posts a message with a button.
pub(crate) async fn offers_button<P: Platform>(platform: &P) -> MessageId {
    let primary = Button { style: Some(ButtonStyle::Primary), ..button("Go", "go") };
    bot_says(platform, Content { buttons: vec![primary], ..Content::text("ready?") }).await
}

pub(crate) fn list() -> Select {
    let option = |value: &str| SelectOption { label: value.to_uppercase(), value: value.to_owned(), description: None };
    Select {
        action: "pick".to_owned(),
        placeholder: Some("colours".to_owned()),
        min: Some(1),
        max: Some(2),
        options: ["red", "green", "blue"].map(option).into(),
    }
}

/// Posts a message with a list.
pub(crate) async fn offers_list<P: Platform>(platform: &P) -> MessageId {
    bot_says(platform, Content { select: Some(list()), ..Content::text("which?") }).await
}

/// Builds an offer for an inline query.
pub(crate) fn offer(title: &str, text: &str) -> Offer {
    Offer { title: title.to_owned(), text: text.to_owned(), description: None, picture: None }
}

pub(crate) fn form() -> Form {
    let field = |name: &str, optional| FormField {
        name: name.to_owned(),
        label: name.to_uppercase(),
        long: false,
        optional,
        min: None,
        max: None,
        placeholder: None,
        value: None,
    };
    Form {
        action: "report".to_owned(),
        title: "Report".to_owned(),
        fields: vec![field("why", false), field("else", true)],
    }
}

/// Presses a button as a user; returns the platform's id of the interaction.
pub(crate) async fn pressed<P: Platform>(platform: &mut P, who: &str) -> Option<String> {
    let asked = offers_button(platform).await;
    let since = platform.fixture().cursor();
    platform.people(Deed::Presses { who, message: asked.as_str(), action: "go" }).await;
    let event = platform.fixture().wait(EventName::Button, since, |_| true).await;
    let EventKind::Button { interaction, .. } = event.kind else { unreachable!("a button was pressed") };
    interaction
}

/// Opens a form for a user who presses a button.
pub(crate) async fn shows_form<P: Platform>(platform: &mut P, who: &str) {
    let interaction = pressed(platform, who).await;
    let action = Action::Form { room: platform.room(), user: platform.user(who), interaction, form: form() };
    platform.fixture().does(&action).await;
}
