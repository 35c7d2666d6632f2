//! The rows of a reply that is held whole.

use crate::json::{self, Kind, MapWriter};

/// The rows of a reply: its inventories, or else what it holds as one row.
pub(crate) fn rows_of(reply: &[u8]) -> Vec<Vec<u8>> {
    if let Some(rows) = json::member(reply, "inventories").filter(|rows| json::kind(rows) == Kind::List) {
        return json::items(rows).map(<[u8]>::to_vec).collect();
    }
    if let Some(row) = json::member(reply, "inventory").filter(|row| json::kind(row) == Kind::Map) {
        return vec![row.to_vec()];
    }
    let mut row = MapWriter::default();
    let mut is_empty = true;
    for (name, value) in json::members(reply).filter(|(name, _)| !matches!(*name, b"schema" | b"success")) {
        row.push(name, value);
        is_empty = false;
    }
    if is_empty { Vec::new() } else { vec![row.finish()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_one_row() {
        assert_eq!(rows_of(br#"{"inventories":[{"a":1},{"b":2}],"total":2}"#), [&b"{\"a\":1}"[..], b"{\"b\":2}"]);
        assert_eq!(rows_of(br#"{"success":true,"total":2}"#), [b"{\"total\":2}"]);
        assert!(rows_of(br#"{"success":true}"#).is_empty());
    }
}
