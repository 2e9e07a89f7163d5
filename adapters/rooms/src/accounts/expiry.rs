//! The end of connections whose session or access token expires.

use crate::service::Rooms;

impl Rooms {
    /// Ends each connection when its credential expires, until it is dropped.
    pub(crate) async fn end_expired_sockets(&self) {
        loop {
            let expiry = async {
                match self.open_sockets.next_expiry() {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expiry => self.open_sockets.end_expired(self.clock.now()),
                () = self.open_sockets.changed() => {}
            }
        }
    }
}
