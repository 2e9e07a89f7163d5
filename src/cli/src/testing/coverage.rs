//! The coverage of scripts by tests.

use palabre_script::Coverage;

use crate::output;

pub(super) fn merge(all: &mut Coverage, more: Coverage) {
    for (file, lines) in more {
        let known = all.entry(file).or_default();
        for (line, hits) in lines {
            *known.entry(line).or_default() += hits;
        }
    }
}

pub(super) fn print(coverage: &Coverage) {
    output::line("lines run by the tests:");
    for (file, lines) in coverage {
        let run = lines.values().filter(|hits| **hits > 0).count();
        let missed: Vec<u32> = lines.iter().filter(|(_, hits)| **hits == 0).map(|(line, _)| *line).collect();
        let percent = if lines.is_empty() { 100 } else { run * 100 / lines.len() };
        let rest = if missed.is_empty() { String::new() } else { format!(", missed {}", ranges(&missed)) };
        output::line(&format!("  {percent:>3} %  {file}: {run} of {}{rest}", lines.len()));
    }
}

/// Formats line numbers, such as `3, 7-9`.
fn ranges(lines: &[u32]) -> String {
    let mut shown: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match shown.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => shown.push((*line, *line)),
        }
    }
    let one = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    shown.iter().map(one).collect::<Vec<_>>().join(", ")
}
