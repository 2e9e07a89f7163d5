//! Signatures of outgoing webhooks: HMAC-SHA256 (RFC 2104).

use sha2::{Digest, Sha256};

/// Length of a block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// Returns the signature of a body that is sent at a time, in seconds.
pub(super) fn sign(secret: &str, timestamp: u64, body: &str) -> String {
    let code = hmac(secret.as_bytes(), format!("{timestamp}.{body}").as_bytes());
    let digits: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

/// Returns the code of a message. A key that is longer than a block is replaced by its hash.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test cases 1, 2 and 6 of RFC 4231, section 4.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let long_key = [0xaa; 131];
        let cases: [(&[u8], &[u8], &str); 3] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &long_key,
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, message, expected) in cases {
            let code: String = hmac(key, message).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(code, expected);
        }
    }
}
