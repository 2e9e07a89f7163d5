//! The adapter of Discord without an engine: its condition, ranks, and bulk requests.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

mod stage;

use palabre_discord::Config;
use palabre_model::{
    Action, ActionError, AdapterError, Condition, Content, Event, EventKind, MessageRef, Rank, RoomId, UserId,
};
use palabre_tests::discord::{Cut, Fault, Id, StandIn};

use stage::{Stage, start};

fn typing(room: &RoomId) -> Action {
    Action::Typing { room: room.clone() }
}

fn says(room: &RoomId, text: &str) -> Action {
    Action::Send { room: room.clone(), content: Content::text(text), reply_to: None }
}

#[tokio::test]
async fn one_401_to_a_typing_indicator_is_checked_and_the_bot_goes_on() {
    let Some(stage) = start().await else { return };
    let room = stage.room("general");
    stage.town.fault_next("trigger_typing_indicator", Fault::Unauthorized);
    let refused = stage.does(&typing(&room)).await;
    assert!(matches!(refused, Err(ActionError::Transient(_))), "{refused:?}");
    assert!(stage.does(&typing(&room)).await.is_ok());
    assert!(stage.does(&says(&room, "still here")).await.is_ok());
    assert_eq!(*stage.condition.borrow(), Condition::Up);
    assert_eq!(stage.town.counters().calls["get_my_user"], 1, "one refusal is checked once");
}

#[tokio::test]
async fn a_token_that_is_refused_keeps_its_actions_and_is_taken_up_again() {
    let Some(mut stage) = start().await else { return };
    let room = stage.room("general");
    stage.town.refuses_token(true);
    for _ in 0..3 {
        let refused = stage.does(&says(&room, "not lost")).await;
        assert!(matches!(refused, Err(ActionError::Unavailable(_))), "{refused:?}");
    }
    let ended = stage.ends().await;
    assert!(matches!(&ended, Err(AdapterError::Refused(why)) if why.contains("token")), "{ended:?}");
    let again = stage.runs_and_ends().await;
    assert!(matches!(again, Err(AdapterError::Refused(_))), "while it is refused: {again:?}");
    stage.town.says("alice", "general", "meanwhile");
    stage.town.refuses_token(false);
    stage.runs().await;
    stage.hears("meanwhile").await;
    assert!(stage.does(&says(&room, "not lost")).await.is_ok());
    assert_eq!(stage.town.counters().identifies, 1, "the session is resumed");
}

#[tokio::test]
async fn a_gateway_that_refuses_a_token_which_rest_takes_is_lost_and_not_refused() {
    let Some(mut stage) = start().await else { return };
    stage.town.cut(Cut::Close(4004));
    let ended = stage.ends().await;
    assert!(matches!(ended, Err(AdapterError::Lost(_))), "{ended:?}");
    stage.runs().await;
    stage.town.says("alice", "general", "again");
    stage.hears("again").await;
}

#[tokio::test]
async fn a_page_of_what_stands_before_discord_is_no_refusal() {
    let Some(stage) = start().await else { return };
    let room = stage.room("general");
    stage.town.fault_next("create_message", Fault::ShutOut);
    let refused = stage.does(&says(&room, "hello")).await;
    assert!(matches!(refused, Err(ActionError::RateLimited { .. })), "{refused:?}");
    stage.does_in_the_end(&says(&room, "hello")).await;
}

#[tokio::test]
async fn a_lost_connection_is_down_until_it_is_back() {
    let Some(stage) = start().await else { return };
    let mut condition = stage.condition.subscribe();
    stage.town.cut(Cut::Dirty);
    condition.wait_for(|condition| matches!(condition, Condition::Down(_))).await.unwrap();
    condition.wait_for(|condition| *condition == Condition::Up).await.unwrap();
}

#[tokio::test]
async fn members_stand_as_high_as_their_highest_role() {
    let Some(mut stage) = start().await else { return };
    let town = stage.town.clone();
    town.gives_role("olivia", "alice", "Moderator");
    town.gives_role("olivia", "bob", "Admin");
    for who in ["alice", "bob", "olivia"] {
        town.says(who, "general", &format!("I am {who}"));
        stage.hears(&format!("I am {who}")).await;
    }
    let around = stage.around("general");
    let rank = |stage: &Stage, who: &str| {
        let id = UserId::new(&stage.bot.name, &town.user(who).to_string());
        stage.adapter.rank(&around, Some(&id))
    };
    let own = stage.adapter.rank(&around, None);
    assert!(rank(&stage, "alice") < rank(&stage, "bob") && rank(&stage, "bob") < own, "{own:?}");
    assert_eq!(rank(&stage, "olivia"), Some(Rank::OWNER));
    assert_eq!(stage.adapter.rank(&around, Some(&UserId::new(&stage.bot.name, "1"))), None);
    // A resumed session sends no members again.
    stage.restarts().await;
    assert_eq!(stage.adapter.rank(&around, None), own);
    assert!(rank(&stage, "bob") > rank(&stage, "alice"));
}

#[tokio::test]
async fn whoever_is_mentioned_comes_with_their_roles() {
    let Some(town) = StandIn::start_with(stage::quick()).await else { return };
    // Before the bot can have received the event.
    let dave = town.joins("dave");
    town.gives_role("olivia", "dave", "Admin");
    let stage = Stage::at(&town, palabre_store::Store::in_memory().unwrap(), Config::default()).await;
    let around = stage.around("general");
    town.says("alice", "general", &format!("kick <@{dave}>"));
    stage.hears(&format!("kick <@{dave}>")).await;
    let dave = UserId::new(&stage.bot.name, &dave.to_string());
    assert_eq!(stage.adapter.rank(&around, Some(&dave)), Some(Rank(2)));
}

#[tokio::test]
async fn messages_that_go_together_go_in_one_request() {
    let Some(stage) = start().await else { return };
    let (town, room) = (stage.town.clone(), stage.room("general"));
    let ids: Vec<Id> = (0..5).map(|number| town.says("alice", "general", &format!("spam {number}"))).collect();
    let delete = |id: &Id| {
        let message = MessageRef::Id(id.to_string().as_str().into());
        Action::Delete { room: room.clone(), message, reason: Some("spam".to_owned()) }
    };
    let mut actions: Vec<_> = ids.iter().map(delete).collect();
    actions.push(says(&room, "that was spam"));
    let results = stage.does_together(&actions).await;
    assert_eq!(results.len(), 5, "{results:?}");
    assert!(results.iter().all(Result::is_ok) && ids.iter().all(|id| town.message(*id).is_null()), "{results:?}");
    let calls = town.counters().calls;
    assert_eq!((calls.get("bulk_delete_messages"), calls.get("delete_message")), (Some(&1), None));
    // A single message, and direct messages, are deleted by the ordinary request.
    let lone = town.says("alice", "general", "spam");
    assert!(stage.does_together(&[delete(&lone), says(&room, "x")]).await.is_empty());
    assert!(stage.does_together(&[says(&room, "x"), delete(&lone)]).await.is_empty());
    assert_eq!(format!("{:#?}", town.violations()), "[]");
}

#[tokio::test]
async fn a_purge_that_met_a_fault_removes_what_is_left_and_no_more() {
    let Some(stage) = start().await else { return };
    let (town, room) = (stage.town.clone(), stage.room("general"));
    let ids: Vec<Id> = (0..6).map(|number| town.says("alice", "general", &format!("line {number}"))).collect();
    let purge = Action::Purge { room: room.clone(), count: 3, user: None, since: None, reason: None };
    let key = stage.key();
    for fault in [Fault::Broken, Fault::CutAfter] {
        town.fault_next("bulk_delete_messages", fault);
        let failed = stage.does_under(&purge, &key).await;
        assert!(matches!(failed, Err(ActionError::Transient(_))), "{fault:?}: {failed:?}");
    }
    assert!(stage.does_under(&purge, &key).await.is_ok());
    let left: Vec<bool> = ids.iter().map(|id| !town.message(*id).is_null()).collect();
    assert_eq!(left, [true, true, true, false, false, false]);
}

/// Two installations of one bot have separate stores: equal action keys mean different messages.
#[tokio::test]
async fn the_same_key_in_another_installation_is_another_message() {
    let Some(town) = StandIn::start_with(stage::quick()).await else { return };
    for count in 1..=3 {
        let stage = Stage::at(&town, palabre_store::Store::in_memory().unwrap(), Config::default()).await;
        let (room, key, store) = (stage.room("general"), stage.key(), stage.store.clone());
        assert!(stage.does_under(&says(&room, "pong"), &key).await.is_ok());
        assert_eq!(town.texts("general").len(), count);
        drop(stage);
        // Within one installation it is a repetition, also after a restart.
        let again = Stage::at(&town, store, Config::default()).await;
        assert!(again.does_under(&says(&room, "pong"), &key).await.is_ok());
        assert_eq!(town.texts("general").len(), count);
    }
}

#[tokio::test]
async fn a_backup_holds_nothing_that_belongs_to_the_installation() {
    let Some(stage) = start().await else { return };
    let (town, folder) = (stage.town.clone(), tempfile::tempdir().unwrap());
    let (room, key) = (stage.room("general"), stage.key());
    assert!(stage.does_under(&says(&room, "pong"), &key).await.is_ok());
    stage.store.backup(&folder.path().join("palabre.redb")).unwrap();
    drop(stage);
    let store = palabre_store::Store::open(folder.path()).unwrap();
    let restored = Stage::at(&town, store, Config::default()).await;
    assert!(restored.does_under(&says(&room, "pong once more"), &key).await.is_ok());
    assert_eq!(town.texts("general"), ["pong", "pong once more"]);
}

#[tokio::test]
async fn an_interaction_that_comes_twice_is_taken_once() {
    let Some(mut stage) = start().await else { return };
    let town = stage.town.clone();
    town.until("the command is listed", |town| (!town.commands(None).is_empty()).then_some(())).await;
    let used = town.uses("alice", "general", "roll", &serde_json::json!({}));
    stage.uses_heard(1).await;
    town.tells_again(used);
    town.says("alice", "general", "between");
    stage.hears("between").await;
    assert_eq!(stage.uses(), 1, "in the same session");
    stage.restarts().await;
    town.tells_again(used);
    town.says("alice", "general", "behind");
    stage.hears("behind").await;
    assert_eq!(stage.uses(), 0, "after a restart");
    town.uses("alice", "general", "roll", &serde_json::json!({}));
    stage.uses_heard(1).await;
}

#[tokio::test]
async fn a_command_that_says_nothing_is_closed_at_once_when_its_runs_are_over() {
    let Some(stage) = start().await else { return };
    let town = stage.town.clone();
    town.until("the command is listed", |town| (!town.commands(None).is_empty()).then_some(())).await;
    let used = town.uses("alice", "general", "roll", &serde_json::json!({}));
    let event = stage.uses_heard(1).await;
    stage.adapter.finished(&event).await;
    assert_eq!(town.answer(used).await["data"]["flags"], 64, "told to alice alone, and taken back");
    assert_eq!(town.posted("general").iter().filter(|post| !post.is_deleted()).count(), 0);
    assert_eq!(format!("{:#?}", town.violations()), "[]");
}

/// Whether an event is the use of a command.
fn is_use(event: &Event) -> bool {
    matches!(event.kind, EventKind::Command { .. })
}
