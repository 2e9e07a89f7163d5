//! The Discord adapter: turns gateway frames into events, and performs actions as REST requests.
//!
//! serenity provides routes, request building and message builders; twilight keeps the gateway.

mod adapter;
mod ban_expiry;
mod cache;
mod commands;
mod config;
mod decode;
mod discord;
mod encode;
mod facts;
mod forms;
mod frames;
mod gateway;
mod interactions;
mod online;
mod perform;
mod reading;
mod responses;
mod rest;
mod seen_interactions;
mod timestamp;
mod token;
mod webhooks;

pub use config::{Config, Privileged, ShardRange};
pub use discord::{Discord, Setup};
pub use online::{Online, online};
pub use reading::Frames;
