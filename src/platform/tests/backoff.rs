//! Delays that grow, jitter from a seed, and the loop that retries a request.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::collections::VecDeque;
use std::future::ready;
use std::time::Duration;

use palabre_platform::{Backoff, Retry, SeededEntropy, jittered};
use proptest::prelude::*;
use tokio::time::Instant;

const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// An error of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Passing,
    Limited(u64),
    Final,
}

fn judge(problem: &Problem) -> Retry {
    match problem {
        Problem::Passing => Retry::WithBackoff,
        Problem::Limited(seconds) => Retry::After(Duration::from_secs(*seconds)),
        Problem::Final => Retry::Never,
    }
}

/// Retries up to six times a request that gives these results.
///
/// Returns the last result, the seconds at which attempts were made, and the second of the end.
async fn retried(results: &[Result<u8, Problem>]) -> (Result<u8, Problem>, Vec<u64>, u64) {
    let (begun, mut attempts) = (Instant::now(), Vec::new());
    let mut results: VecDeque<_> = results.iter().copied().collect();
    let attempt = || {
        attempts.push(begun.elapsed().as_secs());
        ready(results.pop_front().unwrap())
    };
    let result = BACKOFF.retry(6, judge, attempt).await;
    (result, attempts, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_transient_error_is_retried_after_growing_delays() {
    let failed = Err(Problem::Passing);
    assert_eq!(retried(&[failed, failed, failed, Ok(7)]).await, (Ok(7), vec![0, 1, 3, 7], 7));
}

#[tokio::test(start_paused = true)]
async fn the_delay_that_the_server_asks_for_takes_precedence_and_the_back_off_grows_all_the_same() {
    let results = [Err(Problem::Passing), Err(Problem::Limited(100)), Err(Problem::Passing), Ok(7)];
    assert_eq!(retried(&results).await, (Ok(7), vec![0, 1, 101, 105], 105));
}

#[tokio::test(start_paused = true)]
async fn a_final_error_is_returned_at_once() {
    assert_eq!(retried(&[Err(Problem::Final)]).await, (Err(Problem::Final), vec![0], 0));
    let results = [Err(Problem::Passing), Err(Problem::Final)];
    assert_eq!(retried(&results).await, (Err(Problem::Final), vec![0, 1], 1));
}

#[tokio::test(start_paused = true)]
async fn the_error_of_the_last_attempt_is_returned_without_another_delay() {
    let mut results = vec![Err(Problem::Passing); 5];
    results.push(Err(Problem::Limited(100)));
    assert_eq!(retried(&results).await, (Err(Problem::Limited(100)), vec![0, 1, 3, 7, 15, 31], 31));
}

#[test]
fn after_no_failure_there_is_no_delay_and_after_any_number_the_longest_one() {
    assert_eq!((BACKOFF.delay(0), BACKOFF.delay(1)), (Duration::ZERO, Duration::from_secs(1)));
    assert_eq!((BACKOFF.delay(6), BACKOFF.delay_millis(6)), (Duration::from_secs(32), 32_000));
    assert_eq!((BACKOFF.delay(7), BACKOFF.delay(u32::MAX)), (Duration::from_secs(60), Duration::from_secs(60)));
    let never = Backoff::new(Duration::from_secs(1), Duration::MAX);
    assert_eq!(never.delay_millis(u32::MAX), u64::MAX);
}

proptest! {
    #[test]
    fn delays_grow_up_to_their_maximum_and_start_over_after_a_success(
        first in 1_u64..100_000,
        longer in 0_u64..100_000_000,
        before in 0_usize..50,
    ) {
        let (first, max) = (Duration::from_millis(first), Duration::from_millis(first + longer));
        let mut delays = Backoff::new(first, max).delays();
        for _ in 0..before {
            delays.next_delay();
        }
        delays.reset();
        let series: Vec<Duration> = (0..50).map(|_| delays.next_delay()).collect();
        prop_assert_eq!((series[0], series[49]), (first, max));
        for pair in series.windows(2) {
            prop_assert!(pair[1] == max || pair[1] == pair[0] * 2, "{:?} follows {:?}", pair[1], pair[0]);
            prop_assert!(pair[0] <= pair[1] && pair[1] <= max);
        }
    }

    #[test]
    fn jitter_stays_within_its_range_and_follows_from_the_seed(seed in any::<u64>(), millis in 0_u64..100_000) {
        let delay = Duration::from_millis(millis);
        let drawn = jittered(delay, 0.5..1.5, &SeededEntropy::new(seed));
        prop_assert!(delay / 2 <= drawn && drawn <= delay * 3 / 2, "{drawn:?} of {delay:?}");
        prop_assert_eq!(drawn, jittered(delay, 0.5..1.5, &SeededEntropy::new(seed)));
    }
}
