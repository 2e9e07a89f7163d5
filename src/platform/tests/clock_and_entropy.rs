//! The virtual clock, and random numbers from a seed.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use std::time::Duration;

use palabre_platform::{Clock, Entropy, SeededEntropy, SystemEntropy, VirtualClock};

#[tokio::test]
async fn a_sleeper_on_a_virtual_clock_wakes_when_it_is_advanced() {
    let clock = VirtualClock::new(1_000);
    let sleeper = {
        let clock = clock.clone();
        async move {
            clock.sleep_until(61_000).await;
            clock.now()
        }
    };
    let (woke, ()) = tokio::join!(sleeper, async {
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(2));
    });
    assert_eq!(woke, 62_000);
}

#[test]
fn a_seed_gives_the_same_numbers() {
    let numbers = |seed| {
        let source = SeededEntropy::new(seed);
        [source.next(), source.next()]
    };
    assert_eq!(numbers(1), numbers(1));
    assert_ne!(numbers(1), numbers(2));
    let system = SystemEntropy::new().unwrap();
    assert_ne!(system.next(), system.next());
}
