//! Internationalised names in their ASCII form, in which two spellings of one name are equal. The only file that knows
//! unicode-normalization. Source: UTS 46, section 4, non-transitional; RFC 3492.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The full stops that part labels besides the dot. Source: UTS 46, section 4.5, "implementation notes".
pub(super) const DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// The most bytes of a label. Source: RFC 1034, section 3.1.
pub(super) const LABEL_BYTES: usize = 63;

/// Returns a name in lower case, each label beyond ASCII as `xn--…`; none where a label would be too long for a name.
pub(super) fn to_ascii(name: &str) -> Option<String> {
    if name.is_ascii() {
        return Some(name.to_ascii_lowercase());
    }
    // Mapped letter by letter: the sigma at the end of a word stays what it is.
    let mapped: String = name.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    let mut out = String::with_capacity(mapped.len() + 8);
    for (number, label) in mapped.split(|c| c == '.' || DOTS.contains(&c)).enumerate() {
        if number > 0 {
            out.push('.');
        }
        let label =
            if label.is_ascii() { Cow::Borrowed(label) } else { Cow::Owned(format!("xn--{}", encoded(label)?)) };
        if label.len() > LABEL_BYTES {
            return None;
        }
        out.push_str(&label);
    }
    Some(out)
}

// Source of these: RFC 3492, section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_CODE: u32 = 0x80;

/// Encodes a label. Source: RFC 3492, section 6.3.
fn encoded(label: &str) -> Option<String> {
    // Longer ones cannot become a label, and the work grows with the square of their length.
    let count = u32::try_from(label.chars().take(LABEL_BYTES + 1).count()).ok().filter(|&n| n <= 63)?;
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut code, mut delta, mut bias, mut handled) = (INITIAL_CODE, 0_u32, INITIAL_BIAS, basic);
    while handled < count {
        let next = label.chars().map(u32::from).filter(|&c| c >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(handled + 1)?)?;
        code = next;
        for c in label.chars().map(u32::from) {
            if c < code {
                delta = delta.checked_add(1)?;
            }
            if c == code {
                push_number(delta, bias, &mut out)?;
                bias = adapted(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code += 1;
    }
    Some(out)
}

/// Writes a number of variable length. Source: RFC 3492, section 6.3.
fn push_number(number: u32, bias: u32, out: &mut String) -> Option<()> {
    let mut rest = number;
    let mut at = BASE;
    loop {
        let threshold = at.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if rest < threshold {
            break;
        }
        out.push(digit(threshold + (rest - threshold) % (BASE - threshold))?);
        rest = (rest - threshold) / (BASE - threshold);
        at += BASE;
    }
    out.push(digit(rest)?);
    Some(())
}

/// `a` to `z` are 0 to 25, `0` to `9` are 26 to 35. Source: RFC 3492, section 5.
fn digit(value: u32) -> Option<char> {
    let value = u8::try_from(value).ok()?;
    Some(char::from(if value < 26 { b'a' + value } else { b'0' + (value - 26) }))
}

/// Source: RFC 3492, section 6.1.
fn adapted(delta: u32, points: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut steps = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        steps += BASE;
    }
    steps + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beyond_ascii_are_encoded() {
        for (name, ascii) in [
            ("münchen.example", "xn--mnchen-3ya.example"),
            ("MÜNCHEN.Example", "xn--mnchen-3ya.example"),
            ("mu\u{308}nchen.example", "xn--mnchen-3ya.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("例え.example", "xn--r8jz45g.example"),
            ("straße.example", "xn--strae-oqa.example"),
            ("evil。example", "evil.example"),
            ("ｅｖｉｌ．example", "evil.example"),
            ("XN--MNCHEN-3YA.example", "xn--mnchen-3ya.example"),
            // Source: RFC 3492, section 7.1, (B) and (L).
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"),
        ] {
            assert_eq!(to_ascii(name).as_deref(), Some(ascii), "{name}");
        }
        assert_eq!(to_ascii(&"ü".repeat(64)), None);
        assert_eq!(to_ascii(&"\u{10ffff}a".repeat(31)), None);
        assert_eq!(to_ascii(""), Some(String::new()));
    }
}
