//! The faults that can be injected.

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with a waiting time of a second; nothing is performed.
    TooMany,
    /// 500; nothing is performed.
    Broken,
    /// 502 with an HTML page; nothing is performed.
    BadGateway,
    /// Performed, up to 1.5 seconds later.
    Slow,
    /// The connection is closed; nothing is performed.
    CutBefore,
    /// Performed, but the connection is closed instead of an answer.
    CutAfter,
    /// Performed, but the answer ends in the middle.
    Truncated,
    /// 401, as for an invalid token; nothing is performed. Not in [`Fault::ALL`], like those below.
    Unauthorized,
    /// 404 with only `Not Found`; nothing is performed.
    NotFound,
    /// Performed; fields that Telegram would leave out are null in the answer.
    Nulls,
    /// Performed, but never answered; the connection stays open.
    Unanswered,
}

impl Fault {
    /// All faults that occur in practice.
    pub const ALL: [Self; 7] =
        [Self::TooMany, Self::Broken, Self::BadGateway, Self::Slow, Self::CutBefore, Self::CutAfter, Self::Truncated];
}
