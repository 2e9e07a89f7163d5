//! Close codes of the gateway.

/// A close code of Discord, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Close(pub(super) u16, pub(super) &'static str);

impl Close {
    pub(super) const UNKNOWN: Self = Self(4000, "Unknown error.");
    pub(super) const OPCODE: Self = Self(4001, "Unknown opcode.");
    pub(super) const DECODE: Self = Self(4002, "Error while decoding payload.");
    pub(super) const NOT_AUTHENTICATED: Self = Self(4003, "Not authenticated.");
    pub(super) const AUTHENTICATION: Self = Self(4004, "Authentication failed.");
    pub(super) const ALREADY: Self = Self(4005, "Already authenticated.");
    pub(super) const SEQUENCE: Self = Self(4007, "Invalid seq.");
    pub(super) const RATE: Self = Self(4008, "Rate limited.");
    pub(super) const TIMEOUT: Self = Self(4009, "Session timed out.");
    pub(super) const SHARD: Self = Self(4010, "Invalid shard.");
    pub(super) const SHARDING: Self = Self(4011, "Sharding required.");
    pub(super) const VERSION: Self = Self(4012, "Invalid API version.");
    pub(super) const INTENTS: Self = Self(4013, "Invalid intent(s).");
    pub(super) const DISALLOWED: Self = Self(4014, "Disallowed intent(s).");

    /// Whether the client may resume its session.
    pub(super) fn is_resumable(self) -> bool {
        ![Self::SEQUENCE.0, Self::TIMEOUT.0].contains(&self.0)
    }
}
