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

#[cfg(test)]
mod tests {
    use super::super::tokens_in;
    use super::*;

    // Made with openssl: two keys of 2,048 bits, and a token signed with the first in each way.
    const N: &str = "m9NVNl1ZIl_Dpp1SLcSN2qq7p-t2RFF6dPvLMlDENP-r5bDdzNc-WdZBMHlIzrqOm6UQ4Mp6OHDOUqHn-VM1eaj9aqGjUw_U\
        4HnYNW3Ckk2bSa_rR-36hX011Hul8QB5JwECcH5uDrQ0QtzU5rbGrU5G5ALr_lEb0Eh4g-JdtqphS0ieLtpfdfK9LfMklRDI\
        EAktwwAVjxnCNydalTDVEiGVolTFHW8MDOJEfc1E1XvvbEHM26xWRf9bhSHS1gS7WdeWIneU9U7S25bFwkEj5ccFqtE4eO8O\
        RMarxs1Kdi6CMTW4OKhbYiNLuTjLTpqEpPbTpfTpfPWwrQFAzp1QuQ";
    const OTHER_N: &str = "0-V2fi64bOogcUq6_F0r63WV0k24gVFkHVitnFxJGPVrQTxyCbpC6jc5rlXjE5_EMISAtoot1tMviYx9w_hTP56-u6ETVVee\
        hExAKt-Pw6Bvzr23mmJ_4tuDQSaPi6NVCXKnldBFin5XpOMCrylAeI5-p3Puq5UXryc9tkNs5AvN6Ne2SmIZ11udbijfBgDJ\
        O-t6SC0qN_68N5wzEQXLenCwXeGN-Kc7FhJwVWBEuxZtZWyrlq97dw4fkrLa_3yo48KosyR_F7i6jWDZABSuHMtGLehN9Ufc\
        TucneW4anfXlAksHZT1yz73e4FTIjdJGjk2EPXu75oZw3od_uXQcxQ";
    const RS256: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC8xMTExMTExMS0yMjI\
        yLTMzMzMtNDQ0NC01NTU1NTU1NTU1NTUvIiwiaWF0IjoxNjg2MTA3NTY0fQ.ap4r9nrgQo6x-VprTCnT6PishToTjMUMAbrH\
        WGzNQLnq_mqAM_qw4ZfyOEN6uoDjEnQN37jjdPAbxRHRXYVce7R9YRYyD-lchs87FR7lxZi9FwHe31PI8BaBFTJMOP0P3Dt9\
        31HCkqHrd2dIY071IE6R3GWq_4dxVUgGTyYGRhQzrAPNaLDK3LIR5RugPYuRjAjQ3kdlfQHWhQFVM2RNlwUAy-H65rhs8xUC\
        Y8bRgj3wWJtvnzCEkK3r40T7EPzdPl9dv9-0iL7pjoC7xbAGaju7f3rJB51z0X9dVHmptgj2QqqtMYg-Eh6NNGEu-0DjyY_z\
        6D4AKrtHiJDKxc2Z7A";
    const RS384: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC8xMTExMTExMS0yMjI\
        yLTMzMzMtNDQ0NC01NTU1NTU1NTU1NTUvIiwiaWF0IjoxNjg2MTA3NTY0fQ.gSkID8klMT86kjjikFLpRdVKfc2mDHvcLj8v\
        0-5KrnOucCRZw5A96417mzz6XLDeBNj0O-v22vKT3mzuaHL9A6qlrmvU1h453MIV2wHdraOsFf0fiXP5Llaj7i--HKBtAWw9\
        If60uhW7sj-ru3W2miOxa5XeyuQWIQMg4shWZf8qMYpJiq6RPJqYQaLpD7o_AOCyeHo2I8YdaLJTwSnubYCMznx0-SwJHBR1\
        nKl0Sd62UIbAHqBH68AfUoHlG4mGyobYWjwSQHNiqBRIRxUwUc4phueqjp7P5DqMYjgpRFm_FNOKo7IlUhlJ60QiD91xqaiW\
        _8S6ciMdS5TserwwHw";
    const RS512: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzUxMiJ9.eyJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC8xMTExMTExMS0yMjI\
        yLTMzMzMtNDQ0NC01NTU1NTU1NTU1NTUvIiwiaWF0IjoxNjg2MTA3NTY0fQ.Wgyw7RF48Hlny-vXNXvlVLwQnjpWVJs_RlE5\
        o7Q27r2wA_JC1yWxDICObvgtPhipMIMEkW0Yc-9RPjBF4ZNngp_X5lwqWD97ttYpzNfw-6MZ-piE1QheQgH-_UriaaY-dnit\
        v_Tm7u-OM_dSvSntZsv-YhtFz-K3JGQGKi2T06CImbPegYK82JLCJywch9pvx80kyQY1GlaBp59Dx0oI3vr256rE1IBxXuop\
        tjOqK0N6qzeEb9QVGMk-TJfy8cCqdqPKfq6xllNHSvI6Y1Ag6lq3Ks95g1jamxxqQmBVdq5oA8lhNyEVL62gJU681SwWbMv-\
        -flsCpQdTOXy-7pKow";
    const PS256: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC8xMTExMTExMS0yMjI\
        yLTMzMzMtNDQ0NC01NTU1NTU1NTU1NTUvIiwiaWF0IjoxNjg2MTA3NTY0fQ.RxjZrJq8YxIzislBAHfZFKLcCxtOIAh6ysUc\
        PIfLeYaOsN_UEFgwJeZna3sGe6LExUHWuDHj6MfmpJkRRgt9fmpxPII1GTUf9yVZ5TWMfqVO5v2BVMZ0R-CZ-OHzBWVPu863\
        booI_mCZ65ijQIMlSWuwoY5FXKMTe9ZDaKqE_Egl1IIqH63MsQCkysxL0zrPb73-xHxTsUKd3rEU1qYPxFsVMWiS0q07tiiU\
        qNgiNsc4GpXCBWvq5lkaT9iUEvTd454rXQGBDCVqy-on4AthdValkKoFOq1mhCRohOAXbNCSTh7rnxtWC671e41ABPMTQ6kN\
        3Bm3dG4gkv07GiePGA";

    fn verifies(key: &RsaKey, text: &str) -> bool {
        let mut verifies = false;
        tokens_in(text.as_bytes(), &mut |found| {
            let algorithm = found.token.algorithm.clone().unwrap();
            let (message, signature) = found.signed().unwrap();
            verifies |= key.verifies(&algorithm, &message, &signature);
        });
        verifies
    }

    #[test]
    fn a_signature_verifies_with_its_own_key_only() {
        let (key, other) = (RsaKey::new(N, "AQAB").unwrap(), RsaKey::new(OTHER_N, "AQAB").unwrap());
        assert_eq!(key.bits(), 2048);
        for token in [RS256, RS384, RS512, PS256] {
            assert!(verifies(&key, token) && !verifies(&other, token), "{token}");
            let (message, signature) = token.rsplit_once('.').unwrap();
            // Another time of issue, another signature, and one that is cut off.
            let (header, claims) = message.split_once('.').unwrap();
            let changed = claims.replacen("NTY0fQ", "NTY1fQ", 1);
            assert_ne!(changed, claims);
            assert!(!verifies(&key, &format!("{header}.{changed}.{signature}")), "{token}");
            let first = if signature.starts_with('a') { "b" } else { "a" };
            assert!(!verifies(&key, &format!("{message}.{first}{}", &signature[1..])), "{token}");
            assert!(!verifies(&key, &format!("{message}.{}", &signature[..340])), "{token}");
            // Line ends, padding and the other alphabet do not change what was signed.
            let cut = |at: usize| &token[at..token.len().min(at + 76)];
            let wrapped: Vec<&str> = (0..token.len()).step_by(76).map(cut).collect();
            assert!(verifies(&key, &format!("{}\r\nThanks", wrapped.join("\r\n"))), "{token}");
            let standard = token.replace('-', "+").replace('_', "/").replacen('.', "=.", 1);
            assert!(verifies(&key, &format!("{standard}==")), "{token}");
        }
    }

    #[test]
    fn numbers_that_make_no_key_are_refused() {
        let even = format!("{}A", &N[..N.len() - 1]);
        for (n, e) in [
            ("", "AQAB"),
            ("!", "AQAB"),
            ("AQAB", "AQAB"),
            (&N[..64], "AQAB"),
            (&even, "AQAB"),
            (N, ""),
            (N, "AA"),
            (N, "AQ"),
            (N, &N[..20]),
        ] {
            assert!(RsaKey::new(n, e).is_err(), "{n} {e}");
        }
    }
}
