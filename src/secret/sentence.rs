//! Secrets inside a sentence that are not `name=value` words: members of quoted JSON, the uuid of a session.

use std::borrow::Cow;

use super::mask::MASK;
use super::names::member_is_secret;

/// The longest name that a quoted member may have.
const LONGEST_NAME: usize = 64;

/// The word `session`, whatever case it begins in.
pub(super) const SESSION: &str = "ession";

/// How far behind the word `session` its uuid may stand, in bytes.
const SESSION_REACH: usize = 24;

/// Masks the values of secret names in JSON and the like that a sentence quotes, escaped or not:
/// `sent {\"password\":\"hunter2\"}` becomes `sent {\"password\":\"******\"}`.
pub(super) fn mask_quoted_members(text: &str) -> Cow<'_, str> {
    if !text.contains(['"', '\'']) || !text.contains([':', '=']) {
        return Cow::Borrowed(text);
    }
    masked(text, |rest| rest.match_indices(['"', '\'']).find_map(|(at, _)| secret_value(rest, at)))
}

/// The text with the mask in the place of each part that `next` finds in what follows the one before.
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

/// Where the value stands of the secret name whose opening quote is at `at`.
fn secret_value(text: &str, at: usize) -> Option<(usize, usize)> {
    let (name, end) = quoted(text, at)?;
    if name.len() > LONGEST_NAME || !member_is_secret(name) {
        return None;
    }
    let rest = text[end..].trim_start();
    let rest = rest.strip_prefix([':', '='])?.trim_start();
    let start = text.len() - rest.len();
    let bare = rest.trim_start_matches('\\');
    // Python 2 writes `u` before a text.
    let bare = bare.strip_prefix('u').filter(|rest| rest.starts_with(['"', '\''])).unwrap_or(bare);
    if bare.starts_with(['"', '\'']) {
        let from = text.len() - bare.len();
        // A quote that is never closed hides the rest.
        let to = quoted(text, from).map_or(text.len(), |(value, _)| from + 1 + value.len());
        return Some((from + 1, to));
    }
    let length = rest.find(|c: char| c.is_whitespace() || ",;}])".contains(c)).unwrap_or(rest.len());
    (length > 0 && !rest.starts_with(['{', '['])).then_some((start, start + length))
}

/// The text between the quote at `at` and the next one that is escaped as deeply, with the place behind that.
fn quoted(text: &str, at: usize) -> Option<(&str, usize)> {
    let bytes = text.as_bytes();
    let escapes = |at: usize| bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    let depth = escapes(at);
    let mut end = at + 1;
    while let Some(found) = bytes[end..].iter().position(|byte| *byte == bytes[at]) {
        end += found;
        // A quote inside the value is escaped once more.
        if escapes(end) <= depth {
            return Some((&text[at + 1..end - escapes(end).min(depth)], end + 1));
        }
        end += 1;
    }
    None
}

/// How the armour of keys begins and ends a line.
const ARMOUR: &str = "-----";

/// Masks private keys in PEM, whatever they are called: from `-----BEGIN RSA PRIVATE KEY-----` to the line that ends
/// them, or to the end where they were cut.
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

/// Masks the uuid that stands right behind the word `session`: `Session[uuid:5d0c...] expired`.
pub(super) fn mask_sessions(text: &str) -> Cow<'_, str> {
    masked(text, |rest| {
        rest.match_indices(SESSION).find_map(|(at, word)| {
            let after = at + word.len();
            uuid_near(&rest[after..]).map(|(from, to)| (after + from, after + to))
        })
    })
}

/// The first run of 32 hexadecimal digits, where it begins soon.
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
