//! Names in place of uuids: rows completed with what they refer to.
//!
//! A row that names its host by a uuid gets a member `host` with the host's name, so that the renderers find it like
//! any other nested value. The rows of a page are held, one query for each relation asks for all that they refer to,
//! and what came is kept for the pages that follow.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::catalog::references::{of_inventory, query_of_field};
use crate::catalog::{Catalog, Inventory, Type};
use crate::json::{self, Kind, MapWriter, Piece, Pieces, ReadError};
use crate::plan::Wanted;
use crate::render::{self, Format, Shape, View};
use crate::session::{Invocation, Lookup, lookup};
use crate::syntax::Operator;
use crate::terminal::Ui;

use super::shape;

/// How many records a relation keeps before it begins anew.
const KEPT: usize = 20_000;

/// What completes the rows that are to be shown, and the view that shows it; `None` where nothing does.
pub(super) fn wanted(cx: &mut Invocation<'_>, shape: &Shape, view: &View) -> Option<(Completion, View)> {
    if view.filter.is_some() || view.summary {
        return None;
    }
    let catalog = cx.session.catalog;
    let inventory = catalog.inventory(shape.inventory.as_ref().or(view.taken_from.as_ref())?)?;
    let mut wish = Wish::default();
    // The JSON formats have no default columns to which some are added.
    let adds = !matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml);
    let selection = view.columns.as_ref().filter(|selection| !selection.added || adds);
    for column in selection.iter().flat_map(|selection| &selection.columns) {
        wish.add(catalog, &inventory, &column.path);
    }
    if let Some(key) = &view.sort_by {
        wish.add(catalog, &inventory, key.path());
    }
    wish.relations.iter_mut().for_each(|relation| relation.told = Some(cx.settings.ui.clone()));
    let mut view = view.clone();
    let has_defaults = selection.is_none_or(|selection| selection.added) && shape.inventory.is_some();
    let for_people = view.terminal && matches!(view.format, Format::Table | Format::Vertical);
    if for_people && has_defaults && cx.settings.view.names {
        view.named = wish.names(catalog, &inventory, shape);
    }
    if wish.is_empty() {
        return None;
    }
    let lookup = lookup(cx.session, cx.settings).ok()?;
    let page = cx.settings.call.page_size.value as usize;
    Some((Completion { wish, lookup, page }, view))
}

/// Completes rows with the names of what their default columns refer to. Gives the members that refer to something and
/// those that hold it, as [`View::named`] takes them.
pub(super) fn with_names(
    catalog: Catalog,
    inventory: &Inventory,
    rows: &mut [Vec<u8>],
    lookup: &mut Lookup,
) -> Vec<(String, String)> {
    let mut wish = Wish::default();
    let named = wish.names(catalog, inventory, &shape::of_inventory(inventory));
    wish.complete(rows, lookup);
    named
}

/// What completes rows.
pub(super) struct Completion {
    wish: Wish,
    lookup: Lookup,
    /// How many rows are completed at once.
    page: usize,
}

/// What the records of an inventory are to be completed with.
#[derive(Default)]
struct Wish {
    relations: Vec<Relation>,
    /// Records within the records, and what those are to be completed with.
    inside: Vec<(String, Wish)>,
    /// Short names for paths of relations.
    aliases: Vec<(String, Vec<String>)>,
}

/// A query for what records refer to.
struct Relation {
    /// The member that is added.
    member: String,
    /// The member that refers to others.
    key: &'static str,
    /// The member of those that it is compared with.
    foreign_key: &'static str,
    query: &'static str,
    /// The members that are asked for; all where `whole` is set.
    fields: BTreeSet<&'static str>,
    whole: bool,
    further: Wish,
    found: HashMap<String, Vec<Vec<u8>>>,
    /// Whether the node did not answer; it is not asked again then.
    failed: bool,
    /// Who is told so: whoever asked for it.
    told: Option<Ui>,
}

impl Wish {
    fn is_empty(&self) -> bool {
        self.relations.is_empty() && self.inside.iter().all(|(_, wish)| wish.is_empty())
    }

    /// Adds what a column needs that records do not hold themselves.
    fn add(&mut self, catalog: Catalog, from: &Inventory, path: &[String]) {
        let Some((head, rest)) = path.split_first().filter(|(_, rest)| !rest.is_empty()) else { return };
        if let Some(field) = from.field(head) {
            let Some(target) = record(&field.kind).and_then(|name| catalog.inventory(name)) else { return };
            let mut inside = Wish::default();
            let known = self.inside.iter_mut().find(|(name, _)| name == head);
            match known {
                Some((_, known)) => known.add(catalog, &target, rest),
                None => {
                    inside.add(catalog, &target, rest);
                    self.inside.push((head.clone(), inside));
                }
            }
        } else if let Some(alias) = from.aliases.get(head.as_str()) {
            let stands_for: Vec<String> = alias.path.split('.').map(str::to_owned).collect();
            let longer: Vec<String> = stands_for.iter().chain(rest).cloned().collect();
            if longer.first() != Some(head) {
                self.add(catalog, from, &longer);
                if !self.aliases.iter().any(|(name, _)| name == head) {
                    self.aliases.push((head.clone(), stands_for));
                }
            }
        } else if let Some(expanded) = from.expanded.get(head.as_str()).filter(|_| !from.is_broken(head))
            && let (Some(key), Some(foreign_key)) = (expanded.key, expanded.foreign_key)
            && let Some(target) = catalog.inventory(expanded.inventory)
            && let Some(query) = of_inventory(catalog, &target)
        {
            self.relation(head, key, foreign_key, query).ask(catalog, &target, rest);
        }
    }

    /// Adds the names of what the default columns refer to.
    fn names(&mut self, catalog: Catalog, from: &Inventory, shape: &Shape) -> Vec<(String, String)> {
        let members = render::default_members(shape).into_iter();
        members.filter_map(|key| self.name(catalog, from, &key).map(|member| (key, member))).collect()
    }

    /// Adds the name of what a member refers to by its uuid, and gives the member that will hold it.
    fn name(&mut self, catalog: Catalog, from: &Inventory, key: &str) -> Option<String> {
        let field = from.field(key)?;
        let member = field.name.strip_suffix("Uuid").filter(|member| from.field(member).is_none())?;
        let mut joined = from.expanded.iter().filter(|(name, expanded)| {
            expanded.key == Some(field.name) && expanded.foreign_key == Some("uuid") && !from.is_broken(name)
        });
        let query = match (joined.next(), joined.next()) {
            (None, _) => query_of_field(catalog, from, field)?,
            (Some((_, expanded)), None) => of_inventory(catalog, &catalog.inventory(expanded.inventory)?)?,
            // It could be one of several kinds.
            (Some(_), Some(_)) => return None,
        };
        let target = catalog.inventory(catalog.api(query)?.inventory?)?;
        target.field("name")?;
        let relation = self.relation(member, field.name, "uuid", query);
        let name = ["name".to_owned()];
        (relation.key == field.name && relation.query == query).then(|| relation.ask(catalog, &target, &name))?;
        Some(member.to_owned())
    }

    fn relation(
        &mut self,
        member: &str,
        key: &'static str,
        foreign_key: &'static str,
        query: &'static str,
    ) -> &mut Relation {
        let known = self.relations.iter().position(|relation| relation.member == member);
        let index = known.unwrap_or_else(|| {
            self.relations.push(Relation {
                member: member.to_owned(),
                key,
                foreign_key,
                query,
                fields: BTreeSet::from([foreign_key]),
                whole: false,
                further: Wish::default(),
                found: HashMap::new(),
                failed: false,
                told: None,
            });
            self.relations.len() - 1
        });
        &mut self.relations[index]
    }

    /// Completes records.
    fn complete(&mut self, records: &mut [Vec<u8>], lookup: &mut Lookup) {
        for (member, wish) in &mut self.inside {
            complete_inside(member, wish, records, lookup);
        }
        for relation in &mut self.relations {
            relation.complete(records, lookup);
        }
        for (name, path) in &self.aliases {
            for record in &mut *records {
                let mut found = Vec::new();
                json::pick(record, path, &mut |value| found.push(value));
                let list = list_of(found);
                add_member(record, name, &list);
            }
        }
    }
}

impl Relation {
    /// Asks for what a path leads to in the related records.
    fn ask(&mut self, catalog: Catalog, target: &Inventory, path: &[String]) {
        let field = path.first().and_then(|head| target.field(head));
        match field {
            Some(field) if field.kind.record().is_none() && !matches!(field.kind, Type::List(_) | Type::Map(_)) => {
                self.fields.insert(field.name);
            }
            Some(_) => self.whole = true,
            None => {}
        }
        self.further.add(catalog, target, path);
        self.fields.extend(self.further.relations.iter().map(|relation| relation.key));
    }

    /// Adds to each record what it refers to.
    fn complete(&mut self, records: &mut [Vec<u8>], lookup: &mut Lookup) {
        let keys: BTreeSet<String> = records.iter().flat_map(|record| texts(record, self.key)).collect();
        if self.found.len() + keys.len() > KEPT {
            self.found.clear();
        }
        let unknown: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !self.found.contains_key(*key)).collect();
        if !unknown.is_empty() && !self.failed {
            self.look_up(&unknown, lookup);
        }
        for record in records {
            let keys = texts(record, self.key);
            let value = match &keys[..] {
                [] => continue,
                [key] if self.foreign_key == "uuid" && !is_list(record, self.key) => self.record_of(key),
                keys if self.foreign_key == "uuid" => list_of(keys.iter().map(|key| self.record_of(key))),
                keys => list_of(keys.iter().filter_map(|key| self.found.get(key)).flatten()),
            };
            add_member(record, &self.member, &value);
        }
    }

    fn look_up(&mut self, keys: &[&str], lookup: &mut Lookup) {
        let condition = [(self.foreign_key, Operator::In, keys.join(","))];
        let fields: Vec<&str> = if self.whole { Vec::new() } else { self.fields.iter().copied().collect() };
        let mut records = Vec::new();
        let wanted = Wanted { conditions: &condition, fields: &fields, ..Wanted::default() };
        let answered = lookup.each_row(self.query, &wanted, &mut |row| records.push(row.to_vec()));
        if answered.is_none() {
            self.failed = true;
            if let Some(ui) = &self.told {
                ui.warn(&format!("{} cannot be asked, so {} stands for {}", self.query, self.key, self.member));
            }
            return;
        }
        self.further.complete(&mut records, lookup);
        for key in keys {
            self.found.insert((*key).to_owned(), Vec::new());
        }
        for record in records {
            for key in texts(&record, self.foreign_key) {
                self.found.entry(key).or_default().push(record.clone());
            }
        }
    }

    /// The record of a uuid. The uuid stands for the name of one that was not found.
    fn record_of(&self, uuid: &str) -> Vec<u8> {
        if let Some(record) = self.found.get(uuid).and_then(|records| records.first()) {
            return record.clone();
        }
        let mut text = Vec::new();
        json::write_literal(&mut text, uuid);
        let mut record = MapWriter::default();
        record.push(b"uuid", &text);
        record.push(b"name", &text);
        record.finish()
    }
}

/// Completes the records that a member of other records holds.
fn complete_inside(member: &str, wish: &mut Wish, records: &mut [Vec<u8>], lookup: &mut Lookup) {
    let mut inner: Vec<Vec<u8>> = Vec::new();
    let mut counts = Vec::new();
    for record in &*records {
        let before = inner.len();
        if let Some(value) = json::member(record, member) {
            json::maps(value, &mut |map| inner.push(map.to_vec()));
        }
        counts.push(inner.len() - before);
    }
    wish.complete(&mut inner, lookup);
    let mut inner = inner.into_iter();
    for (record, count) in records.iter_mut().zip(counts) {
        let completed: Vec<Vec<u8>> = inner.by_ref().take(count).collect();
        let mut written = MapWriter::default();
        for (name, value) in json::members(record) {
            match &completed[..] {
                [one] if name == member.as_bytes() && json::kind(value) == Kind::Map => written.push(name, one),
                [_, ..] if name == member.as_bytes() => written.push_list(name, &completed),
                _ => written.push(name, value),
            }
        }
        if count > 0 {
            *record = written.finish();
        }
    }
}

/// The inventory that a member holds one or several of.
fn record(kind: &Type) -> Option<&'static str> {
    match kind {
        Type::Named(name) => Some(name),
        Type::List(Some(element)) => record(element),
        _ => None,
    }
}

fn is_list(record: &[u8], member: &str) -> bool {
    json::member(record, member).is_some_and(|value| json::kind(value) == Kind::List)
}

/// The texts of a member: one, or those of a list.
fn texts(record: &[u8], member: &str) -> Vec<String> {
    let text = |value: &[u8]| (json::kind(value) == Kind::Text).then(|| json::unescape(value).into_owned());
    let Some(value) = json::member(record, member) else { return Vec::new() };
    let texts: Vec<String> = match json::kind(value) {
        Kind::List => json::items(value).filter_map(text).collect(),
        _ => text(value).into_iter().collect(),
    };
    // What cannot stand in a list of uuids is none.
    texts.into_iter().filter(|text| !text.is_empty() && !text.contains(',')).collect()
}

fn list_of<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut list = vec![b'['];
    for item in items {
        if list.len() > 1 {
            list.push(b',');
        }
        list.extend_from_slice(item.as_ref());
    }
    list.push(b']');
    list
}

/// Adds a member to a record that has none of that name.
fn add_member(record: &mut Vec<u8>, name: &str, value: &[u8]) {
    if json::kind(record) != Kind::Map || json::member(record, name).is_some() {
        return;
    }
    let mut written = MapWriter::default();
    json::members(record).for_each(|(name, value)| written.push(name, value));
    written.push(name.as_bytes(), value);
    *record = written.finish();
}

/// A reply whose inventories are completed.
pub(super) struct Completed<'p> {
    pieces: &'p mut dyn Pieces,
    completion: Completion,
    inside: bool,
    /// Rows that are complete.
    ready: VecDeque<Vec<u8>>,
    /// Whether the list ends behind them.
    ends: bool,
    /// Why no more rows come behind them.
    error: Option<ReadError>,
    row: Vec<u8>,
}

impl<'p> Completed<'p> {
    pub(super) fn new(pieces: &'p mut dyn Pieces, completion: Completion) -> Completed<'p> {
        let (ready, row) = (VecDeque::new(), Vec::new());
        Completed { pieces, completion, inside: false, ready, ends: false, error: None, row }
    }

    /// Reads a page of rows and completes them.
    fn fill(&mut self) {
        let mut rows = Vec::new();
        while rows.len() < self.completion.page.max(1) {
            match self.pieces.next_piece() {
                Ok(Some(Piece::Row(row))) => rows.push(row.to_vec()),
                Ok(Some(_)) => {
                    self.ends = true;
                    break;
                }
                Ok(None) => {
                    self.inside = false;
                    break;
                }
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        self.completion.wish.complete(&mut rows, &mut self.completion.lookup);
        self.ready = rows.into();
    }
}

impl Pieces for Completed<'_> {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        if self.inside && self.ready.is_empty() && !self.ends && self.error.is_none() {
            self.fill();
        }
        if let Some(row) = self.ready.pop_front() {
            self.row = row;
            return Ok(Some(Piece::Row(&self.row)));
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if std::mem::take(&mut self.ends) {
            self.inside = false;
            return Ok(Some(Piece::EndRows));
        }
        let piece = self.pieces.next_piece()?;
        self.inside = matches!(piece, Some(Piece::Rows { name: "inventories" }));
        Ok(piece)
    }
}
