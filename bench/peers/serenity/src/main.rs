//! The bot of `docs.rs/serenity` with the benchmark's work: counts messages, and answers two kinds.
//!
//! The count is in memory. `API` is the base URL of Discord, and `TOKEN` the bot's token.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use serenity::all::{ClientBuilder, Context, EventHandler, GatewayIntents, HttpBuilder, Message};
use serenity::async_trait;

#[derive(Default)]
struct Bot {
    messages: AtomicU64,
}

#[async_trait]
impl EventHandler for Bot {
    async fn message(&self, context: Context, message: Message) {
        if message.author.bot {
            return;
        }
        let answer = match message.content.as_str() {
            "!count" => self.messages.load(Ordering::Relaxed).to_string(),
            text => {
                self.messages.fetch_add(1, Ordering::Relaxed);
                if text != "!ping" {
                    return;
                }
                "pong".to_owned()
            }
        };
        if let Err(error) = message.reply(&context, answer).await {
            eprintln!("could not send an answer: {error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (api, token) = (std::env::var("API")?, std::env::var("TOKEN")?);
    // serenity's own rate limiter knows Discord's real address only.
    let http = HttpBuilder::new(&token).proxy(api).ratelimiter_disabled(true).build();
    // Palabre's default intents.
    let intents = GatewayIntents::all() - GatewayIntents::GUILD_PRESENCES;
    let mut client = ClientBuilder::new_with_http(http, intents).event_handler(Bot::default()).await?;
    client.start().await?;
    Ok(())
}
