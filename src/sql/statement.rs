//! A statement: what it names, and whether it only reads.

use std::sync::Arc;

use crate::catalog::references::listed;
use crate::catalog::{Catalog, zql_entity};
use crate::nearness::{did_you_mean, nearest};
use crate::syntax::sql::{TableName, Token, TokenKind, tables, tokens};

use super::error::StatementError;
use super::table::{CONTEXT, ColumnKind, Table};

/// A statement, and the tables that it names.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The text as typed.
    typed: String,
    /// The text that SQLite runs.
    pub(super) text: String,
    /// What was added to the text as typed: where, and how long it is.
    added: (usize, usize),
    /// Whether the requests are shown and not sent.
    pub(crate) explains: bool,
    /// The tables, with the names that the statement has for them.
    pub(crate) tables: Vec<(String, Arc<Table>)>,
}

/// Functions of byte counts that are byte counts.
const KEEP_BYTES: [&str; 9] = ["sum", "min", "max", "avg", "total", "abs", "coalesce", "ifnull", "distinct"];

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors
    /// Where it is not one SELECT, or names a table that does not exist.
    pub(crate) fn read(text: &str, catalog: Catalog) -> Result<Statement, StatementError> {
        let wrong = |problem: &str, token: Option<&Token<'_>>| StatementError {
            problem: problem.to_owned(),
            text: text.to_owned(),
            span: token.map(Token::span),
            hint: None,
        };
        let all = tokens(text);
        let explains = all.first().is_some_and(|first| first.is("explain"));
        let body = &all[usize::from(explains)..];
        match body.first() {
            None => return Err(wrong("a SELECT is missing", None)),
            Some(first) if !["select", "with", "values"].iter().any(|verb| first.is(verb)) => {
                return Err(wrong("only SELECT is possible, and WITH before it: nothing is changed", Some(first)));
            }
            Some(_) => {}
        }
        let end = body.iter().position(|token| token.kind == TokenKind::Symbol && token.text == ";");
        if let Some(more) = end.and_then(|end| body.get(end + 1)) {
            return Err(wrong("only one statement is possible", Some(more)));
        }
        let mut found: Vec<(String, Arc<Table>)> = Vec::new();
        for named in tables(body) {
            if found.iter().any(|(known, _)| known.eq_ignore_ascii_case(&named.name)) {
                continue;
            }
            if let Some(table) = table(catalog, &named).map_err(|(problem, hint)| StatementError {
                problem,
                text: text.to_owned(),
                span: Some(named.span.clone()),
                hint,
            })? {
                found.push((named.name.into_owned(), Arc::new(table)));
            }
        }
        let start = body.first().map_or(0, |first| first.at);
        // Positions stay those of the text.
        let run = format!("{}{}", " ".repeat(start), &text[start..]);
        Ok(Statement { typed: text.to_owned(), text: run, added: (0, 0), explains, tables: found })
    }

    /// The statement with the context as first column, where each row of its result is one of the first table: it neither
    /// groups nor adds up, has no columns by number, and does not name the context itself.
    pub(crate) fn with_context(mut self) -> Statement {
        const OTHERS: [&str; 9] =
            ["with", "values", "union", "except", "intersect", "distinct", "group", "context", "over"];
        const ADD_UP: [&str; 10] = [
            "count",
            "sum",
            "min",
            "max",
            "avg",
            "total",
            "group_concat",
            "string_agg",
            "json_group_array",
            "json_group_object",
        ];
        let all = tokens(&self.text);
        let is_plain = all.iter().enumerate().all(|(at, token)| {
            let next = all.get(at + 1);
            let by_number = token.is("by") && next.is_some_and(|next| next.kind == TokenKind::Number);
            let adds_up = next.is_some_and(|next| next.text == "(") && ADD_UP.iter().any(|name| token.is(name));
            !by_number && !adds_up && !OTHERS.iter().any(|word| token.is(word))
        });
        let has_all = selected(&all).iter().any(|item| item.last().is_some_and(|last| last.text == "*"));
        let selects = all.iter().filter(|token| token.is("select")).count();
        let first = tables(&all).into_iter().next();
        let known = first.filter(|first| self.tables.iter().any(|(name, _)| name.eq_ignore_ascii_case(&first.name)));
        if let (true, false, 1, Some(table), Some(select)) = (is_plain, has_all, selects, known, all.first()) {
            let column = format!(" \"{}\".{CONTEXT},", table.alias.replace('"', "\"\""));
            let at = select.span().end;
            self.text.insert_str(at, &column);
            self.added = (at, column.len());
        }
        self
    }

    /// Whether a column of the result counts bytes, for one that is computed: by sums and the like of such columns.
    /// `count` is the number of columns.
    pub(super) fn counts_bytes(&self, index: usize, count: usize) -> bool {
        let all = tokens(&self.text);
        let items = selected(&all);
        let Some(item) = items.get(index).filter(|_| items.len() == count) else { return false };
        let joins = |token: &Token<'_>| matches!(token.text, "." | "+" | "-" | "(");
        let item = match item.split_last() {
            Some((_, [item @ .., word])) if word.is("as") => item,
            Some((alias, item)) if alias.name().is_some() && item.last().is_some_and(|last| !joins(last)) => item,
            _ => item,
        };
        let kinds = |name: &str| {
            let columns = self.tables.iter().flat_map(|(_, table)| &table.columns);
            columns
                .filter(|column| column.name.eq_ignore_ascii_case(name))
                .map(|column| column.kind)
                .collect::<Vec<_>>()
        };
        let mut found = false;
        for (at, token) in item.iter().enumerate() {
            let before_dot = item.get(at + 1).is_some_and(|next| next.text == ".");
            let is_known = match token.kind {
                TokenKind::Symbol => matches!(token.text, "(" | ")" | "." | "," | "+" | "-"),
                TokenKind::Number => true,
                TokenKind::Text => false,
                _ if before_dot => true,
                _ if KEEP_BYTES.iter().any(|function| token.is(function)) => true,
                TokenKind::Word | TokenKind::Quoted => {
                    let kinds = kinds(&token.name().unwrap_or_default());
                    found |= !kinds.is_empty();
                    kinds.iter().all(|kind| *kind == ColumnKind::Bytes) && !kinds.is_empty()
                }
            };
            if !is_known {
                return false;
            }
        }
        found
    }

    /// Whether it names all columns of the result, without `*`.
    pub(crate) fn names_columns(&self) -> bool {
        let all = tokens(&self.text);
        let is_all = |item: &&[Token<'_>]| item.last().is_some_and(|last| last.text == "*");
        !selected(&all).iter().any(is_all)
    }

    /// The name of a column of the result with the table that it is of: `h_name` for `h.name`. `count` is the number of
    /// columns.
    pub(super) fn qualified(&self, index: usize, count: usize) -> Option<String> {
        let all = tokens(&self.text);
        let items = selected(&all);
        match items.get(index).filter(|_| items.len() == count)? {
            [table, dot, column] if dot.text == "." => Some(format!("{}_{}", table.name()?, column.name()?)),
            _ => None,
        }
    }

    /// The statement with an error of SQLite, which counts bytes.
    pub(super) fn wrong(&self, problem: &str, offset: i32) -> StatementError {
        let all = tokens(&self.text);
        let at = usize::try_from(offset).ok();
        let token = at.and_then(|at| all.iter().position(|token| token.span().contains(&at)));
        let mut span = token.map(|token| all[token].span());
        let mut hint = None;
        if let Some(token) = token {
            // The position of `v.name` is that of `v`.
            let member = all.get(token + 2).filter(|_| all.get(token + 1).is_some_and(|dot| dot.text == "."));
            let name = member.unwrap_or(&all[token]);
            span = span.map(|span| span.start..name.span().end);
            let qualifier = member.and_then(|_| all[token].name());
            hint = name.name().and_then(|name| self.closest_columns(&name, qualifier.as_deref(), &all));
        }
        // Positions are those of the text as typed.
        let (added, len) = self.added;
        let typed = |at: usize| if at > added { at.saturating_sub(len).max(added) } else { at };
        let span = span.map(|span| typed(span.start)..typed(span.end));
        StatementError { problem: problem.to_owned(), text: self.typed.clone(), span, hint }
    }

    /// The closest columns of a table, or of all tables, as a hint. None for the name of a column that there is.
    fn closest_columns(&self, name: &str, qualifier: Option<&str>, all: &[Token<'_>]) -> Option<String> {
        let uses = tables(all);
        let named =
            uses.iter().filter(|one| qualifier.is_none_or(|qualifier| one.alias.eq_ignore_ascii_case(qualifier)));
        let of = |one: &TableName<'_>| self.tables.iter().find(|(known, _)| known.eq_ignore_ascii_case(&one.name));
        let known: Vec<&(String, Arc<Table>)> = named.filter_map(of).collect();
        let columns = || known.iter().flat_map(|(_, table)| table.columns.iter().map(|column| column.name));
        if columns().any(|column| column.eq_ignore_ascii_case(name)) {
            return None;
        }
        did_you_mean(&nearest(name, columns()))
    }
}

/// The columns of the outermost SELECT.
fn selected<'t, 's>(all: &'t [Token<'s>]) -> Vec<&'t [Token<'s>]> {
    let mut depth = 0_usize;
    let mut depths = Vec::new();
    for token in all {
        depth = if token.text == ")" { depth.saturating_sub(1) } else { depth };
        depths.push(depth);
        depth += usize::from(token.text == "(");
    }
    let outermost = |keyword: &str| (0..all.len()).find(|at| depths[*at] == 0 && all[*at].is(keyword));
    let Some(start) = outermost("select") else { return Vec::new() };
    let end = outermost("from").filter(|end| *end > start).unwrap_or(all.len());
    let mut items = Vec::new();
    let mut from = start + 1;
    for at in start + 1..=end {
        if at == end || (depths[at] == 0 && all[at].text == ",") {
            items.push(&all[from..at]);
            from = at + 1;
        }
    }
    items
}

/// The table of a name; none for those of SQLite. The error has a problem and a hint.
fn table(catalog: Catalog, named: &TableName<'_>) -> Result<Option<Table>, (String, Option<String>)> {
    let name = named.name.as_ref();
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("sqlite_") || lower.starts_with("json_") {
        return Ok(None);
    }
    let inventory = catalog.zql_inventory(name).and_then(|name| catalog.inventory(name));
    if let Some(inventory) = inventory {
        let table = Table::of(catalog, &inventory);
        return match table {
            Some(table) => Ok(Some(table)),
            None => Err((format!("no query lists the rows of {name}"), None)),
        };
    }
    let all = table_names(catalog);
    let goes_on =
        || all.iter().filter(|known| lower.len() > 1 && known.starts_with(&lower)).min_by_key(|one| one.len());
    let meant = lower.strip_suffix("inventory").unwrap_or(&lower);
    let near: Vec<String> = match catalog.kind(meant) {
        Some(kind) => vec![zql_entity(kind.inventory.name)],
        None => match nearest(&lower, all.iter().map(String::as_str)) {
            close if close.is_empty() => goes_on().into_iter().cloned().collect(),
            close => close.into_iter().map(str::to_owned).collect(),
        },
    };
    Err((format!("there is no table {name}"), did_you_mean(&near)))
}

/// The names of all tables.
pub(super) fn table_names(catalog: Catalog) -> Vec<String> {
    listed(catalog).into_iter().map(zql_entity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_byte_counts_are_byte_counts() {
        for (items, expected) in [
            ("sum(v.memorySize)", [true].as_slice()),
            ("sum(v.memorySize) memory, count(*) n", &[true, false]),
            ("max(memorySize) - min(memorySize) as spread, avg(cpuNum)", &[true, false]),
            ("coalesce(sum(memorySize), 0), memorySize / 2", &[true, false]),
            ("count(memorySize), 7, sum(1), 'memorySize', (select sum(memorySize) from vminstance)", &[false; 5]),
        ] {
            let text = format!("select {items} from vminstance v, cluster");
            let statement = Statement::read(&text, Catalog::newest()).expect("a statement");
            let found: Vec<bool> = (0..expected.len()).map(|at| statement.counts_bytes(at, expected.len())).collect();
            assert_eq!(found, expected, "{items}");
        }
    }

    #[test]
    fn tables_that_there_are_not_are_close_to_others() {
        for (name, problem, hint) in [
            ("vminstanc", "there is no table vminstanc", Some("did you mean `vminstance`?")),
            ("VmInstanceInventory", "there is no table VmInstanceInventory", Some("did you mean `vminstance`?")),
            ("hosts", "there is no table hosts", Some("did you mean `host`?")),
            ("vm", "there is no table vm", Some("did you mean `vminstance`?")),
            ("instanceoff", "there is no table instanceoff", Some("did you mean `instanceoffering`?")),
            ("zzzzzzzzzzzzz", "there is no table zzzzzzzzzzzzz", None),
            ("session", "no query lists the rows of session", None),
        ] {
            let error = Statement::read(&format!("select 1 from {name}"), Catalog::newest()).expect_err("no table");
            assert_eq!((error.problem.as_str(), error.hint.as_deref()), (problem, hint));
            assert_eq!(error.span, Some(14..14 + name.len()));
        }
    }
}
