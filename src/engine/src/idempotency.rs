//! Idempotency keys of HTTP requests, by which a server recognises a repeated request.

use std::sync::Arc;

use palabre_fetch::REQUEST_HEADERS_MAX;
use palabre_platform::Entropy;
use palabre_store::{Store, Table};
use palabre_types::{Batch, Millis, Request, RunId, ScriptName, TableId};
use sha2::{Digest, Sha256};

use crate::engine::options::EngineError;
use crate::start_commit;

/// Values of this installation alone, by owner and name.
const INSTALLATION: Table<(String, String), String> = Table::new(TableId::Installation);
/// The header of the IETF draft "The Idempotency-Key HTTP Header Field".
const HEADER: &str = "Idempotency-Key";
/// Methods that change nothing at the server (RFC 9110, section 9.2.1).
const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];
/// The number of bytes of the hash in a key.
const KEY_BYTES: usize = 16;

/// Makes the keys of one installation.
#[derive(Clone)]
pub(crate) struct IdempotencyKeys {
    /// Differs between installations: sequence numbers start again in an empty or restored store.
    seed: Arc<str>,
}

impl IdempotencyKeys {
    /// Reads the seed from the store, or creates it.
    pub(crate) async fn load(store: &Store, entropy: &dyn Entropy, now: Millis) -> Result<Self, EngineError> {
        let row_key = ("engine".to_owned(), "idempotency seed".to_owned());
        if let Some(seed) = INSTALLATION.get(&store.snapshot(now)?, &row_key)? {
            return Ok(Self { seed: seed.into() });
        }
        let seed = format!("{:016x}{:016x}", entropy.next(), entropy.next());
        let mut batch = Batch::default();
        INSTALLATION.put(&mut batch, &row_key, &seed);
        start_commit::commit(store, batch).await?;
        Ok(Self { seed: seed.into() })
    }

    /// Adds the key of the step that makes a request, unless the method is safe or the script has set a key.
    pub(crate) fn add_to(&self, request: &mut Request, script: &ScriptName, run: &RunId) {
        let is_safe = SAFE_METHODS.iter().any(|method| request.method.eq_ignore_ascii_case(method));
        let is_set = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(HEADER));
        if !is_safe && !is_set && request.headers.len() < REQUEST_HEADERS_MAX {
            request.headers.push((HEADER.to_owned(), self.key(script, run)));
        }
    }

    /// Hashed, so that no server learns the seed.
    fn key(&self, script: &ScriptName, run: &RunId) -> String {
        let hash = Sha256::digest(format!("{}\n{script}\n{}\n{}", self.seed, run.seq, run.step_text()));
        hash.iter().take(KEY_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use palabre_platform::SeededEntropy;

    use super::*;

    #[tokio::test]
    async fn keys_last_as_long_as_the_installation_and_differ_by_request() {
        let store = Store::in_memory().unwrap();
        let keys = IdempotencyKeys::load(&store, &SeededEntropy::new(1), 0).await.unwrap();
        let reloaded = IdempotencyKeys::load(&store, &SeededEntropy::new(2), 0).await.unwrap();
        let other = IdempotencyKeys::load(&Store::in_memory().unwrap(), &SeededEntropy::new(3), 0).await.unwrap();
        let (first, next) = (RunId::hook(7, 0), RunId::hook(7, 1));
        let key = keys.key(&"a".into(), &first);
        assert_eq!(key, reloaded.key(&"a".into(), &first));
        let others = [other.key(&"a".into(), &first), keys.key(&"b".into(), &first), keys.key(&"a".into(), &next)];
        for different in others {
            assert_ne!(key, different);
        }
    }
}
