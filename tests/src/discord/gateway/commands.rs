//! The requests of gateway clients, by opcode.

use serde_json::Value;
use tokio::time::Instant;

use super::close::Close;
use super::connection::{Connection, End};
use super::identify::Identify;
use super::packing::Packing;
use super::sessions::Refused;

impl Connection {
    /// Performs the request in a payload.
    pub(super) async fn obey(&mut self, op: u64, data: &Value) -> Result<(), End> {
        match op {
            1 => self.beat(data).await,
            2 => self.identify(data).await,
            6 => self.resume(data).await,
            3 | 4 | 8 | 31 if self.session.is_none() => Err(End::Close(Close::NOT_AUTHENTICATED)),
            3 if !data["status"].is_string() || !data["activities"].is_array() => Err(End::Close(Close::DECODE)),
            3 | 4 | 31 => Ok(()),
            8 => {
                let session = self.session.clone().unwrap_or_default();
                self.shared.change(|state| state.send_members(&session, data));
                Ok(())
            }
            _ => Err(End::Close(Close::OPCODE)),
        }
    }

    async fn beat(&mut self, data: &Value) -> Result<(), End> {
        self.last_beat = Instant::now();
        if data.as_u64().is_some_and(|seq| self.session.is_some() && seq > self.sent) {
            return Err(End::Close(Close::SEQUENCE));
        }
        if self.silent {
            return Ok(());
        }
        self.send(r#"{"op":11,"d":null,"s":null,"t":null}"#).await
    }

    async fn identify(&mut self, data: &Value) -> Result<(), End> {
        if self.session.is_some() {
            return Err(End::Close(Close::ALREADY));
        }
        let number = self.number;
        let begun = self.shared.change(|state| {
            let identify = Identify::read(data, state)?;
            let hasty = state.is_hasty(identify.shard.0);
            let session = (!hasty).then(|| state.begin_session(&identify, number));
            Ok((identify, session))
        });
        let (identify, session) = begun.map_err(End::Close)?;
        if session.is_none() {
            return self.invalidate(false).await;
        }
        if identify.compress && matches!(self.packing, Packing::Plain) {
            self.packing = Packing::Single;
        }
        (self.session, self.sent) = (session, 0);
        Ok(())
    }

    async fn resume(&mut self, data: &Value) -> Result<(), End> {
        if self.session.is_some() {
            return Err(End::Close(Close::ALREADY));
        }
        let (Some(token), Some(id), Some(seq)) =
            (data["token"].as_str(), data["session_id"].as_str(), data["seq"].as_u64())
        else {
            return Err(End::Close(Close::DECODE));
        };
        if token.strip_prefix("Bot ").unwrap_or(token) != self.shared.options.token {
            return Err(End::Close(Close::AUTHENTICATION));
        }
        let number = self.number;
        match self.shared.change(|state| state.resume_session(id, seq, number)) {
            Ok(()) => {
                (self.session, self.sent) = (Some(id.to_owned()), seq);
                Ok(())
            }
            Err(Refused::Ahead) => Err(End::Close(Close::SEQUENCE)),
            Err(Refused::Gone) => self.invalidate(false).await,
        }
    }
}
