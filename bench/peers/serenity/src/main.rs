//! The bot of `docs.rs/serenity` with the work of the benchmark's script: it counts messages, in memory, and answers two of them.
//! `API` is where Discord is, `TOKEN` the bot's token.

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
            eprintln!("an answer is not sent: {error}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (api, token) = (std::env::var("API")?, std::env::var("TOKEN")?);
    // serenity's own limiter knows Discord's real address alone.
    let http = HttpBuilder::new(&token).proxy(api).ratelimiter_disabled(true).build();
    // Those that Palabre asks for unless it is told otherwise.
    let intents = GatewayIntents::all() - GatewayIntents::GUILD_PRESENCES;
    let mut client = ClientBuilder::new_with_http(http, intents).event_handler(Bot::default()).await?;
    client.start().await?;
    Ok(())
}
