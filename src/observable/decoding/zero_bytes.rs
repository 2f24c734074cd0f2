//! What is left of UTF-16 that was appended to a text of another encoding.

/// Takes out zero bytes.
pub(super) fn undo(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.extend(text.iter().filter(|byte| **byte != 0));
    out.len() < text.len()
}
