//! The page of an inventory, and the lists that pages of APIs have in common with it.

use std::fmt::Write;

use crate::catalog::{Field, Inventory};
use crate::render::wrapped;

use super::Reader;
use super::table::table;

pub(super) fn inventory_page(reader: Reader, inventory: &Inventory) -> String {
    let mut out = String::new();
    reader.line(&mut out, &format!("{}: a record that the node returns", inventory.name));
    reader.heading(&mut out, "FIELDS");
    list_fields(&mut out, &inventory.fields, true, reader);
    list_relations(&mut out, inventory, reader);
    for parent in &inventory.parents {
        reader.heading(&mut out, &format!("A {} whose type is {}.", parent.inventory, parent.type_value));
    }
    let kind = inventory.name.strip_suffix("Inventory").unwrap_or(inventory.name);
    let tags = reader.catalog.resource_tags(kind);
    list_tags(&mut out, &tags, "SYSTEM TAGS, that such a resource may carry", reader);
    out
}

pub(super) fn list_fields(out: &mut String, fields: &[Field], conditions: bool, reader: Reader) {
    let row = |field: &Field| {
        let mut notes = Vec::new();
        if !field.values.is_empty() {
            notes.push(field.values.join(" | "));
        }
        if conditions && (field.unqueryable || field.kind.record().is_some()) {
            notes.push("not in conditions".to_owned());
        }
        notes.extend(field.since.map(|since| since_when(since, reader)));
        let mark = if field.required { "*" } else { "" };
        [format!("{}{mark}", field.name), field.kind.to_string(), notes.join("; ")]
    };
    table(out, fields.iter().map(row).collect(), reader);
}

pub(super) fn list_relations(out: &mut String, inventory: &Inventory, reader: Reader) {
    let rows: Vec<[String; 2]> = inventory
        .relations()
        .map(|(name, target, since)| {
            let by = inventory.aliases.get(name).map(|alias| format!(", by {}", alias.path)).unwrap_or_default();
            let since = since.map(|since| format!("; {}", since_when(since, reader))).unwrap_or_default();
            [format!("{name}."), format!("{target}{by}{since}")]
        })
        .collect();
    if !rows.is_empty() {
        reader.heading(out, "RELATIONS to the fields of other inventories");
        table(out, rows, reader);
    }
}

pub(super) fn list_specialisations(out: &mut String, reader: Reader, inventory: &Inventory) {
    let Some(field) = inventory.type_field() else { return };
    for (value, narrower) in reader.catalog.specialisations(inventory) {
        let known: Vec<&str> = inventory.fields.iter().map(|field| field.name).collect();
        let own: Vec<&str> =
            narrower.fields.iter().map(|field| field.name).filter(|name| !known.contains(name)).collect();
        if !own.is_empty() {
            reader.heading(out, &format!("With {}={value} also", field.name));
            for line in wrapped(&own.join(", "), reader.width.saturating_sub(2)) {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
}

/// Patterns of system tags, under a heading.
pub(super) fn list_tags(out: &mut String, patterns: &[&str], heading: &str, reader: Reader) {
    if !patterns.is_empty() {
        reader.heading(out, heading);
        let _ = writeln!(out, "  {}", patterns.join("\n  "));
    }
}

/// The version that introduced something, marked if the node is older.
pub(super) fn since_when(since: &str, reader: Reader) -> String {
    match reader.catalog.lacks(Some(since)) {
        true => format!("since {since}, the node has {}", reader.catalog.version()),
        false => format!("since {since}"),
    }
}
