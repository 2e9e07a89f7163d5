//! Bodies of requests: JSON, or a form where the documents have one.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, FromRequest, Json, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::problem::Problem;

/// A JSON object as a body. One that cannot be read is refused as JSON.
pub(super) struct Body<T>(pub(super) T);

/// A value that is read from an object only.
///
/// A derived implementation also reads the fields from an array, in their order.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Json::from_request(request, state).await {
            Ok(Json(Object(body))) => Ok(Self(body)),
            Err(rejection) => Err(Problem::from(rejection).into_response()),
        }
    }
}

/// A body that is JSON or a form.
pub(super) struct JsonOrForm<T> {
    pub(super) body: T,
    pub(super) is_form: bool,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonOrForm<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return match Form::from_request(request, state).await {
                Ok(Form(body)) => Ok(Self { body, is_form: true }),
                Err(rejection) => Err(of_form(&rejection).into_response()),
            };
        }
        Body::from_request(request, state).await.map(|Body(body)| Self { body, is_form: false })
    }
}

fn of_form(rejection: &FormRejection) -> Problem {
    let status = match rejection.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    };
    Problem::new(status, rejection.body_text())
}
