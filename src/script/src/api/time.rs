//! `time`: the clock of the run, formatting and parsing of times, and parsing of durations.

use jiff::{Timestamp, tz::TimeZone};
use mlua::{Lua, Table, Value as LuaValue};

use super::check::millis;
use crate::reply::{Problem, reply};
use crate::run::SharedRun;

/// The maximum length of a time, a format or a zone, in bytes.
const TEXT_BYTES: usize = 256;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    host.set("now", lua.create_function(move |_, ()| Ok(shared.borrow().now() as f64 / 1_000.0))?)?;
    host.set(
        "time_format",
        lua.create_function(|_, (seconds, pattern, zone): (f64, Option<String>, Option<String>)| {
            Ok(reply(format(seconds, pattern.as_deref(), zone.as_deref())))
        })?,
    )?;
    host.set("time_parse", lua.create_function(|_, text: String| Ok(reply(parse(&text))))?)?;
    host.set("millis", lua.create_function(|_, duration: LuaValue| Ok(reply(millis(&duration))))?)?;
    let shared = SharedRun::clone(run);
    host.set(
        "time_relative",
        lua.create_function(move |_, seconds: f64| Ok(relative(seconds - shared.borrow().now() as f64 / 1_000.0)))?,
    )
}

fn format(seconds: f64, pattern: Option<&str>, zone: Option<&str>) -> Result<String, Problem> {
    let timestamp = Timestamp::from_millisecond((seconds * 1_000.0) as i64)
        .ok()
        .ok_or_else(|| format!("time.format: {seconds} seconds are outside the supported range of dates"))?;
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => Some(name)
            .filter(|name| name.len() <= TEXT_BYTES)
            .and_then(|name| TimeZone::get(name).ok())
            .ok_or_else(|| format!("time.format: \"{name}\" is not a time zone; write it like \"Europe/Paris\""))?,
    };
    if pattern.is_some_and(|pattern| pattern.len() > TEXT_BYTES) {
        return Err(format!("time.format: a format has at most {TEXT_BYTES} bytes"));
    }
    let pattern = pattern.unwrap_or("%Y-%m-%d %H:%M:%S");
    jiff::fmt::strtime::format(pattern, &timestamp.to_zoned(zone))
        .map_err(|error| format!("time.format: \"{pattern}\": {error}"))
}

fn parse(text: &str) -> Result<f64, Problem> {
    if text.len() > TEXT_BYTES {
        return Err(format!("time.parse: a time has at most {TEXT_BYTES} bytes"));
    }
    let timestamp: Result<Timestamp, _> = text.parse();
    let civil =
        || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    timestamp
        .ok()
        .or_else(civil)
        .map(|timestamp| timestamp.as_millisecond() as f64 / 1_000.0)
        .ok_or_else(|| format!("time.parse: \"{text}\" is not a time; write it as 2026-11-20T17:00:00Z"))
}

/// Returns a relative time in the largest unit that fits: "in 5 minutes", "3 days ago", "now".
fn relative(seconds: f64) -> String {
    const UNITS: [(f64, &str); 5] =
        [(31_557_600.0, "year"), (2_629_800.0, "month"), (86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute")];
    let size = seconds.abs();
    let (count, unit) = UNITS
        .iter()
        .find(|(length, _)| size >= *length)
        .map_or((size.round(), "second"), |(length, unit)| ((size / length).round(), *unit));
    if count < 1.0 {
        return "now".to_owned();
    }
    let plural = if count > 1.0 { "s" } else { "" };
    if seconds > 0.0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}
