//! `http`, the results of routes and `before_message`, and calls to other scripts.

use mlua::{Lua, LuaString, MultiValue, Table, Value as LuaValue};
use palabre_fetch::REQUEST_BYTES_MAX;
use palabre_types::value_weight;
use serde_json::Value;

use super::check::text;
use super::function::add;
use crate::limits::{Limit, VALUE_BYTES};
use crate::reply::Problem;
use crate::run::SharedRun;
use crate::value;

/// The maximum length of a URL with its method, in bytes.
const URL_BYTES: usize = 8 << 10;
/// The maximum length of all headers together, in bytes.
const HEADER_BYTES: usize = 32 << 10;
/// The maximum size of a route's response, in bytes.
const RESULT_BYTES: usize = 1 << 20;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "request_allowed", run, |_, run, request: Table| {
        let mut run = run.borrow_mut();
        run.spend_output(weight(&request)?)?;
        let (now, limit) = (run.input()?.now, run.limits.requests_per_minute);
        if run.request_meter.count(now, limit) { Ok(true) } else { Err(run.trip(Limit::Requests(limit))) }
    })?;
    add(lua, host, "result", run, |_, run, values: MultiValue| {
        let mut run = run.borrow_mut();
        run.input()?;
        let watch = run.watch();
        let convert = |value: &LuaValue| {
            value::from_lua_within(value, RESULT_BYTES, Some(&*watch))
                .map_err(|problem| format!("the return value cannot be passed on: {problem}"))
        };
        // Only a result and a reason are used.
        let mut list = values.iter().take(2).map(convert).collect::<Result<Vec<_>, _>>()?;
        run.spend_output(list.iter().map(value_weight).sum())?;
        while list.last().is_some_and(Value::is_null) {
            list.pop();
        }
        run.result = (!list.is_empty()).then_some(Value::Array(list));
        Ok(true)
    })?;
    add(lua, host, "call_export", run, |lua, run, (script, function, values): (LuaString, LuaString, LuaValue)| {
        let (script, function) = (text(&script)?, text(&function)?);
        let values = value::from_lua(&values, VALUE_BYTES)
            .map_err(|problem| format!("{script}.{function}: an argument cannot be passed on: {problem}"))?;
        let (host, input) = {
            let run = run.borrow();
            if !run.depends.iter().any(|name| name.as_str() == script) {
                return Err(format!(
                    "{script}.{function} cannot be called: {script} is not under depends: in the script.yaml of {0} (a \
                     script of a single file has none; move it to {0}/init.luau)",
                    run.script
                ));
            }
            (run.host.clone(), run.input()?.clone())
        };
        // The run is not borrowed here: the called script may read values that this one has written.
        let result = host.call(&script, &function, &values, &input)?;
        let watch = run.borrow().watch();
        value::to_lua_within(lua, &result, &watch).map_err(|error| run.borrow_mut().failed(&error))
    })
}

/// Returns the size of a request, or an error if it is too large. It is kept until its response arrives.
fn weight(request: &Table) -> Result<usize, Problem> {
    let failed = |error: mlua::Error| format!("http: {error}");
    let (url, method): (LuaString, LuaString) =
        (request.raw_get("url").map_err(failed)?, request.raw_get("method").map_err(failed)?);
    let body: Option<LuaString> = request.raw_get("body").map_err(failed)?;
    let headers: Table = request.raw_get("headers").map_err(failed)?;
    let mut of_headers = 0;
    for pair in headers.sequence_values::<Table>() {
        let (name, value): (LuaString, LuaString) =
            pair.and_then(|pair| Ok((pair.raw_get(1)?, pair.raw_get(2)?))).map_err(failed)?;
        of_headers += name.as_bytes().len() + value.as_bytes().len();
        if of_headers > HEADER_BYTES {
            break;
        }
    }
    let of_body = body.map_or(0, |body| body.as_bytes().len());
    let of_url = url.as_bytes().len() + method.as_bytes().len();
    if of_url > URL_BYTES || of_headers > HEADER_BYTES || of_body > REQUEST_BYTES_MAX {
        return Err(format!(
            "http: a request has at most {URL_BYTES} bytes of url, {HEADER_BYTES} of headers and {REQUEST_BYTES_MAX} \
             of body"
        ));
    }
    Ok(of_url + of_headers + of_body)
}
