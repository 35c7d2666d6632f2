//! The output of `capacity`, as a reply.

use crate::json::{self, Kind, write_string};
use crate::render::human_size;

/// A list in the output: its query and its capacities.
#[derive(Debug)]
pub(super) struct Kinds {
    /// The query that returns the rows.
    pub(super) api: &'static str,
    /// The name of the list in the reply.
    name: &'static str,
    capacities: &'static [Capacity],
}

/// The pair of members of a capacity.
#[derive(Debug)]
struct Capacity {
    name: &'static str,
    total: &'static str,
    available: &'static str,
    bytes: bool,
}

const fn bytes(name: &'static str, total: &'static str, available: &'static str) -> Capacity {
    Capacity { name, total, available, bytes: true }
}

/// The lists in their order.
pub(super) const KINDS: [Kinds; 3] = [
    Kinds {
        api: "QueryHost",
        name: "hosts",
        capacities: &[
            bytes("memory", "totalMemoryCapacity", "availableMemoryCapacity"),
            Capacity { name: "cpu", total: "totalCpuCapacity", available: "availableCpuCapacity", bytes: false },
        ],
    },
    Kinds {
        api: "QueryPrimaryStorage",
        name: "primaryStorages",
        capacities: &[
            bytes("capacity", "totalCapacity", "availableCapacity"),
            bytes("physical", "totalPhysicalCapacity", "availablePhysicalCapacity"),
        ],
    },
    Kinds {
        api: "QueryBackupStorage",
        name: "backupStorages",
        capacities: &[bytes("capacity", "totalCapacity", "availableCapacity")],
    },
];

/// How capacities are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As numbers: `"memoryTotal": 68719476736, "memoryAvailable": .., "memoryUsed": .., "memoryUsedPercent": ..`.
    Numbers,
    /// As one text with a bar, which a terminal draws in blocks and a pipe in `#`; without uuids.
    Bars {
        /// Whether the output is a terminal.
        terminal: bool,
        /// Whether the bar is long and has numbers.
        roomy: bool,
    },
}

/// The reply with these rows, one list for each of [`KINDS`]: `{"hosts":[..],..}`. Each row has `name`, `state`,
/// `status`, the used capacities, and for programs `uuid`. The fullest rows come first.
pub(super) fn reply(lists: &[Vec<Vec<u8>>], style: Style) -> Vec<u8> {
    let mut text = String::from("{");
    for (index, (kinds, rows)) in KINDS.iter().zip(lists).enumerate() {
        if index > 0 {
            text.push(',');
        }
        let mut rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).filter(|row| json::kind(row) == Kind::Map).collect();
        rows.sort_by(|one, other| fullness(kinds, other).total_cmp(&fullness(kinds, one)));
        text.push_str(&format!("\"{}\":[", kinds.name));
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            push_row(kinds, row, style, &mut text);
        }
        text.push(']');
    }
    text.push('}');
    text.into_bytes()
}

/// The used share of its first capacity.
fn fullness(kinds: &Kinds, row: &[u8]) -> f64 {
    kinds
        .capacities
        .first()
        .and_then(|capacity| measured(capacity, row))
        .map_or(-1.0, |(total, used)| share(total, used))
}

/// The total and the used part, if the node reports both.
fn measured(capacity: &Capacity, row: &[u8]) -> Option<(i64, i64)> {
    let number = |name: &str| {
        let text = std::str::from_utf8(json::member(row, name)?).ok()?;
        // Nodes print some integers as doubles (N4), which are exact for capacities up to petabytes.
        text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64))
    };
    let total = number(capacity.total).filter(|total| *total > 0)?;
    // With overcommitment, the available part can exceed the total.
    Some((total, total.saturating_sub(number(capacity.available)?).max(0)))
}

fn share(total: i64, used: i64) -> f64 {
    used as f64 / total as f64
}

fn push_row(kinds: &Kinds, row: &[u8], style: Style, text: &mut String) {
    text.push('{');
    for name in ["name", "state", "status"] {
        push_copy(name, row, text);
    }
    for capacity in kinds.capacities {
        let Some((total, used)) = measured(capacity, row) else { continue };
        match style {
            Style::Numbers => {
                let name = capacity.name;
                let percent = share(total, used) * 100.0;
                let available = total.saturating_sub(used);
                text.push_str(&format!(
                    "\"{name}Total\":{total},\"{name}Available\":{available},\"{name}Used\":{used},\
                     \"{name}UsedPercent\":{percent:.1},"
                ));
            }
            Style::Bars { terminal, roomy } => {
                let size = |count: i64| match capacity.bytes {
                    true => human_size(&count.to_string()).unwrap_or_default(),
                    false => count.to_string(),
                };
                let bar = bar(share(total, used), if roomy { 14 } else { 8 }, terminal);
                let percent = share(total, used) * 100.0;
                let mut value = format!("{bar} {percent:>3.0}%");
                if roomy {
                    value.push_str(&format!("  {} of {}", size(used), size(total)));
                }
                text.push_str(&format!("\"{}\":", capacity.name));
                write_string(text, &value);
                text.push(',');
            }
        }
    }
    if style == Style::Numbers {
        push_copy("uuid", row, text);
    }
    if text.ends_with(',') {
        text.pop();
    }
    text.push('}');
}

fn push_copy(name: &str, row: &[u8], text: &mut String) {
    if let Some(value) = json::member(row, name).filter(|value| json::kind(value) != Kind::Null) {
        text.push_str(&format!("\"{name}\":{},", String::from_utf8_lossy(value)));
    }
}

/// A bar for the used share; it is never empty if something is used.
fn bar(share: f64, width: usize, terminal: bool) -> String {
    let (full, empty) = if terminal { ("█", "░") } else { ("#", "-") };
    let least = usize::from(share > 0.0);
    let filled = ((share * width as f64).round() as usize).clamp(least, width);
    format!("{}{}", full.repeat(filled), empty.repeat(width - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(rows: &[&str], kind: usize, style: Style) -> String {
        let mut lists: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 3];
        lists[kind] = rows.iter().map(|row| row.as_bytes().to_vec()).collect();
        String::from_utf8(reply(&lists, style)).expect("text")
    }

    #[test]
    fn programs_get_numbers_and_the_fullest_first() {
        let rows = [
            r#"{"uuid":"a","name":"empty","state":"Enabled","totalCapacity":1000,"availableCapacity":1000}"#,
            r#"{"uuid":"b","name":"unknown"}"#,
            r#"{"uuid":"c","name":"full","totalCapacity":1.0E3,"availableCapacity":5}"#,
        ];
        assert_eq!(
            written(&rows, 2, Style::Numbers),
            concat!(
                r#"{"hosts":[],"primaryStorages":[],"backupStorages":["#,
                r#"{"name":"full","capacityTotal":1000,"capacityAvailable":5,"capacityUsed":995,"#,
                r#""capacityUsedPercent":99.5,"uuid":"c"},"#,
                r#"{"name":"empty","state":"Enabled","capacityTotal":1000,"capacityAvailable":1000,"capacityUsed":0,"#,
                r#""capacityUsedPercent":0.0,"uuid":"a"},"#,
                r#"{"name":"unknown","uuid":"b"}]}"#
            )
        );
    }

    #[test]
    fn people_get_bars() {
        let host = r#"{"name":"h","totalMemoryCapacity":68719476736,"availableMemoryCapacity":34359738368,"totalCpuCapacity":320,"availableCpuCapacity":319}"#;
        let text = written(&[host], 0, Style::Bars { terminal: true, roomy: true });
        let value: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
        let host_row = &value["hosts"][0];
        assert_eq!(host_row["memory"], "███████░░░░░░░  50%  32 GiB of 64 GiB");
        assert_eq!(host_row["cpu"], "█░░░░░░░░░░░░░   0%  1 of 320");
        let text = written(&[host], 0, Style::Bars { terminal: false, roomy: false });
        assert!(text.contains("\"####----  50%\"") && text.contains("\"#-------   0%\"}"), "{text}");
        let text = written(&[host], 0, Style::Bars { terminal: false, roomy: true });
        assert!(text.contains("#######-------  50%"), "{text}");
    }

    #[test]
    fn odd_numbers_make_no_odd_bars() {
        // More available than there is, less than nothing, no total at all.
        for (total, available, expected) in [("10", "25", "  0%"), ("10", "-5", "150%"), ("0", "0", "")] {
            let row = format!(r#"{{"totalCapacity":{total},"availableCapacity":{available}}}"#);
            let text = written(&[&row], 2, Style::Bars { terminal: false, roomy: true });
            assert!(text.contains(expected), "{text}");
            assert_eq!(text.contains('%'), !expected.is_empty(), "{text}");
        }
    }
}
