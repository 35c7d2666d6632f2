//! Secrets in sentences other than `name=value` words: members of quoted JSON, private keys, the uuid of a session.

use std::borrow::Cow;

use super::mask::MASK;
use super::names::member_is_secret;

/// The longest name of a quoted member, in bytes.
const LONGEST_NAME: usize = 64;

/// The word `session`, without its first letter, which may be a capital.
pub(super) const SESSION: &str = "ession";

/// How far after the word `session` its uuid may start, in bytes.
const SESSION_REACH: usize = 24;

/// Masks the values of secret names in JSON and the like that a sentence quotes, escaped or not: `sent
/// {\"password\":\"hunter2\"}` becomes `sent {\"password\":\"******\"}`.
pub(super) fn mask_quoted_members(text: &str) -> Cow<'_, str> {
    if !text.contains(['"', '\'']) || !text.contains([':', '=']) {
        return Cow::Borrowed(text);
    }
    masked(text, |rest| rest.match_indices(['"', '\'']).find_map(|(at, _)| secret_value(rest, at)))
}

/// Replaces each part that `next` finds with the mask. Each search starts where the previous match ended.
fn masked(text: &str, next: impl Fn(&str) -> Option<(usize, usize)>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((from, to)) = next(rest) {
        out.push_str(&rest[..from]);
        out.push_str(MASK);
        rest = &rest[to..];
    }
    if rest.len() == text.len() { Cow::Borrowed(text) } else { Cow::Owned(out + rest) }
}

/// Returns the byte range of the value after the name whose opening quote is at `at`, if that name is secret.
fn secret_value(text: &str, at: usize) -> Option<(usize, usize)> {
    let (name, end) = quoted(text, at)?;
    if name.len() > LONGEST_NAME || !member_is_secret(name) {
        return None;
    }
    let rest = text[end..].trim_start();
    let rest = rest.strip_prefix([':', '='])?.trim_start();
    let start = text.len() - rest.len();
    let bare = rest.trim_start_matches('\\');
    // Python 2 writes `u` before a string.
    let bare = bare.strip_prefix('u').filter(|rest| rest.starts_with(['"', '\''])).unwrap_or(bare);
    if bare.starts_with(['"', '\'']) {
        let from = text.len() - bare.len();
        // If the quote is not closed, the rest is masked.
        let to = quoted(text, from).map_or(text.len(), |(value, _)| from + 1 + value.len());
        return Some((from + 1, to));
    }
    let length = rest.find(|c: char| c.is_whitespace() || ",;}])".contains(c)).unwrap_or(rest.len());
    (length > 0 && !rest.starts_with(['{', '['])).then_some((start, start + length))
}

/// Returns the text between the quote at `at` and the next quote with the same depth of escaping, and the byte offset
/// after that.
fn quoted(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let escapes = |at: usize| bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    let depth = escapes(at);
    let mut end = at + 1;
    while let Some(found) = bytes[end..].iter().position(|byte| *byte == bytes[at]) {
        end += found;
        // A quote inside the value has more backslashes.
        if escapes(end) <= depth {
            return Some((&text[at + 1..end - escapes(end).min(depth)], end + 1));
        }
        end += 1;
    }
    None
}

/// The start and the end of the marker lines of a PEM key.
const ARMOUR: &str = "-----";

/// Masks private keys in PEM, whatever their member is called: from `-----BEGIN RSA PRIVATE KEY-----` to the end
/// marker, or to the end of the text where that is missing.
pub(super) fn mask_private_keys(text: &str) -> Cow<'_, str> {
    if !text.contains("PRIVATE KEY") {
        return Cow::Borrowed(text);
    }
    masked(text, |rest| {
        rest.match_indices("-----BEGIN ").find_map(|(from, begin)| {
            let label = &rest[from + begin.len()..];
            let label = &label[..label.find(ARMOUR)?];
            label.contains("PRIVATE KEY").then_some(())?;
            let end = rest[from..].find("-----END ").map_or(rest.len(), |end| {
                let tail = from + end + "-----END ".len();
                rest[tail..].find(ARMOUR).map_or(rest.len(), |length| tail + length + ARMOUR.len())
            });
            Some((from, end))
        })
    })
}

/// Masks the uuid that follows the word `session`: `Session[uuid:5d0c...] expired`.
pub(super) fn mask_sessions(text: &str) -> Cow<'_, str> {
    masked(text, |rest| {
        rest.match_indices(SESSION).find_map(|(at, word)| {
            let after = at + word.len();
            uuid_near(&rest[after..]).map(|(from, to)| (after + from, after + to))
        })
    })
}

/// Returns the byte range of the first run of 32 hexadecimal digits, if it starts within reach.
fn uuid_near(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    for piece in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        if from > SESSION_REACH {
            return None;
        }
        let digits = piece.trim_end_matches(|c: char| !c.is_ascii_hexdigit()).len();
        if digits == 32 {
            return Some((from, from + digits));
        }
        from += piece.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_quoted_json() {
        for (text, masked) in [
            (r#"sent {"password":"hunter2","a":1}"#, r#"sent {"password":"******","a":1}"#),
            (r#"sent {\"password\":\"hun\\\"ter2\",\"a\":1}"#, r#"sent {\"password\":\"******\",\"a\":1}"#),
            (
                r#"{"details":"{\\\"sshPassword\\\": \\\"x y\\\"}"}"#,
                r#"{"details":"{\\\"sshPassword\\\": \\\"******\\\"}"}"#,
            ),
            ("{'password': 'hunter2', 'b': 2}", "{'password': '******', 'b': 2}"),
            (r#"{"password":12345}"#, r#"{"password":******}"#),
            (r#"{"password" : "never closed"#, r#"{"password" : "******"#),
            (r#"{"name":"password","b":"c"}"#, r#"{"name":"password","b":"c"}"#),
            (r#"it's "fine": really"#, r#"it's "fine": really"#),
        ] {
            assert_eq!(mask_quoted_members(text), masked);
        }
    }

    #[test]
    fn uuids_of_sessions() {
        let uuid = "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37";
        for (before, after) in [
            ("Session[uuid:", "] expired"),
            ("session uuid[", "]"),
            (r#"{"session":{"uuid":""#, r#""}}"#),
            ("/v1/accounts/sessions/", "?x"),
        ] {
            assert_eq!(mask_sessions(&format!("{before}{uuid}{after}")), format!("{before}******{after}"));
        }
        for open in [
            format!("account[uuid:{uuid}] has too many sessions"),
            format!("the session of the account that is called admin, uuid {uuid}"),
            "session expired".to_owned(),
        ] {
            assert_eq!(mask_sessions(&open), open);
        }
    }
}
