//! Outgoing HTTP requests of scripts, restricted to the hosts that the operator has granted.
//!
//! A request passes two guards at every hop of its redirects. [`Grants`] check the URL: its scheme,
//! host and port, and its address if the host is written as one. The resolver checks the addresses
//! of a name, and gives the connection exactly those that it has checked. No name is resolved
//! twice, so an answer that changes between check and use (DNS rebinding) has no effect.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use palabre_fetch::{Fetcher, Grants};
//! use palabre_types::Request;
//!
//! let grants = Grants::parse(&["api.example.com".to_owned()])?;
//! let request = Request {
//!     method: "GET".to_owned(),
//!     url: "https://api.example.com/weather".to_owned(),
//!     headers: Vec::new(),
//!     body: None,
//!     timeout: std::time::Duration::from_secs(5),
//! };
//! let reply = Fetcher::new()?.fetch(&request, &grants).await?;
//! assert_eq!(reply.status, 200);
//! # Ok(())
//! # }
//! ```

mod address;
mod error;
mod fetcher;
mod grants;
mod hop;
mod names;
mod request;

pub use error::FetchError;
pub use fetcher::{Fetcher, REPLY_BYTES_MAX, REQUEST_TIMEOUT_MAX};
pub use grants::Grants;
pub use hop::REDIRECTS_MAX;
pub use names::NameResolver;
pub use request::{REQUEST_BYTES_MAX, REQUEST_HEADERS_MAX};
pub use url::Url;
