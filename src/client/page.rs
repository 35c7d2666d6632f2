//! A page of a query result.

use std::collections::HashSet;

use super::call::Reply;
use super::error::Error;
use crate::json::{self, HELD_COST, Kind, MEMORY_LIMIT, Piece, Pieces, unescape};

/// A page: its rows, and the members around them.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Members before the rows: names as written between the quotes, and texts.
    pub(super) before: Vec<(String, Vec<u8>)>,
    /// The name of the list; `None` if the reply has no rows.
    pub(super) rows_name: Option<String>,
    pub(super) rows: Rows,
    /// Members after the rows.
    pub(super) after: Vec<(String, Vec<u8>)>,
    /// The unread rest of a page with more rows than requested; it begins with further rows.
    pub(super) rest: Option<Reply>,
}

/// The texts of rows, stored one after the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    pub(super) fn push(&mut self, row: &[u8]) {
        self.text.extend_from_slice(row);
        self.ends.push(self.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        self.text.get(start..end)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Keeps the rows that the test accepts.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&[u8]) -> bool) {
        let (mut start, mut kept) = (0, 0);
        let text = &mut self.text;
        self.ends.retain_mut(|end| {
            let row = start..*end;
            start = *end;
            let stays = text.get(row.clone()).is_some_and(&mut keep);
            if stays {
                let length = row.len();
                text.copy_within(row, kept);
                kept += length;
                *end = kept;
            }
            stays
        });
        text.truncate(kept);
    }

    pub(super) fn truncate(&mut self, count: usize) {
        self.ends.truncate(count);
        self.text.truncate(self.ends.last().copied().unwrap_or_default());
    }
}

impl Page {
    /// Reads a page from a reply. The rows are the list called `inventories`, or else the first one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn read(reply: &mut dyn Pieces) -> Result<Page, Error> {
        Ok(Page::read_rows(reply, usize::MAX, MEMORY_LIMIT)?.0)
    }

    /// As [`Page::read`], but leaves the rest unread after more than `most` inventories: a node that ignores limits
    /// sends everything at once, which is too much to be held in memory.
    pub(super) fn read_at_most(mut reply: Reply, most: usize) -> Result<Page, Error> {
        let (mut page, ended) = Page::read_rows(&mut reply, most, MEMORY_LIMIT)?;
        page.rest = (!ended).then_some(reply);
        Ok(page)
    }

    /// Reads a page up to more than `most` inventories. The flag says whether it read the whole reply.
    fn read_rows(reply: &mut dyn Pieces, most: usize, longest: usize) -> Result<(Page, bool), Error> {
        let mut page = Page::default();
        let mut length = 0;
        let mut other: Option<(String, Rows)> = None;
        while let Some(piece) = reply.next_piece().map_err(|error| Error::of_read(&error))? {
            if let Piece::Row(row) = piece {
                length += row.len() + size_of::<usize>();
                if length > longest {
                    return Err(Error::TooLong { flaw: format!("a page of over {} MiB", longest >> 20) });
                }
            }
            match piece {
                Piece::Member { name, text } => page.member(name.to_owned(), text.to_vec()),
                Piece::Rows { name } if page.rows_name.is_none() => page.rows_name = Some(name.to_owned()),
                Piece::Rows { name } => other = Some((name.to_owned(), Rows::default())),
                Piece::Row(row) => match &mut other {
                    Some((_, rows)) => rows.push(row),
                    None => {
                        page.rows.push(row);
                        if page.rows.len() > most && page.rows_name.as_deref() == Some("inventories") {
                            return Ok((page, false));
                        }
                    }
                },
                Piece::EndRows => {
                    let Some((name, rows)) = other.take() else { continue };
                    if name == "inventories" {
                        let first = std::mem::replace(&mut page.rows, rows);
                        if let Some(first_name) = page.rows_name.replace(name) {
                            page.before.push((first_name, list_text(&first)));
                        }
                    } else {
                        page.after.push((name, list_text(&rows)));
                    }
                }
            }
        }
        // Several pages are held at once.
        page.rows.text.shrink_to_fit();
        Ok((page, true))
    }

    /// As [`Page::read`], for the only result in a ZQL reply: `{"results": [{"inventories": [..]}]}`. Members that are
    /// null were not requested.
    pub(super) fn read_zql(reply: &mut dyn Pieces) -> Result<Page, Error> {
        let results = Page::read(reply)?;
        let flaw = || Error::Reply { flaw: "no result of the ZQL statement in it".to_owned() };
        if results.rows_name.as_deref() != Some("results") {
            return Err(flaw());
        }
        let result = results.rows.get(0).filter(|result| json::kind(result) == Kind::Map).ok_or_else(flaw)?;
        let mut page = Page::read(&mut json::Scanner::new(result))?;
        for members in [&mut page.before, &mut page.after] {
            members.retain(|(_, text)| json::kind(text) != Kind::Null && text != b"[]");
        }
        Ok(page)
    }

    fn member(&mut self, name: String, text: Vec<u8>) {
        if self.rows_name.is_some() { self.after.push((name, text)) } else { self.before.push((name, text)) }
    }

    /// The number in `total`.
    pub(super) fn total(&self) -> Option<u64> {
        let (_, text) = self.before.iter().chain(&self.after).find(|(name, _)| name == "total")?;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    /// Removes `total`.
    pub(super) fn without_total(&mut self) {
        self.before.retain(|(name, _)| name != "total");
        self.after.retain(|(name, _)| name != "total");
    }
}

fn list_text(rows: &Rows) -> Vec<u8> {
    let mut text = vec![b'['];
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(row);
    }
    text.push(b']');
    text
}

/// The value of a row's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A uuid without dashes.
    Uuid(u128),
    /// A whole number.
    Number(i64),
    /// Other text.
    Text(Box<str>),
}

impl Key {
    /// The key of a row; `None` if the row does not have it.
    pub(super) fn of_row(row: &[u8], name: &str) -> Option<Key> {
        let value = json::member(row, name)?;
        match json::kind(value) {
            Kind::Number => std::str::from_utf8(value).ok()?.parse().ok().map(Key::Number),
            Kind::Text => {
                let text = unescape(value);
                let is_uuid = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                match u128::from_str_radix(&text, 16) {
                    Ok(number) if is_uuid => Some(Key::Uuid(number)),
                    _ => Some(Key::Text(text.into())),
                }
            }
            _ => None,
        }
    }

    /// The number of a uuid.
    pub(super) fn uuid(&self) -> Option<u128> {
        match self {
            Key::Uuid(number) => Some(*number),
            Key::Number(_) | Key::Text(_) => None,
        }
    }

    /// The key as the value of a condition.
    pub(super) fn text(&self) -> String {
        match self {
            Key::Uuid(number) => format!("{number:032x}"),
            Key::Number(number) => number.to_string(),
            Key::Text(text) => text.to_string(),
        }
    }

    /// Whether this key comes after another one; keys of different kinds have no order.
    pub(super) fn is_behind(&self, other: &Key) -> bool {
        match (self, other) {
            (Key::Number(one), Key::Number(other)) => one > other,
            (Key::Uuid(one), Key::Uuid(other)) => one > other,
            // The node ignores case when it compares text (Q9).
            (Key::Number(_), _) | (_, Key::Number(_)) => false,
            _ => self.text().to_lowercase() > other.text().to_lowercase(),
        }
    }

    /// Whether the key can be the value of a condition without being misread (Q1, Q6).
    pub(super) fn is_sendable(&self) -> bool {
        match self {
            Key::Uuid(_) | Key::Number(_) => true,
            Key::Text(text) => {
                !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
            }
        }
    }
}

/// Whether the rows are in the order of their keys, as requested.
pub(super) fn are_sorted(rows: &Rows, key: &str) -> bool {
    let mut last: Option<Key> = None;
    rows.iter().all(|row| {
        let Some(key) = Key::of_row(row, key) else { return false };
        let behind = last.as_ref().is_none_or(|last| key.is_behind(last));
        last = Some(key);
        behind
    })
}

/// The keys of the rows received so far, to drop duplicates.
#[derive(Debug)]
pub(super) struct Seen {
    keys: HashSet<Key>,
    /// How much more memory they may take, in bytes.
    left: usize,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { keys: HashSet::new(), left: MEMORY_LIMIT }
    }
}

impl Seen {
    /// Drops the rows that were received before and returns their number.
    ///
    /// # Errors
    /// When there are too many keys to be held.
    pub(super) fn drop_known(&mut self, rows: &mut Rows, key: &str) -> Result<usize, Error> {
        let before = rows.len();
        let mut needed = 0;
        rows.retain(|row| {
            let Some(key) = Key::of_row(row, key) else { return true };
            let size = if let Key::Text(text) = &key { text.len() } else { 0 };
            let is_new = self.keys.insert(key);
            needed += if is_new { size + HELD_COST } else { 0 };
            is_new
        });
        match self.left.checked_sub(needed) {
            Some(left) => self.left = left,
            None => return Err(Error::TooLong { flaw: "it has too many rows without an order".to_owned() }),
        }
        Ok(before - rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Reply;

    fn page(text: &str) -> Page {
        Page::read(&mut Reply::of_text(text.into())).expect("a page")
    }

    #[test]
    fn pages_are_taken_apart_in_order() {
        let read = page(r#"{"total":7,"x":[1,2],"inventories":[{"uuid":"a"},{"uuid":"b"}],"schema":{}}"#);
        assert_eq!((read.rows_name.as_deref(), read.rows.len(), read.total()), (Some("inventories"), 2, Some(7)));
        assert_eq!(read.before[1], ("x".to_owned(), b"[1,2]".to_vec()));
        assert_eq!(read.after, [("schema".to_owned(), b"{}".to_vec())]);
        assert_eq!(page(r#"{"total":7}"#).rows_name, None);
    }

    #[test]
    fn a_page_is_not_held_beyond_its_limit() {
        let read =
            |text: &str| Page::read_rows(&mut Reply::of_text(text.into()), usize::MAX, 100).map(|(page, _)| page);
        assert_eq!(read(r#"{"inventories":[{"uuid":"a"}]}"#).expect("a page").rows.len(), 1);
        let rows = [r#"{"uuid":"a"}"#; 9].join(",");
        for name in ["inventories", "x\":[],\"y"] {
            let text = format!(r#"{{"{name}":[{rows}]}}"#);
            assert!(matches!(read(&text), Err(Error::TooLong { .. })), "{text}");
        }
    }

    #[test]
    fn results_of_zql_are_unwrapped() {
        let mut reply = Reply::of_text(r#"{"results":[{"name":null,"inventories":[{"a":1}],"total":3}]}"#.into());
        let read = Page::read_zql(&mut reply).expect("a page");
        assert_eq!((read.rows.len(), read.total(), read.before.len()), (1, Some(3), 0));
        for text in ["{}", r#"{"results":[]}"#, r#"{"results":[7]}"#, r#"{"results":{}}"#] {
            assert!(Page::read_zql(&mut Reply::of_text(text.into())).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_have_an_order_and_rows_come_once() {
        let key = |row: &str| Key::of_row(row.as_bytes(), "uuid");
        let uuid = r#"{"uuid":"0b5c1de0c6f54a1f9b7d0a4f3d1c2b61"}"#;
        assert_eq!(key(uuid).map(|key| key.text()).as_deref(), Some("0b5c1de0c6f54a1f9b7d0a4f3d1c2b61"));
        assert!(key(r#"{"uuid":12}"#).expect("a key").is_behind(&Key::Number(9)));
        assert!(!key(r#"{"uuid":"a"}"#).expect("a key").is_behind(&Key::Text("A".into())));
        assert!(!key(r#"{"uuid":"a'b"}"#).expect("a key").is_sendable());
        assert_eq!(key("{}"), None);
        let mut rows = Rows::default();
        for row in [r#"{"uuid":"a"}"#, "{}", r#"{"uuid":"a"}"#, r#"{"uuid":"b"}"#, "{}"] {
            rows.push(row.as_bytes());
        }
        assert!(Seen { left: HELD_COST, ..Seen::default() }.drop_known(&mut rows, "uuid").is_err());
        assert_eq!(Seen::default().drop_known(&mut rows, "uuid").expect("few rows"), 0);
        rows.push(br#"{"uuid":"b"}"#);
        rows.push(b"{}");
        assert_eq!(Seen::default().drop_known(&mut rows, "uuid").expect("few rows"), 1);
        assert_eq!(rows.iter().last(), Some(&b"{}"[..]));
        rows.truncate(1);
        assert_eq!((rows.len(), rows.get(0), rows.get(1)), (1, Some(&br#"{"uuid":"a"}"#[..]), None));
    }
}
