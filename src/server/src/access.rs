//! Access to routes of scripts: the tokens of bots.yaml, each with a permission.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use palabre_script::RouteAuth;
use palabre_types::{Permission, ScriptName};
use sha2::{Digest, Sha256};

/// The token of a program that may use the API.
#[derive(Debug, Clone)]
pub struct Token {
    /// The name of its holder.
    pub name: String,
    /// The secret, sent as `Authorization: Bearer …`.
    pub secret: String,
    /// The permission of its holder.
    pub permission: Permission,
}

/// All tokens.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The tokens of programs.
    pub tokens: Vec<Token>,
    /// The tokens of single scripts, valid only for routes of that script.
    pub of_scripts: HashMap<ScriptName, String>,
}

/// The holder of the token of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) permission: Permission,
}

/// The reason why a request is not authorised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It has no valid token.
    Unknown,
    /// Its token is valid, but lacks the permission.
    Forbidden,
}

impl Access {
    /// Returns the holder of the token of a request to a route of `script`.
    pub(crate) fn caller(&self, script: &ScriptName, headers: &HeaderMap) -> Option<Caller> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (_, secret) = given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))?;
        self.holder(script, secret.trim())
    }

    fn holder(&self, script: &ScriptName, secret: &str) -> Option<Caller> {
        if self.of_scripts.get(script).is_some_and(|own| same(own, secret)) {
            return Some(Caller { name: script.to_string(), permission: Permission::Everyone });
        }
        let token = self.tokens.iter().find(|token| same(&token.secret, secret))?;
        Some(Caller { name: token.name.clone(), permission: token.permission })
    }
}

/// Checks whether `caller` may use a route that requires `auth`.
pub(crate) fn check(caller: Option<&Caller>, auth: RouteAuth) -> Result<(), Refused> {
    let wanted = match auth {
        RouteAuth::Public => return Ok(()),
        // The script's own token has only this permission, and is meant for exactly these routes.
        RouteAuth::Token => Permission::Everyone,
        RouteAuth::User => Permission::Member,
        RouteAuth::Moderator => Permission::Moderator,
        RouteAuth::Admin => Permission::Admin,
    };
    match caller {
        None => Err(Refused::Unknown),
        Some(caller) if caller.permission < wanted => Err(Refused::Forbidden),
        Some(_) => Ok(()),
    }
}

/// Compares two secrets by their hashes, so that the timing does not reveal how much matches.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}
