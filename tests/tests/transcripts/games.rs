//! Games: dice, guess, poll, trivia.

use super::scenario::{
    Given, IN_PRIVATE, ONE_STORE, PLAIN, Scenario, answers, answers_alone, changes, presses, presses_one, refuses,
    refuses_before_all, says, uses,
};

pub(crate) const DICE: Scenario = Scenario {
    scripts: &["dice"],
    placeholders: &[(r"rolls \d+", "rolls N"), (r"\(\d+( \+ \d+)+\)", "(N + …)")],
    steps: &[
        says("Alice", "!roll"),
        answers(1),
        says("Alice", "!roll 20"),
        answers(1),
        uses("Bob", "roll", &[("dice", Given::Text("3d6"))]),
        answers(1),
        says("Bob", "!roll pizza"),
        answers(1),
        says("Bob", "let's roll 20"),
        uses("Bob", "roll", &[]),
        answers(1),
    ],
    ..PLAIN
};

pub(crate) const GUESS: Scenario = Scenario {
    scripts: &["guess"],
    placeholders: &[(r"It was \d+", "It was N")],
    steps: &[
        says("Alice", "!guess"),
        answers(1),
        // Bob was not asked.
        says("Bob", "50"),
        says("Alice", "what?"),
        answers(1),
        says("Alice", "0"),
        answers(1),
        says("Alice", "101"),
        answers(1),
        says("Alice", "Stop"),
        answers(1),
        uses("Bob", "guess", &[]),
        answers(1),
        says("Bob", "stop"),
        answers(1),
    ],
    ..PLAIN
};

pub(crate) const POLL: Scenario = Scenario {
    scripts: &["poll"],
    notes: IN_PRIVATE,
    steps: &[
        says("Alice", "!poll 10m Lunch? | Pizza | Salad"),
        answers(1),
        presses("Alice", "Pizza"),
        changes(),
        answers_alone("Alice"),
        presses("Bob", "Salad"),
        changes(),
        answers_alone("Bob"),
        presses("Alice", "Salad"),
        changes(),
        answers_alone("Alice"),
        says("Bob", "!poll 10m Lunch?"),
        answers_alone("Bob"),
        uses("Bob", "poll", &[("lasts", Given::Text("10m")), ("question", Given::Text("Lunch? | Pizza"))]),
        answers_alone("Bob"),
        uses("Bob", "poll", &[("lasts", Given::Text("1h")), ("question", Given::Text("Tea? | Yes | No"))]),
        answers(1),
        presses("Alice", "Yes"),
        changes(),
        answers_alone("Alice"),
        says("Bob", "!poll 1s Tea? | Yes | No"),
        refuses("Bob"),
        refuses_before_all(),
    ],
    ..PLAIN
};

/// The right answers to all questions; none is a wrong answer to another.
const RIGHT: [&str; 8] = ["Jupiter", "4", "Nile", "Leonardo da Vinci", "Au", "1969", "2", "Dakar"];

fn is_right(answer: &str) -> bool {
    RIGHT.contains(&answer)
}

fn is_wrong(answer: &str) -> bool {
    !is_right(answer)
}

pub(crate) const TRIVIA: Scenario = Scenario {
    scripts: &["trivia"],
    settings: "config: { questions: 2, time: 5m }",
    apart: Some(ONE_STORE),
    placeholders: &[
        (r"\*\*: .*", "**: QUESTION"),
        (r"^       \[.*\] \[.*\] \[.*\] \[.*\]$", "       [ANSWER] [ANSWER] [ANSWER] [ANSWER]"),
        (r"that to: .* ✅ (\w+): .*", "that to: QUESTION ✅ $1: ANSWER"),
    ],
    steps: &[
        says("Alice", "!trivia stop"),
        answers(1),
        says("Alice", "!trivia start"),
        answers(1),
        presses_one("Alice", "a wrong answer", is_wrong),
        answers_alone("Alice"),
        presses_one("Alice", "the right answer", is_right),
        answers_alone("Alice"),
        presses_one("Bob", "the right answer", is_right),
        changes(),
        answers(1),
        uses("Bob", "trivia", &[("what", Given::Text("start"))]),
        answers(1),
        presses_one("Alice", "the right answer", is_right),
        changes(),
        answers(1),
        uses("Bob", "trivia", &[("what", Given::Text("top"))]),
        answers(1),
    ],
    ..PLAIN
};
