//! Texts written in the ways in which evidence hides them.

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How many ways [`encode`] knows.
pub const WAYS: usize = 43;

pub fn base64_of(bytes: &[u8], is_url: bool, padding: &str) -> String {
    let alphabet = if is_url { URL } else { STANDARD };
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            out.push(char::from(alphabet[(bits >> (18 - 6 * place) & 63) as usize]));
        }
        out.push_str(&padding.repeat(3 - group.len()));
    }
    out
}

fn each(text: &str, written: impl Fn(char) -> String) -> String {
    text.chars().map(written).collect()
}

fn ascii(text: &str, written: impl Fn(char) -> String) -> String {
    each(text, |c| if c.is_ascii() { written(c) } else { c.to_string() })
}

fn marks(text: &str, written: impl Fn(char) -> String) -> String {
    ascii(text, |c| if c.is_ascii_alphanumeric() { c.to_string() } else { written(c) })
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// Writes bytes in hexadecimal, in groups of `size` bytes; 0 is one group.
fn hex(bytes: &[u8], size: usize, gap: &str, prefix: &str) -> String {
    let size = if size == 0 { bytes.len().max(1) } else { size };
    let digits = |group: &[u8]| group.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let groups: Vec<String> = bytes.chunks(size).map(|group| format!("{prefix}{}", digits(group))).collect();
    groups.join(gap)
}

/// Writes a text in one of [`WAYS`] ways.
pub fn encode(text: &str, way: usize) -> String {
    let code = |c: char| u32::from(c);
    // Hexadecimal is told by printable ASCII alone: a first look knows nothing else of it.
    if (11..=17).contains(&way) && !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    match way {
        0 => marks(text, |c| format!("%{:02X}", code(c))),
        1 => ascii(text, |c| format!("%{:02x}", code(c))),
        2 => marks(text, |c| format!("&#{};", code(c))),
        3 => each(text, |c| format!("&#x{:x};", code(c))),
        4 => marks(text, |c| format!("\\u{:04x}", code(c))),
        5 => each(text, |c| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect()),
        6 => serde_json::to_string(text).unwrap_or_default(),
        7 => base64_of(text.as_bytes(), false, "="),
        8 => base64_of(text.as_bytes(), true, ""),
        9 => base64_of(&utf16(text, u16::to_le_bytes), false, "="),
        10 => base64_of(&utf16(text, u16::to_be_bytes), true, ""),
        11 => hex(text.as_bytes(), 0, "", ""),
        12 => hex(text.as_bytes(), 1, " ", ""),
        13 => hex(text.as_bytes(), 1, ",", "0x"),
        14 => hex(text.as_bytes(), 1, ", ", "0x"),
        15 => hex(text.as_bytes(), 2, " ", ""),
        16 => hex(text.as_bytes(), 4, " ", ""),
        17 => hex(&utf16(text, u16::to_le_bytes), 0, "", ""),
        18 => ascii(text, |c| if matches!(c, '.' | '=' | '@') { format!("={:02X}", code(c)) } else { c.to_string() }),
        19 => text.replace('e', "e=\r\n").replace('.', "=2E"),
        20 => marks(text, |c| format!("\\x{:02x}", code(c))),
        21 => marks(text, |c| format!("\\{:03o}", code(c))),
        22 => text.replace('.', "\u{200b}."),
        23 => ascii(text, |c| char::from_u32(code(c) + 0xfee0).filter(|_| c > ' ').unwrap_or(c).to_string()),
        24 => format!("\u{1b}[1m{text}\u{1b}[0m"),
        25 => format!("a#011{text}#012"),
        26 => format!("=?utf-8?B?{}?=", base64_of(text.as_bytes(), false, "=")),
        27 => format!("=?utf-8?Q?{}?=", marks(text, |c| format!("={:02X}", code(c)))),
        28 => format!("C:\\new\\{text}\\nx"),
        29 => text.replace(' ', "+"),
        30 => text.replace('.', "[.]").replace('@', "[at]").replace("http", "hxxp"),
        31 => text.replace('.', " (dot) "),
        32 => format!("x={text}&y=%2E"),
        33 => each(text, |c| format!("{c}\0")),
        34 => format!("^[[1m{text}^[[0m^M"),
        35 => text.replace('/', "\\/"),
        36 => text.replacen('e', "\u{ad}e", 1),
        37 => marks(text, |c| format!("%u{:04x}", code(c))),
        38 => text.replace('.', "&period;").replace('@', "&commat;").replace('/', "&sol;"),
        39 => match text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>() {
            Some(bytes) => {
                let written = |byte: &u8| {
                    if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("={byte:02X}") }
                };
                format!("=?iso-8859-1?Q?{}?=", bytes.iter().map(written).collect::<String>())
            }
            None => text.to_owned(),
        },
        40 => format!("=?gb18030?B?{}?=", base64_of(&encoding_rs::GB18030.encode(text).0, false, "=")),
        41 => marks(text, |c| format!("&#{}", code(c))),
        _ => text.to_ascii_uppercase(),
    }
}
