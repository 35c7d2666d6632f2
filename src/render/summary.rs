//! `--summary`: counts and sums instead of rows.
//!
//! Rows are counted by state, type and location, byte counts are summed, and capacities get a usage bar. The size of
//! this output does not depend on the number of rows, so comfy-table lays it out.

use std::collections::HashMap;
use std::io::Write;
use std::ops::Range;

use comfy_table::{CellAlignment, ContentArrangement, Row, Table, presets};

use crate::json::{self, Kind, MapWriter};

use super::error::Error;
use super::output::Output;
use super::rows::{RowWriter, Section};
use super::size::{counts_bytes, human_size, integral};
use super::style::{PLAIN, Tone, is_state, tone};
use super::view::{FieldKind, Shape, View};

/// How many values of one member are counted separately.
const DISTINCT: usize = 1000;
/// How many values of one member are shown.
const SHOWN: usize = 8;
/// For how many rows capacities are shown individually.
const LISTED: usize = 20;
/// The width of a bar, in columns.
const BAR: usize = 24;

/// Counts rows.
pub(super) struct Summary<'a> {
    shape: &'a Shape,
    rows: u64,
    groups: Vec<Group>,
    sums: Vec<(String, i128)>,
    /// Used of total, by the name of the capacity.
    capacities: Vec<Capacity>,
    listed: Vec<(String, Capacity)>,
    unlisted: u64,
}

/// How many rows have which value of a member.
struct Group {
    member: String,
    counts: HashMap<String, u64>,
    /// The number of rows with other values.
    others: u64,
}

/// A total and the available part of it.
#[derive(Clone, Debug)]
struct Capacity {
    name: String,
    total: i128,
    available: i128,
}

impl<'a> Summary<'a> {
    pub(super) fn new(shape: &'a Shape) -> Summary<'a> {
        Summary {
            shape,
            rows: 0,
            groups: Vec::new(),
            sums: Vec::new(),
            capacities: Vec::new(),
            listed: Vec::new(),
            unlisted: 0,
        }
    }

    fn count(&mut self, member: &str, value: String) {
        let group = match self.groups.iter_mut().position(|group| group.member == member) {
            Some(index) => &mut self.groups[index],
            None => {
                self.groups.push(Group { member: member.to_owned(), counts: HashMap::new(), others: 0 });
                let last = self.groups.len() - 1;
                &mut self.groups[last]
            }
        };
        if group.counts.len() < DISTINCT || group.counts.contains_key(&value) {
            *group.counts.entry(value).or_default() += 1;
        } else {
            group.others += 1;
        }
    }

    fn add(&mut self, member: &str, count: i64) {
        match self.sums.iter_mut().find(|(name, _)| name == member) {
            Some((_, sum)) => *sum += i128::from(count),
            None => self.sums.push((member.to_owned(), i128::from(count))),
        }
    }

    /// The groups to show, states first, with their values sorted by number of rows. Members that differ in nearly
    /// every row and members with a single value are left out.
    fn groups(&self) -> Vec<(&Group, Vec<(&str, u64)>)> {
        let mut groups: Vec<(&Group, Vec<(&str, u64)>)> = Vec::new();
        for group in &self.groups {
            let mut counts: Vec<(&str, u64)> =
                group.counts.iter().map(|(value, count)| (value.as_str(), *count)).collect();
            counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            let most: u64 = counts.iter().take(SHOWN).map(|(_, count)| count).sum();
            let telling = is_state(&group.member) || group.member == "type" || counts.len() > 1;
            if telling && (counts.len() <= SHOWN || most * 5 >= self.rows) {
                groups.push((group, counts));
            }
        }
        groups.sort_by_key(|(group, _)| match group.member.as_str() {
            "state" => 0,
            "status" => 1,
            member if is_state(member) => 2,
            "type" => 3,
            member if member.ends_with("Uuid") => 5,
            _ => 4,
        });
        groups
    }

    /// The summary as a reply, for the formats that programs read.
    pub(super) fn reply(&self) -> Vec<u8> {
        let mut by = MapWriter::default();
        for (group, counts) in self.groups() {
            let mut values = MapWriter::default();
            for (value, count) in counts {
                values.push(literal(value).as_bytes(), count.to_string().as_bytes());
            }
            by.push(literal(&group.member).as_bytes(), &values.finish());
        }
        let mut sums = MapWriter::default();
        for (member, sum) in &self.sums {
            sums.push(literal(member).as_bytes(), sum.to_string().as_bytes());
        }
        let mut reply = MapWriter::default();
        reply.push(b"rows", self.rows.to_string().as_bytes());
        reply.push(b"by", &by.finish());
        reply.push(b"sums", &sums.finish());
        reply.finish()
    }

    /// Prints the summary for people.
    pub(super) fn print(&self, view: &View, out: &mut Output<'_>) -> Result<(), Error> {
        let unit = if self.rows == 1 { "row" } else { "rows" };
        let buffer = &mut out.buffer;
        writeln!(buffer, "{} {unit}", thousands(self.rows)).map_err(Error::Write)?;
        for (group, counts) in self.groups() {
            self.print_group(group, &counts, view, buffer);
        }
        if !self.sums.is_empty() {
            let mut table = table(&["sum", ""], 1..2);
            for (member, sum) in &self.sums {
                add(&mut table, vec![member.clone(), amount(member, *sum)]);
            }
            write(&table, &[], view, buffer);
        }
        if !self.capacities.is_empty() {
            self.print_capacities(view, buffer);
            if self.unlisted > 0 {
                writeln!(buffer, "and {} more", thousands(self.unlisted)).map_err(Error::Write)?;
            }
        }
        Ok(())
    }

    /// Prints how often each value of a member occurs.
    fn print_group(&self, group: &Group, counts: &[(&str, u64)], view: &View, buffer: &mut Vec<u8>) {
        let mut table = table(&[&group.member, "rows", "", ""], 1..3);
        let mut tones = Vec::new();
        let shown = if counts.len() > SHOWN + 1 { SHOWN } else { counts.len() };
        for (value, count) in &counts[..shown] {
            add(&mut table, vec![(*value).to_owned(), thousands(*count), self.share(*count), self.bar(*count, view)]);
            tones.push(if is_state(&group.member) { tone(value) } else { None });
        }
        let rest = counts[shown..].iter().map(|(_, count)| count).sum::<u64>() + group.others;
        if rest > 0 {
            let more = if group.others > 0 { "others".to_owned() } else { format!("{} others", counts.len() - shown) };
            add(&mut table, vec![more, thousands(rest), self.share(rest), self.bar(rest, view)]);
            tones.push(None);
        }
        write(&table, &tones, view, buffer);
    }

    /// Prints how much of each capacity is used, and of each in all rows.
    fn print_capacities(&self, view: &View, buffer: &mut Vec<u8>) {
        let mut table = table(&["name", "capacity", "used", "total", "", ""], 2..5);
        let mut tones = Vec::new();
        let listed = self.listed.iter().map(|(name, capacity)| (name.as_str(), capacity));
        let all = self.capacities.iter().map(|capacity| ("all", capacity));
        let single = self.rows == 1;
        for (name, capacity) in listed.chain(all.filter(|_| !single)) {
            let used = capacity.total.saturating_sub(capacity.available).max(0);
            let ratio = if capacity.total > 0 { used as f64 / capacity.total as f64 } else { 0.0 };
            add(
                &mut table,
                vec![
                    name.to_owned(),
                    capacity.name.clone(),
                    amount(&capacity.name, used),
                    amount(&capacity.name, capacity.total),
                    format!("{:.0} %", ratio * 100.0),
                    bar(ratio, view),
                ],
            );
            tones.push(Some(match ratio {
                ratio if ratio >= 0.9 => Tone::Bad,
                ratio if ratio >= 0.75 => Tone::Between,
                _ => Tone::Good,
            }));
        }
        write(&table, &tones, view, buffer);
    }

    fn share(&self, count: u64) -> String {
        format!("{:.1} %", count as f64 * 100.0 / self.rows.max(1) as f64)
    }

    fn bar(&self, count: u64, view: &View) -> String {
        bar(count as f64 / self.rows.max(1) as f64, view)
    }
}

impl RowWriter for Summary<'_> {
    fn begin(&mut self, _: Section<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn row(&mut self, row: &[u8]) -> Result<(), Error> {
        self.rows += 1;
        let mut numbers: Vec<(String, i64)> = Vec::new();
        for (name, value) in json::members(row) {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            match json::kind(value) {
                Kind::Text if is_grouped(name) => {
                    self.count(name, json::escape_unprintable(&json::unescape(value)).into_owned());
                }
                Kind::Bool if is_grouped(name) => self.count(name, String::from_utf8_lossy(value).into_owned()),
                Kind::Number => {
                    let kind = self.shape.field(name).map_or(FieldKind::Unknown, |field| field.kind);
                    let capacity = name.starts_with("total") || name.starts_with("available");
                    if let Some(count) = integral(&String::from_utf8_lossy(value))
                        && (counts_bytes(name, kind) || name == "cpuNum" || capacity && name.ends_with("Capacity"))
                    {
                        numbers.push((name.to_owned(), count));
                    }
                }
                _ => {}
            }
        }
        let mut paired = Vec::new();
        for (name, total) in &numbers {
            let Some(what) = name.strip_prefix("total") else { continue };
            let left = format!("available{what}");
            let Some((_, available)) = numbers.iter().find(|(name, _)| *name == left) else { continue };
            paired.push(name.clone());
            paired.push(left);
            let capacity =
                Capacity { name: lower_first(what), total: i128::from(*total), available: i128::from(*available) };
            match self.capacities.iter_mut().find(|known| known.name == capacity.name) {
                Some(known) => {
                    known.total += capacity.total;
                    known.available += capacity.available;
                }
                None => self.capacities.push(capacity.clone()),
            }
            if self.rows <= LISTED as u64 {
                let called = json::member(row, "name").map(|name| json::unescape(name).into_owned());
                self.listed.push((json::escape_unprintable(&called.unwrap_or_default()).into_owned(), capacity));
            }
        }
        if !paired.is_empty() && self.rows > LISTED as u64 {
            self.unlisted += 1;
        }
        for (name, count) in numbers {
            if !paired.contains(&name) {
                self.add(&name, count);
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn beside(&mut self, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

/// Whether rows are counted by the values of a member.
fn is_grouped(name: &str) -> bool {
    is_state(name)
        || name == "type"
        || name.ends_with("Type")
        || matches!(
            name,
            "platform"
                | "architecture"
                | "format"
                | "success"
                | "category"
                | "zoneUuid"
                | "clusterUuid"
                | "hostUuid"
                | "primaryStorageUuid"
                | "accountUuid"
        )
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// The content of a JSON string literal for a text, without quotes.
fn literal(text: &str) -> String {
    let mut out = Vec::new();
    json::write_literal(&mut out, text);
    let text = String::from_utf8_lossy(&out).into_owned();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).map(str::to_owned).unwrap_or_default()
}

fn amount(member: &str, count: i128) -> String {
    if counts_bytes(member, FieldKind::Unknown)
        && let Some(size) = human_size(&count.to_string())
    {
        return size;
    }
    // "capacity" alone is that of a storage.
    match (member, human_size(&count.to_string())) {
        ("capacity", Some(size)) => size,
        _ => u64::try_from(count).map_or_else(|_| count.to_string(), thousands),
    }
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A bar for a ratio from 0 to 1: in eighths of a column on a terminal, of `#` elsewhere.
fn bar(share: f64, view: &View) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = share.clamp(0.0, 1.0);
    if !view.terminal || view.ascii {
        return "#".repeat((share * BAR as f64).round() as usize);
    }
    let eighths = (share * (BAR * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// An empty table; the columns in `numbers` are aligned right.
fn table(header: &[&str], numbers: Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|title| title.to_string()).collect::<Vec<_>>());
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn add(table: &mut Table, cells: Vec<String>) {
    table.add_row(Row::from(cells));
}

/// Writes a blank line and a table, with its bars in the colours of their rows.
fn write(table: &Table, tones: &[Option<Tone>], view: &View, out: &mut Vec<u8>) {
    out.push(b'\n');
    for (index, line) in table.lines().enumerate() {
        let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
        let tone = match index.checked_sub(1) {
            None => Some(Tone::Heading),
            Some(row) => tones.get(row).copied().flatten(),
        };
        // The bar is the last cell, and no other cell has a space followed by its characters.
        let from = match index {
            0 => 0,
            _ => line.rfind(' ').map_or(line.len(), |at| at + 1),
        };
        match tone.filter(|_| view.colour && from < line.len()) {
            Some(tone) => {
                out.extend_from_slice(&line.as_bytes()[..from]);
                out.extend_from_slice(tone.start().as_bytes());
                out.extend_from_slice(&line.as_bytes()[from..]);
                out.extend_from_slice(PLAIN.as_bytes());
            }
            None => out.extend_from_slice(line.as_bytes()),
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::print;
    use super::super::{Format, View};

    const REPLY: &str = r#"{"inventories":[
        {"name":"h1","uuid":"u1","state":"Enabled","status":"Connected","totalMemoryCapacity":1099511627776,"availableMemoryCapacity":54975581388,"cpuNum":32},
        {"name":"h2","uuid":"u2","state":"Enabled","status":"Connected","totalMemoryCapacity":1099511627776,"availableMemoryCapacity":824633720832,"cpuNum":32},
        {"name":"h3","uuid":"u3","state":"Enabled","status":"Disconnected","totalMemoryCapacity":0,"availableMemoryCapacity":0,"cpuNum":16.0}
    ]}"#;

    #[test]
    fn rows_are_counted_and_capacities_drawn() {
        let view = View { summary: true, ..View::new(Format::Table) };
        let expected = "\
3 rows

state    rows
Enabled     3  100.0 %  ########################

status        rows
Connected        2  66.7 %  ################
Disconnected     1  33.3 %  ########

sum
cpuNum  80

name  capacity             used  total
h1    memoryCapacity  972.8 GiB  1 TiB  95 %  #######################
h2    memoryCapacity    256 GiB  1 TiB  25 %  ######
h3    memoryCapacity        0 B    0 B   0 %
all   memoryCapacity    1.2 TiB  2 TiB  60 %  ##############
";
        assert_eq!(print(REPLY, &view), expected);
    }

    #[test]
    fn programs_get_the_numbers() {
        let view = View { summary: true, ..View::new(Format::Jsonl) };
        assert_eq!(
            print(REPLY, &view),
            "{\"by\":{\"state\":{\"Enabled\":3},\"status\":{\"Connected\":2,\"Disconnected\":1}},\"rows\":3,\"sums\":{\"cpuNum\":80}}\n"
        );
    }

    #[test]
    fn terminals_get_fine_bars_in_colour() {
        let view = View { summary: true, terminal: true, colour: true, ..View::new(Format::Table) };
        let text = print(REPLY, &view);
        assert!(text.contains("\u{1b}[38;5;160m██████████████████████▊\u{1b}[0m\n"), "{text}");
        assert!(text.contains("\u{1b}[38;5;28m████████████████\u{1b}[0m\n"), "{text}");
        assert_eq!(print(r#"{"inventories":[]}"#, &view), "0 rows\n");
    }

    #[test]
    fn what_differs_in_every_row_is_not_counted() {
        let rows: Vec<String> =
            (0..100).map(|index| format!(r#"{{"type":"t{index}","zoneUuid":"z{}"}}"#, index % 20)).collect();
        let text = print(
            &format!(r#"{{"inventories":[{}]}}"#, rows.join(",")),
            &View { summary: true, ..View::new(Format::Table) },
        );
        assert!(!text.contains("t50"), "{text}");
        assert!(text.contains("12 others"), "{text}");
    }
}
