//! A planned query and the requests that fetch its pages.

use std::time::Duration;

use crate::catalog::Method;

use crate::plan::condition::{Condition, zql_string};
use crate::plan::request::{Effect, PathPart, Request, SecretText};
use crate::plan::zql;

/// What a query answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Rows, with the total where that was asked for.
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

/// How many rows are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them, in pages.
    All {
        /// Rows per request.
        page_size: u32,
    },
    /// Exactly so many at most, in one request.
    Limit(u64),
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// At the first row that was asked for.
    Start,
    /// After the row whose key is this.
    After(String),
    /// After so many rows.
    Offset(u64),
}

/// A planned query.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    /// The API.
    pub api: &'static str,
    /// The inventory of the rows, the specialised one where a condition chooses it.
    pub inventory: Option<&'static str>,
    /// What the answer holds.
    pub answer: Answer,
    /// How many rows are asked for.
    pub extent: Extent,
    /// The members of a row that the user wants, in that order; all when `None`.
    pub select: Option<Vec<String>>,
    /// The order that the node cannot give: all rows are fetched and put into it here.
    pub order_here: Option<LocalOrder>,
    /// The member by whose order pages follow each other; without it they follow by offset.
    pub key: Option<&'static str>,
    /// Whether replies are those of ZQL: `{"results": [{"inventories": [..], "total": n}]}`.
    pub is_zql: bool,
    pub(super) path: Vec<PathPart>,
    /// Conditions of each request; several where a long list had to be split.
    pub(super) parts: Vec<Vec<Condition>>,
    pub(super) entity: String,
    pub(super) fields: Option<Vec<String>>,
    pub(super) sort: Option<Sort>,
    pub(super) start: u64,
    /// Rows per request, where it takes several.
    pub(super) page_size: u32,
    pub(super) filter_name: Option<String>,
    pub(super) timeout: Option<Duration>,
}

/// What rows are sorted by.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The member.
    pub field: String,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// An order that rows are put into once all are there.
#[derive(Clone, Debug)]
pub struct LocalOrder {
    /// What they are sorted by.
    pub sort: Sort,
    /// How many of the sorted rows are skipped.
    pub start: u64,
    /// How many of them are wanted at most.
    pub limit: Option<u64>,
}

impl QueryPlan {
    /// The number of requests that the conditions had to be split over; each is paged by itself.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The number of rows that are skipped before the first one.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// The same with rows that hold their key, where they are fetched with it, whatever the user wants to see.
    pub fn with_key(&self) -> QueryPlan {
        let mut plan = self.clone();
        if let (Some(names), Some(key)) = (&mut plan.select, self.key)
            && !names.iter().any(|name| name == key)
        {
            names.push(key.to_owned());
        }
        plan
    }

    /// The query for the rows that this one counts, of which it fetches the key alone where they have one.
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

    /// The query that counts the rows of a group whose field is null: a node counts none of them (R7).
    pub fn count_of_null(&self, field: &str) -> QueryPlan {
        let mut plan = QueryPlan { answer: Answer::Count, ..self.clone() };
        for conditions in &mut plan.parts {
            conditions.push(Condition::null(field));
        }
        plan
    }

    /// The request for the page of a part that begins at the cursor.
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
        if let (Cursor::After(last), Some(key)) = (cursor, self.key) {
            add("q", format!("{key}>{last}"));
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
        if let (Cursor::After(last), Some(key)) = (cursor, self.key) {
            let value = if key == "uuid" { zql_string(last) } else { last.clone() };
            wheres.push(format!("({key} > {value})"));
        }
        let entity = &self.entity;
        let mut text = match &self.answer {
            Answer::Rows { .. } => match &self.fields {
                Some(fields) => format!("query {entity}.{}", fields.join(",")),
                None => format!("query {entity}"),
            },
            Answer::Count | Answer::Groups { .. } => format!("count {entity}"),
        };
        // `a and b and c` binds to the right, which means the same for one connective.
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
            Cursor::After(_) => 0,
            Cursor::Offset(offset) => *offset,
        }
    }

    /// The order that is asked for: the user's, or one by key where pages or an offset need one (Q17).
    fn order(&self) -> Option<(&str, bool)> {
        match &self.sort {
            Some(sort) => Some((&sort.field, sort.descending)),
            None if matches!(self.extent, Extent::All { .. }) || self.start > 0 => self.key.map(|key| (key, false)),
            None => None,
        }
    }

    /// Pages that follow by key need it in every row, and a total counts only rows whose first selected field is
    /// not null (Q18): so the key goes first, and the shell drops it where nobody asked for it.
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
