//! `each`: a call for each row of a file.
//!
//! Rows are read, the line is filled for each, and all commands are planned before the first is sent. Then they run, one
//! after another or several at a time, and what became of each is written to the results file, from which a later run
//! continues.

mod output;
mod pool;
mod progress;
mod results;
mod resume;
mod rows;
mod template;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::atomic::Ordering;
use std::thread;

use crate::calls::waiting::tells_of_long_job;
use crate::calls::{self, confirm, names, send, shape, show, view};
use crate::cli::{self, EachLine, Options};
use crate::client::{Answer, Client, JobUuid, Reply};
use crate::error::{Error, ExitCode};
use crate::plan::{self, Effect, Names, Plan};
use crate::render::{Format, Selection, Shape, View};
use crate::secret::mask_command;
use crate::session::{Invocation, Line, nodes, offers};
use crate::shell::Flow;
use crate::syntax::{Command, Word};
use crate::terminal::{Source, read_text};

use super::call;
use output::Stream;
use pool::{How, Overseer, Task, What};
use progress::{Progress, reads};
use results::ResultsFile;
use resume::Sorted;
use rows::{Row, Rows, Stdin, wrong};
use template::Template;

/// How many wrong rows are told.
const MOST_TOLD: usize = 10;

/// Of how many rows a dry run shows the requests.
const MOST_SHOWN: usize = 3;

/// A row and its command.
struct Prepared {
    row: usize,
    /// The command, secrets masked.
    line: String,
    /// The command as the row has it, with the content of files.
    command: Command,
    names: Option<Names>,
    plan: Plan,
}

/// Runs the line for each row.
pub(super) fn run(cx: &mut Invocation<'_>, typed: &EachLine) -> Result<Flow, Error> {
    refuse_options(cx, typed)?;
    let words = words_of(&typed.line)?;
    let stdin = match cx.session.reads_stdin {
        true => Stdin::Commands,
        false if cx.settings.ui.terminal.stdin => Stdin::Terminal,
        false => Stdin::Open,
    };
    let rows = rows::read(typed.from.as_deref(), stdin, Template::names_columns(&words))?;
    let template = Template::new(&words, &rows)?;
    let mut prepared = prepare(cx, &template, &rows)?;
    if cx.settings.call.dry_run {
        return dry_run(cx, &prepared);
    }
    let (mut results, earlier) = match (&typed.results, &typed.resume) {
        (_, Some(path)) => {
            let (file, earlier) = ResultsFile::resume(path)?;
            (Some(file), Some(earlier))
        }
        (Some(path), None) => (Some(ResultsFile::create(path)?), None),
        (None, None) => (None, None),
    };
    let sorted = resume::sort(cx.session, rows.rows.len(), &mut prepared, earlier)?;
    let result = run_rows(cx, typed.parallel, prepared, sorted, results.as_mut());
    if let Some(Err(error)) = results.map(ResultsFile::finish) {
        cx.settings.ui.warn(&format!("the results file keeps lines without an outcome: {error}"));
    }
    result.map(|()| Flow::Continue)
}

/// Runs the rows that are not done.
fn run_rows(
    cx: &mut Invocation<'_>,
    parallel: usize,
    prepared: Vec<Prepared>,
    sorted: Sorted,
    results: Option<&mut ResultsFile>,
) -> Result<(), Error> {
    let Some(first) = prepared.first().map(|one| &one.plan) else {
        cx.say(&progress::nothing_to_do(sorted.done));
        return Ok(());
    };
    let (shape, select) = shape::of_plan(cx.session.catalog, first);
    let view = view_of(cx, first, select)?;
    let is_read = reads(first);
    let mut clients = clients(cx, first, parallel.min(prepared.len()))?;
    let settings = cx.settings;
    let how = How {
        waits: !settings.call.no_wait || settings.call.validate,
        patience: settings.call.patience(),
        follows: settings.call.follow && tells_of_long_job(&shape),
        shape: &shape,
        catalog: cx.session.catalog,
        fails_if_empty: settings.view.fail_empty,
    };
    let _attended = cx.session.attend_to_ends()?;
    let (replies, stream) = output::in_order(prepared.iter().map(|one| one.row));
    let mut progress = Progress::new(cx, replies, results, view.failed.clone(), prepared.len(), sorted.done);
    let (prepared, repeats) = resume::ask(prepared, sorted.uncertain, &mut clients, &how, &mut progress)?;
    let tasks = if progress.goes_on() { tasks(cx, prepared, &repeats)? } else { Vec::new() };
    let work = |progress: &mut Progress<'_>| {
        let result = pool::run(&mut clients, tasks, &how, progress);
        progress.all_ended();
        result
    };
    let (result, shown) = if view.terminal {
        // A bar and a table would mix.
        let result = work(&mut progress);
        (result, show_replies(cx, stream, &shape, &view, is_read))
    } else {
        let (stop, progress) = (progress.stop.clone(), &mut progress);
        thread::scope(|scope| {
            let running = scope.spawn(move || work(progress));
            let shown = show_replies(cx, stream, &shape, &view, is_read);
            // Nobody reads the rows of further queries.
            stop.store(is_read && shown.is_err(), Ordering::Relaxed);
            (running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), shown)
        })
    };
    let code = progress.finish();
    match result.map(|()| code)? {
        ExitCode::Done => shown,
        code => Err(Error::Reported(code)),
    }
}

/// Refuses options of a call that do not go with many rows.
fn refuse_options(cx: &Invocation<'_>, typed: &EachLine) -> Result<(), Error> {
    let refused = |option, problem: &str| Err(Error::Option { option, problem: problem.to_owned() });
    if cx.settings.call.watch.is_some() {
        return refused("watch", "`each` runs each row once");
    }
    if cx.settings.call.validate && (typed.results.is_some() || typed.resume.is_some()) {
        return refused("validate", "nothing is done, so there are no results to continue from");
    }
    Ok(())
}

/// The words of the line: a single word is split like a line of its own.
fn words_of(typed: &[String]) -> Result<Vec<String>, Error> {
    let line = match typed {
        [text] => Line::parse(text),
        words => Line::of_arguments(cli::parse(words, &mut Options::default())?),
    };
    if line.redirection.is_some() {
        return Err(wrong("LINE", "a redirection stands behind the line, not in it".to_owned()));
    }
    if line.options != Options::default() {
        return Err(wrong("LINE", "options stand before the line, not in it".to_owned()));
    }
    match line.command? {
        cli::Line::Call(words) => Ok(words),
        _ => Err(wrong("LINE", "`each` calls APIs, and this is another command".to_owned())),
    }
}

/// The commands of all rows, planned. Nothing is sent.
///
/// # Errors
/// Wrong rows are told here; the error is the exit code of the first.
fn prepare(cx: &mut Invocation<'_>, template: &Template, rows: &Rows) -> Result<Vec<Prepared>, Error> {
    let holds_commands = cx.session.reads_stdin;
    let mut files: HashMap<String, String> = HashMap::new();
    let mut read = |path: &str| match files.get(path) {
        Some(text) => Ok(text.clone()),
        None => read_text(path, holds_commands).inspect(|text| drop(files.insert(path.to_owned(), text.clone()))),
    };
    let mut prepared = Vec::new();
    let mut mistakes = Mistakes::default();
    for (at, row) in rows.rows.iter().enumerate() {
        let number = at + 1;
        match prepare_row(cx, template, rows, row, &mut read) {
            Ok(one) => prepared.push(Prepared { row: number, ..one }),
            Err(error) => mistakes.add(cx, number, error),
        }
    }
    mistakes.told(cx)?;
    Ok(prepared)
}

fn prepare_row(
    cx: &mut Invocation<'_>,
    template: &Template,
    rows: &Rows,
    row: &Row,
    read: &mut dyn FnMut(&str) -> io::Result<String>,
) -> Result<Prepared, Error> {
    let mut command = template.fill(rows, row)?;
    plan::check_name(&[Word::plain(&*command.name, 0)], cx.session.catalog, cli::command_names)?;
    let line = mask_command(&command.line);
    command.resolve_files(read)?;
    let names = if cx.settings.call.no_check { None } else { plan::names(&command, cx.session.catalog) };
    let dry_run = cx.settings.call.dry_run;
    let to_plan = match &names {
        Some(names) if dry_run => names.with_names(),
        Some(names) => names.with_any_uuids(),
        None => command.clone(),
    };
    let plan = call::planned(cx, &to_plan, names.is_some() && dry_run)?;
    Ok(Prepared { row: 0, line, command, names, plan })
}

/// Rows that are wrong, the first of them told.
#[derive(Default)]
struct Mistakes {
    count: usize,
    first: Option<ExitCode>,
}

impl Mistakes {
    fn add(&mut self, cx: &mut Invocation<'_>, row: usize, error: Error) {
        self.count += 1;
        self.first.get_or_insert(error.exit_code());
        if self.count <= MOST_TOLD {
            cx.session.report(error, cx.settings, Some(&Source::Part { of: None, what: &format!("row {row}") }), None);
        }
    }

    fn told(self, cx: &Invocation<'_>) -> Result<(), Error> {
        let Some(code) = self.first else { return Ok(()) };
        if self.count > MOST_TOLD {
            cx.say(&format!("{} more rows are wrong", self.count - MOST_TOLD));
        }
        cx.say("nothing was sent");
        Err(Error::Reported(code))
    }
}

/// The requests of the first rows.
fn dry_run(cx: &mut Invocation<'_>, prepared: &[Prepared]) -> Result<Flow, Error> {
    for one in prepared.iter().take(MOST_SHOWN) {
        cx.say(&format!("row {}: {}", one.row, one.line));
        if let Some(names) = &one.names {
            calls::names::tell_unasked(cx, names);
        }
        send::dry_run(cx, &one.plan)?;
    }
    if prepared.len() > MOST_SHOWN {
        cx.say(&format!("{} more rows", prepared.len() - MOST_SHOWN));
    }
    Ok(Flow::Continue)
}

/// The view for the rows of all replies. A script that asks for values gets the uuids of what was made.
fn view_of(cx: &Invocation<'_>, planned: &Plan, select: Option<Selection>) -> Result<View, Error> {
    let view = calls::view_of_rows(view::of_settings(cx)?, planned, select, false);
    let is_bare = view.format == Format::Value && view.columns.is_none() && !reads(planned);
    let columns = if is_bare { Selection::parse("uuid").ok() } else { view.columns };
    // The rows are in the order of the file.
    Ok(View { columns, by_name: false, ..view })
}

/// Clients for the threads, which share the session of the node. It is opened here, once.
fn clients(cx: &mut Invocation<'_>, planned: &Plan, count: usize) -> Result<Vec<Client>, Error> {
    let node = nodes::node(cx.session, cx.settings)?;
    let needs_session = match planned {
        Plan::Call(request) => request.needs_session,
        Plan::Query(_) => true,
    };
    if needs_session {
        node.client.open_session(api_of(planned))?;
    }
    let url = (!cx.settings.target.is_sandbox()).then(|| node.client.endpoint().base().to_owned());
    let mut clients: Vec<Client> = (0..count).map(|_| node.client.fork()).collect();
    let context = cx.settings.target.context.clone().filter(|_| cx.settings.target.is_of_context);
    for client in &mut clients {
        let journal = nodes::journal(cx.session, url.as_deref(), context.as_deref(), &cx.settings.ui)?;
        client.set_job_record(Some(Box::new(journal)));
    }
    Ok(clients)
}

fn api_of(planned: &Plan) -> &'static str {
    match planned {
        Plan::Call(request) => request.api,
        Plan::Query(query) => query.api,
    }
}

/// The calls that are sent: checked against the node, with uuids for names, and confirmed.
fn tasks(
    cx: &mut Invocation<'_>,
    mut prepared: Vec<Prepared>,
    repeats: &BTreeMap<usize, JobUuid>,
) -> Result<Vec<Task>, Error> {
    fit_to_node(cx, &mut prepared)?;
    resolve_names(cx, &mut prepared)?;
    if !cx.settings.call.validate {
        let apis: BTreeSet<&str> = prepared.iter().map(|one| api_of(&one.plan)).collect();
        for api in apis {
            let same: Vec<&Prepared> = prepared.iter().filter(|one| api_of(&one.plan) == api).collect();
            let commands: Vec<&Command> = same.iter().map(|one| &one.command).collect();
            confirm::confirm_all(cx, &commands, &same[0].plan)?;
        }
    }
    let mut tasks = Vec::new();
    for one in prepared {
        let plan = if cx.settings.call.validate { Plan::Call(calls::validation(&one.plan)?) } else { one.plan };
        calls::learn_call(&cx.session.known, &one.command, &plan);
        let repeat = repeats.get(&one.row).copied();
        let job = repeat.unwrap_or_else(JobUuid::fresh);
        send::show_curl(cx, &plan, job)?;
        let (row, line, command) = (one.row, one.line, one.command);
        tasks.push(Task { row, line, command, what: What::Call(plan), job, is_repeat: repeat.is_some() });
    }
    Ok(tasks)
}

/// Checks that the node has the APIs, and adapts the requests to its version.
fn fit_to_node(cx: &mut Invocation<'_>, prepared: &mut [Prepared]) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    let mut has_changed = false;
    for one in &*prepared {
        let (api, effect) = match &one.plan {
            Plan::Call(request) => (request.api, request.effect),
            Plan::Query(query) => (query.api, Effect::Query),
        };
        if seen.insert(api) {
            offers::check(cx.session, cx.settings, api, effect)?;
            has_changed |= offers::fit_catalog(cx.session, cx.settings, api)?;
            call::warn_of_newer(cx, &one.command);
        }
    }
    for one in prepared.iter_mut().filter(|one| has_changed && one.names.is_none()) {
        one.plan = call::planned(cx, &one.command, false)?;
    }
    Ok(())
}

/// Puts uuids in the place of names, all of which are looked up together.
fn resolve_names(cx: &mut Invocation<'_>, prepared: &mut [Prepared]) -> Result<(), Error> {
    let with_names: Vec<usize> = (0..prepared.len()).filter(|at| prepared[*at].names.is_some()).collect();
    let all: Vec<&Names> = prepared.iter().filter_map(|one| one.names.as_ref()).collect();
    if all.is_empty() {
        return Ok(());
    }
    let commands = names::resolve_all(cx, &all)?;
    let mut mistakes = Mistakes::default();
    for (at, command) in with_names.into_iter().zip(commands) {
        let planned = command.and_then(|command| Ok((call::planned(cx, &command, false)?, command)));
        match planned {
            Ok((plan, command)) => (prepared[at].plan, prepared[at].command) = (plan, command),
            Err(error) => mistakes.add(cx, prepared[at].row, error),
        }
    }
    mistakes.told(cx)
}

/// Prints the rows of all replies.
fn show_replies(
    cx: &mut Invocation<'_>,
    stream: Stream,
    shape: &Shape,
    view: &View,
    is_read: bool,
) -> Result<(), Error> {
    let mut stream = stream;
    // At a terminal, actions without results have nothing to show.
    if view.terminal && !is_read && stream.is_empty() {
        return Ok(());
    }
    match show::found(cx, Answer::Reply(Reply::of_pieces(Box::new(stream))), shape, view, None) {
        // Each row was told.
        Err(Error::Empty) => Ok(()),
        shown => shown,
    }
}
