//! `/openapi.json`: describes the HTTP API, with the current routes of scripts.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use palabre_engine::Engine;
use palabre_script::{FieldSpec, FieldType, RouteAuth, RouteSpec};
use palabre_types::Endpoint;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApiBuilder, PathsBuilder, RefOr, Required, ResponseBuilder,
};

use crate::schemas;

const TOKEN: &str = "token";

/// The sources of the description: routes of scripts (from the engine) and fixed endpoints.
pub(crate) struct Description {
    pub(crate) engine: Arc<Engine>,
    pub(crate) endpoints: Vec<Endpoint>,
}

pub(crate) fn routes(description: Arc<Description>) -> Router {
    Router::new().route("/openapi.json", get(openapi)).with_state(description)
}

async fn openapi(State(description): State<Arc<Description>>) -> impl IntoResponse {
    let mut paths = PathsBuilder::new();
    for endpoint in &description.endpoints {
        paths = paths.path(endpoint.path, PathItem::new(method(endpoint.method), described(endpoint)));
    }
    for (script, route) in description.engine.routes() {
        let at = format!("/scripts/{script}{}", if route.path == "/" { "" } else { &route.path });
        paths = paths.path(at, PathItem::new(method(&route.method), operation(script.as_str(), &route)));
    }
    let all = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Palabre")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some("The endpoints of this server, its platforms and its scripts."))
                .build(),
        )
        .paths(paths.build())
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme(TOKEN, SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()))
                .build(),
        ))
        .build();
    ([(header::CACHE_CONTROL, "no-cache")], Json(all))
}

fn method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Describes a fixed endpoint.
fn described(endpoint: &Endpoint) -> Operation {
    let tag = if endpoint.path.starts_with("/api/") { "API" } else { "server" };
    let mut operation =
        with_parameters(OperationBuilder::new().tag(tag).summary(Some(endpoint.summary)), endpoint.path);
    for field in endpoint.query {
        operation = operation.parameter(schemas::parameter(field));
    }
    for (status, meaning) in endpoint.answers {
        let mut response = ResponseBuilder::new().description(*meaning);
        for media in schemas::media_types(endpoint, *status) {
            response = response.content(media, ContentBuilder::new().build());
        }
        operation = operation.response(status.to_string(), response.build());
    }
    operation.request_body(endpoint.body.as_ref().map(schemas::request_body)).build()
}

/// Adds the parameters of a path to an operation.
fn with_parameters(mut operation: OperationBuilder, path: &str) -> OperationBuilder {
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build();
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(RefOr::T(Schema::Object(text)))).build());
    }
    operation
}

fn operation(script: &str, route: &RouteSpec) -> Operation {
    let summary = (!route.description.is_empty()).then(|| route.description.clone());
    let operation = OperationBuilder::new()
        .tag(format!("script {script}"))
        .summary(summary)
        .response("200", ResponseBuilder::new().description("The response of the script").build())
        .response(
            "429",
            ResponseBuilder::new().description("Too many requests; Retry-After gives the time to wait").build(),
        );
    let mut operation = with_parameters(operation, &route.path);
    if let Some(fields) = &route.body {
        let mut body = ObjectBuilder::new();
        for (name, field) in fields {
            body = body.property(name, RefOr::T(Schema::Object(schema(field))));
            if !field.optional {
                body = body.required(name);
            }
        }
        let content = ContentBuilder::new().schema(Some(RefOr::T(Schema::Object(body.build())))).build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content.clone())
            .content("application/x-www-form-urlencoded", content)
            .required(Some(Required::True));
        operation = operation
            .request_body(Some(body.build()))
            .response("422", ResponseBuilder::new().description("The body does not match the route's fields").build());
    }
    if route.auth != RouteAuth::Public {
        operation = operation
            .security(SecurityRequirement::new(TOKEN, Vec::<String>::new()))
            .response("401", ResponseBuilder::new().description("The token is missing or unknown").build())
            .response("403", ResponseBuilder::new().description("The token lacks the required permission").build());
    }
    operation.build()
}

fn schema(field: &FieldSpec) -> utoipa::openapi::schema::Object {
    let kind = match field.kind {
        FieldType::String => Type::String,
        FieldType::Integer => Type::Integer,
        FieldType::Number => Type::Number,
        FieldType::Boolean => Type::Boolean,
        FieldType::List => Type::Array,
        FieldType::Map => Type::Object,
    };
    let mut object = ObjectBuilder::new().schema_type(SchemaType::Type(kind));
    if !field.description.is_empty() {
        object = object.description(Some(field.description.as_str()));
    }
    let whole = |n: Option<f64>| n.filter(|n| *n >= 0.0).map(|n| n as usize);
    match field.kind {
        FieldType::String => object = object.min_length(whole(field.min)).max_length(whole(field.max)),
        FieldType::Integer | FieldType::Number => object = object.minimum(field.min).maximum(field.max),
        FieldType::Boolean | FieldType::List | FieldType::Map => {}
    }
    object.build()
}
