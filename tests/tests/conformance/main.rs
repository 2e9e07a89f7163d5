//! The conformance suite: the same cases for every adapter.
//!
//! Each kind of event is decoded, each supported action performed, each other one refused as
//! unsupported. To add a platform, write a harness next to the existing ones and add it to the list
//! at the end.

#![allow(clippy::large_futures, reason = "a test is one future, and runs once")]

mod actions;
mod content;
mod errors;
mod events;
mod files;
mod fixture;
mod http;
mod lifecycle;
mod on_discord;
mod on_rooms;
mod on_sim;
mod on_telegram;
mod platform;
mod scene;

/// Defines one test for each platform and group of cases.
macro_rules! conformance {
    ($($name:ident = $platform:ty;)*) => {$(
        mod $name {
            use crate::{actions, content, errors, events, files, lifecycle};

            type Here = $platform;

            #[test]
            fn every_kind_of_event_is_accounted_for() {
                events::every_kind_is_accounted_for::<Here>();
            }

            #[tokio::test]
            async fn connections_are_events() {
                events::every_kind_of::<Here>(events::Group::Connection).await;
            }

            #[tokio::test]
            async fn changes_of_messages_are_events() {
                events::every_kind_of::<Here>(events::Group::Messages).await;
            }

            #[tokio::test]
            async fn uses_of_components_are_events() {
                events::every_kind_of::<Here>(events::Group::Components).await;
            }

            #[tokio::test]
            async fn changes_of_members_are_events() {
                events::every_kind_of::<Here>(events::Group::People).await;
            }

            #[tokio::test]
            async fn changes_of_rooms_are_events() {
                events::every_kind_of::<Here>(events::Group::Rooms).await;
            }

            #[tokio::test]
            async fn files_of_people_arrive() {
                events::files_of_people_arrive::<Here>().await;
            }

            #[tokio::test]
            async fn files_of_people_are_relayed() {
                files::files_of_people_are_relayed::<Here>().await;
            }

            #[tokio::test]
            async fn addresses_of_others_are_refused() {
                files::addresses_of_others_are_refused::<Here>().await;
            }

            #[tokio::test]
            async fn direct_messages_arrive() {
                events::direct_messages_arrive::<Here>().await;
            }

            #[tokio::test]
            async fn actions_of_the_bot_are_events() {
                events::actions_of_the_bot_are_events::<Here>().await;
            }

            #[tokio::test]
            async fn actions_on_messages_are_done() {
                actions::every_kind_of::<Here>(actions::Group::Messages).await;
            }

            #[tokio::test]
            async fn answers_and_private_words_are_said() {
                actions::every_kind_of::<Here>(actions::Group::Answers).await;
            }

            #[tokio::test]
            async fn measures_are_taken() {
                actions::every_kind_of::<Here>(actions::Group::Members).await;
            }

            #[tokio::test]
            async fn rooms_are_arranged() {
                actions::every_kind_of::<Here>(actions::Group::Rooms).await;
            }

            #[tokio::test]
            async fn the_rest_is_unsupported() {
                actions::the_rest_is_refused::<Here>().await;
            }

            #[tokio::test]
            async fn messages_that_are_gone_are_not_found() {
                errors::messages_that_are_gone::<Here>().await;
            }

            #[tokio::test]
            async fn messages_of_others_are_not_changed() {
                errors::messages_of_others::<Here>().await;
            }

            #[tokio::test]
            async fn rooms_and_people_that_are_not_there_are_not_found() {
                errors::rooms_and_people_that_are_not_there::<Here>().await;
            }

            #[tokio::test]
            async fn ids_of_other_bots_are_not_found() {
                errors::ids_of_other_bots::<Here>().await;
            }

            #[tokio::test]
            async fn missing_permissions_are_reported() {
                errors::forbidden_actions::<Here>().await;
            }

            #[tokio::test]
            async fn texts_that_are_too_long_are_split_or_refused() {
                errors::texts_that_are_too_long::<Here>().await;
            }

            #[tokio::test]
            async fn content_that_is_too_much_is_not_tried_again() {
                errors::content_that_is_too_much::<Here>().await;
            }

            #[tokio::test]
            async fn texts_arrive_and_notify_nobody_unasked() {
                content::texts::<Here>().await;
            }

            #[tokio::test]
            async fn buttons_and_lists_arrive() {
                content::components::<Here>().await;
            }

            #[tokio::test]
            async fn framed_parts_arrive() {
                content::embeds::<Here>().await;
            }

            #[tokio::test]
            async fn files_arrive() {
                content::files::<Here>().await;
            }

            #[tokio::test]
            async fn other_names_are_spoken_under() {
                content::personas::<Here>().await;
            }

            #[tokio::test]
            async fn ephemeral_messages_can_be_edited_and_deleted() {
                content::ephemeral_messages::<Here>().await;
            }

            #[tokio::test]
            async fn scripts_have_their_say_before_delivery() {
                content::verdicts_of_scripts::<Here>().await;
            }

            #[tokio::test]
            async fn it_starts_and_stops() {
                lifecycle::it_starts_and_stops::<Here>().await;
            }

            #[tokio::test]
            async fn it_comes_back_when_its_platform_was_lost() {
                lifecycle::it_comes_back_when_its_platform_was_lost::<Here>().await;
            }

            #[tokio::test]
            async fn it_is_restarted_after_a_failure() {
                lifecycle::it_is_restarted_after_a_failure::<Here>().await;
            }

            #[tokio::test]
            async fn another_process_goes_on() {
                lifecycle::another_process_goes_on::<Here>().await;
            }
        }
    )*};
}

conformance! {
    sim = crate::on_sim::OnSim;
    rooms = crate::on_rooms::OnRooms;
    discord = crate::on_discord::OnDiscord;
    telegram = crate::on_telegram::OnTelegram;
}
