//! `route`: HTTP routes.

use mlua::{Lua, LuaString, Table, Value as LuaValue};

use super::admission::{keep, loading, room_for};
use super::options::{object, read};
use crate::api::check::{granted, text};
use crate::api::function::add;
use crate::declarations::RouteSpec;
use crate::limits::{NAME_BYTES, RequestLimits};
use crate::reply::Problem;
use crate::run::SharedRun;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "declare_route", run, |_, run, (method, path, options): (LuaString, LuaString, LuaValue)| {
        let mut run = run.borrow_mut();
        loading(&run, "route")?;
        granted(&run, "routes", "answering over HTTP")?;
        room_for(run.declared.routes.len(), "routes")?;
        let mut spec = route(&text(&method)?, &text(&path)?, &options)?;
        spec.limits = RequestLimits::of(&run.limits);
        let key = spec.key();
        if run.declared.routes.iter().any(|other| other.key() == key) {
            return Err(format!("route: {key} is declared twice"));
        }
        keep(&mut run, &spec, 0)?;
        run.declared.routes.push(spec);
        Ok(key)
    })
}

fn route(method: &str, path: &str, options: &LuaValue) -> Result<RouteSpec, Problem> {
    let what = format!("route(\"{method}\", \"{path}\")");
    if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
        return Err(format!("{what}: the method is GET, POST, PUT, PATCH or DELETE"));
    }
    let part = |part: &str| {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).unwrap_or(part);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
    };
    let inside = path.strip_prefix('/').ok_or_else(|| format!("{what}: a path begins with /"))?;
    if path.len() > NAME_BYTES || !(inside.is_empty() || inside.split('/').all(part)) {
        return Err(format!("{what}: a path is made of /, letters, digits, - _ . ~ and parts like {{name}}"));
    }
    let mut map = object(&what, options, &["auth", "description", "body"])?;
    map.insert("method".to_owned(), method.into());
    map.insert("path".to_owned(), path.into());
    read(&what, map)
}
