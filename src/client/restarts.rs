//! Whether a job can have outlived its node (R20), and the time zone of a node.

use std::time::Duration;

use jiff::Timestamp;

use super::caller::Client;
use super::signing::NodeZone;
use crate::dates;
use crate::json::{self, Kind, Piece, Pieces, unescape};
use crate::plan::PathPart;

/// How much later than the job the node must have started: times are in seconds.
const MARGIN: Duration = Duration::from_secs(5);

impl Client {
    /// The start time of the node, if a job was submitted before it: the job probably died (R20). If there are several
    /// nodes, any older one may have the job. `None` if the node does not report its start.
    pub fn started_since(&mut self, submitted: Duration) -> Option<String> {
        let mut nodes = self.ask_aside("QueryManagementNode", vec![PathPart::Fixed("/management-nodes")])?;
        let offset = self.zone_offset()?;
        self.learn_clock_skew().ok()?;
        let skew = self.shared().clock_skew.unwrap_or_default();
        let by_its_clock = i64::try_from(submitted.saturating_add(MARGIN).as_secs()).ok()?.checked_add(skew)?;
        let mut first: Option<(Timestamp, String)> = None;
        while let Some(piece) = nodes.next_piece().ok()? {
            let Piece::Row(row) = piece else { continue };
            let told = text_of(row, "joinDate")?;
            let joined: Timestamp = format!("{}{offset}", dates::printed(&told)?).parse().ok()?;
            if first.as_ref().is_none_or(|(earliest, _)| joined < *earliest) {
                first = Some((joined, told));
            }
        }
        first.filter(|(joined, _)| joined.as_second() > by_its_clock).map(|(_, told)| told)
    }

    /// The node's time zone, in which it writes and compares dates (N3, Q10). `None` if it does not say.
    pub fn zone(&mut self) -> Option<NodeZone> {
        let told = self.platform_zone()?;
        ["timezone", "offset"].into_iter().find_map(|name| NodeZone::parse(&text_of(&told, name)?))
    }

    /// The offset of the node's time zone: `+08:00`, or `Z`.
    fn zone_offset(&mut self) -> Option<String> {
        text_of(&self.platform_zone()?, "offset")
    }

    /// What the node says of its time zone: `{"timezone": "Asia/Shanghai", "offset": "+08:00"}`.
    fn platform_zone(&mut self) -> Option<Vec<u8>> {
        let path = vec![PathPart::Fixed("/management-nodes/platform-timezone")];
        self.ask_aside("GetPlatformTimeZone", path)?.into_text().ok()
    }
}

fn text_of(object: &[u8], name: &str) -> Option<String> {
    let value = json::member(object, name).filter(|value| json::kind(value) == Kind::Text)?;
    Some(unescape(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake::{Node, answer, ok};
    use super::*;

    #[test]
    fn only_what_all_nodes_are_younger_than_has_died() {
        // Midnight of the node is 16:00 of the day before.
        let zone = || ok(r#"{"timezone":"Asia/Shanghai","offset":"+08:00"}"#);
        let clock = |millis: u64| ok(&format!(r#"{{"currentTime":{{"MillionSeconds":{millis}}}}}"#));
        let nodes = |dates: &[&str]| {
            let rows: Vec<String> = dates.iter().map(|date| format!(r#"{{"uuid":"a","joinDate":"{date}"}}"#)).collect();
            ok(&format!(r#"{{"inventories":[{}]}}"#, rows.join(",")))
        };
        let midnight = 1_741_104_000;
        let right = 1_741_068_607_000;
        let young = "Mar 5, 2025 12:00:00 AM";
        for (dates, millis, submitted, expected) in [
            (&[young][..], right, midnight - 60, Some(young)),
            (&[young, "Mar 5, 2025, 12:00:07\u{202f}AM"], right, midnight - 60, Some(young)),
            (&[young], right, midnight - 3, None),
            (&[young], right, midnight + 60, None),
            (&[young, "Mar 4, 2025 11:00:00 PM"], right, midnight - 60, None),
            // The node's clock is an hour ahead.
            (&[young], right + 3_600_000, midnight - 60, None),
            (&[young], right + 3_600_000, midnight - 3660, Some(young)),
            (&["soon"], right, midnight - 60, None),
            (&[], right, midnight - 60, None),
        ] {
            let node = Node::new([nodes(dates), zone(), clock(millis)]);
            let told = node.client().started_since(Duration::from_secs(submitted));
            assert_eq!(told.as_deref(), expected, "{dates:?} {submitted}");
        }
        for steps in [vec![answer(404, "no api mapping")], vec![nodes(&[young]), answer(503, "")]] {
            let node = Node::new(steps);
            assert_eq!(node.client().started_since(Duration::from_secs(1)), None);
            node.seen();
        }
    }
}
