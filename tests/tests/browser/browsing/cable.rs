//! A connection to the daemon that can be cut.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A proxy for TCP connections.
pub struct Cable {
    /// The address for browsers.
    pub address: String,
    is_cut: watch::Sender<bool>,
    // They end with it.
    _tasks: JoinSet<()>,
}

impl Cable {
    /// Starts a proxy for an address.
    pub async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (is_cut, state) = watch::channel(false);
        let target = target.to_owned();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, target.clone(), state.clone()));
            }
        });
        Self { address, is_cut, _tasks: tasks }
    }

    /// Ends all connections, and refuses new ones.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Accepts connections after a cut.
    pub fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

/// Copies bytes in both directions until one side ends or the cable is cut.
async fn carry(mut near: TcpStream, target: String, mut is_cut: watch::Receiver<bool>) {
    if *is_cut.borrow() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ended = copy_bidirectional(&mut near, &mut far) => {}
        _cut = is_cut.wait_for(|is_cut| *is_cut) => {}
    }
}
