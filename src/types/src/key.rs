//! Order-preserving encoding of keys.

/// A key or a part of one. `a < b` holds exactly when the bytes of `a` sort before those of `b`.
pub trait Key: Sized {
    /// Appends the encoded key to `out`.
    fn encode(&self, out: &mut Vec<u8>);

    /// Decodes a key and removes it from the front of `bytes`; `None` if they are not such a key.
    fn decode(bytes: &mut &[u8]) -> Option<Self>;

    /// Returns the encoded key.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out);
        out
    }
}

macro_rules! integer_key {
    ($($int:ty),*) => {$(
        impl Key for $int {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                let (head, rest) = bytes.split_first_chunk()?;
                *bytes = rest;
                Some(Self::from_be_bytes(*head))
            }
        }
    )*};
}

integer_key!(u8, u16, u32, u64);

/// The bytes of the string, with `00` escaped as `00 FF`, then the terminator `00 00`.
///
/// A string therefore sorts before any string that it is a prefix of, whatever follows it in the
/// key.
impl Key for String {
    fn encode(&self, out: &mut Vec<u8>) {
        for &byte in self.as_bytes() {
            out.push(byte);
            if byte == 0 {
                out.push(0xFF);
            }
        }
        out.extend_from_slice(&[0, 0]);
    }

    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let mut text = Vec::new();
        loop {
            match bytes {
                [0, 0, rest @ ..] => {
                    *bytes = rest;
                    return Self::from_utf8(text).ok();
                }
                [0, 0xFF, rest @ ..] => {
                    text.push(0);
                    *bytes = rest;
                }
                [0, ..] | [] => return None,
                [byte, rest @ ..] => {
                    text.push(*byte);
                    *bytes = rest;
                }
            }
        }
    }
}

/// Raw bytes. They extend to the end, so they can only be the last part of a key.
impl Key for Vec<u8> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        Some(std::mem::take(bytes).to_vec())
    }
}

macro_rules! tuple_key {
    ($($part:ident),*) => {
        impl<$($part: Key),*> Key for ($($part,)*) {
            #[allow(non_snake_case, reason = "the macro names each part after its type")]
            fn encode(&self, out: &mut Vec<u8>) {
                let ($($part,)*) = self;
                $($part.encode(out);)*
            }

            fn decode(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($part::decode(bytes)?,)*))
            }
        }
    };
}

tuple_key!(A, B);
tuple_key!(A, B, C);
tuple_key!(A, B, C, D);
