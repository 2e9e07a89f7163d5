//! The parameters, bodies and media types of fixed endpoints, for `/openapi.json`.

use palabre_types::{Body, Endpoint, Field, FieldKind, Presence};
use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{ContentBuilder, RefOr, Required};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
/// The statuses of refusals that come before the handlers, which are plain text.
const REFUSED_EARLY: [u16; 3] = [403, 429, 503];

/// Describes a parameter in the query.
pub(crate) fn parameter(field: &Field) -> Parameter {
    let required = if field.presence == Presence::Required { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new().name(field.name).parameter_in(ParameterIn::Query).required(required);
    parameter.schema(Some(schema(field, false))).build()
}

/// Describes a request body.
pub(crate) fn request_body(body: &Body) -> RequestBody {
    let mut described = RequestBodyBuilder::new().required(Some(Required::True));
    for media in body.media {
        let content = match body.fields {
            Some(fields) => ContentBuilder::new().schema(Some(object(fields, body.is_closed, *media == JSON))),
            None => ContentBuilder::new(),
        };
        described = described.content(*media, content.build());
    }
    described.build()
}

/// Returns the media types of a response; none if it has no body, or they are not known.
pub(crate) fn media_types(endpoint: &Endpoint, status: u16) -> Vec<&'static str> {
    let is_empty = matches!(status, 100..=199 | 204 | 300..=399) || endpoint.produces.is_empty();
    if is_empty {
        return Vec::new();
    }
    if status < 300 {
        return endpoint.produces.to_vec();
    }
    let mut refusals = vec![JSON];
    // A form is shown again, with the reason.
    refusals.extend(endpoint.body.is_some_and(|body| body.media.contains(&FORM)).then_some("text/html"));
    refusals.extend(REFUSED_EARLY.contains(&status).then_some("text/plain"));
    refusals
}

fn object(fields: &[Field], is_closed: bool, is_json: bool) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new();
    for field in fields {
        object = object.property(field.name, schema(field, is_json && field.presence == Presence::Optional));
        if field.presence == Presence::Required {
            object = object.required(field.name);
        }
    }
    if is_closed {
        object = object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    }
    object.into()
}

fn schema(field: &Field, is_nullable: bool) -> RefOr<Schema> {
    let types = |kind: Type| {
        if is_nullable { SchemaType::Array(vec![kind, Type::Null]) } else { SchemaType::Type(kind) }
    };
    let of = |kind: Type| ObjectBuilder::new().schema_type(types(kind));
    let list = |items: ObjectBuilder| ArrayBuilder::new().schema_type(types(Type::Array)).items(items);
    let text = || ObjectBuilder::new().schema_type(Type::String);
    match field.kind {
        FieldKind::Any => ObjectBuilder::new().schema_type(SchemaType::AnyValue).into(),
        FieldKind::Text { min, max } => {
            let max = (max < usize::MAX).then_some(max);
            of(Type::String).min_length((min > 0).then_some(min)).max_length(max).into()
        }
        FieldKind::Choice(values) => of(Type::String).enum_values(Some(choices(values, is_nullable))).into(),
        FieldKind::Texts => list(text()).into(),
        FieldKind::Choices(values) => list(text().enum_values(Some(choices(values, false)))).into(),
        FieldKind::Integer { min, max } => of(Type::Integer).minimum(Some(min)).maximum(max).into(),
        FieldKind::Boolean => of(Type::Boolean).into(),
        FieldKind::File => of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into(),
    }
}

fn choices(values: &[&str], is_nullable: bool) -> Vec<Value> {
    values.iter().map(|value| Value::from(*value)).chain(is_nullable.then_some(Value::Null)).collect()
}
