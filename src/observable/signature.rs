//! Signatures of tokens, checked against a public key without asking anybody. Source: RFC 7518, sections 3.3 and 3.5;
//! RFC 8017, sections 8.1 and 8.2.

use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::{BoxedUint, PublicKey};

use super::token_key::decode;

/// An RSA public key of 1,024 to 8,192 bits.
#[derive(Clone, Debug)]
pub struct RsaKey {
    n: Vec<u8>,
    e: Vec<u8>,
    key: PublicKey,
}

impl PartialEq for RsaKey {
    fn eq(&self, other: &Self) -> bool {
        (&self.n, &self.e) == (&other.n, &other.e)
    }
}

impl Eq for RsaKey {}

impl RsaKey {
    /// Makes a key of its modulus and exponent in base64url, as a JSON Web Key has them.
    ///
    /// # Errors
    /// Says which of the two is no such number, or that no key can be made of them.
    pub fn new(n: &str, e: &str) -> Result<Self, String> {
        let number = |name: &str, text: &str| {
            let bytes = decode(text.trim().as_bytes()).filter(|bytes| !bytes.is_empty());
            let bytes = bytes.ok_or_else(|| format!("`{name}` is not base64url"))?;
            Ok::<_, String>(bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>())
        };
        let (n, e) = (number("n", n)?, number("e", e)?);
        if !(128..=1024).contains(&n.len()) {
            return Err(format!("the modulus has {} bits", n.len() * 8));
        }
        if e.is_empty() || e.len() > 4 {
            return Err("the exponent is not between 3 and 4294967295".to_owned());
        }
        let boxed = BoxedUint::from_be_slice_vartime;
        let key = PublicKey::new(boxed(&n), boxed(&e)).map_err(|error| error.to_string())?;
        Ok(Self { n, e, key })
    }

    /// Returns the length of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.n.len() * 8
    }

    /// Tells whether a signature over a message was made with the private half of this key. An algorithm other than
    /// `RS256`, `RS384`, `RS512`, `PS256`, `PS384` and `PS512` verifies nothing.
    pub fn verifies(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.n.len() {
            return false;
        }
        let key = &self.key;
        let checked = match algorithm {
            "RS256" => key.pkcs1v15_verify::<Sha256>(message, signature),
            "RS384" => key.pkcs1v15_verify::<Sha384>(message, signature),
            "RS512" => key.pkcs1v15_verify::<Sha512>(message, signature),
            "PS256" => key.pss_verify::<Sha256>(message, signature),
            "PS384" => key.pss_verify::<Sha384>(message, signature),
            "PS512" => key.pss_verify::<Sha512>(message, signature),
            _ => return false,
        };
        checked.is_ok()
    }
}
