//! Who may use a script's route: tokens of bots.yaml, each with what its holder may do.

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use palabre_model::{Permission, ScriptName};
use palabre_script::RouteAuth;
use sha2::{Digest, Sha256};

/// A program that may use the API.
#[derive(Debug, Clone)]
pub struct Token {
    /// Whose it is.
    pub name: String,
    /// What is sent as `Authorization: Bearer …`.
    pub secret: String,
    /// What its holder may do.
    pub permission: Permission,
}

/// All tokens.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Those of programs.
    pub tokens: Vec<Token>,
    /// Those of single scripts, good for the routes of that script alone.
    pub of_scripts: HashMap<ScriptName, String>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) name: String,
    pub(crate) permission: Permission,
}

/// Why somebody may not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is not known who asks.
    Unknown,
    /// It is, and that is not enough.
    Forbidden,
}

impl Access {
    /// Whose token a request for something of `script` carries.
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

/// Whether `caller` may use a route that wants `auth`.
pub(crate) fn check(caller: Option<&Caller>, auth: RouteAuth) -> Result<(), Refused> {
    let wanted = match auth {
        RouteAuth::Public => return Ok(()),
        // The script's own token stands for the operator's word that its holder may use this script.
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

/// Compared by their hashes, so that how long it takes says nothing of how much of a guess was right.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a) == Sha256::digest(b)
}
