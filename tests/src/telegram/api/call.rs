//! A parsed call.

use std::collections::HashMap;

use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart};
use axum::http::{Request, header};
use hyper::body::Incoming;
use serde_json::{Map, Value};

use crate::server::upload::Upload;
use crate::telegram::description::Method;
use crate::telegram::files::UPLOAD_MAX;
use crate::telegram::refusal::Refusal;
use crate::telegram::rules::Rules;

/// The maximum size of the fields of a form, in addition to its files.
const FIELDS_SIZE_MAX: usize = 1 << 20;

/// A request of a client.
#[derive(Debug)]
pub(in crate::telegram) struct Call {
    pub(super) method: &'static Method,
    /// A JSON object.
    pub(super) parameters: Value,
    /// The uploaded files, by the names of their parts.
    pub(super) files: HashMap<String, Upload>,
}

impl Call {
    pub(super) async fn read(
        request: Request<Incoming>,
        method: &'static Method,
        rules: &'static Rules,
    ) -> Result<Self, Refusal> {
        let (mut texts, mut files) = (Map::new(), HashMap::new());
        read_pairs(request.uri().query().unwrap_or_default().as_bytes(), &mut texts);
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let media = media.unwrap_or_default().to_owned();
        let mut parameters = Map::new();
        if media.starts_with("multipart/form-data") {
            read_form(request, &mut texts, &mut files).await?;
            // A file in a part with the name of a parameter is the value of that parameter.
            for name in files.keys().filter(|name| method.takes(name)) {
                texts.entry(name).or_insert_with(|| Value::from(format!("attach://{name}")));
            }
        } else {
            let bytes = to_bytes(Body::new(request.into_body()), UPLOAD_MAX + FIELDS_SIZE_MAX).await;
            let bytes = bytes.map_err(|_too_large| Refusal::too_large())?;
            if media.starts_with("application/json") && !bytes.is_empty() {
                let unreadable = |error| Refusal::broken_rule(&format!("can't parse request body as JSON: {error}"));
                parameters = serde_json::from_slice(&bytes).map_err(unreadable)?;
            } else if media.starts_with("application/x-www-form-urlencoded") || bytes.is_empty() {
                read_pairs(&bytes, &mut texts);
            } else {
                return Err(Refusal::broken_rule(&format!("a body of {media:?} is not understood")));
            }
        }
        rules.read_texts(method, &mut texts);
        parameters.extend(texts);
        Ok(Self { method, parameters: Value::Object(parameters), files })
    }

    /// Returns a parameter; null if it is missing.
    pub(super) fn get(&self, name: &str) -> &Value {
        &self.parameters[name]
    }

    /// Returns a text parameter; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.parameters[name].as_str().unwrap_or_default()
    }

    /// Returns a numeric parameter.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.parameters[name].as_i64()
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.parameters[name] == true
    }

    /// Returns the files in the order of their parts' names.
    pub(super) fn uploads(&self) -> Vec<Upload> {
        let mut named: Vec<_> = self.files.iter().collect();
        named.sort_by_key(|(name, _)| name.as_str());
        named.into_iter().map(|(_, upload)| upload.clone()).collect()
    }
}

fn read_pairs(bytes: &[u8], texts: &mut Map<String, Value>) {
    texts.extend(
        form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))),
    );
}

async fn read_form(
    request: Request<Incoming>,
    texts: &mut Map<String, Value>,
    files: &mut HashMap<String, Upload>,
) -> Result<(), Refusal> {
    let unreadable = |error: &dyn std::fmt::Display| Refusal::broken_rule(&format!("can't parse the form: {error}"));
    let mut request = request.map(Body::new);
    DefaultBodyLimit::disable().apply(&mut request);
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|error| unreadable(&error))?;
    let mut sum = 0;
    while let Some(part) = form.next_field().await.map_err(|error| unreadable(&error))? {
        let part_name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(ToOwned::to_owned);
        let media = part.content_type().map(ToOwned::to_owned);
        let bytes = part.bytes().await.map_err(|error| unreadable(&error))?;
        sum += bytes.len();
        if bytes.len() > UPLOAD_MAX || sum > UPLOAD_MAX + FIELDS_SIZE_MAX {
            return Err(Refusal::too_large());
        }
        match file_name {
            Some(name) => {
                let media = media.unwrap_or_else(|| "application/octet-stream".to_owned());
                files.insert(part_name, Upload { name, media, bytes });
            }
            None => {
                let text = String::from_utf8(bytes.to_vec()).map_err(|error| unreadable(&error))?;
                texts.insert(part_name, Value::from(text));
            }
        }
    }
    Ok(())
}
