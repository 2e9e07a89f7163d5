use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use crate::letters::{fold, same_case};
use crate::normalise::normalise;
use crate::squeezed::Squeezed;

/// A message about to be searched. Its other readings are made when they are first asked for, and once.
#[derive(Debug)]
pub struct Prepared<'t> {
    text: &'t str,
    folded: OnceCell<Cow<'t, str>>,
    squeezed: OnceCell<Squeezed>,
}

impl<'t> Prepared<'t> {
    /// Wraps a message; does nothing yet.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, folded: OnceCell::new(), squeezed: OnceCell::new() }
    }

    /// The message as it was written.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The message without regard to case.
    pub(crate) fn folded(&self) -> &str {
        self.folded.get_or_init(|| {
            let same = self.text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
            if same { Cow::Borrowed(self.text) } else { Cow::Owned(fold(self.text)) }
        })
    }

    /// The message with all disguises seen through.
    pub(crate) fn squeezed(&self) -> &Squeezed {
        self.squeezed.get_or_init(|| Squeezed::new(&normalise(self.text)))
    }

    /// The bytes of the message that a part of the folded text stands for.
    pub(crate) fn original(&self, folded: Range<usize>) -> Range<usize> {
        if self.text.is_ascii() {
            return folded;
        }
        // Character for character; some take more bytes in another case.
        let mut at = 0;
        let mut start = 0;
        for (offset, c) in self.text.char_indices() {
            if at == folded.start {
                start = offset;
            }
            at += same_case(c).len_utf8();
            if at >= folded.end {
                return start..offset + c.len_utf8();
            }
        }
        start..self.text.len()
    }
}
