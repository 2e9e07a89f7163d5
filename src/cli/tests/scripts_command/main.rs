//! `palabre scripts`: accepted and refused origins, and the changes to files and bots.yaml.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod changes;
mod fixture;
mod origins;
mod reports;
