//! The client for content that users see over HTTP.

/// Returns a client, and installs its crypto provider.
pub(crate) fn client() -> reqwest::Client {
    // Another test in the same process may have installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::new()
}
