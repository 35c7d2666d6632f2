//! Picking values out of JSON text without building a tree.
//!
//! The text must be valid JSON ([`super::Scanner`] checks it). For other text these functions return some part of it,
//! and do not panic.

use super::lexis::{skip_blanks, string_end, value_end};

/// What kind of value a JSON text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
}

/// The kind of a value, from its first byte.
pub fn kind(text: &[u8]) -> Kind {
    match text.first() {
        Some(b'"') => Kind::Text,
        Some(b'[') => Kind::List,
        Some(b'{') => Kind::Map,
        Some(b't' | b'f') => Kind::Bool,
        Some(b'-' | b'0'..=b'9') => Kind::Number,
        _ => Kind::Null,
    }
}

/// The members of a map: names as written between the quotes, and the text of the values.
pub fn members(map: &[u8]) -> Members<'_> {
    Members { text: map, at: if map.first() == Some(&b'{') { 1 } else { map.len() } }
}

/// See [`members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        let mut at = skip_blanks(text, self.at);
        if text.get(at) == Some(&b',') {
            at = skip_blanks(text, at + 1);
        }
        if text.get(at) != Some(&b'"') {
            return None;
        }
        let close = string_end(text, at + 1);
        let name = text.get(at + 1..close)?;
        at = skip_blanks(text, close + 1);
        if text.get(at) != Some(&b':') {
            return None;
        }
        at = skip_blanks(text, at + 1);
        let end = value_end(text, at);
        self.at = end;
        Some((name, text.get(at..end)?))
    }
}

/// The texts of a list's items.
pub fn items(list: &[u8]) -> Items<'_> {
    Items { text: list, at: if list.first() == Some(&b'[') { 1 } else { list.len() } }
}

/// See [`items`].
#[derive(Clone, Debug)]
pub struct Items<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Items<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.text;
        let mut at = skip_blanks(text, self.at);
        if text.get(at) == Some(&b',') {
            at = skip_blanks(text, at + 1);
        }
        if matches!(text.get(at), None | Some(b']')) {
            return None;
        }
        let end = value_end(text, at);
        if end <= at {
            return None;
        }
        self.at = end;
        text.get(at..end)
    }
}

/// The text of the member called `name`.
pub fn member<'a>(map: &'a [u8], name: &str) -> Option<&'a [u8]> {
    members(map).find(|(found, _)| *found == name.as_bytes()).map(|(_, text)| text)
}

/// Calls `found` with each value that `path` leads to, in order: one for each item of the lists on the way, none
/// where a member is missing. An empty path leads to `value` itself.
pub fn pick<'a>(value: &'a [u8], path: &[String], found: &mut dyn FnMut(&'a [u8])) {
    let Some((name, rest)) = path.split_first() else { return found(value) };
    match kind(value) {
        Kind::Map => {
            if let Some(inner) = member(value, name) {
                pick(inner, rest, found);
            }
        }
        Kind::List => items(value).for_each(|item| pick(item, path, found)),
        _ => {}
    }
}

/// Calls `found` with `value` if it is a map, or with each map in it if it is a list.
pub fn maps<'a>(value: &'a [u8], found: &mut dyn FnMut(&'a [u8])) {
    match kind(value) {
        Kind::Map => found(value),
        Kind::List => items(value).for_each(|item| maps(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_items_come_in_order() {
        let text = br#" { "a" : 1 , "b":{"c":[1,2]},"d\"":"}" , "e":[] } "#;
        let seen: Vec<_> = members(&text[1..])
            .map(|(name, value)| {
                (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
            })
            .collect();
        let expected =
            [("a", "1"), ("b", r#"{"c":[1,2]}"#), (r#"d\""#, r#""}""#), ("e", "[]")].map(|(n, v)| (n.into(), v.into()));
        assert_eq!(seen, expected);

        let seen: Vec<_> = items(br#"[ 1 , "a,b" ,[2,3],{} , null ]"#).map(String::from_utf8_lossy).collect();
        assert_eq!(seen, ["1", r#""a,b""#, "[2,3]", "{}", "null"]);
        assert_eq!(items(b"[]").count() + members(b"{}").count() + members(b"[1]").count(), 0);
    }

    #[test]
    fn paths_lead_through_lists() {
        let row = br#"{"name":"a","nics":[{"ip":"1","l3":{"x":true}},{"mac":"m"},{"ip":"2"}],"tags":["t","u"]}"#;
        let all = |path: &str| {
            let path: Vec<String> = path.split('.').filter(|s| !s.is_empty()).map(str::to_owned).collect();
            let mut seen = Vec::new();
            pick(row, &path, &mut |text| seen.push(String::from_utf8_lossy(text).into_owned()));
            seen
        };
        assert_eq!(all("name"), [r#""a""#]);
        assert_eq!(all("nics.ip"), [r#""1""#, r#""2""#]);
        assert_eq!(all("nics.l3.x"), ["true"]);
        assert_eq!(all("tags"), [r#"["t","u"]"#]);
        assert!(all("name.x").is_empty() && all("nope").is_empty() && all("nics.ip.x").is_empty());
    }

    #[test]
    fn nothing_panics_on_text_that_is_cut() {
        let row = br#"{"name":"a\"","nics":[{"ip":"1"},{"ip":"2"}],"n":12}"#;
        for length in 0..row.len() {
            let cut = &row[..length];
            for (_, value) in members(cut) {
                items(value).for_each(|item| {
                    members(item).count();
                });
            }
            pick(cut, &["nics".into(), "ip".into()], &mut |_| {});
        }
    }
}
