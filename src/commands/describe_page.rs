//! The output of `describe`: a page for people, a document for programs.

use crate::calls::belongings::{Section, Surroundings};
use crate::calls::shape;
use crate::catalog::{Catalog, Inventory, ResourceKind, in_words};
use crate::json::{self, Kind, MapWriter, Scanner, Value, write_literal};
use crate::render::{self, Border, Error, Format, Selection, Shape, Tone, View};
use crate::secret::Secrets;

/// The most rows of a kind that a page shows.
pub(super) const MOST_SHOWN: usize = 10;

/// The fewest rows of a kind that a page shows, however many kinds there are.
const FEWEST_SHOWN: usize = 3;

/// The members that say when something was done to the resource. They stand last.
const DATES: [&str; 2] = ["createDate", "lastOpDate"];

/// A reply with the resource alone.
pub(super) fn alone(row: &[u8]) -> Vec<u8> {
    let mut document = MapWriter::default();
    document.push(b"inventory", row);
    document.finish()
}

/// The whole as a reply: `{"inventory": {..}, "belongsTo": {"zone": {"uuid", "name"?}}, "belongings": {"vmInstance":
/// {"total", "inventories": [..]}}, "systemTags": [..], "userTags": [..]}`. What refers to several resources has a list.
pub(super) fn document(row: &[u8], found: &Surroundings) -> Vec<u8> {
    let mut document = MapWriter::default();
    document.push(b"inventory", row);
    let mut owners = MapWriter::default();
    for reference in found.references.iter().filter(|reference| reference.is_owner) {
        let one = |(uuid, name): (&String, &Option<String>)| {
            let name = name.as_ref().map(|name| ("name".to_owned(), Value::text(name)));
            Value::Map([("uuid".to_owned(), Value::text(uuid))].into_iter().chain(name).collect())
        };
        let all: Vec<Value> = reference.uuids.iter().zip(&reference.names).map(one).collect();
        let value = match <[Value; 1]>::try_from(all) {
            Ok([one]) if !reference.key.ends_with('s') => one,
            Ok([one]) => Value::List(vec![one]),
            Err(all) => Value::List(all),
        };
        owners.push(reference.member().as_bytes(), value.to_json(None).as_bytes());
    }
    document.push(b"belongsTo", &owners.finish());
    let mut belongings = MapWriter::default();
    for section in &found.sections {
        let mut list = MapWriter::default();
        let total = section.total.unwrap_or(section.rows.len() as u64);
        list.push(b"total", total.to_string().as_bytes());
        list.push_list(b"inventories", &section.rows);
        belongings.push(key(section, found).as_bytes(), &list.finish());
    }
    document.push(b"belongings", &belongings.finish());
    for (member, tags) in &found.tags {
        let tags = Value::List(tags.iter().map(Value::text).collect());
        document.push(member.as_bytes(), tags.to_json(None).as_bytes());
    }
    document.finish()
}

/// What a section is called in a document: its inventory, and its field where two sections have the same.
fn key(section: &Section, found: &Surroundings) -> String {
    let name = section.of.inventory.strip_suffix("Inventory").unwrap_or(section.of.inventory);
    let mut chars = name.chars();
    let name: String = chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect();
    if is_alone(section, found) { name } else { format!("{name}.{}", section.of.field) }
}

fn is_alone(section: &Section, found: &Surroundings) -> bool {
    found.sections.iter().filter(|other| other.of.inventory == section.of.inventory).count() == 1
}

/// A page about a resource: its members, what it belongs to, what belongs to it. A terminal of that height gets fewer
/// rows of each kind.
pub(super) fn text(
    catalog: Catalog,
    kind: &ResourceKind,
    row: &[u8],
    found: &Surroundings,
    view: &View,
    height: Option<usize>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let shape = shape::of_inventory(&kind.inventory);
    let view = &of_page(view);
    let block = View { border: view.border.or(Some(Border::None)), ..view.clone() };
    let own = members(&kind.inventory, row, found, view);
    render::render(&mut Scanner::new(&alone(&own)[..]), &shape, &block, &mut out)?;
    let owners = owners(found);
    if !owners.is_empty() {
        heading("belongs to", view, &mut out);
        let view =
            View { by_name: false, columns: Selection::parse("kind,name,uuid").ok(), ..view_of_section(view, &[]) };
        table(&owners, &Shape::default(), &view, &mut out)?;
    }
    let lines = out.iter().filter(|byte| **byte == b'\n').count();
    // Each section has a blank line, a heading, the titles, a rule and perhaps a last line.
    let room = height.map(|height| height.saturating_sub(lines + 1) / found.sections.len().max(1));
    let most = room.map_or(MOST_SHOWN, |room| room.saturating_sub(5).clamp(FEWEST_SHOWN, MOST_SHOWN));
    for section in &found.sections {
        let inventory = catalog.inventory(section.of.inventory);
        let shape = inventory.as_ref().map(shape::of_inventory).unwrap_or_default();
        let total = section.total.unwrap_or(section.rows.len() as u64);
        let called = in_words(section.of.inventory, 2);
        let through = if is_alone(section, found) { String::new() } else { format!(" by {}", section.of.field) };
        heading(&format!("{called}{through} ({total})"), view, &mut out);
        // One more row takes no more room than the line that says that it is left out.
        let shown = section.rows.len().min(if total > most as u64 + 1 { most } else { most + 1 });
        let told = ["uuid", section.of.field.as_str()];
        let view = View { named: section.named.clone(), ..view_of_section(view, &told) };
        table(&section.rows[..shown], &shape, &view, &mut out)?;
        let more = total.saturating_sub(shown as u64);
        if more > 0 {
            let command = format!("{} {}=", section.of.query, section.of.field);
            let uuid = json::member(row, "uuid").map(json::unescape).unwrap_or_default();
            out.extend_from_slice(format!("  +{more} more: {command}{uuid}\n").as_bytes());
        }
    }
    Ok(out)
}

/// Adds the jobs of a reply of `job list` to a page.
pub(super) fn push_jobs(reply: &[u8], view: &View, out: &mut Vec<u8>) -> Result<(), Error> {
    let jobs: Vec<Vec<u8>> =
        json::items(json::member(reply, "inventories").unwrap_or_default()).map(<[u8]>::to_vec).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let view = &of_page(view);
    heading("last jobs from here", view, out);
    let columns = Selection::parse("api,state,age,uuid").ok();
    table(&jobs, &Shape::default(), &View { by_name: false, columns, ..view_of_section(view, &[]) }, out)
}

/// The members of a resource that are neither nested nor empty: those of the default columns first, dates last, names in
/// place of uuids.
fn members(inventory: &Inventory, row: &[u8], found: &Surroundings, view: &View) -> Vec<u8> {
    let first = render::default_members(&shape::of_inventory(inventory));
    let place = |name: &str| match first.iter().position(|known| known == name) {
        _ if DATES.contains(&name) => usize::MAX,
        place => place.unwrap_or(first.len()),
    };
    let mut members: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, value) in json::members(row) {
        let name = json::unescape(name).into_owned();
        let is_nested = match json::kind(value) {
            Kind::Map => true,
            Kind::List => json::items(value).any(|item| json::kind(item) == Kind::Map),
            _ => false,
        };
        if is_nested || matches!(value, b"null" | b"\"\"" | b"[]") {
            continue;
        }
        match found.references.iter().find(|reference| reference.key == name) {
            Some(reference) if reference.is_owner => {}
            Some(reference) if reference.names.iter().all(Option::is_some) => {
                let names = reference.names.iter().flatten().cloned().collect::<Vec<_>>().join(", ");
                members.push((reference.member().to_owned(), literal(&names)));
            }
            _ => members.push((name, value.to_vec())),
        }
    }
    members.sort_by_key(|(name, _)| place(name));
    let dates = members.iter().position(|(name, _)| DATES.contains(&name.as_str())).unwrap_or(members.len());
    for (member, tags) in found.tags.iter().filter(|(_, tags)| !tags.is_empty()) {
        // A list would be cut short.
        let tags = tags.iter().map(|tag| match view.secrets {
            Secrets::Masked => (view.mask)(member, tag),
            Secrets::Shown => tag.into(),
        });
        let tags = tags.collect::<Vec<_>>().join(", ");
        members.retain(|(name, _)| name != member);
        members.insert(dates, ((*member).to_owned(), literal(&tags)));
    }
    let mut written = MapWriter::default();
    members.iter().for_each(|(name, value)| written.push(name.as_bytes(), value));
    written.finish()
}

/// What the resource belongs to, as rows: `{"kind", "name", "uuid"}`.
fn owners(found: &Surroundings) -> Vec<Vec<u8>> {
    let owners = found.references.iter().filter(|reference| reference.is_owner);
    let rows = owners.flat_map(|reference| {
        reference.uuids.iter().zip(&reference.names).map(|(uuid, name)| {
            let mut row = MapWriter::default();
            row.push(b"kind", &literal(reference.member()));
            row.push(b"name", &literal(name.as_deref().unwrap_or_default()));
            row.push(b"uuid", &literal(uuid));
            row.finish()
        })
    });
    rows.collect()
}

fn literal(text: &str) -> Vec<u8> {
    let mut literal = Vec::new();
    write_literal(&mut literal, text);
    literal
}

/// The view of a page. It shows names and short dates also where there is no terminal.
fn of_page(view: &View) -> View {
    View { format: Format::Table, ascii: view.ascii || !view.terminal, terminal: true, ..view.clone() }
}

/// The view of a section, which is indented.
fn view_of_section(view: &View, told: &[&str]) -> View {
    let narrower = |width: Option<usize>| width.map(|width| width.saturating_sub(2));
    View {
        by_name: true,
        section: Some(told.iter().map(|name| (*name).to_owned()).collect()),
        width: narrower(view.width),
        max_width: narrower(view.max_width),
        ..view.clone()
    }
}

fn heading(text: &str, view: &View, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("\n{}\n", Tone::Heading.paint(&format!("{text}:"), view.colour)).as_bytes());
}

/// Writes rows as an indented table.
fn table(rows: &[Vec<u8>], shape: &Shape, view: &View, out: &mut Vec<u8>) -> Result<(), Error> {
    let mut reply = MapWriter::default();
    reply.push_list(b"inventories", rows);
    let mut text = Vec::new();
    render::render(&mut Scanner::new(&reply.finish()[..]), shape, view, &mut text)?;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(b"  ");
        out.extend_from_slice(line);
    }
    Ok(())
}
