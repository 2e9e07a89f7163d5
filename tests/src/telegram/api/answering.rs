//! Answers of the bot to button presses and inline queries.

use std::collections::BTreeSet;

use serde_json::json;

use crate::telegram::entities::units;
use crate::telegram::query::CallbackAnswer;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

pub(super) fn callback(state: &mut State, call: &Call) -> Outcome {
    let (now, life) = (state.now(), state.query_life());
    if units(call.text("text")) > 200 {
        return Err(Refusal::blamed("MESSAGE_TOO_LONG", "the answer to a press has at most 200 characters"));
    }
    let query = state.presses.get_mut(call.text("callback_query_id"));
    let query =
        query.filter(|query| query.answer.is_none() && now <= query.at + life).ok_or_else(Refusal::stale_query)?;
    query.answer = Some(CallbackAnswer {
        text: call.text("text").to_owned(),
        is_alert: call.is_true("show_alert"),
        url: call.get("url").as_str().map(ToOwned::to_owned),
    });
    Ok(json!(true))
}

pub(super) fn inline(state: &mut State, call: &Call) -> Outcome {
    let (now, life) = (state.now(), state.query_life());
    let results = call.get("results").as_array().map(Vec::as_slice).unwrap_or_default();
    if results.len() > 50 {
        return Err(Refusal::blamed("RESULTS_TOO_MUCH", "there are at most 50 results"));
    }
    let mut seen = BTreeSet::new();
    for result in results {
        let id = result["id"].as_str().unwrap_or_default();
        if !(1..=64).contains(&id.len()) {
            return Err(Refusal::blamed("RESULT_ID_INVALID", "the id of a result has 1 to 64 bytes"));
        }
        if !seen.insert(id) {
            return Err(Refusal::blamed("RESULT_ID_DUPLICATE", id));
        }
    }
    let query = state.inline.get_mut(call.text("inline_query_id"));
    let query =
        query.filter(|query| query.answer.is_none() && now <= query.at + life).ok_or_else(Refusal::stale_query)?;
    query.answer = Some(call.parameters.clone());
    Ok(json!(true))
}

impl State {
    /// The time in which a query can be answered, in milliseconds.
    fn query_life(&self) -> u64 {
        u64::try_from(self.options.query_life.as_millis()).unwrap_or(u64::MAX)
    }
}
