//! Errors that end the connection, with advice for the operator.

use palabre_platform::AdapterError;

use crate::discord::Discord;
use crate::rest::RestError;

/// Returns the error of a request that the gateway depends on.
pub(super) fn unreachable(discord: &Discord, error: RestError) -> AdapterError {
    match error {
        RestError::Token => AdapterError::Refused(format!(
            "Discord refuses the token of {}. Create a new one in the developer portal \
             (your application, Bot, Reset Token) and set it as `token` in bots.yaml",
            discord.cache.bot()
        )),
        error => AdapterError::Lost(format!("could not ask Discord where to connect: {error}")),
    }
}

/// Returns the error for a close code after which the client does not reconnect, with advice.
///
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes>
pub(super) async fn closed_for_good(code: u16, discord: &Discord) -> AdapterError {
    let bot = discord.cache.bot();
    AdapterError::Refused(match code {
        // REST has the final say on the token.
        4004 => match discord.rest.check_token().await {
            Err(RestError::Token) => return unreachable(discord, RestError::Token),
            _ => {
                return AdapterError::Lost(format!(
                    "the gateway refused the token of {bot}, which the REST API accepts (4004)"
                ));
            }
        },
        4014 => {
            let asked: Vec<_> = discord.config.intents.iter().map(|intent| intent.title()).collect();
            format!(
                "Discord does not grant {bot} all intents that it requests ({}). Switch them on in the developer \
                 portal (your application, Bot, Privileged Gateway Intents), or leave them out of `intents` in \
                 bots.yaml",
                asked.join(", ")
            )
        }
        4010 => format!("Discord does not know the shard that {bot} requests; check `shards` in bots.yaml"),
        // The next attempt asks Discord for the recommended number.
        4011 if discord.config.shards.is_none() => {
            return AdapterError::Lost(format!("Discord requires more shards for {bot} than it recommended (4011)"));
        }
        4011 => format!(
            "{bot} is in so many servers that Discord requires more shards; \
             leave `shards` out of bots.yaml, or raise `total`"
        ),
        4012 | 4013 => format!("Discord closed the gateway of {bot} with code {code}; update palabre"),
        code => return AdapterError::Lost(format!("the gateway of {bot} was closed with code {code}")),
    })
}
