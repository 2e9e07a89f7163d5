//! Resource usage of a process, as Linux reports it.

/// Returns the resident memory in MB.
pub(crate) fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux, and a process that runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("a resident size");
    let kib: f64 = line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib * 1_024.0 / 1e6
}

/// Returns the CPU time of all threads in seconds, with a resolution of 10 ms.
pub(crate) fn cpu(pid: u32) -> f64 {
    /// `USER_HZ`, which is the same on every Linux that we run on.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("Linux, and a process that runs");
    // The name in brackets may contain anything; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS
}
