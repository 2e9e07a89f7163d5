//! Conversion between CommonMark, in which Palabre writes, and Telegram's plain text with entities.
//!
//! | CommonMark | Telegram |
//! |---|---|
//! | `**a**`, `__a__`; a heading | bold |
//! | `*a*`, `_a_` | italic |
//! | `~~a~~` (two tildes, as everywhere in Palabre) | strikethrough |
//! | `\|\|a\|\|`, as on Discord | spoiler |
//! | `<u>a</u>`, for which CommonMark has nothing of its own | underline |
//! | `` `a` ``, a fenced or an indented block, a table | code, pre |
//! | `> a` | blockquote |
//! | `[a](https://…)`, `![a](https://…)` | text_link |
//! | `[Zoé](<@12>)`, `[Zoé](tg://user?id=12)`, `<@12>` | text_mention |
//! | `![👍](tg://emoji?id=5)`, `![noon](tg://time?unix=9&format=t)` | custom_emoji, date_time |
//! | `- a`, `1. a`, `---` | `• a`, `1. a`, a line |
//!
//! Entities that Telegram finds by itself (`@name`, `#tag`, `/command`, addresses) are left as they
//! are written, as is any other HTML. Of several ways to write something, [`to_commonmark`] uses
//! the first. A newline stays a newline, and as many blank lines as were written are shown.
//!
//! ```
//! use palabre_telegram::text::{to_commonmark, to_telegram};
//!
//! let rich = to_telegram("Hello, **world**!");
//! assert_eq!(rich.text, "Hello, world!");
//! assert_eq!((rich.entities[0].offset, rich.entities[0].length), (7, 5));
//! assert_eq!(to_commonmark(&rich.text, &rich.entities), "Hello, **world**!");
//! ```

mod cut;
mod delimiters;
mod encode;
mod entity;
mod escape;
mod mentions;
mod nest;
mod normalise;
mod ranges;
mod table;
mod target;
mod tidy;
mod units;
mod walk;
mod write;

pub use cut::{cut, cut_within};
pub use encode::{to_telegram, to_telegram_with};
pub use entity::{Entity, EntityKind, Person, Rich};
pub use mentions::{Mentioned, quiet};
pub use write::to_commonmark;
