use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use crate::letters::{fold, same_case};
use crate::normalise::normalise;
use crate::squeezed::Squeezed;

/// A message to be searched. Its folded and normalised forms are computed once, on first use.
#[derive(Debug)]
pub struct Prepared<'t> {
    text: &'t str,
    folded: OnceCell<Cow<'t, str>>,
    squeezed: OnceCell<Squeezed>,
}

impl<'t> Prepared<'t> {
    /// Wraps a message without computing anything.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self { text, folded: OnceCell::new(), squeezed: OnceCell::new() }
    }

    /// Returns the original message.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Returns the message with its case folded.
    pub(crate) fn folded(&self) -> &str {
        self.folded.get_or_init(|| {
            let same = self.text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
            if same { Cow::Borrowed(self.text) } else { Cow::Owned(fold(self.text)) }
        })
    }

    /// Returns the normalised message with runs of letters collapsed.
    pub(crate) fn squeezed(&self) -> &Squeezed {
        self.squeezed.get_or_init(|| Squeezed::new(&normalise(self.text)))
    }

    /// Maps a byte range of the folded text to one of the message.
    pub(crate) fn original(&self, folded: Range<usize>) -> Range<usize> {
        if self.text.is_ascii() {
            return folded;
        }
        // Folding maps character to character, but some take more bytes in another case.
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
