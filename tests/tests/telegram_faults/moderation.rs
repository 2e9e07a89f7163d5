//! Moderation: its rate, bulk requests, error texts and ranks.

use palabre_platform::Adapter;
use palabre_types::{Action, ActionError, ActionKey, Measure, MessageRef, Outcome, Rank};

use crate::alone::{Alone, id_of};

async fn together(alone: &Alone, actions: &[Action]) -> Vec<Result<Outcome, ActionError>> {
    let keys: Vec<ActionKey> = actions.iter().map(|_| alone.key()).collect();
    let both: Vec<_> = actions.iter().zip(&keys).collect();
    alone.adapter.perform_all(&both).await
}

fn mute(alone: &Alone, chat: &str, who: &str) -> Action {
    let measure = Measure::Mute { until: None };
    Action::Moderate { room: alone.room(chat), space: None, user: alone.user(who), measure, reason: None }
}

#[tokio::test]
async fn forty_deletes_are_one_request() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    let spam: Vec<_> = (0..40).map(|number| telegram.says("bob", "Village", &format!("spam {number:02}"))).collect();
    alone.hears("spam 39").await;
    let delete = |id: i64| {
        let message = MessageRef::Id(id.to_string().into());
        Action::Delete { room: alone.room("Village"), message, reason: None }
    };
    let mut actions: Vec<Action> = spam[..30].iter().map(|at| delete(at.id)).collect();
    actions.push(mute(&alone, "Village", "bob"));
    // One is deleted already, and one is listed twice.
    telegram.deletes(spam[35]);
    actions.extend(spam[30..].iter().map(|at| delete(at.id)));
    actions.push(delete(spam[39].id));
    let done = together(&alone, &actions).await;
    assert!(done.len() == actions.len() && done.iter().all(Result::is_ok), "{done:?}");
    let calls = ["deleteMessages", "deleteMessage", "restrictChatMember"].map(|method| telegram.asked(method).len());
    assert_eq!(calls, [2, 0, 1]);
    assert!(spam.iter().all(|at| telegram.message(*at).is_null()) && !telegram.can_speak("bob", "Village"));
    alone.broke_no_rule();
}

#[tokio::test]
async fn deletes_that_cannot_go_together_are_left_to_be_tried_one_by_one() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    for text in ["one", "two"] {
        telegram.says("bob", "Village", text);
    }
    let deletes: Vec<_> = [id_of(&alone.hears("one").await), id_of(&alone.hears("two").await)]
        .map(|message| Action::Delete { room: alone.room("Village"), message, reason: None })
        .into();
    telegram.deny("Village", "can_delete_messages");
    assert!(together(&alone, &deletes).await.is_empty());
    let refused = alone.tries(&deletes[0]).await;
    assert!(matches!(&refused, Err(ActionError::Forbidden(why)) if why.contains("Delete Messages")), "{refused:?}");
    // Actions on different users need a request each.
    let mutes = [mute(&alone, "Village", "bob"), mute(&alone, "Village", "alice")];
    assert!(together(&alone, &mutes).await.is_empty());
    alone.broke_no_rule();
}

#[tokio::test]
async fn refused_moderation_is_explained_in_plain_words() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    telegram.add_group("Cottage");
    telegram.is_promoted("olivia", "alice", "Village", &["can_delete_messages"]);
    let refusals = [
        (mute(&alone, "Cottage", "bob"), "basic group"),
        (mute(&alone, "Village", "alice"), "they are an administrator"),
        (mute(&alone, "Village", "olivia"), "they own the chat"),
        (mute(&alone, "Village", "palabre_bot"), "nothing to itself"),
    ];
    for (action, words) in refusals {
        let refused = alone.tries(&action).await;
        assert!(matches!(&refused, Err(ActionError::Forbidden(why)) if why.contains(words)), "{words}: {refused:?}");
    }
    telegram.deny("Village", "can_restrict_members");
    let refused = alone.tries(&mute(&alone, "Village", "bob")).await;
    assert!(matches!(&refused, Err(ActionError::Forbidden(why)) if why.contains("\"Ban Users\"")), "{refused:?}");
    alone.broke_no_rule();
}

#[tokio::test]
async fn the_creator_stands_above_administrators_and_they_above_members() {
    let Some(alone) = Alone::start().await else { return };
    let telegram = alone.telegram.clone();
    telegram.is_promoted("olivia", "alice", "Village", &["can_delete_messages"]);
    telegram.says("bob", "Village", "hello");
    telegram.says_anonymously("olivia", "Village", "in the group's name");
    let event = alone.hears("hello").await;
    let ranks = ["olivia", "alice", "bob"].map(|who| alone.adapter.rank(&event, Some(&alone.user(who))));
    assert_eq!(ranks, [Some(Rank::OWNER), Some(Rank(1)), Some(Rank(0))]);
    assert_eq!(alone.adapter.rank(&event, None), Some(Rank(1)), "the bot is an administrator");
    let anonymous = alone.hears("in the group's name").await;
    let author = anonymous.user.as_ref().map(|user| user.id.clone());
    assert_eq!(alone.adapter.rank(&anonymous, author.as_ref()), Some(Rank(1)));
    telegram.is_demoted("olivia", "alice", "Village");
    telegram.demotes_bot("Village");
    telegram.says("bob", "Village", "later");
    let event = alone.hears("later").await;
    let ranks = [Some(alone.user("alice")), None].map(|who| alone.adapter.rank(&event, who.as_ref()));
    assert_eq!(ranks, [Some(Rank(0)), Some(Rank(0))]);
    // In a private chat nobody outranks the other.
    telegram.sends_direct("alice", "psst");
    assert_eq!(alone.adapter.rank(&alone.hears("psst").await, None), None);
    alone.broke_no_rule();
}
