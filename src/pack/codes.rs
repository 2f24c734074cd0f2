//! The stable codes of mistakes in packs. A code is never given to another mistake; new ones are added at the end.

/// A code with its meaning, as `docs/pack-format.md` lists them.
pub type CodeEntry = (&'static str, &'static str);

/// Every code of a mistake in a file.
pub const CODES: &[CodeEntry] = &[
    (SYNTAX, "not YAML, or not CSV"),
    (DOCUMENTS, "more than one YAML document"),
    (TOO_LARGE, "the file is larger than a pack may be"),
    (NESTING, "nested too deeply"),
    (ALIASES, "aliases unfold to more than the file holds"),
    (ENCODING, "not UTF-8"),
    (YAML_FEATURE, "a YAML tag, or a list or mapping as a key"),
    (FORMAT, "the line `format: stormglass/1` is missing or another"),
    (UNKNOWN_KEY, "unknown key"),
    (DUPLICATE_KEY, "key given twice"),
    (MISSING_KEY, "required key missing"),
    (WRONG_TYPE, "a value of another type is expected"),
    (UNKNOWN_WORD, "not one of the words that are allowed"),
    (EMPTY, "empty text, list or mapping"),
    (NOT_YET, "a word of the format that this version does not know yet"),
    (CONFIDENCE, "confidence is no whole number from 0 to 100"),
    (DUPLICATE_ID, "id given twice"),
    (BAD_ID, "id of other characters than a-z, 0-9 and `-`"),
    (DATE, "not a date"),
    (WINDOW, "`seen` is no first and last day in order"),
    (TECHNIQUE, "not an ATT&CK technique"),
    (VALUE, "a value that is not of its kind"),
    (REGEX, "not a regular expression"),
    (REGEX_QUOTES, "curly quotes in a regular expression"),
    (MODIFIER, "unknown or misplaced modifier of a record field"),
    (EXAMPLES, "no `hit` or no `miss` example"),
    (HEX, "not a hex string"),
    (LIST_TYPE, "unknown type in a CSV list"),
    (LIST_VALUE, "a line of a list without a value"),
    (SHAPE, "a value of a plain list whose kind cannot be told"),
    (NO_INDICATOR, "no indicator in the file"),
    (MORE, "more mistakes than are listed"),
];

/// The codes of mistakes that show only when packs are compiled; they are found in `matching/`.
pub const COMPILE_CODES: &[CodeEntry] = &[
    ("M001", "nothing that a record holds could set the test off: it only says `not`"),
    ("M002", "a regular expression that yara-x refuses"),
    ("M003", "YARA source that does not compile"),
    ("M004", "packs that do not compile together"),
    ("M005", "a hex string that yara-x refuses"),
];

pub(super) const SYNTAX: &str = "P001";
pub(super) const DOCUMENTS: &str = "P002";
pub(super) const TOO_LARGE: &str = "P003";
pub(super) const NESTING: &str = "P004";
pub(super) const ALIASES: &str = "P005";
pub(super) const ENCODING: &str = "P006";
pub(super) const YAML_FEATURE: &str = "P007";
pub(super) const FORMAT: &str = "P008";
pub(super) const UNKNOWN_KEY: &str = "P010";
pub(super) const DUPLICATE_KEY: &str = "P011";
pub(super) const MISSING_KEY: &str = "P012";
pub(super) const WRONG_TYPE: &str = "P013";
pub(super) const UNKNOWN_WORD: &str = "P014";
pub(super) const EMPTY: &str = "P015";
pub(super) const NOT_YET: &str = "P016";
pub(super) const CONFIDENCE: &str = "P017";
pub(super) const DUPLICATE_ID: &str = "P018";
pub(super) const BAD_ID: &str = "P019";
pub(super) const DATE: &str = "P020";
pub(super) const WINDOW: &str = "P021";
pub(super) const TECHNIQUE: &str = "P022";
pub(super) const VALUE: &str = "P030";
pub(super) const REGEX: &str = "P031";
pub(super) const REGEX_QUOTES: &str = "P032";
pub(super) const MODIFIER: &str = "P033";
pub(super) const EXAMPLES: &str = "P034";
pub(super) const HEX: &str = "P035";
pub(super) const LIST_TYPE: &str = "P040";
pub(super) const LIST_VALUE: &str = "P041";
pub(super) const SHAPE: &str = "P042";
pub(super) const NO_INDICATOR: &str = "P043";
pub(super) const MORE: &str = "P099";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        for codes in [CODES, COMPILE_CODES] {
            assert!(codes.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}
