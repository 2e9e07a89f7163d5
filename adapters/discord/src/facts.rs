//! Single values that are stored for a bot, each under a name.

use palabre_store::Table;
use palabre_types::TableId;
use palabre_types::{ActionError, Batch};

use crate::discord::Discord;

/// Values of this installation alone, by owner and name.
const INSTALLATION: Table<(String, String), String> = Table::new(TableId::Installation);
/// Values by bot and name.
const FACTS: Table<(String, String), String> = Table::new(TableId::DiscordFacts);
const NONCE_SEED: &str = "discord nonce seed";
const COMMAND_SERVERS: &str = "command servers";

impl Discord {
    /// Returns the seed of nonces: random, and the same for the life of an installation.
    ///
    /// Action keys start again with an empty or restored store. Without a seed, Discord would take
    /// a new message for the repetition of one with the same key.
    pub(crate) async fn nonce_seed(&self) -> Result<&str, ActionError> {
        self.nonce_seed.get_or_try_init(|| self.load_nonce_seed()).await.map(String::as_str)
    }

    async fn load_nonce_seed(&self) -> Result<String, ActionError> {
        let name = (self.cache.bot().to_string(), NONCE_SEED.to_owned());
        // Processes that serve different shards from copies of one store need different seeds.
        let shard = self.config.shards.map_or(0, |shards| shards.first);
        if let Some(seed) = self.stored(INSTALLATION, name.clone()).await? {
            return Ok(format!("{seed}/{shard}"));
        }
        let seed = format!("{:016x}{:016x}", self.entropy.next(), self.entropy.next());
        let mut batch = Batch::default();
        INSTALLATION.put(&mut batch, &name, &seed);
        self.write("the seed of nonces", batch).await?;
        Ok(format!("{seed}/{shard}"))
    }

    /// Returns the servers in whose lists commands were put, if that is known.
    pub(crate) async fn command_servers(&self) -> Result<Option<Vec<u64>>, ActionError> {
        let known = self.stored(FACTS, (self.cache.bot().to_string(), COMMAND_SERVERS.to_owned())).await?;
        Ok(known.map(|ids| ids.split(' ').filter_map(|id| id.parse().ok()).collect()))
    }

    /// Stores the servers in whose lists commands are.
    pub(crate) async fn keep_command_servers(&self, servers: &[u64]) -> Result<(), ActionError> {
        let ids = servers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
        let mut batch = Batch::default();
        FACTS.put(&mut batch, &(self.cache.bot().to_string(), COMMAND_SERVERS.to_owned()), &ids);
        Ok(self.write("the servers with lists of commands", batch).await?)
    }
}
