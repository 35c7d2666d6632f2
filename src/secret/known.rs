//! Secrets whose values are known: they are masked in any text, whatever their context.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use ring::digest::{SHA512, digest};

use super::command::secrets_of_line;
use super::json::mask_json_with;
use super::mask::MASK;
use super::names::{Secrecy, name_secrecy};
use super::text::{looks_like_json, mask_text, mask_value};
use super::value::Secret;
use crate::json::{Value, write_string};
use crate::percent;
use crate::syntax::parse_literal;

/// From this length on, in bytes, a secret is also masked inside a word: `-pHunter2`. A shorter one would match
/// unrelated text.
const INSIDE_WORDS: usize = 8;

/// From this length on, in bytes, a secret is masked as a word of its own, unless it consists of letters only. A word
/// of letters and a shorter secret are masked only where they are quoted or the value of something, as in `'ab'`,
/// `[ab]`, `=ab`, `password ab`: elsewhere they may be ordinary words.
const AS_WORD: usize = 4;

/// The largest number of secrets known at a time; a script may add new ones with every line.
const MOST: usize = 64;

/// The secrets whose values are known: those of the environment, of sessions, and of typed commands. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct KnownSecrets(Arc<Mutex<Needles>>);

/// The texts to search for, the most recent one last.
#[derive(Debug, Default)]
pub(super) struct Needles(Vec<Secret>);

impl KnownSecrets {
    /// Adds a secret, in all forms in which a node may quote it. Its hash serves as the password (A7), so it is just as
    /// secret.
    pub fn learn(&self, secret: &str) {
        if secret.is_empty() || secret.chars().all(|c| c == '*') {
            return;
        }
        let bare = secret.trim_matches(['\'', '"']);
        if bare.len() < secret.len() {
            self.learn(bare);
        }
        let mut ways = vec![sha512(secret)];
        // Masking a password whose value is `password` would mask the word everywhere and so reveal it.
        if name_secrecy(secret) != Secrecy::Whole {
            let escaped = in_json(secret);
            ways.extend([in_json(&escaped), html_safe(&escaped), percent_encoded(secret), escaped, secret.to_owned()]);
        }
        let mut needles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for way in ways.into_iter().map(Secret::from) {
            // A secret that is used again moves to the end, so that it is dropped last.
            needles.0.retain(|known| *known != way);
            needles.0.push(way);
        }
        if needles.0.len() > MOST {
            let extra = needles.0.len() - MOST;
            needles.0.drain(..extra);
        }
    }

    /// Adds the secrets of a command line.
    pub fn learn_line(&self, line: &str) {
        secrets_of_line(line).iter().for_each(|secret| self.learn(secret.expose()));
    }

    /// Adds the secrets in the value of a parameter.
    pub fn learn_value(&self, name: &str, value: &str) {
        secrets_in(name, value).iter().for_each(|secret| self.learn(secret.expose()));
    }

    /// Returns the text with these secrets masked.
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.needles(|needles| needles.mask(text))
    }

    /// Like [`super::mask_json`]; also masks these secrets. Valid JSON stays valid.
    pub fn mask_json(&self, bytes: &[u8]) -> String {
        self.needles(|needles| mask_json_with(bytes, needles))
    }

    /// Like [`KnownSecrets::mask_json`], for bytes that were cut off: their end may be the start of a secret.
    pub fn mask_cut_json(&self, bytes: &[u8]) -> String {
        self.needles(|needles| needles.mask_cut(&mask_json_with(bytes, needles)).into_owned())
    }

    fn needles<T>(&self, look: impl FnOnce(&Needles) -> T) -> T {
        look(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Needles {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the secrets that may occur in a text, whichever way it escapes them: escaping keeps letters and digits.
    /// This saves searching every string of a long reply for every secret.
    pub(super) fn near(&self, text: &str) -> Needles {
        let is_near = |needle: &&Secret| {
            let runs = needle.expose().split(|c: char| !c.is_ascii_alphanumeric());
            let core = runs.max_by_key(|run| run.len()).filter(|run| run.len() >= AS_WORD);
            core.is_none_or(|core| memchr::memmem::find(text.as_bytes(), core.as_bytes()).is_some())
        };
        Needles(self.0.iter().filter(is_near).cloned().collect())
    }

    /// Whether a number is one of the secrets.
    pub(super) fn hold_number(&self, digits: &str) -> bool {
        digits.len() >= AS_WORD && self.0.iter().any(|needle| needle.expose() == digits)
    }

    pub(super) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut places: Vec<(usize, usize)> = Vec::new();
        for needle in self.0.iter().map(Secret::expose) {
            let found = text.match_indices(needle).map(|(from, _)| (from, from + needle.len()));
            places.extend(found.filter(|&(from, to)| counts(text, from, to)));
        }
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for (from, to) in places {
            // A secret may be part of another one, or overlap it.
            if from >= at {
                out.push_str(&text[at..from]);
                out.push_str(MASK);
            }
            at = at.max(to);
        }
        out.push_str(&text[at..]);
        Cow::Owned(out)
    }

    /// Like [`Needles::mask`], for text that was cut off: a prefix of a secret at its end is masked too.
    pub(super) fn mask_cut<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let begins = |needle: &str| {
            let lengths = (AS_WORD..needle.len()).rev().filter(|&length| needle.is_char_boundary(length));
            lengths.map(|length| &needle[..length]).find(|start| text.ends_with(start)).map(str::len)
        };
        match self.0.iter().filter_map(|needle| begins(needle.expose())).max() {
            Some(length) => Cow::Owned(format!("{}{MASK}", self.mask(&text[..text.len() - length]))),
            None => self.mask(text),
        }
    }
}

/// Whether the match is the secret itself and not part of something else.
fn counts(text: &str, from: usize, to: usize) -> bool {
    let (before, after) = (&text[..from], &text[to..]);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if to - from >= INSIDE_WORDS {
        return true;
    }
    if after.starts_with(is_word) {
        return false;
    }
    let begins_word = !before.ends_with(is_word) || ends_in_option(before) || ends_in_escape(before);
    if to - from >= AS_WORD && !text[from..to].chars().all(char::is_alphabetic) {
        return begins_word;
    }
    let is_value = before.ends_with(['\'', '"', '[', '=', ':', '(', '{']) || ends_in_option(before);
    (before.is_empty() && after.is_empty()) || is_value || (begins_word && ends_in_name(before))
}

/// Whether the last word of a text announces a secret: `with password `, `sshpass -p `.
fn ends_in_name(text: &str) -> bool {
    let mut words = text.split_whitespace().rev();
    let last = words.next().unwrap_or("");
    let is_apart = text.ends_with(char::is_whitespace);
    is_apart && (name_secrecy(last) == Secrecy::Whole || (last == "-p" && words.next().is_some()))
}

/// Whether text ends in an option that may be followed by its value without a space: `-p`.
fn ends_in_option(text: &str) -> bool {
    let mut last = text.chars().rev();
    last.next().is_some_and(|c| c.is_ascii_alphabetic())
        && last.next() == Some('-')
        && (last.next().is_none_or(|c| !c.is_alphanumeric() && c != '-') || ends_in_escape(&text[..text.len() - 2]))
}

/// Whether text ends in an escaped character: `\n`, `%20`.
fn ends_in_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [.., b'\\', b'n' | b'r' | b't'])
        || matches!(bytes, [.., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Returns the secrets in the text value of a parameter or member of that name.
pub(super) fn secrets_in(name: &str, value: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    collect_text(name, value, &mut found);
    found
}

/// Returns the secrets in the value of a parameter or member of that name.
pub fn secrets_of_value(name: &str, value: &Value) -> Vec<Secret> {
    let mut found = Vec::new();
    collect(name, value, &mut found);
    found
}

fn collect(name: &str, value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::Secret(value) => {
            collect_all(value, found);
            // In `root:hunter2@10.0.0.1` only a part is secret; that part is added as well.
            collect(name, value, found);
        }
        value if name_secrecy(name) == Secrecy::Whole => collect_all(value, found),
        Value::Text(text) => collect_text(name, text, found),
        Value::List(items) => items.iter().for_each(|item| collect(name, item, found)),
        Value::Map(members) => members.iter().for_each(|(name, value)| collect(name, value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Adds every text and number of a value.
fn collect_all(value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::Text(text) | Value::Number(text) => found.push(Secret::new(text.as_str())),
        Value::Secret(value) => collect_all(value, found),
        Value::List(items) => items.iter().for_each(|item| collect_all(item, found)),
        Value::Map(members) => members.iter().for_each(|(_, value)| collect_all(value, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn collect_text(name: &str, text: &str, found: &mut Vec<Secret>) {
    if looks_like_json(text)
        && let Ok(value) = parse_literal(text)
    {
        collect(name, &value, found);
    } else {
        found.extend(hidden(text, &mask_value(name, text)));
        // A quote of part of the value may lack the name that shows it to be secret.
        found.extend(hidden(text, &mask_text(text)));
    }
}

/// Returns the parts of `text` that are masked in `masked`.
fn hidden(text: &str, masked: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut pieces = masked.split(MASK);
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return found };
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { rest.strip_suffix(piece).map(str::len) } else { rest.find(piece) };
        let Some(end) = end else { break };
        found.push(Secret::new(&rest[..end]));
        rest = &rest[end + piece.len()..];
    }
    found
}

/// Returns the SHA-512 hash of a text in lower-case hex.
pub fn sha512(text: &str) -> String {
    digest(&SHA512, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a text as it is written inside a JSON string.
fn in_json(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out[1..out.len() - 1].to_owned()
}

/// Returns the content of a JSON string with the HTML-safe escapes that nodes use (N5).
fn html_safe(escaped: &str) -> String {
    let mut out = escaped.to_owned();
    for c in ['<', '>', '&', '=', '\''] {
        out = out.replace(c, &format!("\\u{:04x}", u32::from(c)));
    }
    out
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    percent::encode(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(secrets: &[&str]) -> KnownSecrets {
        let known = KnownSecrets::default();
        secrets.iter().for_each(|secret| known.learn(secret));
        known
    }

    #[test]
    fn secrets_are_found_in_any_wording() {
        let known = known(&["Hunter2 \"x\"", "S3cret-pw"]);
        for (text, masked) in [
            ("sshpass -p S3cret-pw ssh", "sshpass -p ****** ssh"),
            ("with password S3cret-pw.", "with password ******."),
            ("[S3cret-pw] ansible_ssh_pass=S3cret-pw", "[******] ansible_ssh_pass=******"),
            ("-u root:S3cret-pw -pS3cret-pw", "-u root:****** -p******"),
            ("{u'password': u'S3cret-pw'}", "{u'password': u'******'}"),
            (r#"sent {\"a\":\"Hunter2 \\\"x\\\"\"}"#, r#"sent {\"a\":\"******\"}"#),
            ("a=Hunter2%20%22x%22&b", "a=******&b"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(known.mask(text), masked);
        }
        let hash = sha512("S3cret-pw");
        assert_eq!(known.mask(&format!("wrong hash {hash}")), "wrong hash ******");
    }

    #[test]
    fn short_secrets_mask_no_other_words() {
        let known = known(&["ab", "lab1"]);
        for (text, masked) in [
            ("an ab in a table of ab", "an ab in a table of ab"),
            ("password 'ab' or [ab] or x=ab, -pab", "password '******' or [******] or x=******, -p******"),
            ("lab1 and lab12 and slab1 and -plab1", "****** and lab12 and slab1 and -p******"),
            ("ab", "******"),
            (r"x\nlab1\n %20lab1 %20-plab1", r"x\n******\n %20****** %20-p******"),
        ] {
            assert_eq!(known.mask(text), masked);
        }
        let known = super::tests::known(&["wrong"]);
        assert_eq!(
            known.mask("wrong name, with password wrong or 'wrong'"),
            "wrong name, with password ****** or '******'"
        );
        assert_eq!(super::tests::known(&["password"]).mask("wrong password"), "wrong password");
    }

    #[test]
    fn json_stays_json() {
        let known = known(&["Hunter2'\"é", "12345678"]);
        for (json, masked) in [
            (
                r#"{"a":"x Hunter2\u0027\"\u00e9 y","n":12345678,"m":123456789}"#,
                r#"{"a":"x ****** y","n":"******","m":123456789}"#,
            ),
            (r#"{"d":"{\"a\":\"Hunter2'\\\"é\"}"}"#, r#"{"d":"{\"a\":\"******\"}"}"#),
        ] {
            assert_eq!(known.mask_json(json.as_bytes()), masked);
        }
    }

    #[test]
    fn what_was_cut_begins_no_secret() {
        let known = known(&["Hunter2Hunter2"]);
        assert_eq!(known.needles(|needles| needles.mask_cut("x Hunter2Hunt").into_owned()), "x ******");
        assert_eq!(known.needles(|needles| needles.mask_cut("x Hun").into_owned()), "x Hun");
    }

    #[test]
    fn values_give_their_secrets() {
        for (name, value, secrets) in [
            ("password", "x1", vec!["x1"]),
            ("name", "x1", vec![]),
            ("jobData", "{'sshPassword':'x1', 'a': [{'token': 'x2'}]}", vec!["x1", "x2"]),
            ("jobData", r#"{"a":"{\"password\":\"x1\"}"}"#, vec!["x1"]),
            ("details", "{u'password': u'x1'}", vec!["x1"]),
            ("mdsUrls", r#"["root:x1@10.0.0.1","root:x2@10.0.0.2"]"#, vec!["x1", "x2"]),
            ("monUrls", "root:x1@10.0.0.1", vec!["x1"]),
            ("systemTags", "consolePassword::x1", vec!["x1"]),
        ] {
            let mut found: Vec<String> =
                secrets_in(name, value).iter().map(|secret| secret.expose().to_owned()).collect();
            found.dedup();
            assert_eq!(found, secrets, "{name}={value}");
        }
    }
}
