//! The columns that a table shows when none are asked for.

use super::columns::{Column, Selection};
use super::view::{Field, FieldKind};

/// One inventory a line, sorted; see the head of the file.
const TABLE: &str = include_str!("data/columns.txt");

/// How columns look on a terminal; see the head of the file.
const ON_TERMINALS: &str = include_str!("data/terminal.txt");

/// The maximum number of columns that the rule selects.
const MOST: usize = 8;

/// A column to print, and what decides whether there is space for it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) column: Column,
    /// The member of which the value is a part: the total capacity, of the available one.
    pub(super) whole: Option<String>,
    /// The columns of the highest rank go first; those of rank 0 were asked for and stay.
    pub(super) rank: usize,
    /// Whether the values are names of resources, whatever the member is called.
    pub(super) is_name: bool,
}

impl Candidate {
    /// A column that was asked for.
    pub(super) fn asked(column: Column) -> Candidate {
        Candidate { column, whole: None, rank: 0, is_name: false }
    }
}

/// What the data file says of an inventory: its columns, and those that go first. Only that line is parsed.
fn line(inventory: &str) -> Option<(&'static str, &'static str)> {
    let line = format!("\n{inventory} ");
    let at = memchr::memmem::find(TABLE.as_bytes(), line.as_bytes())?;
    let text = TABLE[at + line.len()..].lines().next()?;
    Some(text.split_once(' ').unwrap_or((text, "")))
}

/// The columns that the data file lists for an inventory.
pub(super) fn chosen(inventory: &str) -> Option<Vec<Column>> {
    let (columns, _) = line(inventory)?;
    Selection::parse(columns).ok().map(|selection| selection.columns)
}

/// The columns that the data file lists for many inventories, the most common first.
pub(crate) fn common_columns() -> Vec<&'static str> {
    const LEAST: usize = 5;
    let mut counts: Vec<(usize, &str)> = Vec::new();
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let columns = lines.filter_map(|line| line.split(' ').nth(1)).flat_map(|columns| columns.split(','));
    for column in columns.filter(|column| !column.contains(['=', '.'])) {
        match counts.iter_mut().find(|(_, known)| *known == column) {
            Some((count, _)) => *count += 1,
            None => counts.push((1, column)),
        }
    }
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    counts.into_iter().filter(|(count, _)| *count >= LEAST).map(|(_, column)| column).collect()
}

/// Default columns with their ranks: the last go first, but before them those that the data file says so of.
pub(super) fn ranked(columns: Vec<Column>, inventory: Option<&str>) -> Vec<Candidate> {
    let first_to_go = inventory.and_then(line).map_or("", |(_, first_to_go)| first_to_go);
    let count = columns.len();
    let rank = |index: usize, column: &Column| {
        let place = first_to_go.split(',').position(|title| title == column.title);
        place.map_or(1 + index, |place| 1 + 2 * count - place)
    };
    let columns = columns.into_iter().enumerate();
    columns.map(|(index, column)| Candidate { rank: rank(index, &column), ..Candidate::asked(column) }).collect()
}

/// The same columns as a terminal shows them: names in place of uuids, short headings, two that belong together in one.
pub(super) fn on_terminal(mut candidates: Vec<Candidate>, named: &[(String, String)]) -> Vec<Candidate> {
    for candidate in candidates.iter_mut().filter(|candidate| candidate.rank > 0) {
        let path = &mut candidate.column.path;
        let Some((key, member)) = named.iter().find(|(key, _)| path[..] == [key.as_str()]) else { continue };
        *path = vec![member.clone()];
        candidate.is_name = true;
        if candidate.column.title == *key {
            candidate.column.title.clone_from(member);
        }
    }
    for line in ON_TERMINALS.lines().filter(|line| !line.starts_with('#')) {
        let Some((title, shown)) = line.split_once('=') else { continue };
        let (part, whole) = shown.split_once('/').map_or((shown, None), |(part, whole)| (part, Some(whole)));
        let at = |name: &str| {
            let is_it = |candidate: &Candidate| candidate.rank > 0 && candidate.column.path == [name];
            candidates.iter().position(is_it)
        };
        let is_taken = candidates.iter().any(|candidate| candidate.column.title == title);
        let Some(index) = at(part).filter(|_| !is_taken) else { continue };
        let pair = whole.map(at);
        if pair == Some(None) {
            continue;
        }
        let candidate = &mut candidates[index];
        candidate.column.title = title.to_owned();
        candidate.whole = whole.map(str::to_owned);
        if let Some(Some(other)) = pair {
            candidates.remove(other);
        }
    }
    candidates
}

/// Default columns by the names of the fields: name, state, type, location, size, parents. Descriptions and dates only
/// if there is nothing else.
pub(super) fn by_rule(fields: &[Field]) -> Vec<Column> {
    let mut ranked: Vec<(u8, usize, &Field)> = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.kind.is_scalar())
        .map(|(index, field)| (rank(field), index, field))
        .collect();
    ranked.sort_by_key(|(rank, index, _)| (*rank, *index));
    let few = ranked.iter().filter(|(rank, ..)| *rank < LAST_RESORT).count();
    let most = if few == 0 { ranked.len() } else { few };
    ranked
        .into_iter()
        .take(most.min(MOST))
        .map(|(_, _, field)| Column { title: field.name.clone(), path: vec![field.name.clone()], at: 0 })
        .collect()
}

const LAST_RESORT: u8 = 12;

fn rank(field: &Field) -> u8 {
    let name = field.name.as_str();
    let lower = name.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    match lower.as_str() {
        "name" => return 0,
        "uuid" => return 1,
        "state" | "status" => return 2,
        "type" => return 4,
        _ => {}
    }
    if ends(&["description", "context", "dump", "content", "data", "result", "path", "script", "key", "secret"])
        || ends(&["password", "metadata", "opaque", "id"]) && !ends(&["uuid"])
        || field.secret
    {
        return LAST_RESORT + 1;
    }
    if field.kind == FieldKind::Time || ends(&["date", "time"]) {
        // The creation date, if any date at all.
        return if lower == "createdate" { 11 } else { LAST_RESORT };
    }
    if ends(&["state", "status"]) {
        return 3;
    }
    if ends(&["name"]) {
        return 1;
    }
    if ends(&["type", "mode", "protocol"]) {
        return 5;
    }
    if ends(&["ip", "address", "hostname", "cidr", "url", "port", "mac"]) {
        return 6;
    }
    if super::size::counts_bytes(name, field.kind) {
        return 7;
    }
    if ends(&["uuid"]) {
        return 10;
    }
    match field.kind {
        FieldKind::Integer | FieldKind::Long | FieldKind::Decimal => 8,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Type};

    #[test]
    fn chosen_columns_are_found_by_name() {
        let titles = |inventory: &str| {
            chosen(inventory).map(|columns| columns.into_iter().map(|column| column.title).collect::<Vec<_>>())
        };
        assert_eq!(
            titles("ZoneInventory").expect("is there"),
            ["name", "uuid", "state", "type", "isDefault", "createDate"]
        );
        assert_eq!(titles("VmInstanceInventory").expect("is there")[3], "ip");
        assert_eq!(titles("Zone"), None);
        assert_eq!(titles("NoSuchInventory"), None);
    }

    #[test]
    fn the_data_file_is_sorted_and_names_what_exists() {
        let catalog = Catalog::newest();
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 90);
        for pair in lines.windows(2) {
            assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
        }
        for line in lines {
            let (name, columns) = line.split_once(' ').expect("a name and columns");
            let (columns, first_to_go) = columns.split_once(' ').unwrap_or((columns, ""));
            let columns = Selection::parse(columns).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!columns.added && columns.columns.len() >= 3, "{name}");
            let titles: std::collections::BTreeSet<_> = columns.columns.iter().map(|column| &column.title).collect();
            assert_eq!(titles.len(), columns.columns.len(), "{name} has a title twice");
            for title in first_to_go.split(',').filter(|title| !title.is_empty()) {
                assert!(columns.columns.iter().any(|column| column.title == title), "{name} has no column {title}");
            }
            // Two records are no query's and described by what the node was seen to send; one is the program's own.
            let Some(inventory) = catalog.inventory(name) else {
                assert!(["Api", "ConsoleInventory", "TaskProgressInventory"].contains(&name), "{name}");
                continue;
            };
            for column in columns.columns {
                let head = column.path[0].as_str();
                assert!(inventory.field(head).is_some(), "{name} has no {head}");
                assert!(!column.title.to_lowercase().contains("description"), "{name}");
            }
        }
    }

    #[test]
    fn on_terminals_headings_are_short_and_pairs_share_a_cell() {
        let columns = chosen("HostInventory").expect("is there");
        let shown = on_terminal(ranked(columns, Some("HostInventory")), &[("clusterUuid".into(), "cluster".into())]);
        let told: Vec<_> = shown.iter().map(|shown| (shown.column.title.as_str(), shown.whole.as_deref())).collect();
        assert_eq!(
            told[4..8],
            [("ip", None), ("hypervisor", None), ("cpu", None), ("memory", Some("totalMemoryCapacity"))]
        );
        // The first that goes, and the last.
        let of_rank = |rank: usize| shown.iter().find(|shown| shown.rank == rank).map(|shown| &*shown.column.title);
        assert_eq!((of_rank(23), of_rank(1)), (Some("hypervisor"), Some("name")));
    }

    /// What every inventory that nobody chose columns for gets is sensible too.
    #[test]
    fn the_rule_serves_all_other_inventories() {
        let catalog = Catalog::newest();
        for name in catalog.inventory_names() {
            let inventory = catalog.inventory(name).expect("is listed");
            let fields: Vec<Field> = inventory
                .fields
                .iter()
                .map(|field| Field {
                    name: field.name.to_owned(),
                    kind: match field.kind {
                        Type::List(_) | Type::Map(_) => FieldKind::Nested,
                        Type::Long => FieldKind::Long,
                        _ => FieldKind::Text,
                    },
                    secret: false,
                })
                .collect();
            let columns = by_rule(&fields);
            let scalars = fields.iter().filter(|field| field.kind.is_scalar()).count();
            assert!(columns.len() <= MOST && (scalars == 0 || !columns.is_empty()), "{name}");
            let has = |title: &str| columns.iter().any(|column| column.title == title);
            for important in ["name", "uuid", "state", "status"] {
                if fields.iter().any(|field| field.name == important) {
                    assert!(has(important), "{name} without {important}");
                }
            }
            assert!(!has("description"), "{name}");
        }
    }
}
