//! The key that signs requests, as the Standard Webhooks specification has it: HMAC-SHA256 over id, time and body.

use std::fmt;

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The beginning of a secret that is base64.
const ENCODED: &str = "whsec_";
/// The beginning of a signature of this version.
const VERSION: &str = "v1,";
/// The bytes of a secret, at least.
const SECRET_BYTES: usize = 24;

/// The secrets with which the senders of webhooks sign. While one is replaced by another, both are good.
#[derive(Clone)]
pub struct WebhookKey(Vec<Hmac<Sha256>>);

/// A text holds no secret that can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookKeyError {
    /// A secret that begins with `whsec_` is no base64 behind it.
    #[error("secret {0} of the webhooks' is no base64 behind whsec_")]
    NoBase64(usize),
    /// A secret is too short.
    #[error(
        "secret {0} of the webhooks' has {1} bytes (allowed: {SECRET_BYTES} or more, such as `openssl rand -base64 32` behind whsec_)"
    )]
    TooShort(usize, usize),
    /// There is none.
    #[error("the webhooks' secret is empty")]
    Empty,
}

impl WebhookKey {
    /// Reads the secrets of a text: one, or several with spaces or line breaks between them.
    ///
    /// # Errors
    /// If there is none, or one can't sign. The error doesn't quote it.
    pub fn read(text: &str) -> Result<Self, WebhookKeyError> {
        let keys = text.split_whitespace().zip(1..).map(|(secret, place)| {
            let bytes = match secret.strip_prefix(ENCODED) {
                Some(encoded) => BASE64.decode(encoded.as_bytes()).map_err(|_| WebhookKeyError::NoBase64(place))?,
                None => secret.as_bytes().to_vec(),
            };
            let too_short = WebhookKeyError::TooShort(place, bytes.len());
            let is_long = bytes.len() >= SECRET_BYTES;
            is_long.then(|| Hmac::new_from_slice(&bytes).ok()).flatten().ok_or(too_short)
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(WebhookKeyError::Empty) } else { Ok(Self(keys)) }
    }

    /// The header `webhook-signature` of a message, by the first secret.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let signed = self.0.first().map(|key| message(key, id, timestamp, body).finalize().into_bytes());
        format!("{VERSION}{}", BASE64.encode(signed.as_deref().unwrap_or_default()))
    }

    /// Is true where one of the signatures of a header fits, by one of the secrets. Each comparison takes the same time
    /// whatever differs.
    pub(super) fn fits(&self, id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
        let given = signatures.split_whitespace().filter_map(|signature| signature.strip_prefix(VERSION));
        let given: Vec<Vec<u8>> = given.filter_map(|signature| BASE64.decode(signature.as_bytes()).ok()).collect();
        self.0.iter().any(|key| {
            let message = message(key, id, timestamp, body);
            given.iter().any(|signature| message.clone().verify_slice(signature).is_ok())
        })
    }
}

/// The text that is signed.
fn message(key: &Hmac<Sha256>, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].into_iter().fold(key.clone(), Mac::chain_update)
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn signature_is_that_of_the_specifications_own_example() {
        let key = WebhookKey::read(SECRET).unwrap();
        let (id, timestamp, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(key.sign(id, timestamp, body), signature);
        let both = WebhookKey::read(&format!("another-secret-of-24-bytes {SECRET}")).unwrap();
        assert!(both.fits(id, timestamp, body, &format!("v1a,AAAA v1,AAAA {signature}")));
        for (id, timestamp, body, signature) in [
            ("msg", timestamp, &body[..], signature),
            (id, "1614265331", body, signature),
            (id, timestamp, b"{}", signature),
            (id, timestamp, body, "v1,"),
            (id, timestamp, body, ""),
            (id, timestamp, body, "v1,no base64"),
            (id, timestamp, body, signature.trim_start_matches("v1,")),
        ] {
            assert!(!both.fits(id, timestamp, body, signature), "{id} {timestamp} {signature}");
        }
    }

    #[test]
    fn secret_that_cannot_sign_is_refused_without_being_quoted() {
        assert_eq!(WebhookKey::read(" \n").unwrap_err(), WebhookKeyError::Empty);
        assert_eq!(WebhookKey::read("whsec_geheim!").unwrap_err(), WebhookKeyError::NoBase64(1));
        assert_eq!(WebhookKey::read(&format!("{SECRET}\ngeheim")).unwrap_err(), WebhookKeyError::TooShort(2, 6));
        assert_eq!(format!("{:?}", WebhookKey::read(SECRET).unwrap()), "WebhookKey(…)");
    }
}
