//! A platform as a scenario needs it, and the playing: every step leaves its lines in the transcript.

use super::scenario::{Act, Button, Fate, Given, Platform, Right, Rule, Step};
use super::town::{Beside, Town};

/// Something that the bot said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// What is on its buttons.
    pub(crate) buttons: Vec<String>,
}

/// A form, as whoever is to fill it in sees it.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) title: String,
    pub(crate) labels: Vec<String>,
}

/// A platform with people on it. Everything that is waited for comes within the patience of the test, or the test ends.
pub(crate) trait Stage {
    const PLATFORM: Platform;

    /// A mention of somebody, as people write it.
    fn mention(&self, who: &str) -> String;
    /// A room as configurations and programs write it.
    fn room(&self, place: &str) -> String;
    async fn says(&mut self, who: &str, text: &str);
    /// Says something that is not taken: why.
    async fn is_refused(&mut self, who: &str, text: &str) -> String;
    async fn uses(&mut self, who: &str, command: &str, given: &[(&str, Given)]);
    /// Presses the first button that fits, of the last message that has buttons where they are.
    async fn presses(&mut self, who: &str, fits: &dyn Fn(&str) -> bool);
    /// Fills in the form that somebody is shown: what it asked.
    async fn fills_in(&mut self, who: &str, values: &[(&str, &str)]) -> Form;
    /// Keeps the bot from something.
    fn forbids(&mut self, right: Right);
    async fn enters(&mut self, who: &str);
    async fn leaves(&mut self, who: &str);
    /// The next thing that the bot says in a room.
    async fn hears(&mut self, place: &str) -> Said;
    /// The next thing that the bot says to one person.
    async fn hears_alone(&mut self, who: &str) -> Said;
    /// The message whose button was pressed, once it is another.
    async fn hears_change(&mut self) -> Said;
    /// Waits until what was said is gone.
    async fn vanishes(&mut self, texts: &[&str], purged: bool);
    async fn becomes(&mut self, who: &str, fate: Fate);
    async fn room_becomes(&mut self, place: &str, rule: Rule);
    /// What the bot said besides what was waited for.
    fn left_over(&mut self) -> Vec<Said>;
}

/// Plays the steps; the lines of each, none for those that belong to others.
pub(crate) async fn play<S: Stage, P: Beside>(stage: &mut S, town: &Town<P>, steps: &[Step]) -> Vec<Vec<String>> {
    let mut transcript = Vec::new();
    for step in steps {
        let lines = if step.is_on(S::PLATFORM) { perform(stage, town, &step.act).await } else { Vec::new() };
        // Shown when the test fails: this far it went.
        lines.iter().for_each(|line| println!("{:8} {line}", format!("{:?}", S::PLATFORM)));
        transcript.push(lines);
    }
    let unexpected = stage.left_over();
    assert!(unexpected.is_empty(), "{:?}: the bot also said: {unexpected:#?}", S::PLATFORM);
    transcript
}

async fn perform<S: Stage, P: Beside>(stage: &mut S, town: &Town<P>, act: &Act) -> Vec<String> {
    match act {
        Act::Says { who, text } => {
            let written = with_mentions(text, |name| stage.mention(name));
            stage.says(who, &written).await;
            vec![said_by(who, text)]
        }
        Act::IsRefused { who, text } => vec![said_by(who, text), format!("  * {}", stage.is_refused(who, text).await)],
        Act::Uses { who, command, given } => {
            stage.uses(who, command, given).await;
            vec![said_by(who, &typed(command, given))]
        }
        Act::Presses { who, button } => vec![press(stage, who, *button).await],
        Act::FillsIn { who, values } => fill_in(stage, who, values).await,
        Act::Forbids(right) => {
            stage.forbids(*right);
            vec![match right {
                Right::Restrict => "* the bot may no longer mute, kick and ban".to_owned(),
                Right::Remove => "* the bot may no longer remove messages".to_owned(),
                Right::Speak(place) => format!("* the bot may no longer speak in #{place}"),
            }]
        }
        Act::Enters { who } => {
            stage.enters(who).await;
            vec![format!("* {who} enters")]
        }
        Act::Leaves { who } => {
            stage.leaves(who).await;
            vec![format!("* {who} leaves")]
        }
        _ => witness(stage, town, act).await,
    }
}

/// What is not done by people, but waited for.
async fn witness<S: Stage, P: Beside>(stage: &mut S, town: &Town<P>, act: &Act) -> Vec<String> {
    match act {
        Act::Answers { place, count } => {
            let mut lines = Vec::new();
            for _ in 0..*count {
                lines.extend(shown::<P>(&in_place(place), &stage.hears(place).await));
            }
            lines
        }
        Act::Begins { place, part } => loop {
            let said = stage.hears(place).await;
            if said.text.contains(part) {
                break shown::<P>(&in_place(place), &said);
            }
        },
        Act::AnswersAlone { who } => shown::<P>(&format!("bot, to {who} alone"), &stage.hears_alone(who).await),
        Act::Changes => shown::<P>("bot changes that to", &stage.hears_change().await),
        Act::Vanishes { texts, purged } => {
            stage.vanishes(texts, *purged).await;
            texts.iter().map(|text| format!("  * gone: {}", plainly(text))).collect()
        }
        Act::Becomes { who, fate } => {
            stage.becomes(who, *fate).await;
            vec![format!("  * {who} is {}", format!("{fate:?}").to_lowercase())]
        }
        Act::RoomBecomes { place, rule } => {
            stage.room_becomes(place, *rule).await;
            vec![format!("  * #{place}: {rule:?}")]
        }
        Act::Asks { method, path, body } => {
            let answer = town.ask(method, path, &body.replace("{room}", &stage.room("general"))).await;
            vec![format!("a program: {method} {path} {body}"), format!("  {answer}")]
        }
        Act::Publishes { title } => {
            town.publish(title).await;
            vec![format!("* the feed has {title}")]
        }
        _ => unreachable!("people do this: {act:?}"),
    }
}

async fn press<S: Stage>(stage: &mut S, who: &str, button: Button) -> String {
    match button {
        Button::Labelled(label) => {
            stage.presses(who, &|found| found == label).await;
            format!("{who} presses [{label}]")
        }
        Button::Fitting(called, fits) => {
            stage.presses(who, &fits).await;
            format!("{who} presses {called}")
        }
    }
}

async fn fill_in<S: Stage>(stage: &mut S, who: &str, values: &[(&str, &str)]) -> Vec<String> {
    let form = stage.fills_in(who, values).await;
    let mut lines = vec![format!("  bot asks {who} to fill in: {}", form.title)];
    lines.extend(form.labels.iter().map(|label| format!("       ({label})")));
    lines.extend(values.iter().map(|(name, value)| format!("{who} fills in {name}: {value}")));
    lines
}

fn said_by(who: &str, text: &str) -> String {
    format!("{who}: {}", plainly(text))
}

fn in_place(place: &str) -> String {
    if place == "general" { "bot".to_owned() } else { format!("bot in #{place}") }
}

/// What the bot said: further lines stand below the first, buttons below all.
fn shown<P: Beside>(by: &str, said: &Said) -> Vec<String> {
    let text = P::seen(&said.text);
    let mut texts = text.lines();
    let mut lines = vec![format!("  {by}: {}", texts.next().unwrap_or_default())];
    lines.extend(texts.map(|text| format!("       {text}")));
    if !said.buttons.is_empty() {
        let buttons: Vec<_> = said.buttons.iter().map(|label| format!("[{label}]")).collect();
        lines.push(format!("       {}", buttons.join(" ")));
    }
    lines
}

/// A command with its options, as one types it.
pub(crate) fn typed(command: &str, given: &[(&str, Given)]) -> String {
    let words = given.iter().map(|(_, value)| match value {
        Given::Text(text) => (*text).to_owned(),
        Given::Number(number) => number.to_string(),
        Given::Person(name) => format!("@{name}"),
    });
    std::iter::once(format!("/{command}")).chain(words).collect::<Vec<_>>().join(" ")
}

/// The text with its mentions as people see them.
pub(crate) fn plainly(text: &str) -> String {
    with_mentions(text, |name| format!("@{name}"))
}

/// The text with its mentions as the platform writes them.
pub(crate) fn with_mentions(text: &str, mention: impl Fn(&str) -> String) -> String {
    let mut parts = text.split("{@");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once('}') {
        Some((name, rest)) => text + &mention(name) + rest,
        None => text + "{@" + part,
    })
}
