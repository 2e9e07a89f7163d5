//! Scripts about money: economy, shop.

use super::scenario::{
    Given, IN_PRIVATE, PLAIN, Scenario, answers, answers_alone, refuses, refuses_before_all, says, uses,
};

pub(crate) const ECONOMY: Scenario = Scenario {
    scripts: &["economy"],
    notes: IN_PRIVATE,
    steps: &[
        says("Bob", "good morning"),
        says("Alice", "!balance"),
        answers(1),
        says("Alice", "!pay {@Bob} 30"),
        answers(1),
        uses("Alice", "pay", &[("whom", Given::Person("Bob")), ("amount", Given::Number(5))]),
        answers(1),
        uses("Alice", "balance", &[("whom", Given::Person("Bob"))]),
        answers(1),
        says("Alice", "!pay {@Bob} 101"),
        answers_alone("Alice"),
        uses("Alice", "pay", &[("whom", Given::Person("Alice")), ("amount", Given::Number(5))]),
        answers_alone("Alice"),
        says("Bob", "!balance"),
        answers(1),
        says("Alice", "!balance Bob"),
        answers(1),
        says("Alice", "!pay {@Bob} 1.5"),
        refuses("Alice"),
        refuses_before_all(),
        says("Alice", "!pay {@Bob}"),
        refuses("Alice"),
        refuses_before_all(),
    ],
    ..PLAIN
};

pub(crate) const SHOP: Scenario = Scenario {
    scripts: &["shop", "economy"],
    notes: IN_PRIVATE,
    steps: &[
        says("Alice", "!shop"),
        answers(1),
        says("Alice", "!inventory"),
        answers(1),
        says("Alice", "!buy hat"),
        answers(1),
        uses("Alice", "buy", &[("item", Given::Text("Tea"))]),
        answers(1),
        uses("Alice", "buy", &[("item", Given::Text("hat"))]),
        answers_alone("Alice"),
        says("Alice", "!buy house"),
        answers_alone("Alice"),
        uses("Alice", "inventory", &[]),
        answers(1),
        says("Alice", "!balance"),
        answers(1),
    ],
    ..PLAIN
};
