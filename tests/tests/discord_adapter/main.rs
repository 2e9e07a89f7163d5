//! The adapter of Discord without an engine: its condition, ranks, and bulk requests.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

mod fixture;

use palabre_discord::Config;
use palabre_platform::{AdapterError, Clock, Condition, SystemClock};
use palabre_tests::discord::{Cut, Fault, Id, Permission, StandIn};
use palabre_types::{Action, ActionError, Content, MessageRef, Rank, RoomId, UserId};

use fixture::{Fixture, start};

fn typing(room: &RoomId) -> Action {
    Action::Typing { room: room.clone() }
}

fn says(room: &RoomId, text: &str) -> Action {
    Action::Send { room: room.clone(), content: Content::text(text), reply_to: None }
}

#[tokio::test]
async fn one_401_to_a_typing_indicator_is_checked_and_the_bot_goes_on() {
    let Some(fixture) = start().await else { return };
    let room = fixture.room("general");
    fixture.discord.fault_next("trigger_typing_indicator", Fault::Unauthorized);
    let refused = fixture.does(&typing(&room)).await;
    assert!(matches!(refused, Err(ActionError::Transient(_))), "{refused:?}");
    assert!(fixture.does(&typing(&room)).await.is_ok());
    assert!(fixture.does(&says(&room, "still here")).await.is_ok());
    assert_eq!(*fixture.condition.borrow(), Condition::Up);
    assert_eq!(fixture.discord.counters().calls["get_my_user"], 1, "one refusal is checked once");
}

#[tokio::test]
async fn a_token_that_is_refused_keeps_its_actions_and_is_taken_up_again() {
    let Some(mut fixture) = start().await else { return };
    let room = fixture.room("general");
    fixture.discord.refuses_token(true);
    for _ in 0..3 {
        let refused = fixture.does(&says(&room, "not lost")).await;
        assert!(matches!(refused, Err(ActionError::Unavailable(_))), "{refused:?}");
    }
    let ended = fixture.ends().await;
    assert!(matches!(&ended, Err(AdapterError::Refused(why)) if why.contains("token")), "{ended:?}");
    let ended = fixture.runs_and_ends().await;
    assert!(matches!(ended, Err(AdapterError::Refused(_))), "while it is refused: {ended:?}");
    fixture.discord.says("alice", "general", "meanwhile");
    fixture.discord.refuses_token(false);
    fixture.runs().await;
    fixture.hears("meanwhile").await;
    assert!(fixture.does(&says(&room, "not lost")).await.is_ok());
    assert_eq!(fixture.discord.counters().identifies, 1, "the session is resumed");
}

#[tokio::test]
async fn a_gateway_that_refuses_a_token_which_rest_takes_is_lost_and_not_refused() {
    let Some(mut fixture) = start().await else { return };
    fixture.discord.cut(Cut::Close(4004));
    let ended = fixture.ends().await;
    assert!(matches!(ended, Err(AdapterError::Lost(_))), "{ended:?}");
    fixture.runs().await;
    fixture.discord.says("alice", "general", "again");
    fixture.hears("again").await;
}

#[tokio::test]
async fn a_page_of_what_stands_before_discord_is_no_refusal() {
    let Some(fixture) = start().await else { return };
    let room = fixture.room("general");
    fixture.discord.fault_next("create_message", Fault::ShutOut);
    let refused = fixture.does(&says(&room, "hello")).await;
    assert!(matches!(refused, Err(ActionError::RateLimited { .. })), "{refused:?}");
    fixture.does_in_the_end(&says(&room, "hello")).await;
}

#[tokio::test]
async fn a_lost_connection_is_down_until_it_is_back() {
    let Some(fixture) = start().await else { return };
    let mut condition = fixture.condition.subscribe();
    fixture.discord.cut(Cut::Dirty);
    condition.wait_for(|condition| matches!(condition, Condition::Down(_))).await.unwrap();
    condition.wait_for(|condition| *condition == Condition::Up).await.unwrap();
}

#[tokio::test]
async fn members_stand_as_high_as_their_highest_role() {
    let Some(mut fixture) = start().await else { return };
    let discord = fixture.discord.clone();
    discord.gives_role("olivia", "alice", "Moderator");
    discord.gives_role("olivia", "bob", "Admin");
    for who in ["alice", "bob", "olivia"] {
        discord.says(who, "general", &format!("I am {who}"));
        fixture.hears(&format!("I am {who}")).await;
    }
    let event = fixture.event_in("general");
    let rank = |fixture: &Fixture, who: &str| {
        let id = UserId::new(&fixture.bot.name, &discord.user(who).to_string());
        fixture.adapter.rank(&event, Some(&id))
    };
    let own = fixture.adapter.rank(&event, None);
    assert!(rank(&fixture, "alice") < rank(&fixture, "bob") && rank(&fixture, "bob") < own, "{own:?}");
    assert_eq!(rank(&fixture, "olivia"), Some(Rank::OWNER));
    assert_eq!(fixture.adapter.rank(&event, Some(&UserId::new(&fixture.bot.name, "1"))), None);
    // A resumed session sends no members again.
    fixture.restarts().await;
    assert_eq!(fixture.adapter.rank(&event, None), own);
    assert!(rank(&fixture, "bob") > rank(&fixture, "alice"));
}

#[tokio::test]
async fn a_mentioned_member_comes_with_their_roles() {
    let Some(discord) = StandIn::start_with(fixture::quick()).await else { return };
    // Before the bot can have received the event.
    let dave = discord.joins("dave");
    discord.gives_role("olivia", "dave", "Admin");
    let fixture = Fixture::at(&discord, palabre_store::Store::in_memory().unwrap(), Config::default()).await;
    let event = fixture.event_in("general");
    discord.says("alice", "general", &format!("kick <@{dave}>"));
    fixture.hears(&format!("kick <@{dave}>")).await;
    let dave = UserId::new(&fixture.bot.name, &dave.to_string());
    assert_eq!(fixture.adapter.rank(&event, Some(&dave)), Some(Rank(2)));
}

#[tokio::test]
async fn messages_that_go_together_go_in_one_request() {
    let Some(fixture) = start().await else { return };
    let (discord, room) = (fixture.discord.clone(), fixture.room("general"));
    let ids: Vec<Id> = (0..5).map(|number| discord.says("alice", "general", &format!("spam {number}"))).collect();
    let delete = |id: &Id| {
        let message = MessageRef::Id(id.to_string().as_str().into());
        Action::Delete { room: room.clone(), message, reason: Some("spam".to_owned()) }
    };
    let mut actions: Vec<_> = ids.iter().map(delete).collect();
    actions.push(says(&room, "that was spam"));
    let results = fixture.does_together(&actions).await;
    assert_eq!(results.len(), 5, "{results:?}");
    assert!(results.iter().all(Result::is_ok) && ids.iter().all(|id| discord.message(*id).is_null()), "{results:?}");
    let calls = discord.counters().calls;
    assert_eq!((calls.get("bulk_delete_messages"), calls.get("delete_message")), (Some(&1), None));
    // A single message, and direct messages, are deleted by the ordinary request.
    let lone = discord.says("alice", "general", "spam");
    assert!(fixture.does_together(&[delete(&lone), says(&room, "x")]).await.is_empty());
    assert!(fixture.does_together(&[says(&room, "x"), delete(&lone)]).await.is_empty());
    assert_eq!(format!("{:#?}", discord.violations()), "[]");
}

#[tokio::test]
async fn a_purge_that_met_a_fault_removes_what_is_left_and_no_more() {
    let Some(fixture) = start().await else { return };
    let (discord, room) = (fixture.discord.clone(), fixture.room("general"));
    let ids: Vec<Id> = (0..6).map(|number| discord.says("alice", "general", &format!("line {number}"))).collect();
    let purge = Action::Purge { room: room.clone(), count: 3, user: None, since: None, reason: None };
    let key = fixture.key();
    for fault in [Fault::Broken, Fault::CutAfter] {
        discord.fault_next("bulk_delete_messages", fault);
        let failed = fixture.does_under(&purge, &key).await;
        assert!(matches!(failed, Err(ActionError::Uncertain(_))), "{fault:?}: {failed:?}");
    }
    assert!(fixture.does_under(&purge, &key).await.is_ok());
    let left: Vec<bool> = ids.iter().map(|id| !discord.message(*id).is_null()).collect();
    assert_eq!(left, [true, true, true, false, false, false]);
}

/// Two installations of one bot have separate stores: equal action keys mean different messages.
#[tokio::test]
async fn the_same_key_in_another_installation_is_another_message() {
    let Some(discord) = StandIn::start_with(fixture::quick()).await else { return };
    for count in 1..=3 {
        let fixture = Fixture::at(&discord, palabre_store::Store::in_memory().unwrap(), Config::default()).await;
        let (room, key, store) = (fixture.room("general"), fixture.key(), fixture.store.clone());
        assert!(fixture.does_under(&says(&room, "pong"), &key).await.is_ok());
        assert_eq!(discord.texts("general").len(), count);
        drop(fixture);
        // Within one installation it is a repetition, also after a restart.
        let restarted = Fixture::at(&discord, store, Config::default()).await;
        assert!(restarted.does_under(&says(&room, "pong"), &key).await.is_ok());
        assert_eq!(discord.texts("general").len(), count);
    }
}

#[tokio::test]
async fn a_backup_holds_nothing_that_belongs_to_the_installation() {
    let Some(fixture) = start().await else { return };
    let (discord, folder) = (fixture.discord.clone(), tempfile::tempdir().unwrap());
    let (room, key) = (fixture.room("general"), fixture.key());
    assert!(fixture.does_under(&says(&room, "pong"), &key).await.is_ok());
    fixture.store.backup(&folder.path().join("palabre.redb")).unwrap();
    drop(fixture);
    let store = palabre_store::Store::open(folder.path()).unwrap();
    let restored = Fixture::at(&discord, store, Config::default()).await;
    assert!(restored.does_under(&says(&room, "pong once more"), &key).await.is_ok());
    assert_eq!(discord.texts("general"), ["pong", "pong once more"]);
}

#[tokio::test]
async fn the_parts_of_a_text_that_an_earlier_process_sent_are_found_by_their_nonces() {
    let Some(mut fixture) = start().await else { return };
    let (discord, room, key) = (fixture.discord.clone(), fixture.room("general"), fixture.key());
    let text = says(&room, &"word ".repeat(900));
    let sent = fixture.does_under(&text, &key).await.unwrap();
    assert!(discord.texts("general").len() > 1, "it takes several messages");
    fixture.restarts().await;
    let calls = |operation: &str| discord.counters().calls.get(operation).copied().unwrap_or_default();
    let before = calls("create_message");
    fixture.adapter.look_up(&text, &key, SystemClock.now()).await.unwrap();
    assert_eq!(calls("list_messages"), 0, "Discord still knows the nonce");
    fixture.adapter.look_up(&text, &key, SystemClock.now() - 600_000).await.unwrap();
    assert_eq!(calls("list_messages"), 1);
    assert_eq!(fixture.does_under(&text, &key).await, Ok(sent));
    assert_eq!(calls("create_message"), before, "nothing is sent again");
    assert_eq!(format!("{:#?}", discord.violations()), "[]");
}

#[tokio::test]
async fn a_message_that_cannot_be_looked_up_is_sent_again() {
    let Some(mut fixture) = start().await else { return };
    let (discord, room, key) = (fixture.discord.clone(), fixture.room("general"), fixture.key());
    let hello = says(&room, "hello");
    fixture.does_under(&hello, &key).await.unwrap();
    fixture.restarts().await;
    discord.deny(Permission::READ_MESSAGE_HISTORY);
    let before = discord.counters().calls["create_message"];
    fixture.adapter.look_up(&hello, &key, SystemClock.now() - 600_000).await.unwrap();
    fixture.does_under(&hello, &key).await.unwrap();
    assert_eq!(discord.counters().calls["create_message"], before + 1);
}

#[tokio::test]
async fn an_interaction_that_comes_twice_is_taken_once() {
    let Some(mut fixture) = start().await else { return };
    let discord = fixture.discord.clone();
    discord.until("the command is listed", |discord| (!discord.commands(None).is_empty()).then_some(())).await;
    let used = discord.uses("alice", "general", "roll", &serde_json::json!({}));
    fixture.uses_heard(1).await;
    discord.repeats(used);
    discord.says("alice", "general", "between");
    fixture.hears("between").await;
    assert_eq!(fixture.uses(), 1, "in the same session");
    fixture.restarts().await;
    discord.repeats(used);
    discord.says("alice", "general", "behind");
    fixture.hears("behind").await;
    assert_eq!(fixture.uses(), 0, "after a restart");
    discord.uses("alice", "general", "roll", &serde_json::json!({}));
    fixture.uses_heard(1).await;
}

#[tokio::test]
async fn a_command_that_says_nothing_is_closed_at_once_when_its_runs_are_over() {
    let Some(fixture) = start().await else { return };
    let discord = fixture.discord.clone();
    discord.until("the command is listed", |discord| (!discord.commands(None).is_empty()).then_some(())).await;
    let used = discord.uses("alice", "general", "roll", &serde_json::json!({}));
    let event = fixture.uses_heard(1).await;
    fixture.adapter.finished(&event).await;
    assert_eq!(discord.answer(used).await["data"]["flags"], 64, "sent to alice only, and deleted");
    assert_eq!(discord.posted("general").iter().filter(|post| !post.is_deleted()).count(), 0);
    assert_eq!(format!("{:#?}", discord.violations()), "[]");
}
