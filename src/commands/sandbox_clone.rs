//! `sandbox clone`: what the queries of a node tell becomes the sandbox. Nothing but queries is sent.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::calls::send;
use crate::catalog::{Catalog, Offers, zql_entity};
use crate::client::{self, Answer, CallOptions, Client, Unwatched};
use crate::error::{Error, OwnError};
use crate::json::{Piece, Pieces};
use crate::nearness::nearest;
use crate::plan::{self, QueryPlan, Wanted};
use crate::sandbox::{self, Import};
use crate::secret::mask_json;
use crate::session::{Invocation, nodes, offers};

/// How many requests are sent at once, unless the user says how many.
const AT_ONCE: u32 = 4;
/// The size in bytes from which rows are handed on together.
const BATCH: usize = 128 << 10;

/// What came of a copy.
pub(super) struct Copied {
    pub(super) rows: u64,
    pub(super) kinds: usize,
    /// The queries that failed, and why.
    pub(super) failed: Vec<(&'static str, String)>,
}

/// A query whose rows are copied.
struct Kind {
    query: &'static str,
    inventory: &'static str,
    plan: QueryPlan,
}

/// Copies the node of the line into the sandbox of a directory.
pub(super) fn copy(cx: &mut Invocation<'_>, directory: &Path, only: Option<&str>) -> Result<Copied, Error> {
    if cx.settings.target.is_sandbox() {
        let problem = "the sandbox cannot be a copy of itself: name a node".to_owned();
        return Err(Error::Option { option: "sandbox", problem });
    }
    let kinds = kinds(cx, only)?;
    let inventories: Vec<&str> = kinds.iter().map(|kind| kind.inventory).collect();
    let client = logged_in(cx)?;
    let _attended = cx.session.attend_to_ends()?;
    let mut spinner = cx.settings.ui.spinner();
    let most = cx.settings.call.page_parallel.unwrap_or(AT_ONCE).max(1);
    let how = CallOptions { page_parallel: Some((most / 2).max(1)), ..CallOptions::default() };
    let open: Mutex<VecDeque<&Kind>> = Mutex::new(kinds.iter().collect());
    let mut copied = Copied { rows: 0, kinds: 0, failed: Vec::new() };
    let (sender, receiver) = sync_channel(4);
    std::thread::scope(|scope| {
        for _ in 0..most.min(2) {
            let (sender, mut client, open) = (sender.clone(), client.fork(), &open);
            let read = move || {
                let next = || open.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some(kind) = next() {
                    if !read_kind(&mut client, kind, &how, &sender) {
                        break;
                    }
                }
            };
            std::thread::Builder::new().name("clone".to_owned()).spawn_scoped(scope, read)?;
        }
        drop(sender);
        let started = Instant::now();
        let show = |copied: &Copied, rows: u64, query: &str| {
            let done = copied.kinds + copied.failed.len();
            let text = format!("{done} of {} queries, {rows} rows (Ctrl-C stops): {query}", kinds.len());
            spinner.progress(started.elapsed(), &text);
        };
        // If the rows cannot be stored, the receiver is dropped, and the readers stop.
        sandbox::clone(directory, &inventories, |import| store(import, receiver, &mut copied, show))
    })?;
    client::Watch::done(&mut spinner);
    Ok(copied)
}

/// Says which queries failed.
pub(super) fn warn(cx: &Invocation<'_>, copied: &Copied) {
    for (query, why) in &copied.failed {
        cx.settings.ui.warn(&format!("{query} failed and was left out: {why}"));
    }
}

/// Says what came of a copy.
pub(super) fn tell(cx: &Invocation<'_>, copied: &Copied) {
    warn(cx, copied);
    let from =
        cx.settings.target.context.as_ref().map_or_else(|| "the node".to_owned(), |name| format!("context {name}"));
    cx.say(&format!("the sandbox is a copy of {from}: {} rows of {} queries", copied.rows, copied.kinds));
}

/// The queries that the node offers, or those that the user wants.
fn kinds(cx: &mut Invocation<'_>, only: Option<&str>) -> Result<Vec<Kind>, Error> {
    let offered = offers::asked_anew(cx.session, cx.settings)?;
    offers::follow_version(cx.session, Some(cx.settings));
    let catalog = cx.session.catalog;
    let page_size = cx.settings.call.page_size.value;
    let (mut kinds, mut seen) = (Vec::new(), HashSet::new());
    for name in catalog.api_names().filter(|api| api.is_query()) {
        let Some(api) = catalog.api(name.as_str()) else { continue };
        let Some(inventory) = api.inventory.filter(|_| offers_query(&offered, catalog, api.name)) else { continue };
        // Two queries need a uuid, which nobody has named.
        let Ok(plan) = plan::rows(api.name, &Wanted::default(), page_size, catalog) else { continue };
        if seen.insert(inventory) {
            kinds.push(Kind { query: api.name, inventory, plan });
        }
    }
    let Some(only) = only else { return Ok(kinds) };
    let mut wanted = HashSet::new();
    for typed in only.split(',').map(str::trim).filter(|typed| !typed.is_empty()) {
        let lower = typed.to_ascii_lowercase();
        let named = catalog.kind(typed).map(|kind| kind.query);
        match kinds.iter().find(|kind| Some(kind.query) == named || names(kind).contains(&lower)) {
            Some(kind) => {
                wanted.insert(kind.inventory);
            }
            None => {
                let known: Vec<String> = catalog.kind_names().map(|(name, _)| name).collect();
                let near = nearest(&lower, known.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
                return Err(Error::Own(OwnError::NotFound { kind: "kind", name: typed.to_owned(), near }));
            }
        }
    }
    kinds.retain(|kind| wanted.contains(kind.inventory));
    Ok(kinds)
}

/// The names of a kind, in lower case: as in ZQL, and as in its query.
fn names(kind: &Kind) -> [String; 3] {
    let query = kind.query.to_ascii_lowercase();
    [zql_entity(kind.inventory), query.trim_start_matches("query").to_owned(), query]
}

/// Whether the node is known to offer a query. A node that lacks one may run another API instead (R1).
fn offers_query(offered: &Offers, catalog: Catalog, query: &str) -> bool {
    let Some(name) = catalog.api_name(query) else { return false };
    match offered.apis {
        Some(_) => !offered.lacks(name),
        None => !name.is_mistakable() && catalog.api(query).is_some_and(|api| offered.has_by_version(&api)),
    }
}

/// A client of the node with a session.
fn logged_in(cx: &mut Invocation<'_>) -> Result<Client, Error> {
    let first = plan::rows("QueryZone", &Wanted { limit: Some(1), ..Wanted::default() }, 1, cx.session.catalog)?;
    match send::query(cx, &first)? {
        Answer::Failed(failure) => Err(Error::Api(Box::new(failure))),
        Answer::Reply(_) | Answer::Detached(_) => Ok(nodes::node(cx.session, cx.settings)?.client.fork()),
    }
}

/// What a reader has to say.
enum Told<'a> {
    /// Rows of a kind, their secrets masked.
    Rows(&'a Kind, Vec<String>),
    /// All rows of a kind were read.
    Done(&'a Kind),
    /// The node cannot answer a query.
    Failed(&'a Kind, String),
    /// Nothing more can be read.
    Lost(client::Error),
}

/// Reads the rows of a kind; returns whether others can be read.
fn read_kind<'a>(client: &mut Client, kind: &'a Kind, how: &CallOptions, sender: &SyncSender<Told<'a>>) -> bool {
    let mut read = || -> Result<Option<Told<'a>>, client::Error> {
        let mut reply = match client.query(&kind.plan, how, &mut Unwatched)? {
            Answer::Reply(reply) => reply,
            Answer::Failed(failure) => return Ok(Some(Told::Failed(kind, failure.code().to_owned()))),
            Answer::Detached(_) => return Ok(Some(Told::Failed(kind, "it became a job".to_owned()))),
        };
        let (mut rows, mut size) = (Vec::new(), 0);
        while let Some(piece) = reply.next_piece().map_err(|error| client::Error::of_read(&error))? {
            let Piece::Row(row) = piece else { continue };
            let row = mask_json(row);
            size += row.len();
            rows.push(row);
            if size > BATCH {
                size = 0;
                if sender.send(Told::Rows(kind, std::mem::take(&mut rows))).is_err() {
                    return Ok(None);
                }
            }
        }
        Ok(sender.send(Told::Rows(kind, rows)).is_ok().then_some(Told::Done(kind)))
    };
    let told = match read() {
        Ok(told) => told,
        Err(error) if is_of_query(&error) => Some(Told::Failed(kind, error.to_string())),
        Err(error) => {
            let _ = sender.send(Told::Lost(error));
            None
        }
    };
    told.is_some_and(|told| sender.send(told).is_ok())
}

/// Whether an error concerns one query, and not the node.
fn is_of_query(error: &client::Error) -> bool {
    matches!(
        error,
        client::Error::Failed { .. }
            | client::Error::NoSuchApi { .. }
            | client::Error::Refused { .. }
            | client::Error::Reply { .. }
            | client::Error::TooLong { .. }
    )
}

/// Stores what the readers tell, until they have ended.
fn store(
    import: &mut Import<'_>,
    told: Receiver<Told<'_>>,
    copied: &mut Copied,
    mut show: impl FnMut(&Copied, u64, &str),
) -> Result<(), Error> {
    for told in told {
        match told {
            Told::Rows(kind, rows) => {
                for row in rows {
                    import.take(kind.inventory, row.as_bytes()).map_err(sandbox::Error::from)?;
                }
                show(copied, import.rows(), kind.query);
            }
            Told::Done(kind) => {
                // While other kinds are still being read.
                import.index(kind.inventory).map_err(sandbox::Error::from)?;
                copied.kinds += 1;
            }
            Told::Failed(kind, why) => copied.failed.push((kind.query, why)),
            Told::Lost(error) => return Err(error.into()),
        }
    }
    copied.rows = import.rows();
    Ok(())
}
