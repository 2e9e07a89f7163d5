//! Accounts: people with a name of their own, a password, sessions and access tokens.
//!
//! A person without an account is a guest (see `guests`). A program may have an account that belongs to a person.

pub(crate) mod bot_accounts;
pub(crate) mod bots;
pub(crate) mod credential;
pub(crate) mod deletion;
pub(crate) mod error;
pub(crate) mod expiry;
pub(crate) mod identity;
pub(crate) mod issuing;
pub(crate) mod issuing_locks;
pub(crate) mod login;
pub(crate) mod names;
pub(crate) mod open_sockets;
pub(crate) mod otp;
pub(crate) mod owner_link;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod registration;
pub(crate) mod role_changes;
pub(crate) mod roles;
pub(crate) mod rows;
pub(crate) mod second_factor;
