//! Tests of the rate limits.

use palabre_platform::VirtualClock;

use super::*;

fn limiter(rate: Rate) -> (Limiter, VirtualClock) {
    let clock = VirtualClock::new(1_800_000_000_000);
    let limits = Limits { messages: rate, typing: rate, people_per_address: 2, ..Limits::default() };
    (Limiter::new(limits, Arc::new(clock.clone())), clock)
}

fn person(name: &str) -> [Who; 2] {
    [Who::Person(None, name.into()), Who::Address(None)]
}

#[test]
fn an_event_that_may_not_be_late_is_refused_until_the_bucket_has_filled() {
    let (limiter, clock) = limiter(Rate { burst: 2, per_minute: 60 });
    for _ in 0..2 {
        assert_eq!(limiter.take(Kind::Typing, &person("a")), Verdict::Pass);
    }
    assert_eq!(limiter.take(Kind::Typing, &person("a")), Verdict::Refused(Duration::from_secs(1)));
    clock.advance(Duration::from_secs(1));
    assert_eq!(limiter.take(Kind::Typing, &person("a")), Verdict::Pass);
}

#[test]
fn a_message_over_the_limit_is_late_and_refused_only_far_beyond() {
    let (limiter, _) = limiter(Rate { burst: 2, per_minute: 60 });
    let verdicts: Vec<_> = (0..5).map(|_| limiter.take(Kind::Message, &person("a"))).collect();
    let late = |seconds| Verdict::Late(Duration::from_secs(seconds));
    assert_eq!(verdicts[..4], [Verdict::Pass, Verdict::Pass, late(1), late(2)]);
    assert_eq!(verdicts[4], Verdict::Refused(Duration::from_secs(1)));
}

#[test]
fn one_person_cannot_use_up_the_share_of_others_and_an_address_is_limited_in_total() {
    let (limiter, _) = limiter(Rate { burst: 2, per_minute: 60 });
    for _ in 0..10 {
        limiter.take(Kind::Typing, &person("flooder"));
    }
    assert_eq!(limiter.take(Kind::Typing, &person("b")), Verdict::Pass);
    assert_eq!(limiter.take(Kind::Typing, &person("b")), Verdict::Pass);
    assert!(matches!(limiter.take(Kind::Typing, &person("c")), Verdict::Refused(_)), "an address counts as two people");
}

#[test]
fn the_number_of_buckets_is_bounded() {
    let (limiter, _) = limiter(Rate { burst: 2, per_minute: 60 });
    for number in 0..u64::try_from(BUCKETS_MAX).unwrap() + 10 {
        limiter.take(Kind::Typing, &[Who::Connection(number)]);
    }
    assert!(limiter.lock().len() <= BUCKETS_MAX);
}

#[test]
fn a_rate_of_zero_is_no_limit_and_a_clock_that_is_set_back_refuses_nobody_for_longer() {
    let (limiter, _) = limiter(Rate { burst: 0, per_minute: 0 });
    assert_eq!(limiter.take(Kind::Typing, &person("a")), Verdict::Pass);
    let rate = Rate { burst: 1, per_minute: 60 };
    let mut bucket = Bucket::full(1, 10_000);
    assert_eq!(bucket.take(1.0, rate), None);
    bucket.refill(rate, 1_000);
    assert_eq!(bucket.take(1.0, rate), Some(Duration::from_secs(1)));
    bucket.refill(rate, 2_000);
    assert_eq!(bucket.level, 0.0);
}

#[test]
fn addresses_of_one_ipv6_network_count_together() {
    let of = |text: &str| network(text.parse().ok());
    assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
    assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
}
