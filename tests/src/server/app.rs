//! A small HTTP server of a test.

use std::net::SocketAddr;

use axum::Router;
use tokio::task::JoinSet;

use super::listener::listen;

/// A running application, which ends when it is dropped.
#[derive(Debug)]
pub struct App {
    /// `127.0.0.1:PORT`
    pub address: String,
    _task: JoinSet<()>,
}

impl App {
    /// Serves an application on a free port.
    pub async fn serve(app: Router) -> Self {
        let (listener, address) = listen().await;
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, app).await.expect("it serves until it is dropped") });
        Self { address, _task: task }
    }
}
