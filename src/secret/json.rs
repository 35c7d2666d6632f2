//! Masks the secrets of JSON text and leaves the rest of the text unchanged.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::known::Needles;
use super::mask::MASK;
use super::names::{Secrecy, is_session_record, name_secrecy};
use super::text::{looks_like_json, mask_text, mask_value, may_hide_secrets};
use crate::json::write_string;

/// How many levels of JSON within strings are parsed; anything deeper is masked as a whole.
const DEEPEST_TEXT: u32 = 4;

/// Masks secrets in JSON: members by name, a session's `uuid`, and secrets inside strings (URLs, tags, JSON within
/// text). Numbers, order and spaces are unchanged. Text that is not JSON is masked as a sentence; JSON that is cut off
/// is masked up to its end. Bytes that are not UTF-8 become U+FFFD.
pub fn mask_json(bytes: &[u8]) -> String {
    mask_json_with(bytes, &Needles::default())
}

/// Like [`mask_json`]; also masks the known secrets.
pub(super) fn mask_json_with(bytes: &[u8], known: &Needles) -> String {
    let text = String::from_utf8_lossy(bytes);
    let known = &known.near(&text);
    if looks_like_json(&text) { mask_members(&text, Secrecy::Open, known, 0) } else { mask_plain(&text, known) }
}

/// Like [`mask_json`], for the value of a name with this secrecy.
pub(super) fn mask_json_value(text: &str, secrecy: Secrecy) -> String {
    mask_members(text, secrecy, &Needles::default(), 0)
}

/// Masks text that is not JSON.
fn mask_plain(text: &str, known: &Needles) -> String {
    // Known secrets first: the rules for sentences might mask only a part of one.
    mask_text(&known.mask(text)).into_owned()
}

/// Masks text that looks like JSON. If the result is not valid JSON, for example a Python literal, it is masked as a
/// sentence too.
fn mask_members(text: &str, secrecy: Secrecy, known: &Needles, depth: u32) -> String {
    let masked = mask(text, secrecy, known, depth);
    if serde_json::from_str::<IgnoredAny>(&masked).is_ok() { masked } else { mask_plain(&masked, known) }
}

/// An open object or list.
struct Frame {
    is_object: bool,
    /// The index of the object in order of appearance.
    number: usize,
    /// The secrecy of the current value, from the name of its member.
    secrecy: Secrecy,
    /// The secrecy that members inherit from the object.
    inherited: Secrecy,
    name: String,
    expects_name: bool,
}

impl Frame {
    /// Returns the frame of an object or list nested in `outer`, as a value of the given secrecy.
    fn inside(outer: Option<&Frame>, secrecy: Secrecy, is_object: bool, number: usize) -> Frame {
        let name = outer.map(|frame| frame.name.clone()).unwrap_or_default();
        Frame { is_object, number, secrecy, inherited: secrecy, name, expects_name: is_object }
    }

    /// Sets the current member's name and the secrecy of its value.
    fn begin_member(&mut self, name: String, roles: &[Role]) {
        let own = name_secrecy(&name);
        let hidden = roles.get(self.number).is_some_and(|role| role.hides(&name));
        self.secrecy = if hidden || self.inherited == Secrecy::Whole {
            Secrecy::Whole
        } else if own == Secrecy::Open && self.inherited == Secrecy::Inside {
            Secrecy::Inside
        } else {
            own
        };
        self.name = name;
        self.expects_name = false;
    }
}

fn mask(text: &str, secrecy: Secrecy, known: &Needles, depth: u32) -> String {
    let roles = roles(text);
    let mut out = String::with_capacity(text.len());
    let mut stack: Vec<Frame> = Vec::new();
    let mut objects = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let current = stack.last().map_or(secrecy, |frame| frame.secrecy);
        match bytes[at] {
            open @ (b'{' | b'[') => {
                let is_object = open == b'{';
                stack.push(Frame::inside(stack.last(), current, is_object, objects));
                objects += usize::from(is_object);
                out.push(char::from(open));
                at += 1;
            }
            close @ (b'}' | b']') => {
                stack.pop();
                out.push(char::from(close));
                at += 1;
            }
            b',' => {
                if let Some(frame) = stack.last_mut() {
                    frame.expects_name = frame.is_object;
                }
                out.push(',');
                at += 1;
            }
            b'"' => {
                let end = string_end(bytes, at);
                let raw = &text[at..end];
                match stack.last_mut() {
                    Some(frame) if frame.expects_name => {
                        let name = decode(raw);
                        match known.mask(&name) {
                            Cow::Borrowed(_) => out.push_str(raw),
                            Cow::Owned(shown) => write_string(&mut out, &shown),
                        }
                        frame.begin_member(name, &roles);
                    }
                    _ => {
                        let name = stack.last().map_or("", |frame| frame.name.as_str());
                        out.push_str(&masked_string(raw, name, current, known, depth));
                    }
                }
                at = end;
            }
            byte if byte.is_ascii_digit() || byte == b'-' => {
                let end = bytes[at..]
                    .iter()
                    .position(|byte| b",]} \t\r\n".contains(byte))
                    .map_or(bytes.len(), |length| at + length);
                if current == Secrecy::Whole || known.hold_number(&text[at..end]) {
                    write_string(&mut out, MASK);
                } else {
                    out.push_str(&text[at..end]);
                }
                at = end;
            }
            _ => {
                let end = (at + 1..bytes.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(bytes.len());
                out.push_str(&text[at..end]);
                at = end;
            }
        }
    }
    out
}

/// Returns a string value masked and quoted.
fn masked_string(raw: &str, name: &str, secrecy: Secrecy, known: &Needles, depth: u32) -> String {
    if secrecy == Secrecy::Whole {
        return if raw == "\"\"" { raw.to_owned() } else { format!("\"{MASK}\"") };
    }
    if secrecy == Secrecy::Open && known.is_empty() && !may_hide_secrets(raw.as_bytes()) {
        return raw.to_owned();
    }
    let value = decode(raw);
    let shown = if looks_like_json(&value) {
        if depth >= DEEPEST_TEXT { MASK.to_owned() } else { mask_members(&value, secrecy, known, depth + 1) }
    } else {
        mask_value(name, &known.mask(&value)).into_owned()
    };
    if shown == value {
        return raw.to_owned();
    }
    let mut out = String::new();
    write_string(&mut out, &shown);
    out
}

/// The kind of an object, where it makes one of its members secret.
#[derive(Clone, Copy, Default)]
struct Role {
    /// A session, whose `uuid` is secret.
    session: bool,
    /// A setting such as `smtp.password`, whose `value` is secret.
    setting: bool,
}

impl Role {
    fn hides(self, member: &str) -> bool {
        self.session && member == "uuid" || self.setting && matches!(member, "value" | "defaultValue")
    }
}

/// Returns the role of each object, in order of appearance.
fn roles(text: &str) -> Vec<Role> {
    // Only these members lead to a role; searching for them first saves the second pass.
    if !["expiredDate", "noSessionEvaluation", "\"value\""].iter().any(|name| text.contains(name)) {
        return Vec::new();
    }
    let bytes = text.as_bytes();
    let mut objects: Vec<(Vec<&str>, bool)> = Vec::new();
    let mut stack: Vec<(Option<usize>, bool)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => {
                stack.push((Some(objects.len()), true));
                objects.push((Vec::new(), false));
            }
            b'[' => stack.push((None, false)),
            b'}' | b']' => {
                stack.pop();
            }
            b',' => {
                if let Some((object, expects_name)) = stack.last_mut() {
                    *expects_name = object.is_some();
                }
            }
            b'"' => {
                let end = string_end(bytes, at);
                let inner = text[at..end].trim_matches('"');
                if let Some((Some(object), expects_name)) = stack.last_mut() {
                    let (names, setting) = &mut objects[*object];
                    if std::mem::replace(expects_name, false) {
                        names.push(inner);
                    } else if names.last() == Some(&"name") {
                        *setting = name_secrecy(inner) == Secrecy::Whole;
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    objects.into_iter().map(|(names, setting)| Role { session: is_session_record(names), setting }).collect()
}

/// Returns the byte offset after the closing quote of the string that opens at `start`; the end of the text where it is
/// not closed.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Decodes a quoted string; returns the raw text where it is not valid.
fn decode(raw: &str) -> String {
    serde_json::from_str(raw).unwrap_or_else(|_| raw.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_masked_by_name_and_the_rest_stays_as_it_is() {
        for (json, masked) in [
            (r#"{"n": 1.0E9, "sshPassword" : "x\"y"}"#, r#"{"n": 1.0E9, "sshPassword" : "******"}"#),
            (r#"{"password":null,"secret":true,"token":12}"#, r#"{"password":null,"secret":true,"token":"******"}"#),
            (
                r#"{"passwords":["a","b"],"x":{"pwd":{"k":"v"}}}"#,
                r#"{"passwords":["******","******"],"x":{"pwd":{"k":"******"}}}"#,
            ),
            (
                r#"{"mons":[{"sshPassword":"p","h":"10.0.0.1"}],"name":"a"}"#,
                r#"{"mons":[{"sshPassword":"******","h":"10.0.0.1"}],"name":"a"}"#,
            ),
            (r#"{"monUrls":["root:p@h","root:q@i"],"b":1}"#, r#"{"monUrls":["root:******@h","root:******@i"],"b":1}"#),
            (
                r#"{"systemTags":["consolePassword::x","ha::y"]}"#,
                r#"{"systemTags":["consolePassword::******","ha::y"]}"#,
            ),
            (r#"{"password":""}"#, r#"{"password":""}"#),
            (r#"{"\u0070assword":"x"}"#, r#"{"\u0070assword":"******"}"#),
            ("[1,\"ü\",{\"a\":\"ü\"}]", "[1,\"ü\",{\"a\":\"ü\"}]"),
        ] {
            assert_eq!(mask_json(json.as_bytes()), masked);
        }
    }

    #[test]
    fn the_uuid_of_a_session_is_masked_and_no_other_uuid() {
        let login = r#"{"inventory":{"uuid":"5d0c","accountUuid":"36c2","userUuid":"36c2","expiredDate":"Mar 4"}}"#;
        let masked = mask_json(login.as_bytes());
        assert!(!masked.contains("5d0c") && masked.contains("36c2"), "{masked}");
        let zone = r#"{"inventory":{"uuid":"1f6d","name":"lab"}}"#;
        assert_eq!(mask_json(zone.as_bytes()), zone);
    }

    #[test]
    fn the_value_of_a_secret_setting_is_masked() {
        let text = r#"[{"value":"x","name":"smtp.password"},{"name":"cpu","value":"y"}]"#;
        assert_eq!(mask_json(text.as_bytes()), text.replace("\"x\"", "\"******\""));
    }

    #[test]
    fn json_within_text_is_opened() {
        let outer = r#"{"jobData":"{\"name\":\"a\",\"password\":\"x\"}"}"#;
        assert_eq!(mask_json(outer.as_bytes()), r#"{"jobData":"{\"name\":\"a\",\"password\":\"******\"}"}"#);
    }

    #[test]
    fn broken_or_other_text_does_not_leak() {
        assert_eq!(mask_json(br#"{"password":"hunt"#), r#"{"password":"******""#);
        assert!(!mask_json(br#"{"password":"hunt\"#).contains("hunt"));
        assert_eq!(mask_json(b"password=hunter2"), "password=******");
        assert_eq!(mask_json(b"<html>"), "<html>");
        assert_eq!(mask_json(b""), "");
        assert_eq!(mask_json(b"}]\"{\xff"), "}]\"{\u{fffd}");
        let deep = "[".repeat(100_000);
        assert_eq!(mask_json(deep.as_bytes()), deep);
    }
}
