//! Changes between two answers to the same query, and how they are marked in a table.

use std::collections::HashMap;

use crate::json::{self, HELD_COST, MEMORY_LIMIT};

use super::columns::Selection;
use super::error::{Error, Holder};
use super::style::Tone;

/// A change of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The row is new.
    New {
        /// The JSON text of the row's key.
        key: Vec<u8>,
        /// The text of the row.
        row: Vec<u8>,
    },
    /// The row is gone.
    Gone {
        /// The JSON text of the row's key.
        key: Vec<u8>,
        /// The previous text of the row.
        row: Vec<u8>,
    },
    /// Some of its members differ.
    Changed {
        /// The JSON text of the row's key.
        key: Vec<u8>,
        /// The members' names, with their JSON texts before and now; `null` stands for a member that is absent (N2).
        members: Vec<(String, Vec<u8>, Vec<u8>)>,
    },
}

impl Change {
    /// The change as one line of JSON: `{"event":"new","uuid":"…","row":{…}}`, and for a changed row
    /// `"changes":{"state":["Running","Stopped"]}`. `key_name` is the member that rows are known by.
    pub fn event(&self, key_name: &str) -> Vec<u8> {
        let (event, key) = match self {
            Change::New { key, .. } => ("new", key),
            Change::Gone { key, .. } => ("gone", key),
            Change::Changed { key, .. } => ("changed", key),
        };
        let mut line = format!("{{\"event\":\"{event}\",\"{key_name}\":").into_bytes();
        line.extend_from_slice(key);
        match self {
            Change::New { row, .. } | Change::Gone { row, .. } => {
                line.extend_from_slice(b",\"row\":");
                json::compact(&mut line, row);
            }
            Change::Changed { members, .. } => {
                for (index, (name, before, now)) in members.iter().enumerate() {
                    line.extend_from_slice(if index == 0 { b",\"changes\":{\"" } else { b",\"" });
                    line.extend_from_slice(name.as_bytes());
                    line.extend_from_slice(b"\":[");
                    json::compact(&mut line, before);
                    line.push(b',');
                    json::compact(&mut line, now);
                    line.push(b']');
                }
                line.push(b'}');
            }
        }
        line.extend_from_slice(b"}\n");
        line
    }
}

/// The rows of one answer, to compare the next one with.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Keys and texts in the order of the answer.
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    places: HashMap<Vec<u8>, usize>,
    /// How much memory the rows take, in bytes.
    size: usize,
    /// How much they may take.
    limit: usize,
}

impl Default for Snapshot {
    /// An empty one that may take half of the memory for rows, since two are compared.
    fn default() -> Snapshot {
        Snapshot { rows: Vec::new(), places: HashMap::new(), size: 0, limit: MEMORY_LIMIT / 2 }
    }
}

impl Snapshot {
    /// Adds a row. One without the member `key_name` is known by its whole text.
    ///
    /// # Errors
    /// [`Error::TooManyRows`] when the rows take more memory than they may.
    pub fn push(&mut self, row: &[u8], key_name: &str) -> Result<(), Error> {
        let mut key = Vec::new();
        json::compact(&mut key, json::member(row, key_name).unwrap_or(row));
        if let Some(&place) = self.places.get(&key) {
            // The node sent it twice; the later text is the newer one.
            self.size = (self.size + row.len()).saturating_sub(self.rows[place].1.len());
            self.rows[place].1 = row.to_vec();
            return self.check_size();
        }
        self.size += 2 * key.len() + row.len() + HELD_COST;
        self.check_size()?;
        self.places.insert(key.clone(), self.rows.len());
        self.rows.push((key, row.to_vec()));
        Ok(())
    }

    fn check_size(&self) -> Result<(), Error> {
        match self.size > self.limit {
            true => Err(Error::TooManyRows { what: Holder::Watch, limit: self.limit }),
            false => Ok(()),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The changes in `next`: removed rows first, in their old order, then the others in their new order. With a
    /// selection only the selected members are compared.
    pub fn changes(&self, next: &Snapshot, selection: Option<&Selection>) -> Vec<Change> {
        let shown = |name: &str| {
            selection.is_none_or(|selection| {
                selection.added
                    || selection.columns.iter().any(|column| column.path.first().is_some_and(|at| at == name))
            })
        };
        let gone = self.rows.iter().filter(|(key, _)| !next.places.contains_key(key));
        let mut changes: Vec<Change> =
            gone.map(|(key, row)| Change::Gone { key: key.clone(), row: row.clone() }).collect();
        for (key, row) in &next.rows {
            let Some(&place) = self.places.get(key) else {
                changes.push(Change::New { key: key.clone(), row: row.clone() });
                continue;
            };
            let before = &self.rows[place].1;
            if before == row {
                continue;
            }
            let members = differences(before, row, shown);
            if !members.is_empty() {
                changes.push(Change::Changed { key: key.clone(), members });
            }
        }
        changes
    }

    /// The rows as a reply for a renderer, with removed rows at their old positions; at most `most` rows.
    pub fn reply(&self, before: &Snapshot, changes: &[Change], most: usize) -> Vec<u8> {
        let mut rows: Vec<&[u8]> = self.rows.iter().take(most).map(|(_, row)| row.as_slice()).collect();
        for change in changes {
            if let Change::Gone { key, row } = change
                && let Some(&place) = before.places.get(key)
                && place <= rows.len()
            {
                rows.insert(place, row);
            }
        }
        let mut text = b"{\"inventories\":[".to_vec();
        for (index, row) in rows.iter().take(most).enumerate() {
            if index > 0 {
                text.push(b',');
            }
            text.extend_from_slice(row);
        }
        text.extend_from_slice(b"]}");
        text
    }
}

/// The members whose compact texts differ.
fn differences(before: &[u8], now: &[u8], shown: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    const NULL: &[u8] = b"null";
    let compact = |text: &[u8]| {
        let mut out = Vec::new();
        json::compact(&mut out, text);
        out
    };
    let mut found = Vec::new();
    let old: HashMap<&[u8], &[u8]> = json::members(before).collect();
    let new: HashMap<&[u8], &[u8]> = json::members(now).collect();
    let names = json::members(now).chain(json::members(before).filter(|(name, _)| !new.contains_key(name)));
    for (name, _) in names {
        let (Ok(text), before, now) = (
            std::str::from_utf8(name),
            compact(old.get(name).copied().unwrap_or(NULL)),
            compact(new.get(name).copied().unwrap_or(NULL)),
        ) else {
            continue;
        };
        if before != now && shown(text) {
            found.push((text.to_owned(), before, now));
        }
    }
    found
}

/// Which rows and cells of a table are to be marked.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    key_name: String,
    rows: HashMap<Vec<u8>, Mark>,
}

/// How a row is marked.
#[derive(Clone, Debug)]
enum Mark {
    New,
    Gone,
    /// The members that changed.
    Cells(Vec<String>),
}

impl Marks {
    /// The marks of these changes, for rows known by their member `key_name`.
    pub fn of(changes: &[Change], key_name: &str) -> Marks {
        let rows = changes.iter().map(|change| match change {
            Change::New { key, .. } => (key.clone(), Mark::New),
            Change::Gone { key, .. } => (key.clone(), Mark::Gone),
            Change::Changed { key, members } => {
                (key.clone(), Mark::Cells(members.iter().map(|(name, ..)| name.clone()).collect()))
            }
        });
        Marks { key_name: key_name.to_owned(), rows: rows.collect() }
    }

    /// How the cells of a row are marked: the tone of the member of a name.
    pub(super) fn of_row(&self, row: &[u8]) -> Option<impl Fn(&str) -> Option<Tone>> {
        let mut key = Vec::new();
        json::compact(&mut key, json::member(row, &self.key_name).unwrap_or(row));
        let mark = self.rows.get(&key)?;
        Some(move |member: &str| match mark {
            Mark::New => Some(Tone::New),
            Mark::Gone => Some(Tone::Gone),
            Mark::Cells(members) => members.iter().any(|changed| changed == member).then_some(Tone::Changed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(rows: &[&str]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for row in rows {
            snapshot.push(row.as_bytes(), "uuid").expect("few rows");
        }
        snapshot
    }

    fn events(before: &[&str], now: &[&str], columns: Option<&str>) -> String {
        let selection = columns.map(|text| Selection::parse(text).expect("a selection"));
        let changes = snapshot(before).changes(&snapshot(now), selection.as_ref());
        changes.iter().map(|change| String::from_utf8(change.event("uuid")).expect("text")).collect()
    }

    #[test]
    fn rows_come_go_and_change() {
        let before = [r#"{"uuid":"a","state":"Running","n":1}"#, r#"{"uuid":"b", "x":[1, 2]}"#];
        assert_eq!(events(&before, &before, None), "");
        // Blanks and order are no change.
        assert_eq!(events(&before, &[before[0], r#"{"x":[1,2],"uuid":"b"}"#], None), "");
        assert_eq!(
            events(&before, &[r#"{"uuid":"c"}"#, r#"{"uuid":"a","state":"Stopped","m":2}"#], None),
            concat!(
                "{\"event\":\"gone\",\"uuid\":\"b\",\"row\":{\"uuid\":\"b\",\"x\":[1,2]}}\n",
                "{\"event\":\"new\",\"uuid\":\"c\",\"row\":{\"uuid\":\"c\"}}\n",
                "{\"event\":\"changed\",\"uuid\":\"a\",\"changes\":",
                "{\"state\":[\"Running\",\"Stopped\"],\"m\":[null,2],\"n\":[1,null]}}\n"
            )
        );
    }

    #[test]
    fn columns_that_are_not_shown_do_not_count() {
        let (before, now) = (r#"{"uuid":"a","s":1,"t":[1]}"#, r#"{"uuid":"a","s":2,"t":[2]}"#);
        assert_eq!(events(&[before], &[now], Some("name")), "");
        assert_eq!(
            events(&[before], &[now], Some("x=t.y")),
            "{\"event\":\"changed\",\"uuid\":\"a\",\"changes\":{\"t\":[[1],[2]]}}\n"
        );
        assert!(events(&[before], &[now], Some("+name")).contains("\"s\":[1,2]"));
    }

    #[test]
    fn rows_without_a_key_are_known_by_their_text() {
        let changes = snapshot(&["{\"n\":1}", "7"]).changes(&snapshot(&["{\"n\":2}", "7"]), None);
        assert!(matches!(&changes[..], [Change::Gone { .. }, Change::New { .. }]), "{changes:?}");
    }

    #[test]
    fn rows_beyond_the_limit_are_an_error() {
        let mut snapshot = Snapshot { limit: 300, ..Snapshot::default() };
        // A row that comes again takes the place of the first.
        for _ in 0..9 {
            snapshot.push(br#"{"uuid":"a","name":"one"}"#, "uuid").expect("it fits");
        }
        snapshot.push(br#"{"uuid":"b","name":"two"}"#, "uuid").expect("it fits");
        let error = snapshot.push(&[b"{\"uuid\":\"c\",\"name\":\"", &[b'x'; 99][..], b"\"}"].concat(), "uuid");
        let expected = "--watch holds all rows in memory, and they take more than 0 MiB";
        assert_eq!(error.expect_err("too many rows").to_string(), expected);
    }

    #[test]
    fn rows_that_went_are_shown_where_they_were() {
        let before = snapshot(&[r#"{"uuid":"a"}"#, r#"{"uuid":"b"}"#, r#"{"uuid":"c"}"#]);
        let now = snapshot(&[r#"{"uuid":"a"}"#, r#"{"uuid":"c"}"#]);
        let changes = before.changes(&now, None);
        let reply = |most| String::from_utf8(now.reply(&before, &changes, most)).expect("text");
        assert_eq!(reply(9), r#"{"inventories":[{"uuid":"a"},{"uuid":"b"},{"uuid":"c"}]}"#);
        assert_eq!(reply(1), r#"{"inventories":[{"uuid":"a"}]}"#);
    }
}
