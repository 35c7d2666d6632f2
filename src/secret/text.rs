//! Secrets inside text: user info in URLs, the tails of system tags, `password=...` in a sentence.

use std::borrow::Cow;

use super::json::mask_json_value;
use super::mask::MASK;
use super::names::{Secrecy, member_is_secret, name_secrecy, secret_of_option};
use super::sentence::{SESSION, mask_private_keys, mask_quoted_members, mask_sessions};

/// The longest text, in bytes, that is not checked as a sentence: most of these are names.
const SHORTEST_SENTENCE: usize = 8;

/// Segments of system tags, in lower case, after which everything is secret although their names do not say so.
const SECRET_TAGS: [&str; 2] = ["userdata", "cloudinit"];

/// Masks a value by the name of its parameter or member: all of it, the parts known to be secret, or nothing.
pub fn mask_value<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if let Cow::Owned(open) = mask_private_keys(value) {
        return Cow::Owned(mask_value(name, &open).into_owned());
    }
    match name_secrecy(name) {
        Secrecy::Whole if value.is_empty() => Cow::Borrowed(value),

        Secrecy::Whole => Cow::Borrowed(MASK),
        Secrecy::Inside if looks_like_json(value) => Cow::Owned(mask_json_value(value, Secrecy::Inside)),
        Secrecy::Inside => match mask_tag(value) {
            Cow::Borrowed(_) => mask_url(value),
            masked => masked,
        },
        Secrecy::Open if looks_like_json(value) => Cow::Owned(mask_json_value(value, Secrecy::Open)),
        Secrecy::Open => mask_text(value),
    }
}

/// Masks the password in a URL's user info, with or without a scheme, and secret parameters of its query:
/// `https://root:hunter2@host/?token=x` becomes `https://root:******@host/?token=******`.
///
/// A password may contain `/`, `@` or `,` unencoded, so everything up to the last `@` counts as user info.
pub fn mask_url(text: &str) -> Cow<'_, str> {
    let start = text.find("://").map_or(0, |at| at + 3);
    let rest = &text[start..];
    let user_info = rest.rfind('@').and_then(|end| rest[..end].find(':').map(|colon| (colon + 1, end)));
    match user_info {
        Some((from, to)) if from < to => {
            let masked = format!("{}{MASK}{}", &text[..start + from], mask_pairs(&rest[to..]));
            Cow::Owned(masked)
        }
        _ => mask_pairs(text),
    }
}

/// Masks the tail of a system tag that contains a secret: `consolePassword::hunter2`, `userdata::I2Nsb3...`.
pub fn mask_tag(tag: &str) -> Cow<'_, str> {
    let mut end = 0;
    for segment in tag.split("::") {
        end += segment.len() + 2;
        if end >= tag.len() {
            break;
        }
        if member_is_secret(segment) || SECRET_TAGS.iter().any(|name| segment.eq_ignore_ascii_case(name)) {
            return Cow::Owned(format!("{}{MASK}", &tag[..end]));
        }
    }
    mask_text(tag)
}

/// Masks the secrets in a sentence: user info in URLs, the value after `Authorization: OAuth`, the uuid of a session,
/// and the values of secret names as in `password=hunter2`, `password: hunter2`, `--password hunter2` or `{"password":
/// "hunter2"}`.
pub fn mask_text(text: &str) -> Cow<'_, str> {
    let open = mask_private_keys(text);
    let quoted = mask_quoted_members(&open);
    let sessions = mask_sessions(&quoted);
    let words = mask_words(&sessions);
    if words == text { Cow::Borrowed(text) } else { Cow::Owned(words.into_owned()) }
}

/// Masks words that the words before them show to be secret.
fn mask_words(text: &str) -> Cow<'_, str> {
    if !text.contains(['=', ':', '@']) && !text.contains("OAuth ") && !text.contains(" -") && !text.starts_with('-') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    // Whether the next word is a secret, and whether it is one if an operator comes first.
    let (mut mask_next, mut named) = (false, false);
    let mut before = ["", ""];
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let bare = word.trim_matches(|c: char| "\"'(),;[]{}".contains(c));
        if bare.is_empty() {
            out.push_str(piece);
            continue;
        }
        let is_operator = matches!(bare, "=" | ":");
        let scheme = matches!(bare, "OAuth" | "ZStack");
        if mask_next && !is_operator && !scheme {
            out.push_str(MASK);
            mask_next = false;
        } else {
            let name = bare.strip_suffix([':', '=']);
            mask_next = bare == "OAuth"
                || (scheme && mask_next)
                || (is_operator && (named || mask_next))
                || name.is_some_and(|name| member_is_secret(name.trim_matches(['"', '\''])))
                || bare.strip_prefix("--").is_some_and(member_is_secret);
            named = name.is_none() && member_is_secret(bare);
            let secret = secret_of_option(before[0], before[1], bare).map(|start| word.len() - bare.len() + start);
            let secret = secret.filter(|_| word.ends_with(bare)).or_else(|| value_of_secret_name(word));
            let shown = match (secret, mask_pairs(word)) {
                (Some(start), _) => Cow::Owned(format!("{}{MASK}", &word[..start])),
                // User info may come without a scheme.
                (None, Cow::Borrowed(_)) if word.contains('@') && word.contains(':') => mask_url(word),
                (None, Cow::Owned(_)) if word.contains("://") && word.contains('@') => mask_url(word),
                (None, shown) => shown,
            };
            out.push_str(&shown);
        }
        before = [before[1], bare];
        out.push_str(&piece[word.len()..]);
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// Returns the byte offset at which the value starts in a word such as `password:hunter2`.
fn value_of_secret_name(word: &str) -> Option<usize> {
    let (name, value) = word.split_once(':')?;
    let value = value.trim_start_matches(':');
    let is_name = name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    let is_secret = is_name && !value.is_empty() && !value.starts_with("//") && member_is_secret(name);
    is_secret.then_some(word.len() - value.len())
}

/// Masks the values of secret names in `name=value` pairs separated by `?`, `&`, `,` or `;`.
fn mask_pairs(text: &str) -> Cow<'_, str> {
    if !text.contains('=') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(['?', '&', ',', ';']) {
        let end = piece.trim_end_matches(['?', '&', ',', ';']);
        match end.split_once('=') {
            Some((name, value)) if !value.is_empty() && member_is_secret(name.trim_matches(['"', '\'', '(', '['])) => {
                out.push_str(name);
                out.push('=');
                out.push_str(MASK);
                out.push_str(&piece[end.len()..]);
            }
            _ => out.push_str(piece),
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// A quick check: whether a text has anything that a secret inside it requires, such as user info in a URL, a tag,
/// JSON, an option, a private key or a session.
pub(crate) fn may_hide_secrets(text: &[u8]) -> bool {
    let finds = |needle: &str| memchr::memmem::find(text, needle.as_bytes()).is_some();
    memchr::memchr3(b'@', b'=', b'{', text).is_some()
        || memchr::memchr2_iter(b':', b'[', text).any(|at| !is_in_time(text, at))
        || (text.len() > SHORTEST_SENTENCE
            && memchr::memchr3(b'-', b'O', b's', text).is_some()
            && (finds(" -") || finds("--") || finds("OAuth ") || finds(SESSION)))
}

/// Whether the byte at `at` is inside a time such as `10:02:24`: dates are a large part of most rows.
fn is_in_time(text: &[u8], at: usize) -> bool {
    let is_digit = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
    let start = text[..at].iter().rposition(|byte| !byte.is_ascii_digit() && *byte != b':');
    text[at] == b':'
        && is_digit(at.checked_sub(1))
        && is_digit(at.checked_add(1))
        && start.is_none_or(|start| text[start] == b' ' || text[start] == b'"')
}

/// Whether text starts like a JSON object or list.
pub(super) fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_info_and_query_secrets_of_urls() {
        for (url, masked) in [
            ("https://root:hunter2@host/x", "https://root:******@host/x"),
            ("root:hunter2@172.20.1.1:22/?monPort=6789", "root:******@172.20.1.1:22/?monPort=6789"),
            ("root:p@ss/w,rd@host", "root:******@host"),
            ("http://host:8080/p?token=abc&x=1", "http://host:8080/p?token=******&x=1"),
            ("http://host:8080/zstack", "http://host:8080/zstack"),
            ("user@host", "user@host"),
            ("/zstack_imagestore", "/zstack_imagestore"),
        ] {
            assert_eq!(mask_url(url), masked);
        }
    }

    #[test]
    fn times_hide_no_secrets_and_other_colons_may() {
        for time in ["10:02:24", "\"Jan 14, 2025 10:00:24 PM\"", "2025-01-14 10:00"] {
            assert!(!may_hide_secrets(time.as_bytes()), "{time}");
            assert_eq!(mask_text(time), time);
        }
        for other in ["password1:2", "password: 10:02", "a 10:", ":10", "x10:02", "10:02 a:b", "1:2 [uuid"] {
            assert!(may_hide_secrets(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn tails_of_tags() {
        for (tag, masked) in [
            ("consolePassword::hunter2", "consolePassword::******"),
            ("ha::sshPassword::a::b", "ha::sshPassword::******"),
            ("userdata::I2Nsb3VkLWNvbmZpZw==", "userdata::******"),
            ("ephemeral::validationOnly", "ephemeral::validationOnly"),
            ("password", "password"),
            ("remote", "remote"),
        ] {
            assert_eq!(mask_tag(tag), masked);
        }
    }

    #[test]
    fn sentences() {
        for (text, masked) in [
            ("cannot log in with password=hunter2, retry", "cannot log in with password=******, retry"),
            ("password: hunter2 end", "password: ****** end"),
            ("password = hunter2", "password = ******"),
            ("Authorization: OAuth 5d0c8a4f", "Authorization: OAuth ******"),
            ("see http://root:hunter2@h/x now", "see http://root:******@h/x now"),
            ("tried sshpass -p hunter2 ssh, mysql -phunter2", "tried sshpass -p ****** ssh, mysql -p******"),
            ("ran curl -u root:hunter2 http://h/x", "ran curl -u root:****** http://h/x"),
            ("password:hunter2, consolePassword::hunter2", "password:****** consolePassword::******"),
            ("got {u'password': u'hunter 2', 'a': 1}", "got {u'password': ****** 'a': 1}"),
            ("key -----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----.", "key ******."),
            ("-----BEGIN RSA PRIVATE KEY-----\nhunt", "******"),
            ("ran mysql --password hunter2 -u root", "ran mysql --password ****** -u root"),
            ("ran ssh root:hunter2@10.0.0.1 failed", "ran ssh root:******@10.0.0.1 failed"),
            (r#"bad request {"password":"hunter2"}"#, r#"bad request {"password":"******"}"#),
            ("Session[uuid:5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37] expired", "Session[uuid:******] expired"),
            ("unable to ping 10.0.0.1: refused", "unable to ping 10.0.0.1: refused"),
        ] {
            assert_eq!(mask_text(text), masked);
        }
    }

    #[test]
    fn values_by_name() {
        assert_eq!(mask_value("sshPassword", "x"), "******");
        assert_eq!(mask_value("name", "password"), "password");
        assert_eq!(mask_value("monUrls", "root:x@10.0.0.1"), "root:******@10.0.0.1");
        assert_eq!(mask_value("systemTags", "consolePassword::x"), "consolePassword::******");
        assert_eq!(mask_value("jobData", r#"{"password":"x","name":"a"}"#), r#"{"password":"******","name":"a"}"#);
        assert_eq!(mask_value("url", "/mnt"), "/mnt");
    }
}
