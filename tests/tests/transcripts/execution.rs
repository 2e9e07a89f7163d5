//! The execution of scenarios: each step adds lines to the transcript.

use super::driver::{Driver, Said, typed, with_mentions};
use super::fixture::{Fixture, OtherPlatform};
use super::scenario::{Act, Button, Right, Step};

/// Plays the steps, and returns the lines of each; none for steps of other platforms.
pub(crate) async fn play<S: Driver, P: OtherPlatform>(
    driver: &mut S,
    fixture: &Fixture<P>,
    steps: &[Step],
) -> Vec<Vec<String>> {
    let mut transcript = Vec::new();
    for step in steps {
        let lines = if step.is_on(S::PLATFORM) { perform(driver, fixture, &step.act).await } else { Vec::new() };
        // Shown when the test fails, up to the failing step.
        lines.iter().for_each(|line| println!("{:8} {line}", format!("{:?}", S::PLATFORM)));
        transcript.push(lines);
    }
    let unexpected = driver.left_over();
    assert!(unexpected.is_empty(), "{:?}: the bot also said: {unexpected:#?}", S::PLATFORM);
    transcript
}

async fn perform<S: Driver, P: OtherPlatform>(driver: &mut S, fixture: &Fixture<P>, act: &Act) -> Vec<String> {
    match act {
        Act::Says { who, text } => {
            let written = with_mentions(text, |name| driver.mention(name));
            driver.says(who, &written).await;
            vec![said_by(who, text)]
        }
        Act::IsRefused { who, text } => vec![said_by(who, text), format!("  * {}", driver.is_refused(who, text).await)],
        Act::Uses { who, command, given } => {
            driver.uses(who, command, given).await;
            vec![said_by(who, &typed(command, given))]
        }
        Act::Presses { who, button } => vec![press(driver, who, *button).await],
        Act::FillsIn { who, values } => fill_in(driver, who, values).await,
        Act::Forbids(right) => {
            driver.forbids(*right);
            vec![match right {
                Right::Restrict => "* the bot may no longer mute, kick and ban".to_owned(),
                Right::Remove => "* the bot may no longer remove messages".to_owned(),
                Right::Speak(place) => format!("* the bot may no longer speak in #{place}"),
            }]
        }
        Act::Enters { who } => {
            driver.enters(who).await;
            vec![format!("* {who} enters")]
        }
        Act::Leaves { who } => {
            driver.leaves(who).await;
            vec![format!("* {who} leaves")]
        }
        _ => witness(driver, fixture, act).await,
    }
}

/// Waits for an expected result.
async fn witness<S: Driver, P: OtherPlatform>(driver: &mut S, fixture: &Fixture<P>, act: &Act) -> Vec<String> {
    match act {
        Act::Answers { place, count } => {
            let mut lines = Vec::new();
            for _ in 0..*count {
                lines.extend(shown::<P>(&in_place(place), &driver.hears(place).await));
            }
            lines
        }
        Act::Begins { place, part } => loop {
            let said = driver.hears(place).await;
            if said.text.contains(part) {
                break shown::<P>(&in_place(place), &said);
            }
        },
        Act::AnswersAlone { who } => shown::<P>(&format!("bot, to {who} alone"), &driver.hears_alone(who).await),
        Act::Changes => shown::<P>("bot changes that to", &driver.hears_change().await),
        Act::Vanishes { texts, purged } => {
            driver.vanishes(texts, *purged).await;
            texts.iter().map(|text| format!("  * gone: {}", plainly(text))).collect()
        }
        Act::Becomes { who, fate } => {
            driver.becomes(who, *fate).await;
            vec![format!("  * {who} is {}", format!("{fate:?}").to_lowercase())]
        }
        Act::RoomBecomes { place, rule } => {
            driver.room_becomes(place, *rule).await;
            vec![format!("  * #{place}: {rule:?}")]
        }
        Act::Asks { method, path, body } => {
            let answer = fixture.ask(method, path, &body.replace("{room}", &driver.room("general"))).await;
            vec![format!("a program: {method} {path} {body}"), format!("  {answer}")]
        }
        Act::Publishes { title } => {
            fixture.publish(title).await;
            vec![format!("* the feed has {title}")]
        }
        _ => unreachable!("people do this: {act:?}"),
    }
}

async fn press<S: Driver>(driver: &mut S, who: &str, button: Button) -> String {
    match button {
        Button::Labelled(label) => {
            driver.presses(who, &|found| found == label).await;
            format!("{who} presses [{label}]")
        }
        Button::Fitting(called, fits) => {
            driver.presses(who, &fits).await;
            format!("{who} presses {called}")
        }
    }
}

async fn fill_in<S: Driver>(driver: &mut S, who: &str, values: &[(&str, &str)]) -> Vec<String> {
    let form = driver.fills_in(who, values).await;
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

/// Formats a message of the bot: further lines below the first, buttons at the end.
fn shown<P: OtherPlatform>(by: &str, said: &Said) -> Vec<String> {
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

/// Formats mentions in a text as users see them.
fn plainly(text: &str) -> String {
    with_mentions(text, |name| format!("@{name}"))
}
