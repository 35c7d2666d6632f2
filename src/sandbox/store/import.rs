//! Taking rows as a node tells them: the way back from replies to tables.
//!
//! What a reply nests, such as the nics of a virtual machine, comes by a query of its own, if there is one; otherwise
//! the nested rows, and the references behind lists of uuids, are taken from the rows around them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use rusqlite::params_from_iter;
use rusqlite::types::Value as Sql;

use super::change::Transaction;
use super::error::StoreError;
use super::model::{InventoryModel, Kind};
use super::row::Row;
use super::schema::{self, quoted};
use crate::dates;
use crate::json;
use crate::secret::MASK;

/// How deep nested rows are followed.
const DEEPEST: usize = 3;

/// Rows on their way into an empty store.
pub struct Import<'tx> {
    tx: &'tx Transaction<'tx>,
    /// The tables whose rows come by queries of their own.
    queried: HashSet<&'static str>,
    plans: HashMap<String, Option<Rc<Plan>>>,
    /// The special inventories of rows, by uuid: a query of a general inventory must not make them general again.
    special: HashMap<String, (usize, &'static str)>,
    /// The special inventories that values of type fields select, by the general one.
    by_type: HashMap<&'static str, HashMap<Vec<u8>, Option<&'static str>>>,
    /// The references behind lists of uuids.
    references: Vec<Reference>,
    /// The statements that create the indexes of tables when their rows are there.
    indexes: HashMap<&'static str, Vec<String>>,
    /// The number of rows taken.
    rows: u64,
}

/// How rows of an inventory are stored.
struct Plan {
    shape: Arc<InventoryModel>,
    sql: String,
    /// The stored members, and their positions among the values.
    columns: HashMap<&'static str, (usize, Kind)>,
    type_fields: Vec<&'static str>,
}

/// A row that only says that two resources belong together.
struct Reference {
    inventory: &'static str,
    members: [(&'static str, String); 2],
}

impl<'tx> Import<'tx> {
    /// `inventories` are those of the queries whose rows will come.
    pub(in crate::sandbox) fn new(tx: &'tx Transaction<'tx>, inventories: &[&str]) -> Import<'tx> {
        let shapes = inventories.iter().filter_map(|name| tx.model().shape(name));
        let queried = shapes.map(|shape| shape.table()).collect();
        Import {
            tx,
            queried,
            plans: HashMap::new(),
            special: HashMap::new(),
            by_type: HashMap::new(),
            references: Vec::new(),
            indexes: HashMap::new(),
            rows: 0,
        }
    }

    /// The number of rows taken so far, without nested ones.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row of an inventory, as the JSON object of a reply, whose secrets were masked. A row with a known uuid
    /// completes the earlier one. Members that the sandbox does not know are left out. Returns `false` for an inventory
    /// that it does not know.
    ///
    /// # Errors
    /// `Database`.
    pub fn take(&mut self, inventory: &str, row: &[u8]) -> Result<bool, StoreError> {
        let taken = self.take_nested(inventory, row, None, 1)?;
        self.rows += u64::from(taken);
        Ok(taken)
    }

    /// Takes a row; `link` is the member that ties it to the row around it.
    fn take_nested(
        &mut self,
        inventory: &str,
        row: &[u8],
        link: Option<(&str, &str)>,
        depth: usize,
    ) -> Result<bool, StoreError> {
        let Some(plan) = self.plan(inventory)? else { return Ok(false) };
        let plan = self.specialised(plan, row)?;
        let shape = &plan.shape;
        let mut values = vec![Sql::Null; plan.columns.len() + 1];
        let mut lists = Vec::new();
        for (name, text) in json::members(row) {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            match plan.columns.get(name) {
                Some((at, kind)) => values[*at] = stored(kind, text),
                None => lists.extend(shape.member(name).map(|member| (member.kind.clone(), text))),
            }
        }
        if let Some((name, value)) = link
            && let Some((at, _)) = plan.columns.get(name)
            && values[*at] == Sql::Null
        {
            values[*at] = Sql::Text(value.to_owned());
        }
        let uuid = plan.columns.get("uuid").and_then(|(at, _)| text(&values[*at]));
        let name = uuid.as_deref().map_or(shape.name, |uuid| self.name_of(uuid, shape));
        values[0] = Sql::Text(name.to_owned());
        for (kind, list) in lists {
            let key = |key: &str| plan.columns.get(key).and_then(|(at, _)| text(&values[*at]));
            match kind {
                Kind::Values { join, value } => {
                    if let Some(owner) = key(join.key) {
                        for item in json::items(list) {
                            let members = [(join.foreign, owner.clone()), (value, json::unescape(item).into_owned())];
                            self.references.push(Reference { inventory: join.inventory, members });
                        }
                    }
                }
                Kind::Rows { join, many }
                    if depth < DEEPEST && !join.key_is_list && !self.is_queried(join.inventory) =>
                {
                    let owner = key(join.key);
                    let link = owner.as_deref().map(|owner| (join.foreign, owner));
                    let rows: Vec<&[u8]> = if many { json::items(list).collect() } else { vec![list] };
                    for nested in rows.into_iter().filter(|nested| json::kind(nested) == json::Kind::Map) {
                        self.take_nested(join.inventory, nested, link, depth + 1)?;
                    }
                }
                _ => {}
            }
        }
        self.tx.connection().prepare_cached(&plan.sql)?.execute(params_from_iter(values))?;
        Ok(true)
    }

    /// Creates the indexes of the table of an inventory, whose rows have mostly come.
    ///
    /// # Errors
    /// `Database`.
    pub fn index(&mut self, inventory: &str) -> Result<(), StoreError> {
        let indexes = self.tx.model().shape(inventory).and_then(|shape| self.indexes.remove(shape.table()));
        for index in indexes.into_iter().flatten() {
            self.tx.connection().execute_batch(&index)?;
        }
        Ok(())
    }

    /// Stores the references that no query told, the settings that a log-in needs, and the indexes.
    ///
    /// # Errors
    /// `Database`.
    pub(in crate::sandbox) fn finish(mut self) -> Result<(), StoreError> {
        for index in std::mem::take(&mut self.indexes).into_values().flatten() {
            self.tx.connection().execute_batch(&index)?;
        }
        let mut known = HashSet::new();
        for Reference { inventory, members: [(owner, of), (other, to)] } in std::mem::take(&mut self.references) {
            let stored = self.tx.stored_fields(inventory)?;
            let fits = stored.contains(&owner) && stored.contains(&other);
            if fits && !self.is_queried(inventory) && known.insert((inventory, of.clone(), to.clone())) {
                self.tx.insert(inventory, &Row::new().with(owner, of).with(other, to))?;
            }
        }
        super::seed::open_to_admin(self.tx)?;
        self.tx.settle_capacities()
    }

    fn is_queried(&self, inventory: &str) -> bool {
        self.tx.model().shape(inventory).is_some_and(|shape| self.queried.contains(shape.table()))
    }

    /// How rows of the inventory are stored; creates its table.
    fn plan(&mut self, inventory: &str) -> Result<Option<Rc<Plan>>, StoreError> {
        if let Some(plan) = self.plans.get(inventory) {
            return Ok(plan.clone());
        }
        let plan = match self.tx.model().shape(inventory) {
            Some(shape) => Some(Rc::new(self.new_plan(shape)?)),
            None => None,
        };
        self.plans.insert(inventory.to_owned(), plan.clone());
        Ok(plan)
    }

    fn new_plan(&mut self, shape: Arc<InventoryModel>) -> Result<Plan, StoreError> {
        if !schema::table_exists(self.tx.connection(), shape.table())? {
            schema::ensure_table(self.tx.connection(), self.tx.model(), &shape)?;
            // Indexes are created faster when all rows are there.
            let others = |index: &str| !index.contains("UNIQUE");
            self.indexes.insert(shape.table(), schema::drop_indexes(self.tx.connection(), shape.table(), others)?);
        }
        let mut seen = HashSet::new();
        // SQL ignores case in names.
        let is_new = |name: &str, seen: &mut HashSet<String>| seen.insert(name.to_ascii_lowercase());
        let members = shape.members.iter().filter(|member| member.kind.is_column());
        let stored = members.filter(|member| is_new(member.name, &mut seen));
        let columns: HashMap<&'static str, (usize, Kind)> =
            stored.enumerate().map(|(at, member)| (member.name, (at + 1, member.kind.clone()))).collect();
        let mut names: Vec<(&usize, &str)> = columns.iter().map(|(name, (at, _))| (at, *name)).collect();
        names.sort_unstable();
        let names: Vec<String> = names.into_iter().map(|(_, name)| quoted(name)).collect();
        let marks = vec!["?"; names.len() + 1].join(", ");
        let table = quoted(shape.table());
        let mut sql = format!("INSERT INTO {table} (_inventory, {}) VALUES ({marks})", names.join(", "));
        if columns.contains_key("uuid") {
            // A second row with the same uuid completes the first.
            let updates: Vec<String> =
                names.iter().map(|name| format!("{name} = coalesce(excluded.{name}, {name})")).collect();
            let updates = updates.join(", ");
            sql.push_str(&format!(" ON CONFLICT (uuid) DO UPDATE SET _inventory = excluded._inventory, {updates}"));
        }
        let type_fields = shape.inventory.fields.iter().filter(|field| field.type_field);
        let type_fields = type_fields.map(|field| field.name).collect();
        Ok(Plan { shape, sql, columns, type_fields })
    }

    /// The plan of the special inventory that the type fields of a row select.
    fn specialised(&mut self, mut plan: Rc<Plan>, row: &[u8]) -> Result<Rc<Plan>, StoreError> {
        loop {
            let mut special = None;
            for field in &plan.type_fields {
                let value = json::member(row, field).filter(|value| json::kind(value) == json::Kind::Text);
                special = value.and_then(|value| self.special_of(&plan.shape, field, value)).or(special);
            }
            let Some(special) = special.map(|name| self.plan(name)).transpose()?.flatten() else { return Ok(plan) };
            plan = special;
        }
    }

    /// The special inventory that a value of a type field selects.
    fn special_of(&mut self, shape: &InventoryModel, field: &str, value: &[u8]) -> Option<&'static str> {
        let known = self.by_type.entry(shape.name).or_default();
        if let Some(special) = known.get(value) {
            return *special;
        }
        let special = self.tx.model().specialised(shape, field, &json::unescape(value));
        let special = special.map(|special| special.name).filter(|name| *name != shape.name);
        known.insert(value.to_vec(), special);
        special
    }

    /// The most special inventory that rows with this uuid had.
    fn name_of(&mut self, uuid: &str, shape: &InventoryModel) -> &'static str {
        let rank = shape.ancestors.len();
        match self.special.get(uuid) {
            Some((known, name)) if *known >= rank => name,
            _ if rank == 0 => shape.name,
            _ => {
                self.special.insert(uuid.to_owned(), (rank, shape.name));
                shape.name
            }
        }
    }
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("rows", &self.rows).finish_non_exhaustive()
    }
}

fn text(value: &Sql) -> Option<String> {
    if let Sql::Text(text) = value { Some(text.clone()) } else { None }
}

/// A value of a reply as it is stored.
fn stored(kind: &Kind, value: &[u8]) -> Sql {
    let raw = || Sql::Text(String::from_utf8_lossy(value).into_owned());
    let number = || std::str::from_utf8(value).ok();
    match (json::kind(value), kind) {
        (json::Kind::Null, _) => Sql::Null,
        (json::Kind::Bool, _) => Sql::Integer(i64::from(value == b"true")),
        (json::Kind::Number, Kind::Text | Kind::Json | Kind::Timestamp) => raw(),
        (json::Kind::Number, _) => match number().map(|text| (text.parse(), text.parse())) {
            Some((Ok(whole), _)) => Sql::Integer(whole),
            // Older nodes print whole numbers as doubles (N4).
            #[allow(clippy::cast_possible_truncation)]
            Some((_, Ok(double))) if *kind == Kind::Integer && f64::fract(double) == 0.0 => Sql::Integer(double as i64),
            Some((_, Ok(double))) => Sql::Real(double),
            _ => Sql::Null,
        },
        // What was masked is a secret.
        (json::Kind::Text, _) if json::unescape(value) == MASK => Sql::Null,
        (json::Kind::Text, Kind::Json) => raw(),
        (json::Kind::Text, Kind::Timestamp) => {
            let text = json::unescape(value);
            Sql::Text(dates::normalise(&text).unwrap_or_else(|| text.into_owned()))
        }
        (json::Kind::Text, _) => Sql::Text(json::unescape(value).into_owned()),
        (json::Kind::List | json::Kind::Map, _) => raw(),
    }
}
