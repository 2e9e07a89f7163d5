//! The outbox: performs the durable actions of scripts on the platforms of their bots.
//!
//! Actions of one room and class leave in order. What fails for a while is retried; what a platform
//! never takes is given up. See [`Outbox`].
//!
//! The owner of the outbox counts each action against its bot's quota ([`BotOutbox::reserve`]) and
//! decides where it waits ([`BotOutbox::admit`]): in memory, handed over as a [`PendingAction`], or
//! as a row. What became of an action comes back through a [`DeliverySink`]. Until that is durable,
//! the next start performs the action again, under the same key. The outbox commits nothing itself.

mod at_most_once;
mod attachment_relay;
mod attempt;
mod bot;
mod bots;
mod breaker;
mod delivery_sink;
mod jobs;
mod load;
mod merge;
mod ordered_queue;
mod outbox;
mod pending_action;
mod recent_deliveries;
mod retry_chain;

pub use bot::{BotOutbox, OutboxLimits};
pub use bots::{Bots, OutboxBot};
pub use delivery_sink::DeliverySink;
pub use jobs::create_outbox;
pub use outbox::{Outbox, OutboxContext};
pub use pending_action::{
    ChainId, Completed, Delivery, EarlierAttempts, PendingAction, UnfinishedActions, Unperformed, expiry, size,
};
pub use recent_deliveries::RecentDeliveries;
