//! Converts counts by group to rows.

use super::call::{Answer, CallOptions, Reply, Unwatched};
use super::caller::Client;
use super::error::Error;
use crate::json::{self, Kind};
use crate::plan::{Cursor, QueryPlan};

impl Client {
    /// Runs a query that counts rows by the value of a field: `{"inventories": [{"state": "Running", "count": 12}, ..]}`.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub(super) fn groups(&mut self, plan: &QueryPlan, field: &str) -> Result<Answer, Error> {
        let reply = match self.execute(&plan.request(0, &Cursor::Start), &CallOptions::default(), &mut Unwatched)? {
            Answer::Reply(reply) => reply.into_text().map_err(|error| Error::of_read(&error))?,
            other => return Ok(other),
        };
        let mut groups = groups(&reply, field);
        if let Some(without) = groups.iter_mut().find(|group| group.is_null()) {
            match self.count(&plan.count_of_null(field))? {
                Ok(count) => without.count = count.to_string().into_bytes(),
                Err(failure) => return Ok(Answer::Failed(failure)),
            }
        }
        Ok(Answer::Reply(Reply::of_text(rows(field, &groups))))
    }
}

/// The rows that have the same value in a field.
#[derive(Debug, PartialEq)]
struct Group {
    value: Vec<u8>,
    count: Vec<u8>,
}

impl Group {
    /// Whether the value is missing. The node reports 0 rows for such a group, whatever their number (R7).
    fn is_null(&self) -> bool {
        json::kind(&self.value) == Kind::Null
    }
}

/// The groups of a reply `{"results": [{"inventoryCounts": [[{"state": "Running"}, 12], ..]}]}` (Z5). An empty result
/// is a single map with counts as values (N7). Members that were not requested have wrong values (R4).
fn groups(reply: &[u8], field: &str) -> Vec<Group> {
    let counts = json::member(reply, "results")
        .and_then(|results| json::items(results).next())
        .and_then(|result| json::member(result, "inventoryCounts"))
        .filter(|counts| json::kind(counts) == Kind::List);
    let pairs = counts.into_iter().flat_map(json::items).filter_map(|pair| {
        let mut pair = json::items(pair);
        let (group, count) = (pair.next()?, pair.next()?);
        let value = json::member(group, field).unwrap_or(b"null").to_vec();
        Some(Group { value, count: count.to_vec() })
    });
    pairs.collect()
}

fn rows(field: &str, groups: &[Group]) -> Vec<u8> {
    let mut out = b"{\"inventories\":[".to_vec();
    for (index, Group { value, count }) in groups.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.push(b'{');
        json::write_literal(&mut out, field);
        out.push(b':');
        out.extend_from_slice(value);
        out.extend_from_slice(b",\"count\":");
        out.extend_from_slice(count);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_rows() {
        let rows = |reply: &[u8]| String::from_utf8_lossy(&rows("state", &groups(reply, "state"))).into_owned();
        let reply = br#"{"results":[{"inventoryCounts":[[{"state":"Running","isDefault":false},12],[{},0]]}]}"#;
        assert_eq!(rows(reply), r#"{"inventories":[{"state":"Running","count":12},{"state":null,"count":0}]}"#);
        for empty in [&br#"{"results":[{"inventoryCounts":{}}]}"#[..], br#"{"results":[{}]}"#, b"{}"] {
            assert_eq!(rows(empty), r#"{"inventories":[]}"#);
        }
    }
}
