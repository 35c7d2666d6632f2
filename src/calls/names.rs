//! The uuids of resources that a command names, asked of the node.
//!
//! The names of one kind of resource are one query. Those of several kinds are one ZQL request with a statement for each
//! kind; a node that fails on it is asked with a query for each. Nothing is remembered: a name that meant one
//! resource a minute ago may mean another, or several.

use std::collections::{HashMap, HashSet};

use crate::catalog::zql_entity;
use crate::client::{Answer, Class};
use crate::error::{Error, NameError, NameProblem};
use crate::json::{self, Kind};
use crate::nearness::closest;
use crate::plan::{self, Effect, Name, Names, Wanted, zql_string};
use crate::session::{Invocation, offers};
use crate::syntax::{Command, Operator, join_list};

use super::{send, show};

/// How many names are looked through for a similar one.
const MOST_SIMILAR: usize = 1000;

/// How many candidates an error lists.
const MOST_CANDIDATES: usize = 20;

/// How many of the resources that a pattern finds are listed.
const MOST_TOLD: usize = 20;

/// Statements of more bytes are sent one by one, since a URL takes no more.
const LONGEST: usize = 2000;

/// What tells resources of the same name apart: what it is called, the member, and the query for those that it
/// refers to.
const TELLING: [(&str, &str, Option<&str>); 8] = [
    ("zone", "zoneUuid", Some("QueryZone")),
    ("cluster", "clusterUuid", Some("QueryCluster")),
    ("host", "hostUuid", Some("QueryHost")),
    ("state", "state", None),
    ("status", "status", None),
    ("type", "type", None),
    ("address", "managementIp", None),
    ("address", "ip", None),
];

/// A resource that was found.
struct Found {
    uuid: String,
    name: String,
}

/// The resources that a search found.
#[derive(Default)]
struct AllFound {
    all: Vec<Found>,
    /// Their places by their names without blanks around them.
    by_name: HashMap<String, Vec<usize>>,
}

impl AllFound {
    fn new(all: Vec<Found>) -> AllFound {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, found) in all.iter().enumerate() {
            by_name.entry(found.name.trim().to_owned()).or_default().push(at);
        }
        AllFound { all, by_name }
    }

    /// Those that a name means. The database ignores case; the user may not.
    fn matching(&self, name: &Name) -> impl Iterator<Item = &Found> {
        let places =
            if name.is_pattern { None } else { Some(self.by_name.get(&name.text).map_or(&[][..], Vec::as_slice)) };
        let all = self.all.iter().filter(move |_| places.is_none());
        all.chain(places.into_iter().flatten().map(|at| &self.all[*at]))
    }
}

/// What is asked of one query.
struct Search {
    query: &'static str,
    field: &'static str,
    operator: Operator,
    values: Vec<String>,
}

/// Lists the names that a dry run does not look up.
pub(crate) fn tell_unasked(cx: &Invocation<'_>, names: &Names) {
    for name in &names.names {
        cx.say(&format!("{}: {} would be looked up with {}", name.argument, name.text, name.query));
    }
}

/// The command with the uuids of its names. Each name and its uuid go to standard error.
///
/// # Errors
/// Where a name means nothing or several resources, or the node cannot be asked.
pub(crate) fn resolve(cx: &mut Invocation<'_>, names: &Names) -> Result<Command, Error> {
    resolve_all(cx, &[names])?.into_iter().next().unwrap_or_else(|| Ok(names.with_names()))
}

/// As [`resolve`], for several commands whose names are looked up together: each command, or what is wrong with it.
///
/// # Errors
/// Where the node cannot be asked.
pub(crate) fn resolve_all(cx: &mut Invocation<'_>, all: &[&Names]) -> Result<Vec<Result<Command, Error>>, Error> {
    let (commands, notes) = resolve_untold(cx, all)?;
    notes.tell(cx, all.len() > 1);
    Ok(commands)
}

/// As [`resolve_all`], but gives what is to be said instead of saying it.
///
/// # Errors
/// Where the node cannot be asked.
pub(crate) fn resolve_untold(
    cx: &mut Invocation<'_>,
    all: &[&Names],
) -> Result<(Vec<Result<Command, Error>>, Notes), Error> {
    let mut searches: Vec<Search> = Vec::new();
    let mut places = HashMap::new();
    let asked_in: Vec<Vec<usize>> = all
        .iter()
        .map(|names| names.names.iter().map(|name| join_search(&mut searches, &mut places, name)).collect())
        .collect();
    for search in &searches {
        offers::check(cx.session, cx.settings, search.query, Effect::Query)?;
    }
    let found = match find(cx, &searches) {
        Err(error @ Error::Api(_)) => {
            let hint = "the node failed to look up a name, and nothing was done; a uuid needs no look-up";
            cx.session.advice = Some(hint.to_owned());
            return Err(error);
        }
        found => found?,
    };
    let matches: Vec<Vec<Vec<&Found>>> = all
        .iter()
        .zip(&asked_in)
        .map(|(names, asked_in)| {
            let found_for = |(name, at): (&Name, &usize)| found[*at].matching(name).collect();
            names.names.iter().zip(asked_in).map(found_for).collect()
        })
        .collect();
    let fixed = fixed_uuids(cx, all.iter().zip(&matches).flat_map(|(names, matches)| names.names.iter().zip(matches)))?;
    let mut notes = Notes::default();
    let mut commands = Vec::new();
    for (names, matches) in all.iter().zip(&matches) {
        commands.push(match uuids(cx, names, matches, &fixed, &mut notes) {
            Ok(uuids) => Ok(names.resolved(&uuids)),
            Err(error) => Err(error),
        });
    }
    let named = matches.iter().flatten().flatten().map(|found| (found.uuid.clone(), found.name.clone()));
    cx.session.names = named.collect();
    Ok((commands, notes))
}

/// The uuids of the names of a command.
fn uuids(
    cx: &mut Invocation<'_>,
    names: &Names,
    matches: &[Vec<&Found>],
    fixed: &HashSet<(&'static str, String)>,
    notes: &mut Notes,
) -> Result<Vec<Vec<String>>, Error> {
    let mut uuids = Vec::new();
    for (name, matches) in names.names.iter().zip(matches) {
        match &matches[..] {
            [] if fixed.contains(&(name.query, name.text.clone())) => {
                uuids.push(vec![name.text.clone()]);
                continue;
            }
            [] => return Err(unknown(cx, name)),
            [_, _, ..] if !name.is_pattern => return Err(ambiguous(cx, name, matches)),
            _ => {}
        }
        let told = matches.iter().take(MOST_TOLD);
        told.for_each(|found| notes.add(format!("{}: {} -> {}", name.argument, found.name, found.uuid)));
        if matches.len() > MOST_TOLD {
            notes.add(format!("{}: {} -> {} more", name.argument, name.text, matches.len() - MOST_TOLD));
        }
        uuids.push(matches.iter().map(|found| found.uuid.clone()).collect());
    }
    Ok(uuids)
}

/// What was found for names, each told once.
#[derive(Default)]
pub(crate) struct Notes {
    told: HashSet<String>,
    in_order: Vec<String>,
}

impl Notes {
    fn add(&mut self, note: String) {
        if self.told.insert(note.clone()) {
            self.in_order.push(note);
        }
    }

    /// Tells what was found; of many commands only the first notes.
    fn tell(&self, cx: &Invocation<'_>, is_shortened: bool) {
        let most = if is_shortened { MOST_TOLD } else { usize::MAX };
        self.in_order.iter().take(most).for_each(|note| cx.say(&json::escape_unprintable(note)));
        if self.in_order.len() > most {
            cx.say(&format!("and {} more names", self.in_order.len() - most));
        }
    }
}

/// The place of the search that finds a name, which joins those of the same kind. `places` holds the place of each name.
fn join_search(searches: &mut Vec<Search>, places: &mut HashMap<(&'static str, String), usize>, name: &Name) -> usize {
    if name.is_pattern {
        let pattern = name.text.replace('\\', "\\\\").replace('_', "\\_");
        searches.push(Search { query: name.query, field: "name", operator: Operator::Like, values: vec![pattern] });
        return searches.len() - 1;
    }
    *places.entry((name.query, name.text.clone())).or_insert_with(|| {
        let at = searches.iter().position(|search| search.query == name.query && search.operator == Operator::In);
        let at = at.unwrap_or_else(|| {
            searches.push(Search { query: name.query, field: "name", operator: Operator::In, values: Vec::new() });
            searches.len() - 1
        });
        searches[at].values.push(name.text.clone());
        at
    })
}

/// The values that are uuids after all: some built-in resources have uuids of an unusual form.
fn fixed_uuids<'n, 'f: 'n>(
    cx: &mut Invocation<'_>,
    names: impl Iterator<Item = (&'n Name, &'n Vec<&'f Found>)>,
) -> Result<HashSet<(&'static str, String)>, Error> {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let mut searches: Vec<Search> = Vec::new();
    let mut places = HashMap::new();
    for (name, matches) in names {
        if matches.is_empty() && !name.is_said && is_word(&name.text) {
            join_search(&mut searches, &mut places, name);
        }
    }
    for search in &mut searches {
        search.field = "uuid";
    }
    let found = if searches.is_empty() { Vec::new() } else { find(cx, &searches)? };
    let pairs = searches.iter().zip(found);
    Ok(pairs.flat_map(|(search, found)| found.all.into_iter().map(|found| (search.query, found.uuid))).collect())
}

/// The error for a name that nothing has.
fn unknown(cx: &mut Invocation<'_>, name: &Name) -> Error {
    let wanted = Wanted { fields: &["uuid", "name"], limit: Some(MOST_SIMILAR), ..Wanted::default() };
    // If this query fails too, the error only lacks a suggestion.
    let all = rows(cx, name.query, &wanted).map(|text| all_found(&text)).unwrap_or_default();
    let near = closest(&name.text, all.iter().map(|found| found.name.as_str()));
    let near = near.and_then(|near| all.iter().find(|found| found.name == near));
    let closest = near.map(|found| (found.name.clone(), found.uuid.clone()));
    error(name, NameProblem::Unknown { closest })
}

/// The error for a name that several resources have.
fn ambiguous(cx: &mut Invocation<'_>, name: &Name, found: &[&Found]) -> Error {
    let listed = &found[..found.len().min(MOST_CANDIDATES)];
    let told = descriptions(cx, name.query, listed);
    let candidates = listed.iter().zip(told).map(|(found, told)| format!("{} {}{told}", found.uuid, found.name));
    error(name, NameProblem::Ambiguous { count: found.len(), candidates: candidates.collect() })
}

fn error(name: &Name, problem: NameProblem) -> Error {
    Error::Name(Box::new(NameError {
        argument: name.argument.clone(),
        name: name.text.clone(),
        query: name.query,
        span: name.span.clone(),
        problem,
    }))
}

/// What distinguishes the resources, in brackets; empty if the node does not return it.
fn descriptions(cx: &mut Invocation<'_>, query: &'static str, found: &[&Found]) -> Vec<String> {
    let uuids = join_list(found.iter().map(|found| &found.uuid));
    let wanted = Wanted { conditions: &[("uuid", Operator::In, uuids)], ..Wanted::default() };
    let text = rows(cx, query, &wanted).unwrap_or_default();
    let all: Vec<&[u8]> = json::items(json::member(&text, "inventories").unwrap_or_default()).collect();
    let row_of = |found: &&Found| all.iter().copied().find(|row| member(row, "uuid").as_ref() == Some(&found.uuid));
    let rows: Vec<&[u8]> = found.iter().map(|found| row_of(found).unwrap_or(b"{}")).collect();
    let mut columns: Vec<(&str, Option<&'static str>, Vec<String>)> = Vec::new();
    for (title, name, query) in TELLING {
        let values = rows.iter().map(|row| member(row, name).unwrap_or_default());
        columns.push((title, query, values.collect()));
    }
    columns.push(("address", None, rows.iter().map(|row| addresses(row)).collect()));
    columns.retain(|(.., values)| values.iter().any(|value| *value != values[0]));
    let names = names_of(cx, &columns);
    let tells_apart = |at: usize| columns.iter().map(|(.., values)| values[at].as_str()).collect::<Vec<_>>();
    let is_unclear = (0..rows.len()).any(|at| (0..at).any(|other| tells_apart(at) == tells_apart(other)));
    let describe = |(at, row): (usize, &&[u8])| {
        let told = columns.iter().filter(|(.., values)| !values[at].is_empty()).map(|(title, _, values)| {
            let value = &values[at];
            format!("{title} {}", names.get(value).unwrap_or(value))
        });
        let created = member(row, "createDate").filter(|_| is_unclear).map(|date| format!("created {date}"));
        let told: Vec<String> = told.chain(created).collect();
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
    };
    rows.iter().enumerate().map(describe).collect()
}

/// The names of the resources that columns refer to, by their uuids.
fn names_of(cx: &mut Invocation<'_>, columns: &[(&str, Option<&'static str>, Vec<String>)]) -> HashMap<String, String> {
    let mut searches = Vec::new();
    for (_, query, values) in columns {
        let Some(query) = query else { continue };
        let mut values: Vec<String> = values.iter().filter(|value| !value.is_empty()).cloned().collect();
        values.sort_unstable();
        values.dedup();
        searches.push(Search { query, field: "uuid", operator: Operator::In, values });
    }
    let found = if searches.is_empty() { Vec::new() } else { find(cx, &searches).unwrap_or_default() };
    found.into_iter().flat_map(|found| found.all).map(|found| (found.uuid, found.name)).collect()
}

/// The addresses of a row's network cards.
fn addresses(row: &[u8]) -> String {
    let cards = json::member(row, "vmNics").map(json::items).into_iter().flatten();
    cards.filter_map(|card| member(card, "ip")).collect::<Vec<_>>().join(" ")
}

/// What searches find, in as few requests as that takes.
fn find(cx: &mut Invocation<'_>, searches: &[Search]) -> Result<Vec<AllFound>, Error> {
    let statements: Vec<String> = searches.iter().filter_map(|search| search.zql(cx)).collect();
    let statement = statements.join(" ; ");
    let is_one = searches.len() > 1 && statements.len() == searches.len() && statement.len() <= LONGEST;
    let answer = if is_one { refusable(send::execute(cx, &plan::zql_request(&statement, false)))? } else { None };
    if let Some(Answer::Reply(reply)) = answer {
        let text = show::text(reply)?;
        let results: Vec<&[u8]> = json::items(json::member(&text, "results").unwrap_or_default()).collect();
        if results.len() == searches.len() {
            return Ok(results.into_iter().map(|result| AllFound::new(all_found(result))).collect());
        }
    }
    let mut found = Vec::new();
    for search in searches {
        let condition = [(search.field, search.operator, search.value())];
        let wanted = Wanted { conditions: &condition, fields: &["uuid", "name"], ..Wanted::default() };
        found.push(AllFound::new(all_found(&rows(cx, search.query, &wanted)?)));
    }
    Ok(found)
}

/// The answer, or `None` if the node refused the request: an old node has no ZQL.
fn refusable(answer: Result<Answer, Error>) -> Result<Option<Answer>, Error> {
    match answer {
        Err(Error::Client(error)) if error.class() == Class::Failure => Ok(None),
        answer => answer.map(Some),
    }
}

impl Search {
    /// The value of the condition.
    fn value(&self) -> String {
        if self.operator == Operator::Like { self.values.concat() } else { join_list(&self.values) }
    }

    /// The search as a statement.
    fn zql(&self, cx: &Invocation<'_>) -> Option<String> {
        let entity = zql_entity(cx.session.catalog.api(self.query)?.inventory?);
        let values: Vec<String> = self.values.iter().map(|value| zql_string(value)).collect();
        let condition = match self.operator {
            Operator::Like => format!("like {}", values.concat()),
            _ => format!("in ({})", values.join(", ")),
        };
        Some(format!("query {entity}.uuid,name where {} {condition}", self.field))
    }
}

/// The reply with the rows of a query, all of them.
fn rows(cx: &mut Invocation<'_>, query: &str, wanted: &Wanted<'_>) -> Result<Vec<u8>, Error> {
    let planned = plan::rows(query, wanted, cx.settings.call.page_size.value, cx.session.catalog)?;
    match send::query(cx, &planned)? {
        Answer::Reply(reply) => show::text(reply),
        Answer::Failed(failure) => Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => Ok(Vec::new()),
    }
}

/// The uuids and names in a reply or a result.
fn all_found(text: &[u8]) -> Vec<Found> {
    let rows = json::member(text, "inventories").map(json::items).into_iter().flatten();
    rows.filter_map(|row| Some(Found { uuid: member(row, "uuid")?, name: member(row, "name").unwrap_or_default() }))
        .collect()
}

fn member(row: &[u8], name: &str) -> Option<String> {
    let text = json::member(row, name).filter(|text| json::kind(text) == Kind::Text)?;
    Some(json::unescape(text).into_owned())
}
