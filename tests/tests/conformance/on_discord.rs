//! Discord, simulated by the stand-in.

mod looks;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_discord::{Config, Discord, Privileged, Setup};
use palabre_platform::{SeededEntropy, SystemClock};
use palabre_store::Store;
use palabre_tests::discord::{Cut, Id, Limits, Options, Permission, StandIn};
use palabre_types::{ActionKind, ArgSpec, ArgType, Bot, CommandSpec, EventName, MessageId, RoomId, SpaceId, UserId};
use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::platform::{Deed, Lack, Platform, Seen, SeenMember, SeenRoom};

const CHANNEL: &str = "general";
/// The flag of ephemeral messages.
const EPHEMERAL: u64 = 64;
/// The type of an interaction response that is a form.
const FORM: u64 = 9;

pub(crate) struct OnDiscord {
    discord: StandIn,
    store: Store,
    fixture: Fixture,
    /// The last interaction of each user.
    used: HashMap<String, Id>,
    http: reqwest::Client,
}

impl OnDiscord {
    async fn connect(discord: &StandIn, store: &Store) -> Fixture {
        let bot = Bot { name: "guild".into(), platform: "discord".into() };
        let intents = vec![Privileged::Members, Privileged::Presences, Privileged::MessageContent];
        let setup = Setup {
            bot: bot.name.clone(),
            token: discord.token().to_owned(),
            api: Some(discord.api().to_owned()),
            config: Config { intents, ..Config::default() },
            moderators: Vec::new(),
            store: store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let adapter = Discord::new(setup).expect("requests can be made");
        Fixture::new(bot, adapter, store, vec![roll()]).await
    }

    fn id(text: &str) -> Id {
        text.parse().expect("it is an id of the stand-in's")
    }

    /// Returns the bot's current messages in a channel.
    fn posted(&self, channel: &str) -> Vec<Value> {
        let posts = self.discord.posted(channel).into_iter();
        posts.filter(|post| !post.is_deleted()).map(|post| post.message).collect()
    }
}

fn roll() -> CommandSpec {
    let sides = ArgSpec { name: "sides".to_owned(), kind: ArgType::Integer, ..ArgSpec::default() };
    CommandSpec {
        name: "roll".to_owned(),
        description: "Rolls a die".to_owned(),
        aliases: Vec::new(),
        args: vec![sides],
        permission: palabre_types::Permission::Everyone,
        cooldown: None,
        hidden: false,
        menu: None,
        names: [].into(),
        descriptions: [].into(),
    }
}

fn is_ephemeral(message: &Value) -> bool {
    message["flags"].as_u64().unwrap_or_default() & EPHEMERAL != 0
}

impl Platform for OnDiscord {
    const NEVER: &'static [(EventName, &'static str)] = &[
        (EventName::BeforeMessage, "Discord delivers a message before any bot hears of it"),
        (EventName::JoinRequest, "Discord tells no bot who asks to be let in"),
        (EventName::InlineQuery, "people write to a bot where it is"),
    ];
    const LACKS: &'static [Lack] = &[];

    async fn start() -> Option<Self> {
        let http = crate::http::client();
        let options = Options { identify_window: Duration::ZERO, limits: Limits::none(), ..Options::default() };
        let discord = StandIn::start_with(options).await?;
        discord.person("carol");
        let store = Store::in_memory().expect("an in-memory store opens");
        let fixture = Self::connect(&discord, &store).await;
        let mut here = Self { discord, store, fixture, used: HashMap::new(), http };
        // The guild is sent after the ready event, so wait until it has arrived.
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
        self.fixture = Self::connect(&self.discord, &self.store).await;
    }

    fn room(&self) -> RoomId {
        RoomId::new(&self.fixture.bot.name, &self.discord.channel(CHANNEL).to_string())
    }

    fn space(&self) -> SpaceId {
        SpaceId::new(&self.fixture.bot.name, &self.discord.guild().to_string())
    }

    fn user(&self, who: &str) -> UserId {
        UserId::new(&self.fixture.bot.name, &self.discord.user(who).to_string())
    }

    fn nowhere(&self) -> RoomId {
        RoomId::new(&self.fixture.bot.name, "999")
    }

    fn nobody(&self) -> UserId {
        UserId::new(&self.fixture.bot.name, "999")
    }

    async fn people(&mut self, deed: Deed<'_>) -> String {
        let discord = &self.discord;
        let none = || json!([]);
        match deed {
            Deed::Says { who, text } => return discord.says(who, CHANNEL, text).to_string(),
            Deed::Replies { who, to, text } => return discord.replies(who, Self::id(to), text).to_string(),
            Deed::Attaches { who, text, name, data } => {
                let files = [(name, "text/plain", data.as_bytes())];
                return discord.posts_files(who, CHANNEL, json!({ "content": text }), &files).to_string();
            }
            Deed::SendsDirect { who, text } => return discord.sends_direct(who, text).to_string(),
            Deed::Edits { message, text, .. } => discord.edits(Self::id(message), text),
            Deed::Deletes { message, .. } => discord.deletes(Self::id(message)),
            Deed::Reacts { who, message, emoji } => discord.reacts(who, Self::id(message), emoji),
            Deed::Unreacts { who, message, emoji } => discord.unreacts(who, Self::id(message), emoji),
            Deed::Presses { who, message, action } => {
                let used = discord.presses(who, Self::id(message), action);
                self.used.insert(who.to_owned(), used);
            }
            Deed::Chooses { who, message, action, values } => {
                let used = discord.chooses(who, Self::id(message), action, values);
                self.used.insert(who.to_owned(), used);
            }
            Deed::Submits { who, values, .. } => {
                let used = discord.submits(self.used[who], values);
                self.used.insert(who.to_owned(), used);
            }
            Deed::Rolls { who, sides } => {
                let is_listed = |discord: &StandIn| (!discord.commands(None).is_empty()).then_some(());
                discord.until("the command is listed", is_listed).await;
                let used = discord.uses(who, CHANNEL, "roll", &json!({ "sides": sides }));
                self.used.insert(who.to_owned(), used);
            }
            Deed::Types { who } => discord.types(who, CHANNEL),
            // On Discord, going online is the only presence change of a member.
            Deed::Connects { who } => {
                discord.joins(who);
                discord.appears(who, "online", none());
            }
            Deed::Disconnects { who } => {
                discord.appears(who, "offline", none());
                discord.leaves(who);
            }
            Deed::Idles { who } => discord.appears(who, "idle", none()),
            Deed::Joins { who } => drop(discord.joins(who)),
            Deed::Leaves { who } => discord.leaves(who),
            Deed::IsGivenRole { who, role } => discord.gives_role("olivia", who, role),
            Deed::IsBanned { who, reason } => discord.bans("olivia", who, Some(reason)),
            Deed::IsUnbanned { who } => discord.unbans("olivia", who),
            Deed::Pins { message } => discord.pins("olivia", Self::id(message)),
            Deed::MakesRoom { name } => drop(discord.add_channel(name, 0)),
            Deed::ChangesTopic { topic } => discord.changes_channel("olivia", CHANNEL, json!({ "topic": topic })),
            Deed::RemovesRoom { name } => discord.removes_channel(name),
            Deed::Votes { who } => {
                let answers = json!([{ "poll_media": { "text": "yes" } }, { "poll_media": { "text": "no" } }]);
                let poll = json!({ "question": { "text": "Tea?" }, "answers": answers, "duration": 1 });
                let poll = discord.posts("bob", CHANNEL, json!({ "poll": poll }));
                discord.votes(who, poll, 1);
                return poll.to_string();
            }
            Deed::EntersVoice { who } => discord.goes_to_voice(who, Some("voice")),
            Deed::Invites { who } => return discord.invites(who, CHANNEL),
            Deed::DoesSomethingElse => drop(discord.add_role("Guest", &[], false)),
            Deed::RenamesRoom { .. } | Deed::AsksToJoin { .. } | Deed::Queries { .. } => {
                unreachable!("nobody asks for it here: {deed:?}")
            }
        }
        String::new()
    }

    async fn message(&mut self, id: &MessageId) -> Option<Seen> {
        let message = self.discord.message(Self::id(id.as_str()));
        if message.is_null() || is_ephemeral(&message) {
            return None;
        }
        Some(self.seen(&message).await)
    }

    async fn said(&mut self) -> Vec<Seen> {
        let mut said = Vec::new();
        for message in self.posted(CHANNEL).iter().filter(|message| !is_ephemeral(message)) {
            said.push(self.seen(message).await);
        }
        said
    }

    async fn private_messages(&mut self, who: &str) -> Vec<Seen> {
        let user = self.discord.user(who).to_string();
        let to_them = |message: &Value| is_ephemeral(message) && message["interaction_metadata"]["user"]["id"] == *user;
        let mut told = self.posted(&format!("@{who}"));
        told.extend(self.posted(CHANNEL).into_iter().filter(to_them));
        told.sort_by_key(|message| Id::of(message, "id"));
        let mut heard = Vec::new();
        for message in &told {
            heard.push(self.seen(message).await);
        }
        heard
    }

    async fn form(&mut self, who: &str) -> Option<(String, Vec<String>)> {
        let answer = self.discord.answer(*self.used.get(who)?).await;
        if answer["type"] != FORM {
            return None;
        }
        let rows = answer["data"]["components"].as_array()?.iter();
        let labels = rows.map(|row| row["components"][0]["label"].as_str().unwrap_or_default().to_owned());
        Some((answer["data"]["title"].as_str()?.to_owned(), labels.collect()))
    }

    async fn member(&mut self, who: &str) -> SeenMember {
        let member = self.discord.member_now(who);
        let held = |role: &&&str| {
            let id = self.discord.role(role).to_string();
            member["roles"].as_array().is_some_and(|roles| roles.iter().any(|role| *role == *id))
        };
        SeenMember {
            is_there: !member.is_null(),
            is_muted: member["communication_disabled_until"].is_string(),
            is_banned: self.discord.is_banned(who),
            roles: ["Moderator", "Admin"].iter().filter(held).map(|role| (*role).to_owned()).collect(),
            nickname: member["nick"].as_str().map(ToOwned::to_owned),
        }
    }

    async fn room_now(&mut self) -> SeenRoom {
        let channel = self.discord.channel_now(CHANNEL);
        let everybody = self.discord.guild().to_string();
        let overwrites = channel["permission_overwrites"].as_array().into_iter().flatten();
        let denied =
            overwrites.filter(|one| one["id"] == *everybody).filter_map(|one| one["deny"].as_str()?.parse().ok());
        SeenRoom {
            topic: channel["topic"].as_str().filter(|topic| !topic.is_empty()).map(ToOwned::to_owned),
            slowmode: channel["rate_limit_per_user"].as_u64().unwrap_or_default(),
            is_locked: denied.fold(0_u64, |all, deny: u64| all | deny) & Permission::SEND_MESSAGES.0 != 0,
        }
    }

    async fn offered(&mut self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    async fn typings(&mut self) -> usize {
        let calls = self.discord.counters().calls;
        usize::try_from(calls.get("trigger_typing_indicator").copied().unwrap_or_default()).unwrap_or(usize::MAX)
    }

    async fn thread(&mut self, id: &str) -> Option<String> {
        self.discord.channel_now(id)["name"].as_str().map(ToOwned::to_owned)
    }

    async fn forbid(&mut self, kind: ActionKind) -> bool {
        let needed = match kind {
            // A bot may always edit its own messages.
            ActionKind::Edit | ActionKind::Admit | ActionKind::Offer => return false,
            ActionKind::Direct => {
                self.discord.closes_direct("alice");
                return true;
            }
            ActionKind::Send | ActionKind::Typing | ActionKind::Answer | ActionKind::Form => Permission::SEND_MESSAGES,
            ActionKind::Delete | ActionKind::Purge => Permission::MANAGE_MESSAGES,
            ActionKind::React => Permission::ADD_REACTIONS,
            ActionKind::Pin => Permission::PIN_MESSAGES,
            ActionKind::Thread => Permission::CREATE_PUBLIC_THREADS,
            ActionKind::Invite => Permission::CREATE_INSTANT_INVITE,
            ActionKind::Mute => Permission::MODERATE_MEMBERS,
            ActionKind::Kick => Permission::KICK_MEMBERS,
            ActionKind::Ban => Permission::BAN_MEMBERS,
            ActionKind::Role | ActionKind::Lock => Permission::MANAGE_ROLES,
            ActionKind::Rename => Permission::MANAGE_NICKNAMES,
            ActionKind::Topic | ActionKind::Slowmode => Permission::MANAGE_CHANNELS,
        };
        self.discord.deny(needed);
        true
    }

    async fn cut(&mut self) -> bool {
        self.discord.cut(Cut::Dirty) > 0
    }
}
