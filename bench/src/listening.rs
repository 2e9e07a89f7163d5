//! Measures the search for everything that all scripts listen for in one message.

use std::hint::black_box;
use std::time::{Duration, Instant};

use palabre_text::{Entry, Scanner};

use crate::report::Report;

const SCRIPTS: usize = 50;
const WORDS: usize = 10_000;
const TIME: Duration = Duration::from_secs(1);

/// Messages of about 100 characters: plain, with accents and emoji, with matches, and in disguise.
const MESSAGES: [&str; 4] = [
    "has anybody tried the new build on the old laptop? mine takes ages to start and then the fan goes wild",
    "déjà vu : la réunion est repoussée à demain 🎉, il faudra prévenir ceux qui étaient là, même le café est fermé",
    "good morning all! order 4711 shipped, see https://example.org/track/4711 and tell me if the parcel looks bad",
    "сheар v1@gra here, b.u.y n.o.w, lооk аt thіs оffer while it lasts, only today and only for you, my dear friend",
];

pub(crate) fn scan(report: &mut Report) {
    let mut per_message = Vec::new();
    for patterns in [25, 50, 100, 200, 400] {
        let time = measure(&scanner(patterns, 0));
        per_message.push((patterns, time));
        report.row(
            &format!("scan of a message for {patterns} patterns of {SCRIPTS} scripts"),
            format!("{time:.2?}"),
            format!("{:.0} ns a pattern", time.as_nanos() as f64 / patterns as f64),
        );
    }
    let words = measure(&scanner(0, WORDS));
    report.row(&format!("scan of a message for {WORDS} words, normalised"), format!("{words:.2?}"), String::new());
    let all = measure(&scanner(200, WORDS));
    report.row(
        &format!("scan of a message for 200 patterns and {WORDS} words"),
        format!("{all:.2?}"),
        "target 20 µs".to_owned(),
    );
    let (first, last) = (per_message[0].1, per_message[per_message.len() - 1].1);
    report.row(
        "a scan for 16 times as many patterns takes",
        format!("{:.1} times as long", last.as_secs_f64() / first.as_secs_f64()),
        "target: less than 16".to_owned(),
    );
    let began = Instant::now();
    let full = scanner(200, WORDS);
    let built = began.elapsed();
    let began = Instant::now();
    let rebuilt = full.rebuilt(entries(201, WORDS)).expect("patterns");
    rebuilt.prepare().expect("words");
    drop(black_box(rebuilt));
    report.row(
        "building the scanner, and rebuilding it after a reload",
        format!("{built:.0?}, {:.0?}", began.elapsed()),
        String::new(),
    );
}

/// Returns the mean time per message.
fn measure(scanner: &Scanner<usize>) -> Duration {
    let began = Instant::now();
    let mut scans: u32 = 0;
    while began.elapsed() < TIME {
        for message in MESSAGES {
            drop(black_box(scanner.scan(black_box(message))));
            scans += 1;
        }
    }
    began.elapsed() / scans
}

fn scanner(patterns: usize, words: usize) -> Scanner<usize> {
    let scanner = Scanner::new(entries(patterns, words)).expect("patterns");
    scanner.prepare().expect("words");
    scanner
}

/// Returns patterns of several realistic shapes, and words without meaning, a few of which match.
fn entries(patterns: usize, words: usize) -> Vec<Entry<usize>> {
    let shape = |number: usize| match number % 8 {
        0 => format!(r"(?i)\bgood (morning|night|evening) {}\b", syllables(number)),
        1 => format!(r"^!{}\b", syllables(number)),
        2 => format!(r"(?i)https?://(www\.)?{}\.(com|org|net)/\S+", syllables(number)),
        3 => format!(r"\b{}-(\d{{2,6}})\b", syllables(number)),
        4 => format!(r"(?i){}\s+{}", syllables(number), syllables(number + 7)),
        5 => format!(r"(?i)\b(?:{}|{}|{})s?\b", syllables(number), syllables(number + 1), syllables(number + 2)),
        6 => format!(r"<@!?(\d+)> \+\+ {}", syllables(number)),
        _ => format!(r"(?i)\bwho (is|are) {}\?", syllables(number)),
    };
    let mut entries: Vec<_> =
        (0..patterns).map(|number| Entry::Pattern { key: number % SCRIPTS, pattern: shape(number) }).collect();
    if words > 0 {
        let list = (0..words - 2).map(|number| format!("{}{number}", syllables(number)));
        let list: Vec<_> = list.chain(["viagra".to_owned(), "buy now".to_owned()]).collect();
        entries.push(Entry::Words { key: SCRIPTS, words: list.into(), normalise: true });
    }
    entries
}

/// Returns a word for a number.
fn syllables(number: usize) -> String {
    const PARTS: [&str; 16] =
        ["ba", "ki", "lo", "mu", "ne", "pa", "ri", "so", "tu", "ve", "wa", "xi", "yo", "zu", "ge", "do"];
    let mut left = number + 17;
    let mut word = String::new();
    while left > 0 {
        word.push_str(PARTS[left % PARTS.len()]);
        left /= PARTS.len();
    }
    word
}
