//! `describe KIND NAME|UUID`: a resource, what it belongs to and what belongs to it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::calls::belongings::{self, Extent, Surroundings};
use crate::calls::{self, job_rows, send, shape, show, view};
use crate::catalog::{Catalog, ResourceKind};
use crate::client::Answer;
use crate::config::Origin;
use crate::error::{Error, NameError, NameProblem, OwnError};
use crate::json;
use crate::nearness::nearest;
use crate::plan::{self, Effect, Plan, QueryPlan, Wanted};
use crate::render::{self, Format, View};
use crate::session::{Invocation, lookup, offers};
use crate::shell::Flow;
use crate::syntax::{Command, Operator};
use crate::terminal::Paging;

use super::describe_page;

/// How many of each kind a page asks for: one more than it shows, which takes no more room than to say so.
const MOST_ASKED: usize = describe_page::MOST_SHOWN + 1;

/// How many jobs a page shows.
const MOST_JOBS: usize = 3;

/// Shows a resource and what stands around it.
pub(super) fn run(cx: &mut Invocation<'_>, kind: &str, name: &str) -> Result<Flow, Error> {
    let view = view::of_settings(cx)?;
    let is_page = view.format.is_for_people() && view.filter.is_none();
    let typed_columns = cx.settings.view.columns.as_ref().is_some_and(|columns| columns.origin == Origin::Typed);
    if is_page && typed_columns {
        let problem = "`describe` shows all of a resource; the query of its kind takes columns".to_owned();
        return Err(Error::Option { option: "columns", problem });
    }
    offers::follow_version(cx.session, Some(cx.settings));
    let kind = kind_called(cx.session.catalog, kind)?;
    if cx.settings.call.dry_run {
        dry_run(cx, &kind, name, is_page)?;
        return Ok(Flow::Continue);
    }
    let row = find(cx, &kind, name)?;
    let found = surroundings(cx, &kind, &row, extent(cx, is_page))?;
    if is_page {
        page(cx, &kind, &row, &found, view)?
    } else {
        document(cx, &kind, &row, &found, view)?
    }
    Ok(Flow::Continue)
}

fn extent(cx: &Invocation<'_>, is_page: bool) -> Extent {
    Extent { most: if is_page { MOST_ASKED } else { cx.settings.call.page_size.value as usize }, names: is_page }
}

fn kind_called(catalog: Catalog, name: &str) -> Result<ResourceKind, Error> {
    catalog.kind(name).ok_or_else(|| {
        let names: Vec<String> = catalog.kind_names().map(|(name, _)| name).collect();
        let near = nearest(name, names.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
        Error::Own(OwnError::NotFound { kind: "kind of resource", name: name.to_owned(), near })
    })
}

/// The query for one resource, as somebody would type it.
fn query_of(kind: &ResourceKind, name: &str) -> Command {
    Command::of(kind.query, [("uuid", Operator::Equal, name.to_owned())])
}

/// The row of the resource with that name or uuid.
fn find(cx: &mut Invocation<'_>, kind: &ResourceKind, name: &str) -> Result<Vec<u8>, Error> {
    offers::check(cx.session, cx.settings, kind.query, Effect::Query)?;
    let typed = query_of(kind, name);
    let command = match plan::names(&typed, cx.session.catalog).filter(|_| !cx.settings.call.no_check) {
        Some(names) => {
            let (mut resolved, _) = calls::names::resolve_untold(cx, &[&names])?;
            resolved.pop().unwrap_or(Ok(typed))?
        }
        None => typed,
    };
    let uuid = command.arguments.into_iter().map(|argument| argument.value).collect();
    let planned = own_query(cx.session.catalog, kind, uuid)?;
    let text = match send::query(cx, &planned)? {
        Answer::Reply(reply) => show::text(reply)?,
        Answer::Failed(failure) => return Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => Vec::new(),
    };
    let row = json::items(json::member(&text, "inventories").unwrap_or_default()).next();
    row.map(<[u8]>::to_vec).ok_or_else(|| {
        Error::Name(Box::new(NameError {
            argument: "uuid".to_owned(),
            name: name.to_owned(),
            query: kind.query,
            span: 0..0,
            problem: NameProblem::Unknown { closest: None },
        }))
    })
}

/// The query for the resource with that uuid.
fn own_query(catalog: Catalog, kind: &ResourceKind, uuid: String) -> Result<QueryPlan, plan::Error> {
    let conditions = [("uuid", Operator::Equal, uuid)];
    plan::rows(kind.query, &Wanted { conditions: &conditions, limit: Some(1), ..Wanted::default() }, 1, catalog)
}

fn surroundings(cx: &mut Invocation<'_>, kind: &ResourceKind, row: &[u8], how: Extent) -> Result<Surroundings, Error> {
    let _attended = cx.session.attend_to_ends()?;
    let lookup = lookup(cx.session, cx.settings)?;
    let found = belongings::surroundings(&lookup, cx.session.catalog, kind, row, how);
    if cx.session.interrupt.is_set() {
        return Err(crate::client::Error::Interrupted { job: None }.into());
    }
    if !found.unanswered.is_empty() {
        cx.settings.ui.warn(&format!("left out, since the node did not answer: {}", found.unanswered.join(", ")));
    }
    Ok(found)
}

/// Prints the requests of which it is known beforehand that they would be sent.
fn dry_run(cx: &mut Invocation<'_>, kind: &ResourceKind, name: &str, is_page: bool) -> Result<(), Error> {
    if let Some(names) = plan::names(&query_of(kind, name), cx.session.catalog) {
        calls::names::tell_unasked(cx, &names);
    }
    let catalog = cx.session.catalog;
    let own = own_query(catalog, kind, name.to_owned())?;
    let others = belongings::queries(catalog, kind, name, extent(cx, is_page).most)?;
    for (at, query) in std::iter::once(own).chain(others).enumerate() {
        if at > 0 {
            cx.out.write_text("\n")?;
        }
        send::dry_run(cx, &Plan::Query(Box::new(query)))?;
    }
    cx.say("what the resource refers to would be looked up by its uuid as well");
    Ok(())
}

/// Prints a page for people.
fn page(
    cx: &mut Invocation<'_>,
    kind: &ResourceKind,
    row: &[u8],
    found: &Surroundings,
    view: View,
) -> Result<(), Error> {
    let height = cx.settings.ui.terminal.size.filter(|_| view.terminal).map(|(_, height)| height);
    let view = View { columns: None, sort_by: None, ..view };
    let mut text = describe_page::text(cx.session.catalog, kind, row, found, &view, height)?;
    describe_page::push_jobs(&last_jobs(cx, row), &view, &mut text)?;
    cx.write_paged(Paging::Lines, |out| Ok(out.write_all(&text)?))
}

/// The last jobs that this machine submitted for the resource, as a reply; those of a journal that cannot be read are
/// left out.
fn last_jobs(cx: &Invocation<'_>, row: &[u8]) -> Vec<u8> {
    let uuid = belongings::text_of(row, "uuid");
    let mut entries = cx.session.journal(None, None).and_then(|journal| Ok(journal.entries()?)).unwrap_or_default();
    entries.retain(|entry| uuid.is_some() && entry.subject.resource == uuid);
    let old = entries.len().saturating_sub(MOST_JOBS);
    job_rows::list(&entries[old..], SystemTime::now().duration_since(UNIX_EPOCH).ok())
}

/// Prints one document for programs; the formats of rows get the resource alone.
fn document(
    cx: &mut Invocation<'_>,
    kind: &ResourceKind,
    row: &[u8],
    found: &Surroundings,
    view: View,
) -> Result<(), Error> {
    let is_row = matches!(view.format, Format::Csv | Format::Tsv | Format::Value) && view.filter.is_none();
    let text = if is_row { describe_page::alone(row) } else { describe_page::document(row, found) };
    let shape = shape::of_inventory(&kind.inventory);
    cx.write(|out| {
        render::render(&mut json::Scanner::new(&text[..]), &shape, &view, out)?;
        Ok(out.flush()?)
    })
}
