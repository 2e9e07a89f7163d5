//! Items of the script API.

use serde::Serialize;

/// An item of the script API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiItem {
    /// The path: `sleep`, `store.get`, `on_message`; of types `Message`, `Message:edit`, `Message.text`.
    pub path: String,
    /// The kind of item.
    pub kind: ApiKind,
    /// The parameters in order, if it can be called.
    pub parameters: Vec<Parameter>,
    /// The return type; for a value its type; for a type its definition, or what it extends.
    pub returns: String,
    /// The description, in CommonMark.
    pub doc: String,
}

/// The kinds of API items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiKind {
    /// A function, global or in a table of functions.
    Function,
    /// A function called with a colon.
    Method,
    /// A global function that a script may define.
    Hook,
    /// A value: a table of functions, a field of a type, a constant.
    Value,
    /// A type.
    Type,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// The name; empty if the definitions give none, `...` for variadic arguments.
    pub name: String,
    /// The type as written.
    pub type_text: String,
    /// Whether it may be omitted.
    pub optional: bool,
    /// Whether it stands for any number of arguments.
    pub variadic: bool,
}

impl ApiItem {
    /// Returns the signature, or the path if the item cannot be called.
    ///
    /// For example `store.get(key: string, default: any?): any`.
    #[must_use]
    pub fn signature(&self) -> String {
        if !matches!(self.kind, ApiKind::Function | ApiKind::Method | ApiKind::Hook) {
            return self.path.clone();
        }
        let parameters: Vec<String> = self.parameters.iter().map(Parameter::text).collect();
        let returns = if self.returns == "()" { String::new() } else { format!(": {}", self.returns) };
        format!("{}({}){returns}", self.path, parameters.join(", "))
    }

    /// Returns the first part of the path: the table, type or function that the item belongs to.
    #[must_use]
    pub fn root(&self) -> &str {
        self.path.split(['.', ':']).next().unwrap_or(&self.path)
    }
}

impl Parameter {
    fn text(&self) -> String {
        match self.name.as_str() {
            "" => self.type_text.clone(),
            name => format!("{name}: {}", self.type_text),
        }
    }
}
