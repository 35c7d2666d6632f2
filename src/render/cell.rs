//! The text of a cell, for people or for programs.

use std::borrow::Cow;

use crate::dates;
use crate::json::{self, Kind};
use crate::secret::{self, MASK};
use crate::width::width;

use super::fit::LIST_SEPARATOR;
use super::grid::GridColumn;
use super::size::{human_size, integral, part_of_size};
use super::style::{Tone, tone};
use super::view::View;

/// A cell for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// The text, with control characters escaped.
    pub(super) text: String,
    /// The width in columns of a terminal.
    pub(super) width: usize,
    /// The meaning of the value, which selects its colour.
    pub(super) tone: Option<Tone>,
    /// Whether it is a number, to be aligned right.
    pub(super) number: bool,
    /// Whether it is text of several words.
    pub(super) prose: bool,
}

/// Whether a text is a uuid as nodes write them: 32 hexadecimal digits, with or without dashes.
pub(super) fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.len() {
        32 => bytes.iter().all(u8::is_ascii_hexdigit),
        36 => bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        }),
        _ => false,
    }
}

/// Fills `cell` with the value of a column, for people: byte counts readable, nested values summarised, secrets
/// masked. `value` is what the column's first member holds.
pub(super) fn for_people(column: &GridColumn, value: Option<&[u8]>, view: &View, cell: &mut Cell) {
    cell.text.clear();
    cell.tone = None;
    cell.number = false;
    cell.prose = false;
    if let Some(value) = value {
        if column.masked {
            if json::kind(value) != Kind::Null {
                cell.text.push_str(MASK);
            }
        } else if column.inner.is_empty() {
            cell.number = json::kind(value) == Kind::Number;
            push_value(column, value, view, &mut cell.text);
            cell.prose = json::kind(value) == Kind::Text && cell.text.contains(' ');
        } else {
            let mut count = 0;
            json::pick(value, &column.inner, &mut |value| {
                if json::kind(value) == Kind::Null {
                    return;
                }
                if count > 0 {
                    cell.text.push_str(LIST_SEPARATOR);
                }
                count += 1;
                cell.number = json::kind(value) == Kind::Number;
                push_value(column, value, view, &mut cell.text);
            });
            cell.number &= count == 1;
        }
    }
    if view.colour && column.state {
        cell.tone = tone(&cell.text);
    }
    cell.width = width(&cell.text);
}

/// Fills `cell` with a byte count and what it is a part of: `63/128 GiB`. Where one is missing the other stands alone.
pub(super) fn joint(part: Option<&[u8]>, whole: Option<&[u8]>, cell: &mut Cell) {
    let count = |value: &[u8]| std::str::from_utf8(value).ok().and_then(integral);
    cell.text.clear();
    (cell.tone, cell.number, cell.prose) = (None, true, false);
    match (part.and_then(count), whole.and_then(count)) {
        (Some(part), Some(whole)) => part_of_size(part, whole, &mut cell.text),
        (Some(count), None) | (None, Some(count)) => cell.text.extend(human_size(&count.to_string())),
        (None, None) => {}
    }
    cell.width = width(&cell.text);
}

fn push_value(column: &GridColumn, value: &[u8], view: &View, out: &mut String) {
    match json::kind(value) {
        Kind::Null => {}
        Kind::Text if column.shortens_dates => match dates::short(&json::unescape(value)) {
            Some(date) => out.push_str(&date),
            None => push_text(&column.leaf, value, view, out),
        },
        Kind::Text => push_text(&column.leaf, value, view, out),
        Kind::Bool => out.push_str(&String::from_utf8_lossy(value)),
        Kind::Number => push_number(value, column.bytes, out),
        Kind::List => push_list(&column.leaf, value, view, out),
        Kind::Map => push_map(value, view, out),
    }
}

fn push_text(name: &str, literal: &[u8], view: &View, out: &mut String) {
    let text = json::unescape(literal);
    // Most texts cannot contain a secret, and are not searched for one.
    let shown = if view.masks_secrets() && secret::may_hide_secrets(text.as_bytes()) {
        (view.mask)(name, &text)
    } else {
        Cow::Borrowed(&*text)
    };
    let shown = match &view.known {
        Some(known) if view.masks_secrets() => Cow::Owned(known.mask(&shown).into_owned()),
        _ => shown,
    };
    out.push_str(&json::escape_unprintable(&shown));
}

fn push_number(value: &[u8], bytes: bool, out: &mut String) {
    let text = String::from_utf8_lossy(value);
    if bytes && let Some(size) = human_size(&text) {
        out.push_str(&size);
    } else if text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
        && let Some(integer) = integral(&text)
    {
        // Nodes print some integers as doubles (N4).
        out.push_str(&integer.to_string());
    } else {
        out.push_str(&text);
    }
}

fn push_scalar(name: &str, value: &[u8], view: &View, out: &mut String) {
    match json::kind(value) {
        Kind::Text => push_text(name, value, view, out),
        Kind::Number => push_number(value, false, out),
        Kind::Bool => out.push_str(&String::from_utf8_lossy(value)),
        Kind::Null => out.push_str("null"),
        Kind::List => out.push_str(&format!("[{}]", view.ellipsis())),
        Kind::Map => out.push_str(&format!("{{{}}}", view.ellipsis())),
    }
}

/// `3 nics`, or the first value and the number of others.
fn push_list(name: &str, list: &[u8], view: &View, out: &mut String) {
    let mut items = json::items(list);
    let Some(first) = items.next() else { return };
    let more = items.count();
    match json::kind(first) {
        Kind::Map | Kind::List => out.push_str(&counted(name, more + 1)),
        _ => {
            push_scalar(name, first, view, out);
            if more > 0 {
                out.push_str(&format!(" +{more}"));
            }
        }
    }
}

/// The name of a map, or its first member and the number of others.
fn push_map(map: &[u8], view: &View, out: &mut String) {
    let mut members = json::members(map).filter(|(_, value)| json::kind(value) != Kind::Null);
    let Some((name, value)) = members.next() else { return };
    if let Some(called) = json::member(map, "name").filter(|value| json::kind(value) == Kind::Text) {
        return push_text("name", called, view, out);
    }
    let name = String::from_utf8_lossy(name);
    out.push_str(&json::escape_unprintable(&name));
    out.push('=');
    if view.masks(&name) {
        out.push_str(MASK)
    } else {
        push_scalar(&name, value, view, out)
    }
    let more = members.count();
    if more > 0 {
        out.push_str(&format!(" +{more}"));
    }
}

/// `3 nics` of a list called `vmNics`: a number and the last word of its name.
fn counted(name: &str, count: usize) -> String {
    let start = name.rfind(|c: char| c.is_ascii_uppercase()).unwrap_or(0);
    let mut noun = name.get(start..).unwrap_or(name).to_ascii_lowercase();
    if noun.len() < 2 {
        noun = "items".to_owned();
    }
    if count == 1 {
        if let Some(stem) = noun.strip_suffix("ies") {
            noun = format!("{stem}y");
        } else if noun.ends_with("sses") {
            noun.truncate(noun.len() - 2);
        } else if noun.ends_with('s') && !noun.ends_with("ss") {
            noun.truncate(noun.len() - 1);
        }
    }
    format!("{count} {}", json::escape_unprintable(&noun))
}

/// Appends the value of a column for programs: strings bare, numbers as sent, lists of scalars joined by commas,
/// other nested values as JSON.
pub(super) fn for_programs(column: &GridColumn, value: Option<&[u8]>, out: &mut String) {
    let Some(value) = value else { return };
    if column.inner.is_empty() {
        return push_raw(value, out);
    }
    let mut first = true;
    json::pick(value, &column.inner, &mut |value| {
        if json::kind(value) != Kind::Null {
            if !first {
                out.push(',');
            }
            first = false;
            push_raw(value, out);
        }
    });
}

fn push_raw(value: &[u8], out: &mut String) {
    match json::kind(value) {
        Kind::Null => {}
        Kind::Text => out.push_str(&json::unescape(value)),
        Kind::Bool | Kind::Number => out.push_str(&String::from_utf8_lossy(value)),
        Kind::List if json::items(value).all(|item| !matches!(json::kind(item), Kind::List | Kind::Map)) => {
            for (index, item) in json::items(value).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_raw(item, out);
            }
        }
        Kind::List | Kind::Map => {
            let mut text = Vec::new();
            json::compact(&mut text, value);
            out.push_str(&String::from_utf8_lossy(&text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Selection;
    use super::super::grid::Grid;
    use super::super::view::{Format, Shape};
    use super::*;

    fn cell(row: &str, column: &str, format: Format) -> Cell {
        let view = View { is_secret: |name| name == "sshPassword", colour: true, ..View::new(format) };
        let grid = Grid::of(Selection::parse(column).expect("a selection").columns, &Shape::default(), &view);
        let heads = grid.heads(row.as_bytes());
        let mut cell = Cell::default();
        for_people(&grid.columns[0], grid.value(&grid.columns[0], row.as_bytes(), &heads), &view, &mut cell);
        cell
    }

    const ROW: &str = r#"{"name":"a\u001b[31m\nb","size":9992857976832,"cpuNum":4.0,"isDefault":false,"none":null,
        "vmNics":[{"ip":"10.0.0.1","sshPassword":"x"},{"ip":"10.0.0.2"},{"mac":"m"}],"one":[{"a":1}],"allAddresses":[{}],
        "zones":["z1","z2","z3"],"dns":["8.8.8.8"],"empty":[],"no":{},"map":{"k":"v","l":2},"secret":{"sshPassword":"x"},
        "pattern":{"uuid":"u","name":"gold"},"mixed":[[1],[2]],"state":"Running","sshPassword":"hunter2","weird":1.5}"#;

    #[test]
    fn cells_for_people() {
        for (column, text) in [
            ("name", "a\\u001b[31m\\nb"),
            ("size", "9.1 TiB"),
            ("cpuNum", "4"),
            ("weird", "1.5"),
            ("isDefault", "false"),
            ("none", ""),
            ("nope", ""),
            ("vmNics", "3 nics"),
            ("vmNics.ip", "10.0.0.1, 10.0.0.2"),
            ("one", "1 one"),
            ("allAddresses", "1 address"),
            ("zones", "z1 +2"),
            ("dns", "8.8.8.8"),
            ("empty", ""),
            ("no", ""),
            ("map", "k=v +1"),
            ("map.l", "2"),
            ("pattern", "gold"),
            ("mixed", "2 mixed"),
            ("sshPassword", "******"),
            ("vmNics.sshPassword", "******"),
            ("secret", "sshPassword=******"),
        ] {
            assert_eq!(cell(ROW, column, Format::Table).text, text, "{column}");
        }
        assert_eq!(cell(ROW, "state", Format::Table).tone, Some(Tone::Good));
        assert!(cell(ROW, "size", Format::Table).number && !cell(ROW, "vmNics.ip", Format::Table).number);
        assert_eq!(cell(r#"{"name":"日本👍"}"#, "name", Format::Table).width, 6);
    }

    #[test]
    fn cells_for_programs() {
        for (column, text) in [
            ("name", "a\u{1b}[31m\nb"),
            ("size", "9992857976832"),
            ("cpuNum", "4.0"),
            ("none", ""),
            ("vmNics.ip", "10.0.0.1,10.0.0.2"),
            ("zones", "z1,z2,z3"),
            ("one", r#"[{"a":1}]"#),
            ("sshPassword", "hunter2"),
        ] {
            let view = View::new(Format::Csv);
            let grid = Grid::of(Selection::parse(column).expect("a selection").columns, &Shape::default(), &view);
            let heads = grid.heads(ROW.as_bytes());
            let mut out = String::new();
            for_programs(&grid.columns[0], grid.value(&grid.columns[0], ROW.as_bytes(), &heads), &mut out);
            assert_eq!(out, text, "{column}");
        }
    }

    #[test]
    fn uuids_are_recognised() {
        assert!(is_uuid("1ab3b836a88342e1bbc1b1a17d092f0f"));
        assert!(is_uuid("d53902bc-ff50-4d08-8769-9d83448478d3"));
        assert!(!is_uuid("1ab3b836a88342e1bbc1b1a17d092f0x") && !is_uuid("abc"));
    }
}
