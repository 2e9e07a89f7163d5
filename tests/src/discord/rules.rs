//! Discord's published description of its HTTP API, against which each request of a bot is checked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Registry, ValidationError, Validator};
use serde_json::{Value, json};

use crate::platforms;

/// The name of its file.
pub(super) const FILE: &str = "discord-openapi.json";

const DOCUMENT: &str = "https://stand-in/openapi.json";

/// A value that does not fit: a JSON pointer, and the reason.
#[derive(Debug, Clone)]
pub(super) struct Misfit {
    pub(super) at: String,
    pub(super) why: String,
}

/// One operation of the description.
#[derive(Debug)]
pub(super) struct Operation {
    /// Its `operationId`.
    pub(super) name: String,
    pub(super) method: String,
    /// The path with its parameters, `/channels/{channel_id}`.
    pub(super) path: String,
    /// Whether it needs no token.
    pub(super) open: bool,
    /// Whether it is deprecated.
    pub(super) deprecated: bool,
    /// Query parameters by name, as pointers to their schemas.
    queries: HashMap<String, String>,
    /// Whether a body is required.
    body: bool,
    /// A JSON pointer to the operation.
    at: String,
}

/// The description, and the schemas compiled so far.
pub(super) struct Rules {
    document: Value,
    registry: Registry<'static>,
    operations: Vec<Arc<Operation>>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Rules {
    /// The description in `PALABRE_PLATFORMS` or `../shared/platforms`; none if it is missing.
    ///
    /// It is read once.
    pub(super) fn shared() -> Option<&'static Self> {
        static RULES: OnceLock<Option<Rules>> = OnceLock::new();
        RULES.get_or_init(|| platforms::description(FILE).map(Self::new)).as_ref()
    }

    fn new(mut document: Value) -> Self {
        loosen(&mut document);
        let registry = Registry::new().add(DOCUMENT, document.clone()).expect("an address that can be read");
        let registry = registry.prepare().expect("the description refers to itself alone");
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().expect("the description has paths") {
            for (method, operation) in item.as_object().into_iter().flatten().filter(|(key, _)| *key != "parameters") {
                operations.push(Arc::new(Operation::new(path, method, operation)));
            }
        }
        // Fixed segments come before parameters: `/members/@me` before `/members/{user_id}`.
        operations.sort_by_key(|operation| operation.path.matches('{').count());
        Self { document, registry, operations, validators: Mutex::default() }
    }

    /// Finds the operation of a method and a path (below `/api/v10`), and the parameters in the path.
    ///
    /// # Errors
    /// Whether the path exists for another method.
    pub(super) fn find(&self, method: &str, path: &str) -> Result<(Arc<Operation>, HashMap<String, String>), bool> {
        let mut elsewhere = false;
        for operation in &self.operations {
            let Some(parameters) = parameters(&operation.path, path) else { continue };
            if operation.method == method {
                return Ok((Arc::clone(operation), parameters));
            }
            elsewhere = true;
        }
        Err(elsewhere)
    }

    /// Checks a query: unknown parameters, and invalid values.
    pub(super) fn check_query(&self, operation: &Operation, query: &HashMap<String, String>) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        for (name, text) in query {
            let Some(at) = operation.queries.get(name) else {
                misfits.push(Misfit { at: format!("/{name}"), why: "is no parameter of this call".to_owned() });
                continue;
            };
            // Numbers and booleans in a query have no quotes, nor have ids: either reading may fit.
            let plain = Value::from(text.as_str());
            let read = serde_json::from_str(text).unwrap_or(Value::Null);
            let validator = self.validator(at);
            if !validator.is_valid(&plain) && !validator.is_valid(&read) {
                misfits.push(Misfit { at: format!("/{name}"), why: format!("{text} does not fit") });
            }
        }
        misfits
    }

    /// Checks a body that was sent as JSON or as the JSON part of a form.
    pub(super) fn check_body(&self, operation: &Operation, body: Option<&Value>, form: bool) -> Vec<Misfit> {
        // If there is no body, an empty object must fit: the description requires bodies that
        // nobody sends.
        let empty = json!({});
        let Some(body) = body.or(operation.body.then_some(&empty)) else { return Vec::new() };
        let media = if form { "multipart~1form-data" } else { "application~1json" };
        let at = format!("{}/requestBody/content/{media}/schema", operation.at);
        if self.document.pointer(&at).is_none() {
            // An empty object where no body is expected is harmless.
            let harmless = body.is_null() || body.as_object().is_some_and(serde_json::Map::is_empty);
            let why = format!("no body of this kind ({}) is taken", media.replace("~1", "/"));
            return if harmless { Vec::new() } else { vec![Misfit { at: String::new(), why }] };
        }
        self.check(&at, body)
    }

    /// Checks an answer of the stand-in.
    pub(super) fn check_answer(&self, operation: &Operation, status: u16, body: &Value) -> Vec<Misfit> {
        let at = format!("{}/responses/{status}/content/application~1json/schema", operation.at);
        if self.document.pointer(&at).is_none() { Vec::new() } else { self.check(&at, body) }
    }

    /// Returns the optional fields of objects of one of these schemas; see [`super::rough`].
    pub(super) fn optional(&self, schema: &str) -> Vec<String> {
        let schema = &self.document["components"]["schemas"][schema];
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties
            .map(|(name, _)| name.clone())
            .filter(|name| !required.contains(&Value::from(name.as_str())))
            .collect()
    }

    fn check(&self, at: &str, value: &Value) -> Vec<Misfit> {
        self.validator(at).iter_errors(value).map(|error| closest(&error)).collect()
    }

    fn validator(&self, at: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().expect("compiling does not panic");
        let compile = || {
            let schema = json!({ "$ref": format!("{DOCUMENT}#{}", at.replace('{', "%7B").replace('}', "%7D")) });
            let options = jsonschema::options().with_registry(&self.registry);
            Arc::new(options.build(&schema).unwrap_or_else(|error| panic!("{at} of the description: {error}")))
        };
        Arc::clone(validators.entry(at.to_owned()).or_insert_with(compile))
    }
}

impl Operation {
    fn new(path: &str, method: &str, operation: &Value) -> Self {
        let at = format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"));
        let parameters = operation["parameters"].as_array().into_iter().flatten().enumerate();
        let queries = parameters
            .filter(|(_, parameter)| parameter["in"] == "query")
            .filter_map(|(index, one)| {
                Some((one["name"].as_str()?.to_owned(), format!("{at}/parameters/{index}/schema")))
            })
            .collect();
        let open = operation["security"].as_array().is_some_and(|list| list.contains(&json!({})));
        Self {
            name: operation["operationId"].as_str().unwrap_or_default().to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            open,
            deprecated: operation["deprecated"] == true
                || operation["operationId"].as_str().is_some_and(|name| name.starts_with("deprecated_")),
            queries,
            body: operation["requestBody"]["required"] == true,
            at,
        }
    }
}

/// Returns the values of the parameters if the path fits; ids must be snowflakes.
fn parameters(template: &str, path: &str) -> Option<HashMap<String, String>> {
    let mut found = HashMap::new();
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(given)) => match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) if !name.ends_with("_id") || given.parse::<u64>().is_ok() => {
                    found.insert(name.to_owned(), given.to_owned());
                }
                None if wanted == given => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// Relaxes rules that are stricter than the documentation.
///
/// Ids and sets of permissions may be numbers or strings, in both directions.
fn loosen(value: &mut Value) {
    const BITS: [&str; 4] = ["allow", "deny", "permissions", "default_member_permissions"];
    match value {
        Value::Object(object) => {
            if object.get("format").is_some_and(|format| format == "snowflake") {
                object.insert("type".to_owned(), json!(["string", "integer"]));
            }
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                for (_, schema) in properties.iter_mut().filter(|(name, _)| BITS.contains(&name.as_str())) {
                    let number = schema["type"] == "integer" || schema["type"] == json!(["integer", "null"]);
                    if number && schema.get("enum").is_none() {
                        schema["type"] = json!(["integer", "string", "null"]);
                        schema["pattern"] = json!("^[0-9]+$");
                    }
                }
            }
            object.values_mut().for_each(loosen);
        }
        Value::Array(list) => list.iter_mut().for_each(loosen),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// For a union, returns the error of the intended branch.
fn closest(error: &ValidationError<'_>) -> Misfit {
    let own = error.instance_path().as_str();
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        return Misfit { at: own.to_owned(), why: shorten(&error.to_string()) };
    };
    // A branch for another `type`, or for another kind of value, was not intended.
    let is_other = |error: &ValidationError<'_>| {
        let at = error.instance_path().as_str();
        let wrong_value = at == own && matches!(error.kind(), ValidationErrorKind::Type { .. });
        wrong_value || at.strip_prefix(own) == Some("/type")
    };
    let branches = context.iter().filter(|branch| !branch.is_empty());
    let meant = branches.min_by_key(|branch| (branch.iter().any(is_other), branch.len()));
    let own = || Misfit { at: own.to_owned(), why: shorten(&error.to_string()) };
    meant.and_then(|branch| branch.first()).map_or_else(own, closest)
}

fn shorten(text: &str) -> String {
    const REASON_MAX: usize = 300;
    if text.chars().count() <= REASON_MAX {
        return text.to_owned();
    }
    let end: String = text.chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{}…{end}", text.chars().take(REASON_MAX - 120).collect::<String>())
}
