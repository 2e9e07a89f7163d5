//! The site of a request, which a browser names.

use axum::http::{HeaderMap, Method, StatusCode};

use super::problem::Problem;

/// Refuses a request that changes something and that another site sent with the person's cookie.
///
/// Programs that are no browsers send neither header. `origins` are other sites, named one by one, that may send it.
pub(crate) fn check_site(method: &Method, headers: &HeaderMap, origins: &[String]) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_listed = |origin: &str| origins.iter().any(|listed| listed == origin);
    let is_own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_scheme, host)| host);
            host.is_some() && host == text("host")
        }
        (None, None) => true,
    };
    if is_own || method.is_safe() || text("origin").is_some_and(is_listed) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "this request came from another site"))
}
