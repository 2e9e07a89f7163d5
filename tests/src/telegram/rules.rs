//! Telegram's published description of its Bot API, against which each request of a bot is checked.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::platforms;

use super::description::{Field, Kind, Method, Type};

/// The name of its file.
pub(super) const FILE: &str = "telegram-bot-api.json";

/// The place and reason of an invalid value: `reply_markup.inline_keyboard[0]: …`.
type Misfit = String;

/// The description.
#[derive(Debug)]
pub(super) struct Rules {
    methods: HashMap<String, Method>,
    types: HashMap<String, Type>,
}

impl Rules {
    /// The description, read once; none if it is missing.
    pub(super) fn shared() -> Option<&'static Self> {
        static RULES: OnceLock<Option<Rules>> = OnceLock::new();
        RULES.get_or_init(|| platforms::description(FILE).map(|document| Self::new(&document))).as_ref()
    }

    fn new(document: &Value) -> Self {
        let all = |name: &str| document[name].as_object().cloned().unwrap_or_default().into_iter();
        let method = |(name, one): (String, Value)| {
            let method = Method { fields: Field::list(&one), returns: Kind::list(&one["returns"]), name };
            (method.name.to_lowercase(), method)
        };
        let object = |(name, one): (String, Value)| {
            (name, Type { fields: Field::list(&one), subtypes: Kind::list(&one["subtypes"]) })
        };
        Self { methods: all("methods").map(method).collect(), types: all("types").map(object).collect() }
    }

    /// Finds a method by its name, ignoring case.
    pub(super) fn find(&self, name: &str) -> Option<&Method> {
        self.methods.get(&name.to_lowercase())
    }

    /// Converts the texts of a form to the types of the method's fields; invalid ones stay text.
    pub(super) fn read_texts(&self, method: &Method, parameters: &mut Map<String, Value>) {
        for field in &method.fields {
            if let Some(value) = parameters.get_mut(&field.name)
                && let Some(read) = value.as_str().and_then(|text| field.kinds.iter().find_map(|kind| read(text, kind)))
            {
                *value = read;
            }
        }
    }

    /// Checks the parameters of a call.
    pub(super) fn check_call(&self, method: &Method, parameters: &Map<String, Value>) -> Result<(), Misfit> {
        self.check_fields(&method.fields, parameters, "", true)
    }

    /// Checks an answer to a call.
    pub(super) fn check_answer(&self, method: &Method, answer: &Value) -> Result<(), Misfit> {
        self.check_any(&method.returns, answer, "the answer")
    }

    /// Checks an object of a type.
    pub(super) fn check_object(&self, name: &str, value: &Value) -> Result<(), Misfit> {
        self.check(&Kind::Object(name.to_owned()), value, name)
    }

    /// Returns the documentation of a type's field.
    pub(super) fn describe(&self, object: &str, field: &str) -> &str {
        let fields = self.types.get(object).map(|described| described.fields.as_slice()).unwrap_or_default();
        fields.iter().find(|one| one.name == field).map(|one| one.description.as_str()).unwrap_or_default()
    }

    fn check_fields(
        &self,
        fields: &[Field],
        object: &Map<String, Value>,
        at: &str,
        strictly: bool,
    ) -> Result<(), Misfit> {
        let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        for name in object.keys().filter(|name| !name.starts_with("unheard_of_")) {
            if !fields.iter().any(|field| field.name == **name) {
                return Err(format!("{}: Telegram knows no such field", path(name)));
            }
        }
        for field in fields {
            let value = object.get(&field.name).filter(|value| strictly || !value.is_null());
            match value {
                None if field.required => return Err(format!("{}: it is required", path(&field.name))),
                None => {}
                Some(value) if field.only.as_ref().is_some_and(|only| value != only) => {
                    let only = field.only.as_deref().unwrap_or_default();
                    return Err(format!("{}: it has to be {only:?}, not {value}", path(&field.name)));
                }
                Some(value) => self.check_any(&field.kinds, value, &path(&field.name))?,
            }
        }
        Ok(())
    }

    fn check_any(&self, kinds: &[Kind], value: &Value, at: &str) -> Result<(), Misfit> {
        let mut best: Option<Misfit> = None;
        for kind in kinds {
            match self.check(kind, value, at) {
                Ok(()) => return Ok(()),
                // The branch with the deepest error was the intended one.
                Err(misfit) if best.as_ref().is_none_or(|best| depth(best) < depth(&misfit)) => best = Some(misfit),
                Err(_) => {}
            }
        }
        best.map_or(Ok(()), Err)
    }

    fn check(&self, kind: &Kind, value: &Value, at: &str) -> Result<(), Misfit> {
        let fits = match kind {
            Kind::Integer => value.is_i64() || value.is_u64(),
            Kind::Float => value.is_number(),
            Kind::Boolean => value.is_boolean(),
            Kind::Text => value.is_string(),
            Kind::File => value.as_str().is_some_and(|text| text.starts_with("attach://")),
            Kind::List(item) => {
                let list = value.as_array().ok_or_else(|| misfit(kind, value, at))?;
                for (index, one) in list.iter().enumerate() {
                    self.check(item, one, &format!("{at}[{index}]"))?;
                }
                true
            }
            Kind::Object(name) => {
                let Some(described) = self.types.get(name) else {
                    return Err(format!("{at}: {name} is not described"));
                };
                if !described.subtypes.is_empty() {
                    return self.check_any(&described.subtypes, value, at);
                }
                let object = value.as_object().ok_or_else(|| misfit(kind, value, at))?;
                self.check_fields(&described.fields, object, at, false)?;
                true
            }
        };
        if fits { Ok(()) } else { Err(misfit(kind, value, at)) }
    }
}

fn misfit(kind: &Kind, value: &Value, at: &str) -> Misfit {
    format!("{at}: {value} is not {}", kind.name())
}

/// The depth of an error in a value; for a wrong tag another type was intended.
fn depth(misfit: &str) -> usize {
    let (at, why) = misfit.split_once(": ").unwrap_or_default();
    if why.starts_with("it has to be") { 0 } else { 1 + at.matches(['.', '[']).count() }
}

fn read(text: &str, kind: &Kind) -> Option<Value> {
    match kind {
        Kind::Integer => text.parse::<i64>().ok().map(Value::from),
        Kind::Float => text.parse::<f64>().ok().map(Value::from),
        Kind::Boolean => match text.to_lowercase().as_str() {
            "true" | "yes" | "1" => Some(Value::Bool(true)),
            "false" | "no" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Text | Kind::File => None,
        Kind::List(_) | Kind::Object(_) => serde_json::from_str(text).ok(),
    }
}
