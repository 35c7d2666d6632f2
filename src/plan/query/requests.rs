//! A planned query and the requests that fetch its pages.

use std::time::Duration;

use crate::catalog::Method;

use crate::plan::condition::{Condition, zql_string};
use crate::plan::request::{Effect, PathPart, Request, SecretText};
use crate::plan::zql;

/// The kind of result of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Rows, with the total if requested.
    Rows {
        /// Whether the number of all matching rows comes with them.
        with_total: bool,
    },
    /// The number of rows only.
    Count,
    /// The number of rows for each value of a field.
    Groups {
        /// The field.
        field: String,
    },
}

/// How many rows are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them, in pages.
    All {
        /// Rows per request.
        page_size: u32,
    },
    /// At most this many, in one request.
    Limit(u64),
}

/// The start of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// At the first requested row.
    Start,
    /// After the row with this key.
    After(String),
    /// After the row with the first key, up to the second.
    Between {
        /// The key of the row before the page.
        after: String,
        /// The last key.
        to: String,
    },
    /// After this many rows.
    Offset(u64),
}

impl Cursor {
    /// The conditions on the key: operators and values.
    fn conditions(&self) -> Vec<(&'static str, &str)> {
        match self {
            Cursor::Start | Cursor::Offset(_) => Vec::new(),
            Cursor::After(last) => vec![(">", last)],
            Cursor::Between { after, to } => vec![(">", after), ("<=", to)],
        }
    }
}

/// A planned query.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// The API.
    pub api: &'static str,
    /// The inventory of the rows: the specialised one if a condition selects it.
    pub inventory: Option<&'static str>,
    /// The kind of result.
    pub answer: Answer,
    /// How many rows are requested.
    pub extent: Extent,
    /// The requested members of a row, in order; `None` for all.
    pub select: Option<Vec<String>>,
    /// An order that the node does not support: all rows are fetched and sorted by the program.
    pub order_here: Option<LocalOrder>,
    /// The member by which rows are paged; without it they are paged by offset.
    pub key: Option<&'static str>,
    /// Whether replies are those of ZQL: `{"results": [{"inventories": [..], "total": n}]}`.
    pub is_zql: bool,
    pub(super) path: Vec<PathPart>,
    /// The conditions of each request; several if a long list had to be split.
    pub(super) parts: Vec<Vec<Condition>>,
    pub(super) entity: String,
    pub(super) fields: Option<Vec<String>>,
    pub(super) sort: Option<Sort>,
    pub(super) start: u64,
    /// Rows per request, if there are several.
    pub(super) page_size: u32,
    pub(super) filter_name: Option<String>,
    pub(super) timeout: Option<Duration>,
}

/// A sort order.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The member.
    pub field: String,
    /// Whether the order is descending.
    pub descending: bool,
}

/// Sorting by the program, after all rows were fetched.
#[derive(Clone, Debug)]
pub struct LocalOrder {
    /// The order.
    pub sort: Sort,
    /// How many of the sorted rows are skipped.
    pub start: u64,
    /// The maximum number of rows after that.
    pub limit: Option<u64>,
}

impl QueryPlan {
    /// The number of queries that the conditions were split into; each is paged on its own.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Whether the user asked for an order of the rows.
    pub fn is_ordered(&self) -> bool {
        self.sort.is_some() || self.order_here.is_some()
    }

    /// The number of rows that are skipped before the first one.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The same query with the key kept in the rows, if they are fetched with it, even if the user did not select it.
    pub fn with_key(&self) -> QueryPlan {
        let mut plan = self.clone();
        if let (Some(names), Some(key)) = (&mut plan.select, self.key)
            && !names.iter().any(|name| name == key)
        {
            names.push(key.to_owned());
        }
        plan
    }

    /// The query for the rows that this one counts; it fetches only their key, if they have one.
    pub fn counted_rows(&self) -> QueryPlan {
        QueryPlan {
            answer: Answer::Rows { with_total: false },
            extent: Extent::All { page_size: self.page_size },
            start: 0,
            sort: None,
            order_here: None,
            select: None,
            fields: self.key.map(|key| vec![key.to_owned()]),
            ..self.clone()
        }
    }

    /// The query that counts the rows whose group field is null, which a node does not count (R7).
    pub fn count_of_null(&self, field: &str) -> QueryPlan {
        let mut plan = QueryPlan { answer: Answer::Count, ..self.clone() };
        for conditions in &mut plan.parts {
            conditions.push(Condition::null(field));
        }
        plan
    }

    /// The request for the page of a part that starts at the cursor.
    pub fn request(&self, part: usize, cursor: &Cursor) -> Request {
        let conditions = self.parts.get(part).map_or(&[][..], Vec::as_slice);
        let mut request = if self.is_zql {
            let secret = conditions.iter().any(|condition| condition.secret);
            zql::statement_request(&self.zql(conditions, cursor), secret)
        } else {
            Request {
                api: self.api,
                method: Method::Get,
                path: self.path.clone(),
                query: self.pairs(conditions, cursor),
                body: None,
                needs_session: true,
                effect: Effect::Query,
                is_async: false,
                timeout: None,
            }
        };
        request.timeout = self.timeout;
        request
    }

    fn pairs(&self, conditions: &[Condition], cursor: &Cursor) -> Vec<(String, SecretText)> {
        let mut pairs: Vec<(String, SecretText)> = conditions
            .iter()
            .map(|condition| ("q".to_owned(), SecretText { text: condition.q_text(), secret: condition.secret }))
            .collect();
        let mut add = |name: &str, text: String| pairs.push((name.to_owned(), SecretText::plain(text)));
        for (operator, value) in cursor.conditions() {
            if let Some(key) = self.key {
                add("q", format!("{key}{operator}{value}"));
            }
        }
        if let Some(filter) = &self.filter_name {
            add("filterName", filter.clone());
        }
        let Answer::Rows { with_total } = self.answer else {
            add("count", "true".to_owned());
            return pairs;
        };
        add("limit", self.limit().to_string());
        let offset = self.offset(cursor);
        if offset > 0 {
            add("start", offset.to_string());
        }
        if let Some((field, descending)) = self.order() {
            add("sort", format!("{}{field}", if descending { '-' } else { '+' }));
        }
        if let Some(fields) = &self.fields {
            add("fields", fields.join(","));
        }
        if with_total && *cursor == Cursor::Start {
            add("replyWithCount", "true".to_owned());
        }
        pairs
    }

    fn zql(&self, conditions: &[Condition], cursor: &Cursor) -> String {
        let mut wheres: Vec<String> = conditions.iter().map(Condition::zql).collect();
        for (operator, value) in cursor.conditions() {
            if let Some(key) = self.key {
                let value = if key == "uuid" { zql_string(value) } else { value.to_owned() };
                wheres.push(format!("({key} {operator} {value})"));
            }
        }
        let entity = &self.entity;
        let mut text = match &self.answer {
            Answer::Rows { .. } => match &self.fields {
                Some(fields) => format!("query {entity}.{}", fields.join(",")),
                None => format!("query {entity}"),
            },
            Answer::Count | Answer::Groups { .. } => format!("count {entity}"),
        };
        // `a and b and c` is right-associative, which makes no difference here.
        if !wheres.is_empty() {
            text.push_str(&format!(" where {}", wheres.join(" and ")));
        }
        match &self.answer {
            Answer::Count => {}
            Answer::Groups { field } => {
                text.push_str(&format!(" group by {field}"));
                if let Extent::Limit(limit) = self.extent {
                    text.push_str(&format!(" limit {limit}"));
                }
            }
            Answer::Rows { with_total } => {
                if *with_total && *cursor == Cursor::Start {
                    text.push_str(" return with (total)");
                }
                if let Some((field, descending)) = self.order() {
                    text.push_str(&format!(" order by {field} {}", if descending { "desc" } else { "asc" }));
                }
                text.push_str(&format!(" limit {}", self.limit()));
                let offset = self.offset(cursor);
                if offset > 0 {
                    text.push_str(&format!(" offset {offset}"));
                }
            }
        }
        text
    }

    fn limit(&self) -> u64 {
        match self.extent {
            Extent::All { page_size } => u64::from(page_size),
            Extent::Limit(limit) => limit,
        }
    }

    fn offset(&self, cursor: &Cursor) -> u64 {
        match cursor {
            Cursor::Start => self.start,
            Cursor::After(_) | Cursor::Between { .. } => 0,
            Cursor::Offset(offset) => *offset,
        }
    }

    /// The order of the request: the user's, or by key where pages or an offset need an order (Q17).
    fn order(&self) -> Option<(&str, bool)> {
        match &self.sort {
            Some(sort) => Some((&sort.field, sort.descending)),
            None if matches!(self.extent, Extent::All { .. }) || self.start > 0 => self.key.map(|key| (key, false)),
            None => None,
        }
    }

    /// Paging by key needs the key in every row, and a total counts only rows whose first selected field is not null
    /// (Q18). So the key is selected first and dropped from the output if it was not requested.
    pub(super) fn arrange_fields(&mut self) {
        if !matches!(self.answer, Answer::Rows { .. }) {
            self.fields = None;
            self.select = None;
            return;
        }
        let needs_key = matches!(self.extent, Extent::All { .. }) || self.answer == (Answer::Rows { with_total: true });
        let key = self.key.or(self.inventory.is_some().then_some("uuid"));
        if let (Some(fields), Some(key), true) = (&mut self.fields, key, needs_key) {
            fields.retain(|field| field != key);
            fields.insert(0, key.to_owned());
        }
    }
}
