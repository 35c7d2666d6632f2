//! Counts by group, turned into rows.

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
    pub(super) fn groups(&mut self, plan: &QueryPlan) -> Result<Answer, Error> {
        match self.execute(&plan.request(0, &Cursor::Start), &CallOptions::default(), &mut Unwatched)? {
            Answer::Reply(reply) => {
                let text = reply.into_text().map_err(|error| Error::of_read(&error))?;
                Ok(Answer::Reply(Reply::of_text(rows(&text))))
            }
            other => Ok(other),
        }
    }
}

/// The rows of a reply `{"results": [{"inventoryCounts": [[{"state": "Running"}, 12], ..]}]}` (Z5). A single map with
/// counts as values is what an empty one looks like (N7).
fn rows(reply: &[u8]) -> Vec<u8> {
    let counts = json::member(reply, "results")
        .and_then(|results| json::items(results).next())
        .and_then(|result| json::member(result, "inventoryCounts"))
        .filter(|counts| json::kind(counts) == Kind::List);
    let mut out = b"{\"inventories\":[".to_vec();
    for pair in counts.into_iter().flat_map(json::items) {
        let mut pair = json::items(pair);
        let (Some(group), Some(count)) = (pair.next(), pair.next()) else { continue };
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        out.push(b'{');
        for (name, value) in json::members(group) {
            out.push(b'"');
            out.extend_from_slice(name);
            out.extend_from_slice(b"\":");
            out.extend_from_slice(value);
            out.push(b',');
        }
        out.extend_from_slice(b"\"count\":");
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
        let reply = br#"{"results":[{"inventoryCounts":[[{"state":"Running"},12],[{},3]]}]}"#;
        assert_eq!(
            String::from_utf8_lossy(&rows(reply)),
            r#"{"inventories":[{"state":"Running","count":12},{"count":3}]}"#
        );
        for empty in [&br#"{"results":[{"inventoryCounts":{}}]}"#[..], br#"{"results":[{}]}"#, b"{}"] {
            assert_eq!(String::from_utf8_lossy(&rows(empty)), r#"{"inventories":[]}"#);
        }
    }
}
