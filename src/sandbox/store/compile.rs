//! Conditions as SQL.
//!
//! A condition on a path becomes a chain of `key IN (SELECT foreign …)`: at least one related row matches the rest
//! (Q13), and SQLite can evaluate it from either end.

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::comparison::{Parameters, StoredValue};
use super::error::ServerError;
use super::model::{InventoryModel, Join, Kind, Member, Model, Relation};
use super::ownership;
use super::request::Viewer;
use super::schema::{self, quoted};
use super::zql::{Condition, Literal, Operand, Operator, Restriction, Select, Verb};
use super::{capacity, class_name};

/// How many relations one path may follow.
const LONGEST_PATH: usize = 20;

/// The alias of the table of the result.
const OUTERMOST: &str = "t1";

/// The number of related rows from which each row looks for its own instead of all being found first.
const MANY_ROWS: usize = 1000;

/// A statement under construction.
pub(super) struct Compiler<'a> {
    pub(super) connection: &'a Connection,
    pub(super) model: &'a Model,
    pub(super) viewer: &'a Viewer,
    pub(super) parameters: Parameters,
    /// Whether a page is sorted by a field other than `uuid`, which all indexes contain.
    pub(super) cuts_in_other_order: bool,
    aliases: usize,
}

/// The right side of a test, with sub-queries as SQL.
enum Value<'a> {
    None,
    One(&'a Literal),
    Many(&'a [Literal]),
    Query(String),
}

impl<'a> Compiler<'a> {
    pub(super) fn new(connection: &'a Connection, model: &'a Model, viewer: &'a Viewer) -> Compiler<'a> {
        Compiler {
            connection,
            model,
            viewer,
            parameters: Parameters::default(),
            cuts_in_other_order: false,
            aliases: 0,
        }
    }

    /// The inventory that an entity names, ignoring case (Z1).
    pub(super) fn entity(&self, name: &str) -> Result<Arc<InventoryModel>, ServerError> {
        let wanted = format!("{name}Inventory");
        let found = self.model.catalog().inventory_names().find(|inventory| inventory.eq_ignore_ascii_case(&wanted));
        found
            .and_then(|inventory| self.model.shape(inventory))
            .filter(|shape| !self.model.catalog().lacks(shape.inventory.since))
            .ok_or_else(|| ServerError::internal(format!("cannot find an inventory that is named [{name}] in ZQL")))
    }

    /// A table with a new alias for `FROM`, and the alias. A family without a table has no rows.
    pub(super) fn source(&mut self, shape: &InventoryModel) -> Result<(String, String), ServerError> {
        self.aliases += 1;
        let alias = format!("t{}", self.aliases);
        if schema::table_exists(self.connection, shape.table())? {
            return Ok((format!("{} {alias}", capacity::source(shape.table())), alias));
        }
        let columns: Vec<String> = shape
            .members
            .iter()
            .filter(|member| member.kind.is_column())
            .map(|member| format!("NULL AS {}", quoted(member.name)))
            .collect();
        let columns = columns.join(", ");
        let comma = if columns.is_empty() { "" } else { ", " };
        Ok((format!("(SELECT NULL AS _id, NULL AS _inventory{comma}{columns} WHERE 0) {alias}"), alias))
    }

    /// The `WHERE` clause of a select: the inventory, the viewer's permissions, the condition and the restrictions.
    pub(super) fn filter(
        &mut self,
        shape: &InventoryModel,
        alias: &str,
        select: &Select,
    ) -> Result<String, ServerError> {
        let mut parts = Vec::new();
        parts.extend(self.kind_of_row(shape, alias));
        parts.extend(ownership::filter(self, shape, alias)?);
        if let Some(condition) = &select.condition {
            parts.push(self.condition(shape, alias, condition)?);
        }
        for restriction in &select.restrictions {
            parts.push(self.restriction(shape, alias, restriction)?);
        }
        Ok(if parts.is_empty() { "1".to_owned() } else { parts.join(" AND ") })
    }

    /// The test that a row of the family's table is of a special inventory.
    fn kind_of_row(&self, shape: &InventoryModel, alias: &str) -> Option<String> {
        (shape.name != shape.root).then(|| {
            let names: Vec<String> = self.model.descendants(shape).iter().map(|name| format!("'{name}'")).collect();
            format!("{alias}._inventory IN ({})", names.join(", "))
        })
    }

    fn condition(&mut self, shape: &InventoryModel, alias: &str, condition: &Condition) -> Result<String, ServerError> {
        match condition {
            Condition::And(left, right) => {
                Ok(format!("({} AND {})", self.condition(shape, alias, left)?, self.condition(shape, alias, right)?))
            }
            Condition::Or(left, right) => {
                Ok(format!("({} OR {})", self.condition(shape, alias, left)?, self.condition(shape, alias, right)?))
            }
            Condition::Test { path, operator, operand: Operand::Field(other), further } => {
                let compared = fields_compared(shape, alias, path, *operator, other)?;
                // The grammar allows comparing a result, the database does not (R14).
                if further.is_empty() {
                    Ok(compared)
                } else {
                    Err(ServerError::internal("failed to run the query: unexpected AST node: ="))
                }
            }
            Condition::Test { path, operator, operand, .. } => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                self.test(shape, alias, &path, *operator, operand, 0)
            }
        }
    }

    fn test(
        &mut self,
        shape: &InventoryModel,
        alias: &str,
        path: &[&str],
        operator: Operator,
        operand: &Operand,
        followed: usize,
    ) -> Result<String, ServerError> {
        let Some((first, rest)) = path.split_first() else {
            return Err(ServerError::internal("a condition without a field"));
        };
        if rest.is_empty() {
            return self.own_test(shape, alias, first, operator, operand);
        }
        let no_expanded = || {
            ServerError::internal(format!(
                "failed to run the query: inventory class[class {}] have no expanded query[{first}]",
                class_name::of(shape.name)
            ))
        };
        if followed >= LONGEST_PATH {
            return Err(ServerError::internal("the path of a condition is too long"));
        }
        if shape.inventory.is_broken(first) {
            return Err(broken(first));
        }
        let relation = self.model.relation(shape, first).ok_or_else(no_expanded)?;
        let (inventory, join) = match relation {
            Relation::Alias { owner, path } => {
                let shape = &*self.model.shape(owner).ok_or_else(no_expanded)?;
                let path: Vec<&str> = path.split('.').chain(rest.iter().copied()).collect();
                return self.test(shape, alias, &path, operator, operand, followed + 1);
            }
            Relation::Join(join) => (join.inventory, Some(join)),
            Relation::Nothing { inventory } => (inventory, None),
        };
        let target = self.model.shape(inventory).ok_or_else(no_expanded)?;
        let (source, inner) = self.source(&target)?;
        let mut condition = self.test(&target, &inner, rest, operator, operand, followed + 1)?;
        if let Some(kind) = self.kind_of_row(&target, &inner) {
            condition = format!("{kind} AND {condition}");
        }
        Ok(match join {
            Some(join) => self.related(alias, &join, &source, &inner, &condition)?,
            None => "0".to_owned(),
        })
    }

    /// A test of a member or tag of the inventory itself.
    fn own_test(
        &mut self,
        shape: &InventoryModel,
        alias: &str,
        name: &str,
        operator: Operator,
        operand: &Operand,
    ) -> Result<String, ServerError> {
        let tag = match name {
            "__systemTag__" => Some(("SystemTagInventory", "tag")),
            "__userTag__" => Some(("UserTagInventory", "tag")),
            "__tagUuid__" => Some(("UserTagInventory", "tagPatternUuid")),
            _ => None,
        };
        if shape.inventory.is_broken(name) {
            return Err(broken(name));
        }
        if let Some((inventory, column)) = tag {
            return self.tag_test(shape, alias, (inventory, column), operator, operand);
        }
        let member = shape.member(name).filter(|member| !member.unqueryable && !member.newer);
        let member = member.ok_or_else(|| no_field(shape, name))?;
        if member.relation {
            return Err(broken(name));
        }
        let value = self.value(operand)?;
        check_boolean(member, operator, &value)?;
        let test = self.member_test(alias, member, operator, &value)?;
        if self.cuts_in_other_order && alias == OUTERMOST && operator == Operator::Equal {
            let source = format!("{} {alias}", capacity::source(shape.table()));
            if schema::table_exists(self.connection, shape.table())?
                && self.has_many_rows(&format!("SELECT 1 FROM {source} WHERE {test}"))?
            {
                // Most rows match it, so following the index of the sort order is faster than sorting all matches. The
                // unary plus keeps SQLite from using the member's index.
                return Ok(format!("+{test}"));
            }
        }
        Ok(test)
    }

    fn member_test(
        &mut self,
        alias: &str,
        member: &Member,
        operator: Operator,
        value: &Value<'_>,
    ) -> Result<String, ServerError> {
        let expression = format!("{alias}.{}", quoted(member.name));
        match &member.kind {
            Kind::Json if !matches!(value, Value::None) => {
                // A list of texts: at least one of them.
                let stored = StoredValue { expression: "item.value COLLATE NOCASE", kind: &Kind::Text };
                let condition = self.stored_test(&stored, operator, value)?;
                Ok(format!(
                    "EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid({expression}) THEN {expression} END) item \
                     WHERE {condition})"
                ))
            }
            Kind::Values { join, value: column } => self.joined_test(alias, join, column, operator, value),
            Kind::Rows { join, .. } => {
                let target = self.model.shape(join.inventory);
                let by_uuid = target.is_some_and(|target| target.has_column("uuid"));
                self.joined_test(alias, join, if by_uuid { "uuid" } else { join.foreign }, operator, value)
            }
            kind => self.stored_test(&StoredValue { expression: &expression, kind }, operator, value),
        }
    }

    /// A test of a column of joined rows: at least one of them matches.
    fn joined_test(
        &mut self,
        alias: &str,
        join: &Join,
        column: &'static str,
        operator: Operator,
        value: &Value<'_>,
    ) -> Result<String, ServerError> {
        let Some(target) = self.model.shape(join.inventory) else { return Ok("0".to_owned()) };
        let (source, inner) = self.source(&target)?;
        let expression = format!("{inner}.{}", quoted(column));
        let condition =
            self.stored_test(&StoredValue { expression: &expression, kind: &Kind::Text }, operator, value)?;
        self.related(alias, join, &source, &inner, &condition)
    }

    /// A test of tags. A negated operator means that the resource has no such tag; `is null` matches nothing (Q15).
    fn tag_test(
        &mut self,
        shape: &InventoryModel,
        alias: &str,
        (inventory, column): (&str, &str),
        operator: Operator,
        operand: &Operand,
    ) -> Result<String, ServerError> {
        if !shape.has_column("uuid") {
            return Err(no_field(shape, column));
        }
        if operator == Operator::IsNull {
            return Ok("0".to_owned());
        }
        let tags = self.model.shape(inventory).ok_or_else(|| no_field(shape, column))?;
        if let (Operator::Has | Operator::NotHas, Operand::List(values)) = (operator, operand) {
            // Each text may be matched by another tag.
            let mut all = Vec::new();
            for value in values {
                let one = Operand::Value(value.clone());
                all.push(self.tag_test(shape, alias, (inventory, column), Operator::Equal, &one)?);
            }
            let not = if operator == Operator::NotHas { "NOT " } else { "" };
            return Ok(format!("{not}({})", all.join(" AND ")));
        }
        let value = self.value(operand)?;
        let (source, inner) = self.source(&tags)?;
        let expression = format!("{inner}.{}", quoted(column));
        let stored = StoredValue { expression: &expression, kind: &Kind::Text };
        let condition = self.stored_test(&stored, operator.denied().unwrap_or(operator), &value)?;
        let not = if operator.denied().is_some() { "NOT " } else { "" };
        Ok(format!(
            "{alias}.uuid {not}IN (SELECT {inner}.resourceUuid FROM {source} \
             WHERE {inner}.resourceUuid IS NOT NULL AND {condition})"
        ))
    }

    fn value<'operand>(&mut self, operand: &'operand Operand) -> Result<Value<'operand>, ServerError> {
        Ok(match operand {
            Operand::None => Value::None,
            Operand::Value(value) => Value::One(value),
            Operand::List(values) => Value::Many(values),
            Operand::Query(select) => Value::Query(self.sub_query(select)?),
            Operand::Field(path) => {
                return Err(ServerError::internal(format!("the field [{}] cannot stand here", path.join("."))));
            }
        })
    }

    fn stored_test(
        &mut self,
        stored: &StoredValue<'_>,
        operator: Operator,
        value: &Value<'_>,
    ) -> Result<String, ServerError> {
        let expression = stored.expression;
        let has_all = |this: &mut Self, values: &[Literal]| {
            let all: Vec<String> =
                values.iter().map(|value| stored.compare(Operator::Equal, value, &mut this.parameters)).collect();
            all.join(" AND ")
        };
        Ok(match (operator, value) {
            (_, Value::None) => stored.compare(operator, &Literal::Bool(true), &mut self.parameters),
            (_, Value::One(value)) => stored.compare(operator, value, &mut self.parameters),
            (Operator::Has, Value::Many(values)) => format!("({})", has_all(self, values)),
            (Operator::NotHas, Value::Many(values)) => format!("NOT ({})", has_all(self, values)),
            (_, Value::Many(values)) => stored.among(operator == Operator::NotIn, values, &mut self.parameters),
            (_, Value::Query(sql)) => {
                let symbol = match operator {
                    Operator::In | Operator::Has => "IN",
                    Operator::NotIn | Operator::NotHas => "NOT IN",
                    _ => comparison(operator)
                        .ok_or_else(|| ServerError::internal("a sub-query cannot stand after like"))?,
                };
                format!("{expression} {symbol} ({sql})")
            }
        })
    }

    fn sub_query(&mut self, select: &Select) -> Result<String, ServerError> {
        let shape = self.entity(&select.entity)?;
        let field = match select.fields.as_slice() {
            [path] if select.verb == Verb::Query && select.function.is_none() => path.join("."),
            _ => return Err(ServerError::internal("a sub-query needs exactly one field")),
        };
        let column = quoted(selectable(&shape, &field)?);
        let (source, alias) = self.source(&shape)?;
        let filter = self.filter(&shape, &alias, select)?;
        let tail = self.tail(&shape, &alias, select)?;
        Ok(format!("SELECT {alias}.{column} FROM {source} WHERE {filter}{tail}"))
    }

    /// The clauses after the condition: group, order, limit and offset.
    pub(super) fn tail(&mut self, shape: &InventoryModel, alias: &str, select: &Select) -> Result<String, ServerError> {
        let mut sql = String::new();
        if !select.group_by.is_empty() {
            let mut columns = Vec::new();
            for field in &select.group_by {
                columns.push(format!("{alias}.{}", quoted(selectable(shape, field)?)));
            }
            sql.push_str(&format!(" GROUP BY {}", columns.join(", ")));
        }
        if !select.order_by.is_empty() {
            let mut columns = Vec::new();
            for (field, descending) in &select.order_by {
                let direction = if *descending { "DESC" } else { "ASC" };
                if field == "groupCount" && select.verb == Verb::Count {
                    columns.push(format!("groupCount {direction}"));
                    continue;
                }
                let column = sortable(shape, field)?;
                columns.push(format!("{alias}.{} {direction}", quoted(column)));
            }
            sql.push_str(&format!(" ORDER BY {}", columns.join(", ")));
        }
        if select.limit.is_some() || select.offset.is_some() {
            sql.push_str(&format!(" LIMIT {} OFFSET {}", select.limit.unwrap_or(-1), select.offset.unwrap_or(0)));
        }
        Ok(sql)
    }

    /// A condition on a related entity, or on tags.
    fn restriction(
        &mut self,
        shape: &InventoryModel,
        alias: &str,
        restriction: &Restriction,
    ) -> Result<String, ServerError> {
        let Restriction { entity, field, operator, operand } = restriction;
        let Some(entity) = entity else { return self.own_test(shape, alias, field, *operator, operand) };
        let wanted = self.entity(entity)?;
        let Some(mut path) = self.path_to(shape, &wanted) else {
            return Err(ServerError::internal(format!(
                "the inventory[{}] cannot be restricted by [{entity}], which it has no relation to",
                shape.name
            )));
        };
        path.push(field);
        self.test(shape, alias, &path, *operator, operand, 0)
    }

    /// The shortest path of expanded fields to an inventory.
    fn path_to(&self, from: &InventoryModel, to: &InventoryModel) -> Option<Vec<&'static str>> {
        if from.name == to.name {
            return Some(Vec::new());
        }
        let mut seen = vec![from.name];
        let mut reached = vec![(self.model.shape(from.name)?, Vec::new())];
        for _ in 0..3 {
            let mut further = Vec::new();
            for (shape, path) in &reached {
                for (name, expanded) in &shape.inventory.expanded {
                    let mut path: Vec<&'static str> = path.clone();
                    path.push(name);
                    if expanded.inventory == to.name {
                        return Some(path);
                    }
                    if !seen.contains(&expanded.inventory) {
                        seen.push(expanded.inventory);
                        further.extend(self.model.shape(expanded.inventory).map(|shape| (shape, path)));
                    }
                }
            }
            reached = further;
        }
        None
    }

    /// The SQL for "has at least one related row such that".
    ///
    /// If few rows match, they are found first; if many match, each row looks for its own.
    fn related(
        &self,
        alias: &str,
        join: &Join,
        source: &str,
        inner: &str,
        condition: &str,
    ) -> Result<String, ServerError> {
        let (key, foreign) = (format!("{alias}.{}", quoted(join.key)), format!("{inner}.{}", quoted(join.foreign)));
        let rows = format!("SELECT {foreign} FROM {source} WHERE {condition}");
        Ok(if join.key_is_list {
            format!("EXISTS (SELECT 1 FROM json_each({key}) item WHERE item.value COLLATE NOCASE IN ({rows}))")
        } else if self.has_many_rows(&rows)? {
            format!("EXISTS (SELECT 1 FROM {source} WHERE {foreign} = {key} AND {condition})")
        } else {
            format!("{key} IN ({rows})")
        })
    }

    fn has_many_rows(&self, sql: &str) -> Result<bool, ServerError> {
        let mut statement = self.connection.prepare_cached(&format!("{sql} LIMIT 1 OFFSET {MANY_ROWS}"))?;
        let parameters = self.parameters.0.iter().take(statement.parameter_count());
        Ok(statement.exists(rusqlite::params_from_iter(parameters))?)
    }

    /// Adds a text parameter.
    pub(super) fn text(&mut self, text: &str) -> String {
        self.parameters.add(Sql::Text(text.to_owned()))
    }
}

/// The column of a member, for `fields` and similar.
pub(super) fn selectable<'shape>(shape: &'shape InventoryModel, name: &str) -> Result<&'shape str, ServerError> {
    column(shape, name).filter(|member| member.selectable).map(|member| member.name).ok_or_else(|| {
        ServerError::internal(format!("failed to run the query: inventory[{}] has no field[{name}]", shape.name))
    })
}

/// The column of a member, for `sort`.
fn sortable<'shape>(shape: &'shape InventoryModel, name: &str) -> Result<&'shape str, ServerError> {
    column(shape, name).filter(|member| member.sortable).map(|member| member.name).ok_or_else(|| {
        ServerError::internal(format!(
            "invalid order by clause: inventory[{}] cannot be sorted by [{name}]",
            shape.name
        ))
    })
}

fn column<'shape>(shape: &'shape InventoryModel, name: &str) -> Option<&'shape Member> {
    let is_plain = |member: &&Member| member.kind.is_column() && member.kind != Kind::Json;
    shape.member(name).filter(is_plain).filter(|member| !member.unqueryable && !member.newer)
}

/// The SQL operator of a comparison of two values.
fn comparison(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "<>",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        _ => return None,
    })
}

/// The comparison of two members of the same row.
fn fields_compared(
    shape: &InventoryModel,
    alias: &str,
    left: &[String],
    operator: Operator,
    right: &[String],
) -> Result<String, ServerError> {
    let symbol = comparison(operator)
        .ok_or_else(|| ServerError::internal("fields can be compared with each other by = != > >= < <= only"))?;
    let own = |path: &[String]| match path {
        [name] if shape.has_column(name) => Ok(format!("{alias}.{}", quoted(name))),
        _ => Err(no_field(shape, &path.join("."))),
    };
    Ok(format!("({} {symbol} {})", own(left)?, own(right)?))
}

/// The error for a list of inventories or a wrongly declared relation, which breaks the SQL of a node (R5, R6).
fn broken(name: &str) -> ServerError {
    ServerError::internal(format!("failed to run the query: [{name}]: could not extract ResultSet"))
}

/// The error for a text that is neither a boolean nor a number, which a node reads as a column name (R14).
fn check_boolean(member: &Member, operator: Operator, value: &Value<'_>) -> Result<(), ServerError> {
    let Value::One(Literal::Text(text)) = value else { return Ok(()) };
    let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    let is_boolean = ["true", "false"].iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    if member.kind == Kind::Bool && is_equality && !is_boolean && text.trim().parse::<f64>().is_err() {
        return Err(broken(member.name));
    }
    Ok(())
}

fn no_field(shape: &InventoryModel, name: &str) -> ServerError {
    ServerError::internal(format!(
        "failed to run the query: inventory class[class {}] not having field[{name}]",
        class_name::of(shape.name)
    ))
}
