//! Outgoing HTTP for scripts, which cannot be talked into reaching what the operator did not grant.
//!
//! Two guards, and a request passes both at every hop of its redirects. [`Grants`] judge the URL: its scheme, host and
//! port, and its address where it is written as one. The resolver judges the addresses that a name has, and hands the
//! connection exactly those that it has judged; nothing is looked up a second time, so a name whose answer changes
//! between the check and the use gains nothing.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use palabre_fetch::{Fetcher, Grants, Request};
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
mod held;
mod hop;
mod names;
mod request;

pub use error::FetchError;
pub use fetcher::{Fetcher, LONGEST, REPLY_BYTES};
pub use grants::Grants;
pub use held::Held;
pub use hop::REDIRECTS;
pub use names::Names;
pub use request::{REQUEST_BYTES, REQUEST_HEADERS, Reply, Request};
pub use url::Url;
