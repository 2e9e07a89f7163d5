//! Downloads of attachments, which scripts can send on.

use palabre_types::ActionError;
use reqwest::{StatusCode, Url};

use super::Rest;

/// The hosts of attachments.
///
/// <https://discord.com/developers/docs/reference#cdn-formatting>
const HOSTS: &[&str] = &["cdn.discordapp.com", "media.discordapp.net"];

impl Rest {
    /// Downloads an attachment of at most `size_max` bytes.
    ///
    /// Scripts pass the URL, so only Discord's own hosts and the base URL are allowed.
    pub(crate) async fn file(&self, url: &str, size_max: usize) -> Result<Vec<u8>, ActionError> {
        let url =
            self.own(url).ok_or_else(|| ActionError::Rejected(format!("{url} is not an attachment on Discord")))?;
        let passing = |error: reqwest::Error| ActionError::Transient(error.without_url().to_string());
        let mut response = self.files.get(url).send().await.map_err(passing)?;
        match response.status() {
            status if status.is_success() => {}
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
                return Err(ActionError::NotFound("the file is gone, or its URL has expired".to_owned()));
            }
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Err(ActionError::Transient(format!("could not download the file now ({status})")));
            }
            status => return Err(ActionError::Rejected(format!("could not download the file ({status})"))),
        }
        let mut data = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(passing)? {
            if data.len() + chunk.len() > size_max {
                return Err(ActionError::Rejected(format!("the file is larger than the limit of {size_max} bytes")));
            }
            data.extend_from_slice(&chunk);
        }
        Ok(data)
    }

    fn own(&self, url: &str) -> Option<Url> {
        let url = Url::parse(url).ok().filter(|url| url.username().is_empty() && url.password().is_none())?;
        let at_discord = || url.scheme() == "https" && url.host_str().is_some_and(|host| HOSTS.contains(&host));
        let at_api = || Url::parse(&self.api).is_ok_and(|api| api.origin() == url.origin());
        (at_discord() || at_api()).then_some(url)
    }
}
