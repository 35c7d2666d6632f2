//! Percent-encoding for the parts of a URL.

/// Encodes everything except RFC 3986 unreserved characters: a raw `+` or `%` changes what the node reads, and an
/// invalid escape makes it drop the whole parameter silently (T3).
pub(crate) fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
}
