//! Telegram, simulated by the stand-in: a forum with the users and the bot.

mod deeds;
mod looks;

use std::collections::HashMap;
use std::sync::Arc;

use palabre_platform::{SeededEntropy, SystemClock};
use palabre_store::Store;
use palabre_telegram::text::to_commonmark;
use palabre_telegram::{Config, Pace, Setup, Telegram};
use palabre_tests::telegram::{Limits, MessageRef, Options, StandIn};
use palabre_types::{ActionKind, Bot, EventName, MessageId, RoomId, SpaceId, UserId};
use serde_json::Value;

use crate::fixture::Fixture;
use crate::platform::{Deed, Lack, Platform, Seen, SeenMember, SeenRoom};

/// Without rate limits, because the stand-in does not enforce them here.
const PACE: Pace = Pace { per_second: 10_000, per_second_in_chat: 10_000, per_minute_in_group: 100_000 };
/// A chat to which the bot is added, and from which it is removed.
const ATTIC: &str = "attic";

pub(crate) struct OnTelegram {
    telegram: StandIn,
    chat: i64,
    store: Store,
    fixture: Fixture,
    /// The user of each callback query.
    pressed: HashMap<String, String>,
    /// The last inline query of each user.
    queried: HashMap<String, String>,
}

impl OnTelegram {
    async fn connect(telegram: &StandIn, store: &Store) -> Fixture {
        let bot = Bot { name: "town".into(), platform: "telegram".into() };
        let setup = Setup {
            bot: bot.name.clone(),
            token: telegram.token().to_owned(),
            api: Some(telegram.api().to_owned()),
            config: Config { pace: PACE, ..Config::default() },
            grants: Vec::new(),
            store: store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let adapter = Telegram::new(setup).expect("requests can be made");
        Fixture::new(bot, adapter, store, Vec::new()).await
    }

    /// The name of the chat for the stand-in; its title may change.
    fn place(&self) -> String {
        self.chat.to_string()
    }

    fn at(&self, id: &str) -> MessageRef {
        MessageRef { chat: self.chat, id: id.parse().expect("it is an id of the stand-in's") }
    }
}

impl Platform for OnTelegram {
    const NEVER: &'static [(EventName, &'static str)] = &[
        (EventName::BeforeMessage, "Telegram delivers a message before any bot hears of it"),
        (EventName::MessageDelete, "Telegram tells no bot of a message that is gone"),
        (EventName::Typing, "Telegram tells no bot who is typing"),
        (EventName::Connect, "Telegram tells no bot who is there"),
        (EventName::Disconnect, "Telegram tells no bot who is there"),
        (EventName::Presence, "Telegram tells no bot who is there"),
        (EventName::Command, "people type commands, which the engine reads"),
        (EventName::PollVote, "a bot hears of votes in its own polls alone, and makes none"),
        (EventName::Invite, "Telegram tells no bot of invitations that are made"),
        (EventName::Voice, "a bot hears that a video chat has begun, which is native, and not who is in it"),
    ];
    const LACKS: &'static [Lack] = &[
        Lack::FixedRoles,
        Lack::Everyone,
        Lack::Headings,
        Lack::LastingEphemerals,
        Lack::WholeForms,
        Lack::Reasons,
        Lack::Topics,
        Lack::SharedSpace,
    ];

    async fn start() -> Option<Self> {
        let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        let chat = telegram.add_forum("general");
        telegram.person("carol");
        telegram.add_supergroup(ATTIC);
        telegram.throws_bot_out(ATTIC);
        // A bot may write to users who have started it.
        telegram.starts("alice", "");
        let store = Store::in_memory().expect("an in-memory store opens");
        let fixture = Self::connect(&telegram, &store).await;
        let mut here = Self { telegram, chat, store, fixture, pressed: HashMap::new(), queried: HashMap::new() };
        // Afterwards all earlier events have arrived.
        crate::scene::fence(&mut here).await;
        Some(here)
    }

    fn fixture(&self) -> &Fixture {
        &self.fixture
    }

    fn fixture_mut(&mut self) -> &mut Fixture {
        &mut self.fixture
    }

    async fn restart(&mut self) {
        self.fixture = Self::connect(&self.telegram, &self.store).await;
    }

    fn room(&self) -> RoomId {
        RoomId::new(&self.fixture.bot.name, &self.place())
    }

    fn space(&self) -> SpaceId {
        SpaceId::new(&self.fixture.bot.name, &self.place())
    }

    fn user(&self, who: &str) -> UserId {
        UserId::new(&self.fixture.bot.name, &self.telegram.user(who).to_string())
    }

    fn nowhere(&self) -> RoomId {
        RoomId::new(&self.fixture.bot.name, "-1009999999999")
    }

    fn nobody(&self) -> UserId {
        UserId::new(&self.fixture.bot.name, "999")
    }

    async fn people(&mut self, deed: Deed<'_>) -> String {
        self.does(deed).await
    }

    async fn message(&mut self, id: &MessageId) -> Option<Seen> {
        let message = self.telegram.message(self.at(id.as_str()));
        (!message.is_null()).then(|| self.seen(&message))
    }

    async fn said(&mut self) -> Vec<Seen> {
        self.posted(&self.place())
    }

    async fn private_messages(&mut self, who: &str) -> Vec<Seen> {
        // The pop-ups come first: the order between them and messages does not matter.
        let mut all = self.shown_over_the_chat(who);
        all.extend(self.posted(&format!("@{who}")));
        all
    }

    async fn form(&mut self, who: &str) -> Option<(String, Vec<String>)> {
        self.asked_in_form(who)
    }

    async fn member(&mut self, who: &str) -> SeenMember {
        self.member_now(who)
    }

    async fn room_now(&mut self) -> SeenRoom {
        let chat = self.telegram.chat_now(&self.place());
        SeenRoom {
            topic: chat["description"].as_str().map(ToOwned::to_owned),
            slowmode: chat["slow_mode_delay"].as_u64().unwrap_or_default(),
            is_locked: chat["permissions"]["can_send_messages"] != true,
        }
    }

    async fn offered(&mut self, who: &str) -> Vec<(String, String)> {
        let query = self.queried.get(who).expect("they have asked");
        let answer = self.telegram.inline_answer(query).await;
        let text = |article: &Value| {
            let content = &article["input_message_content"];
            let entities: Vec<_> = serde_json::from_value(content["entities"].clone()).unwrap_or_default();
            to_commonmark(content["message_text"].as_str().unwrap_or_default(), &entities)
        };
        let pair = |article: &Value| (article["title"].as_str().unwrap_or_default().to_owned(), text(article));
        answer["results"].as_array().into_iter().flatten().map(pair).collect()
    }

    async fn typings(&mut self) -> usize {
        self.telegram.actions().iter().filter(|action| action.chat == self.chat && action.action == "typing").count()
    }

    async fn thread(&mut self, id: &str) -> Option<String> {
        let (chat, topic) = id.split_once(':')?;
        let topics = self.telegram.topics(chat);
        topics.into_iter().find(|(id, ..)| id.to_string() == topic).map(|(_, name, _)| name)
    }

    async fn forbid(&mut self, kind: ActionKind) -> bool {
        let right = match kind {
            // A bot may always edit its own messages.
            ActionKind::Edit => return false,
            ActionKind::Direct => {
                self.telegram.blocks("alice");
                return true;
            }
            // Administrators may always write and react.
            ActionKind::Send | ActionKind::Typing | ActionKind::Answer | ActionKind::Form | ActionKind::React => {
                self.telegram.restricts("olivia", "palabre_bot", &self.place(), 0);
                return true;
            }
            ActionKind::Delete | ActionKind::Purge => "can_delete_messages",
            ActionKind::Pin => "can_pin_messages",
            ActionKind::Thread => "can_manage_topics",
            ActionKind::Invite | ActionKind::Admit => "can_invite_users",
            ActionKind::Mute | ActionKind::Kick | ActionKind::Ban | ActionKind::Lock => "can_restrict_members",
            ActionKind::Role => "can_manage_tags",
            ActionKind::Topic => "can_change_info",
            // The user of the query is answered in any case.
            ActionKind::Offer | ActionKind::Rename | ActionKind::Slowmode => return false,
        };
        self.telegram.deny(&self.place(), right);
        true
    }

    async fn cut(&mut self) -> bool {
        // The bot has requested more updates and is waiting for them.
        self.telegram.confirmed().await;
        self.telegram.cut();
        true
    }
}

impl Drop for OnTelegram {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let misfits: Vec<_> = self.telegram.violations().into_iter().map(|one| (one.method, one.reason)).collect();
            assert_eq!(misfits, [], "the bot keeps to Telegram's rules");
        }
    }
}
