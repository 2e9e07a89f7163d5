//! Searches messages and processes text. Knows nothing of chat platforms or scripts.
//!
//! A [`Scanner`] holds the patterns and word lists of one script. Several scanners share the
//! normalised forms of a message ([`Prepared`]). The rest are the text functions of the script API.
//!
//! ```
//! use palabre_text::{Entry, Hit, Scanner};
//!
//! let scanner = Scanner::new(vec![
//!     Entry::Pattern { key: "greet", pattern: r"(?i)\bgood (morning|night)\b".to_owned() },
//!     Entry::Words { key: "filter", words: ["viagra".to_owned()].into(), normalise: true },
//! ])?;
//!
//! let hits = scanner.scan("Good morning! v.1.@.g.r.a here");
//! assert!(matches!(&hits[0], Hit::Pattern { captures, .. } if captures[1].as_deref() == Some("morning")));
//! assert!(matches!(&hits[1], Hit::Words { found, .. } if found[0].word == "viagra" && found[0].start == 14));
//! # Ok::<(), palabre_text::TextError>(())
//! ```

mod atoms;
mod combined;
mod disguise;
mod domains;
mod duration;
mod emoji;
mod error;
mod letters;
mod links;
mod mentions;
mod names;
mod normalise;
mod pattern;
mod patterns;
mod phrases;
mod plural;
mod prepared;
mod scanner;
mod shape;
mod skeleton;
mod split;
mod squeezed;
mod stepwise;
mod terms;
mod word_index;
mod words;

pub use duration::duration;
pub use emoji::is_emoji;
pub use error::TextError;
pub use links::{Link, links, links_while};
pub use mentions::{Mention, MentionKind, mentions};
pub use names::{composed, is_bidi_control, is_plain_name, name_problem};
pub use normalise::{Normalised, normalise, normalise_while};
pub use pattern::{check_pattern, pattern_size};
pub use patterns::{Match, PatternSet};
pub use phrases::{escape, similarity, truncate};
pub use plural::plural;
pub use prepared::Prepared;
pub use scanner::{Entry, Hit, Scan, Scanner};
pub use shape::warm_up;
pub use skeleton::skeleton;
pub use split::{end_of_part, split};
pub use terms::terms;
pub use word_index::{Found, check_words};
pub use words::WordList;
