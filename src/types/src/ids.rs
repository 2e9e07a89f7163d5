//! Ids of bots, scripts, spaces, rooms, users and messages.
//!
//! They are strings, because a Discord id does not fit a Lua number. Cloning one is cheap.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the text of the id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    )*};
}

id! {
    /// A bot's name in bots.yaml.
    BotName;
    /// A script's name: its file or folder, without extension.
    ScriptName;
    /// `<bot>/<native id>` of a space.
    SpaceId;
    /// `<bot>/<native id>` of a room.
    RoomId;
    /// `<bot>/<native id>` of a user.
    UserId;
    /// A message's id on its platform, unique within its room.
    MessageId;
}

macro_rules! scoped {
    ($($name:ident)*) => {$(
        impl $name {
            /// Creates an id from the platform's own id and the bot that received it.
            #[must_use]
            pub fn new(bot: &BotName, native: &str) -> Self {
                Self(format!("{bot}/{native}").into())
            }

            /// Returns the bot's name: the part before the first slash.
            #[must_use]
            pub fn bot(&self) -> &str {
                self.0.split_once('/').map_or("", |(bot, _)| bot)
            }

            /// Returns the platform's own id: the part after the first slash.
            #[must_use]
            pub fn native(&self) -> &str {
                self.0.split_once('/').map_or(&self.0, |(_, native)| native)
            }
        }
    )*};
}

scoped!(SpaceId RoomId UserId);
