//! Converts the results of ZQL statements to rows.

use crate::client::Reply;
use crate::json::{self, Kind, MEMORY_LIMIT, MapWriter, Piece, Pieces, ReadError};
use crate::syntax::zql::{Rows, Statement};

use super::arrange;

/// The column with the number of rows of a group.
pub(crate) const COUNT: &str = "count";

/// A ZQL reply. Members that were not selected are left out, since their values are wrong (R4).
pub(crate) struct ZqlResults {
    reply: Reply,
    known: Vec<Known>,
    /// Whether all lists of rows become `inventories` with named members. Otherwise results are not converted.
    in_rows: bool,
    /// The index of the next result, within the list of results.
    next: Option<usize>,
    text: Vec<u8>,
}

/// What is known of a result from its statement.
struct Known {
    rows: Names,
    /// The title of a result without a name, if there are several: its entity.
    title: Option<String>,
}

/// The names of the members of a result's rows.
enum Names {
    /// Members of maps.
    Members(Vec<String>),
    /// Members of the maps in pairs of a group and a count.
    Groups(Vec<String>),
    /// Values in a list.
    Values(Vec<String>),
    AsSent,
}

impl Names {
    fn of(rows: &Rows<'_>) -> Names {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match rows {
            Rows::Members(names) => Names::Members(owned(names)),
            Rows::Groups(names) => Names::Groups(owned(names)),
            Rows::Sums(names) | Rows::Aggregates(names) => Names::Values(owned(names)),
            Rows::Whole | Rows::Other => Names::AsSent,
        }
    }
}

impl ZqlResults {
    pub(crate) fn new(reply: Reply, statements: &[Statement<'_>], in_rows: bool) -> ZqlResults {
        let several = statements.len() > 1;
        let known = statements.iter().map(|statement| Known {
            rows: Names::of(&statement.rows),
            title: statement.entity.filter(|_| several).map(|entity| entity.text.to_owned()),
        });
        ZqlResults { reply, known: known.collect(), in_rows, next: None, text: Vec::new() }
    }
}

impl Pieces for ZqlResults {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.reply.next_piece()?;
        match (&piece, &mut self.next) {
            (Some(Piece::Rows { name }), next) => *next = (*name == "results").then_some(0),
            (Some(Piece::Row(result)), Some(next)) => {
                let index = *next;
                *next += 1;
                if let Some(known) = self.known.get(index) {
                    self.text = known.result(result, self.in_rows, MEMORY_LIMIT)?;
                    return Ok(Some(Piece::Row(&self.text)));
                }
            }
            _ => {}
        }
        Ok(piece)
    }
}

impl Known {
    /// The converted result, unless it takes more than `limit` bytes.
    fn result(&self, result: &[u8], in_rows: bool, limit: usize) -> Result<Vec<u8>, ReadError> {
        let mut left = limit;
        let mut record = MapWriter::default();
        let mut is_named = false;
        for (name, value) in json::members(result) {
            let is_list = json::kind(value) == Kind::List;
            match (name, &self.rows) {
                (b"inventories" | b"inventoryCounts" | b"inventoryAggregateFunctions", _) if is_list => {
                    let mut is_whole = true;
                    let rows = json::items(value).map(|row| self.row(row, in_rows)).take_while(|row| {
                        let rest = left.checked_sub(row.len());
                        left = rest.unwrap_or_default();
                        is_whole = rest.is_some();
                        is_whole
                    });
                    record.push_list(if in_rows { b"inventories" } else { name }, rows);
                    if !is_whole {
                        return Err(ReadError::TooMuch { limit });
                    }
                }
                (b"name", _) if json::kind(value) == Kind::Null => {}
                _ => {
                    is_named |= name == b"name";
                    record.push(name, value);
                }
            }
        }
        if let Some(title) = self.title.as_ref().filter(|_| in_rows && !is_named) {
            let mut text = Vec::new();
            json::write_literal(&mut text, title);
            record.push(b"name", &text);
        }
        Ok(record.finish())
    }

    fn row(&self, row: &[u8], in_rows: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let is_scalar = !matches!(json::kind(row), Kind::Map | Kind::List);
        match &self.rows {
            // A single value is that of the only member.
            Names::Members(names) | Names::Values(names) if is_scalar && in_rows && names.len() == 1 => {
                let mut record = MapWriter::default();
                record.push(names[0].as_bytes(), row);
                return record.finish();
            }
            Names::AsSent => return row.to_vec(),
            Names::Members(names) => arrange::select(row, names, &mut out),
            Names::Groups(names) => {
                let mut pair = json::items(row);
                let (Some(group), Some(count)) = (pair.next(), pair.next()) else { return row.to_vec() };
                arrange::select(group, names, &mut out);
                if !in_rows {
                    return [b"[", &out[..], b",", count, b"]"].concat();
                }
                let mut record = MapWriter::default();
                for (name, value) in json::members(&out) {
                    record.push(name, value);
                }
                record.push(COUNT.as_bytes(), count);
                return record.finish();
            }
            Names::Values(_) if !in_rows => return row.to_vec(),
            Names::Values(names) => {
                // `[{"cpuNum":4},4]` has the value twice; `["uuid",4,8]` has no names (R16).
                let values: Vec<&[u8]> = json::items(row).filter(|value| json::kind(value) != Kind::Map).collect();
                let group = json::items(row).find(|value| json::kind(value) == Kind::Map);
                match group {
                    _ if values.len() == names.len() => {
                        let mut record = MapWriter::default();
                        for (name, value) in names.iter().zip(values) {
                            record.push(name.as_bytes(), value);
                        }
                        return record.finish();
                    }
                    Some(group) => arrange::select(group, names, &mut out),
                    None => return row.to_vec(),
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::zql::statements;

    fn results(text: &str, results: &str, in_rows: bool) -> String {
        let reply = Reply::of_text(format!("{{\"results\":[{results}]}}").into());
        let results = ZqlResults::new(reply, &statements(text), in_rows);
        let text = Reply::of_pieces(Box::new(results)).into_text().expect("a reply");
        let text = String::from_utf8(text).expect("text");
        text.strip_prefix("{\"results\":[").and_then(|text| text.strip_suffix("]}")).expect("results").to_owned()
    }

    #[test]
    fn what_nobody_named_is_left_out() {
        for (text, sent, as_sent, in_rows) in [
            (
                "query zone.name",
                r#"{"inventories":[{"isDefault":false,"name":"a"}],"total":1}"#,
                r#"{"inventories":[{"name":"a"}],"total":1}"#,
                r#"{"inventories":[{"name":"a"}],"total":1}"#,
            ),
            (
                "count zone group by state",
                r#"{"inventoryCounts":[[{"state":"Enabled","isDefault":false},7]],"total":7}"#,
                r#"{"inventoryCounts":[[{"state":"Enabled"},7]],"total":7}"#,
                r#"{"inventories":[{"state":"Enabled","count":7}],"total":7}"#,
            ),
            (
                "query max(vminstance.cpuNum)",
                r#"{"inventoryAggregateFunctions":[[{"cpuNum":4},4]]}"#,
                r#"{"inventoryAggregateFunctions":[[{"cpuNum":4},4]]}"#,
                r#"{"inventories":[{"cpuNum":4}]}"#,
            ),
            (
                "query avg(vm.a,b)",
                r#"{"inventoryAggregateFunctions":[[1.5,2.0]]}"#,
                r#"{"inventoryAggregateFunctions":[[1.5,2.0]]}"#,
                r#"{"inventories":[{"a":1.5,"b":2.0}]}"#,
            ),
            (
                "sum vminstance.memorySize,cpuNum by hostUuid",
                r#"{"inventories":[["0f06",96,5]],"name":null}"#,
                r#"{"inventories":[["0f06",96,5]]}"#,
                r#"{"inventories":[{"hostUuid":"0f06","memorySize":96,"cpuNum":5}]}"#,
            ),
            (
                "query zone",
                r#"{"inventories":[{"a":1}]}"#,
                r#"{"inventories":[{"a":1}]}"#,
                r#"{"inventories":[{"a":1}]}"#,
            ),
        ] {
            assert_eq!(results(text, sent, false), as_sent, "{text}");
            assert_eq!(results(text, sent, true), in_rows, "{text}");
        }
    }

    #[test]
    fn a_result_that_grows_beyond_the_limit_is_an_error() {
        let statements = statements("query zone.name");
        let known = &ZqlResults::new(Reply::of_text(Vec::new()), &statements, true).known[0];
        let result = |limit| known.result(br#"{"inventories":[1,2,3]}"#, true, limit);
        assert_eq!(result(30).expect("it fits"), br#"{"inventories":[{"name":1},{"name":2},{"name":3}]}"#);
        assert!(matches!(result(29), Err(ReadError::TooMuch { limit: 29 })));
    }

    #[test]
    fn results_of_several_statements_have_names() {
        let sent = r#"{"inventories":[],"name":"a"},{"total":8}"#;
        assert_eq!(results("query zone named as 'a'; count host", sent, false), sent);
        assert_eq!(
            results("query zone named as 'a'; count host", sent, true),
            r#"{"inventories":[],"name":"a"},{"total":8,"name":"host"}"#
        );
    }
}
