//! An API call, from the command to what is printed.

use std::io::{self, Read};
use std::time::Duration;

use crate::cli::{self, Line, Options, OwnCommand};
use crate::client::{self, Answer, CallOptions, JobUuid, Parts, Reply, is_log_in, is_log_out};
use crate::commands::login::who_of;
use crate::error::Error;
use crate::json::{self, Kind, Pieces};
use crate::plan::{self, Cursor, Effect, Plan, Request, ZQL_API};
use crate::render::{self, Format, Selection, Shape};
use crate::secret::mask_command;
use crate::shell::redirection;
use crate::syntax::{self, Command};

use super::bases::Turned;
use super::output::Output;
use super::own::stdin_is_taken;
use super::spinner::Spinner;
use super::watch::Watched;
use super::zql_results::COUNT;
use super::{App, arrange, shape, view};

impl App {
    /// Runs an API call and prints what came of it.
    pub(super) fn call(&mut self, command: Command, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let name = command.name.clone();
        self.call_as_typed(command, options, out).map_err(|error| self.explain_failure(&name, error, options))
    }

    fn call_as_typed(&mut self, mut command: Command, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let reads_stdin = self.reads_stdin;
        command.resolve_files(&mut |path| {
            if path == "-" && reads_stdin { Err(stdin_is_taken()) } else { read_file(path) }
        })?;
        self.learn_secrets(&command);
        let planned = self.plan(&command, options)?;
        self.learn_secrets_of(&planned);
        // A wrong format or column is worth knowing before anything is sent.
        let view = self.view(options, out)?;
        let planned = self.fit_to_node(&command, planned, options)?;
        self.warn_of_newer(&command, options);
        self.run_planned(&command, planned, view, options, out)
    }

    /// Runs what a command came to, and prints what came of that.
    pub(super) fn run_planned(
        &mut self,
        command: &Command,
        planned: Plan,
        view: render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let planned = if options.validate { Plan::Call(validation(&planned)?) } else { planned };
        if options.dry_run {
            return self.dry_run(&planned, options, out);
        }
        let job = JobUuid::fresh();
        if options.curl_example {
            self.say_curl(&planned, job, options)?;
        }
        let (shape, select) = self.shape(&planned);
        let view = view_of_rows(view, &planned, select, options);
        let view = self.view_without_secrets(view, &planned);
        let acts = matches!(&planned, Plan::Call(request) if request.effect == Effect::Action);
        if acts && !options.no_check {
            render::check_columns(&shape, &view)?;
        }
        if !options.validate {
            self.confirm(command, &planned, options)?;
        }
        if let Some(every) = options.watch {
            let (query, title) = (watched_query(command, &planned)?, &watched_title(command));
            return self.watch(&Watched { query, shape: &shape, view: &view, options, title, every }, out);
        }
        let is_wide = holds_wide_text(&planned);
        if acts && is_wide {
            self.say(options, "warning: the node's database may not store characters beyond U+FFFF, such as emoji");
        }
        let answer = match &planned {
            Plan::Call(request) => self.execute_as(request, job, options)?,
            Plan::Query(query) => self.query(query, options)?,
        };
        let answer = match (&planned, answer) {
            (_, Answer::Reply(reply)) if options.validate => return self.validated(reply, &shape, &view, options, out),
            (Plan::Call(request), Answer::Reply(reply)) => self.keep_session(command, request, reply, options)?,
            (_, answer) => answer,
        };
        let (answer, shape) = match zql_of(&planned) {
            Some(text) => (self.zql_results(answer, text, &view, options)?, self.shape_of_zql(text)),
            None => (answer, shape),
        };
        let (answer, shape) = match &planned {
            Plan::Call(_) if options.follow => self.follow_long_job(answer, shape, options)?,
            _ => (answer, shape),
        };
        if let (Plan::Call(request), Answer::Failed(failure)) = (&planned, &answer) {
            self.meant = self.meant_instead(command, request, failure, options);
        }
        self.explain_wide_text(!acts && is_wide, &answer);
        match answer {
            Answer::Reply(reply) if acts => {
                let text = reply.into_text().map_err(|error| crate::client::Error::of_read(&error))?;
                let made = || if is_log_in(&command.name) { String::new() } else { made_by(&text) };
                let reply = Reply::of_text(text.clone());
                self.print_result(reply, &shape, &view, options, out).map_err(|error| match (error, &planned) {
                    (Error::Write(source), Plan::Call(request)) if source.kind() != io::ErrorKind::BrokenPipe => {
                        Error::NotWritten { api: request.api, made: made(), source }
                    }
                    (error, _) => error,
                })
            }
            answer => self.conclude_call(answer, &shape, &view, options, out),
        }
    }

    /// Keeps the session that a log-in opened, and forgets the one that a log-out ended. Other replies pass unchanged.
    fn keep_session(
        &mut self,
        command: &Command,
        request: &Request,
        reply: Reply,
        options: &Options,
    ) -> Result<Answer, Error> {
        if is_log_out(request.api) {
            self.logged_out(request, options)?;
        }
        if !is_log_in(request.api) {
            return Ok(Answer::Reply(reply));
        }
        let text = reply.into_text().map_err(|error| client::Error::of_read(&error))?;
        let typed = command.arguments.iter();
        let who = who_of(typed.map(|argument| (argument.name.as_str(), argument.value.as_str())));
        if !self.logged_in(request, &text, who, options)? {
            self.say(options, "warning: the reply holds no session; nobody is logged in");
        }
        Ok(Answer::Reply(Reply::of_text(text)))
    }

    /// Says that the node would do what it was asked to check.
    fn validated(
        &mut self,
        reply: Reply,
        shape: &Shape,
        view: &render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let text = reply.into_text().map_err(|error| client::Error::of_read(&error))?;
        if json::members(&text).all(|(name, _)| json::unescape(name) == "success") {
            self.say(options, "valid: the node would run it; nothing was done");
            return Ok(());
        }
        self.say(
            options,
            "warning: the node answered with a result; it may have run the action in spite of --validate",
        );
        self.print(Reply::of_text(text), shape, view, options, out)
    }

    /// Prints the result of an action. What cannot be shown as asked is shown as it is: a uuid that nobody saw is
    /// looked for in vain, and an action that seems to have failed is repeated.
    fn print_result(
        &mut self,
        reply: Reply,
        shape: &Shape,
        view: &render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let text = reply.into_text().map_err(|error| client::Error::of_read(&error))?;
        self.record(&text);
        match self.print_parts(&mut Reply::of_text(text.clone()), shape, view, options, out) {
            Err(Error::Render(error)) => {
                let error = Error::NotShown(error);
                let plain = &mut Reply::of_text(text);
                // A part that failed weighs more than how it looks.
                if let Err(failed) = self.print_parts(plain, &Shape::default(), &view.plain(), options, out) {
                    self.conclude(Err(error), None, None);
                    return Err(failed);
                }
                Err(error)
            }
            result => result,
        }
    }

    /// Prints the reply of a call, parts of which may have failed (M2).
    fn print_parts(
        &self,
        reply: &mut dyn Pieces,
        shape: &Shape,
        view: &render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let mut parts = Parts::new(reply);
        self.print_pieces(&mut parts, shape, view, options, out)?;
        let failed = parts.into_failed();
        if failed.is_empty() { Ok(()) } else { Err(Error::Parts(failed)) }
    }

    /// Has a failure explained that characters beyond U+FFFF may have led to (R9).
    pub(super) fn explain_wide_text(&mut self, is_wide: bool, answer: &Answer) {
        if is_wide && matches!(answer, Answer::Failed(_)) && self.meant.is_none() {
            let hint =
                "the node's database may not compare characters beyond U+FFFF, such as emoji: `%` stands for them";
            self.meant = Some(hint.to_owned());
        }
    }

    pub(super) fn plan(&mut self, command: &Command, options: &Options) -> Result<Plan, Error> {
        let mut how = plan::Options {
            no_check: options.no_check,
            page_size: options.page_size.unwrap_or(1000),
            timeout: options.timeout.map(Duration::from_secs),
            session: None,
        };
        let names_session = self
            .catalog
            .api_ignoring_case(&command.name)
            .filter(|api| api.path_variables().any(|variable| variable == "sessionUuid"));
        if let Some(api) = names_session
            && !command.arguments.iter().any(|argument| argument.name == "sessionUuid")
        {
            how.session = self.open_session(options)?;
            if how.session.is_none() {
                return Err(client::Error::NoSession { api: api.name }.into());
            }
        }
        Ok(plan::plan(command, self.catalog, &how)?)
    }

    /// What is known of the rows that will come, and which of their members the user selected.
    fn shape(&self, planned: &Plan) -> (Shape, Option<Selection>) {
        let query = match planned {
            Plan::Query(query) => query,
            Plan::Call(request) => {
                let api = self.catalog.api(request.api);
                return (api.map(|api| shape::of_api(self.catalog, &api)).unwrap_or_default(), None);
            }
        };
        let inventory = query.inventory.and_then(|name| self.catalog.inventory(name));
        // Also rows that the catalog does not describe are rows of something.
        let unknown = || Shape { inventory: Some(query.api.to_owned()), ..Shape::default() };
        let whole = inventory.as_ref().map_or_else(unknown, shape::of_inventory);
        if let plan::Answer::Groups { field } = &query.answer {
            return (shape::selected(&whole, &[field.clone(), COUNT.to_owned()]), None);
        }
        match &query.select {
            None => (whole, None),
            Some(names) => {
                let selection = Selection::parse(&names.join(",")).ok();
                (shape::selected(&whole, names), selection)
            }
        }
    }

    /// What is known of the rows of a line that ran before; nothing where that cannot be told any more.
    pub(super) fn shape_of_line(&self, line: &str) -> Shape {
        let planned = || {
            let (line, _) = redirection(line).ok()?;
            let words = syntax::split(line).ok()?;
            let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
            let Line::Call(called) = cli::parse(&texts, &mut Options::default()).ok()? else { return None };
            let (line, words) = Command::words_from_args(&called);
            let command = Command::from_words(&line, &words).ok()??;
            plan::plan(&command, self.catalog, &plan::Options { no_check: true, ..plan::Options::default() }).ok()
        };
        if let Some(statement) = zql_statement(line) {
            return self.shape_of_zql(&statement);
        }
        planned().map(|planned| self.shape(&planned).0).unwrap_or_default()
    }

    /// Prints the requests that a command comes to, and sends nothing.
    pub(super) fn dry_run(&mut self, planned: &Plan, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let secrets = view::secrets(options);
        let node = self.node(options)?;
        let texts: Vec<String> =
            first_requests(planned).iter().map(|request| node.client.dry_run(request, secrets)).collect();
        let more = pages_follow(planned);
        out.write_text(&self.shown(&texts.join("\n"), secrets))?;
        if options.curl_example {
            self.say_curl(planned, JobUuid::fresh(), options)?;
        }
        if more {
            self.say(options, "further pages follow as long as the node returns full ones");
        }
        Ok(())
    }

    /// Says with which `curl` commands the requests could be sent; the uuid is the one that they will be sent under.
    pub(super) fn say_curl(&mut self, planned: &Plan, job: JobUuid, options: &Options) -> Result<(), Error> {
        let secrets = view::secrets(options);
        let node = self.node(options)?;
        let tls = node.tls.clone();
        let texts: Vec<String> = first_requests(planned)
            .iter()
            .map(|request| node.client.curl_command(request, job, &tls, secrets))
            .collect();
        // Asked for, so it is said also to whoever wants quiet.
        let texts = texts.join("\n");
        let text = self.shown(&texts, secrets);
        self.say(&Options { quiet: false, ..options.clone() }, &text);
        Ok(())
    }

    /// Sends a request, with a spinner while a job runs.
    pub(super) fn execute(&mut self, request: &Request, options: &Options) -> Result<Answer, Error> {
        self.execute_as(request, JobUuid::fresh(), options)
    }

    /// As [`App::execute`], under a uuid that was told before.
    pub(super) fn execute_as(&mut self, request: &Request, job: JobUuid, options: &Options) -> Result<Answer, Error> {
        let error = match self.execute_here(request, job, options)? {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let action = Some(request).filter(|request| request.effect == Effect::Action);
        match self.turn(&error, action, options)? {
            Turned::No => Err(error.into()),
            Turned::NotRun => Ok(self.execute_here(request, JobUuid::fresh(), options)??),
            Turned::PerhapsRun => {
                let base = self.node(options)?.client.endpoint().base().to_owned();
                self.meant = Some(format!("the node answers at {base}: look there before you repeat the action"));
                Err(error.into())
            }
        }
    }

    /// Sends a request to where the node is thought to be.
    fn execute_here(
        &mut self,
        request: &Request,
        job: JobUuid,
        options: &Options,
    ) -> Result<Result<Answer, client::Error>, Error> {
        let _attended = self.attend_to_ends()?;
        let mut spinner = self.spinner(options);
        // A check has no outcome before its job has ended.
        let how = CallOptions { wait: !options.no_wait || options.validate, timeout: request.timeout, job: Some(job) };
        let node = self.node(options)?;
        let result = node.client.execute(request, &how, &mut spinner);
        if request.effect == Effect::Action {
            self.forget_live_values();
        }
        Ok(result)
    }

    /// Runs a query over as many requests as it takes.
    pub(super) fn query(&mut self, query: &plan::QueryPlan, options: &Options) -> Result<Answer, Error> {
        let error = match self.query_here(query, options)? {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match self.turn(&error, None, options)? {
            Turned::NotRun => Ok(self.query_here(query, options)??),
            Turned::No | Turned::PerhapsRun => Err(error.into()),
        }
    }

    fn query_here(
        &mut self,
        query: &plan::QueryPlan,
        options: &Options,
    ) -> Result<Result<Answer, client::Error>, Error> {
        let _attended = self.attend_to_ends()?;
        let mut spinner = self.spinner(options);
        let node = self.node(options)?;
        let result = node.client.query(query, &CallOptions::default(), &mut spinner);
        Ok(match result {
            Ok(Answer::Reply(reply)) => Ok(Answer::Reply(arrange::arranged(reply, query)?)),
            result => result,
        })
    }

    pub(super) fn spinner(&self, options: &Options) -> Spinner<io::Stderr> {
        let draws = self.environment.stderr_terminal && !self.environment.is_dumb_terminal() && !options.quiet;
        let width = self.environment.terminal_size.map(|(width, _)| width);
        Spinner::new(io::stderr(), width.filter(|_| draws))
    }

    /// Prints what a call led to.
    pub(super) fn conclude_call(
        &mut self,
        answer: Answer,
        shape: &Shape,
        view: &render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        match answer {
            Answer::Reply(reply) => {
                let mut reply = self.recorded(reply);
                self.print_parts(&mut *reply, shape, view, options, out)
            }
            Answer::Failed(failure) => {
                if matches!(view.format, Format::Json | Format::Jsonl | Format::Yaml) {
                    // Scripts take the word `success` for one.
                    let view = render::View { format: view.format, failed: true, ..view.plain() };
                    let reply = self.shown_json(failure.reply(), options);
                    self.print(Reply::of_text(reply.into_bytes()), &Shape::default(), &view, options, out)?;
                }
                Err(Error::Api(Box::new(failure)))
            }
            Answer::Detached(job) => {
                let text = format!("{{\"job\":{{\"uuid\":\"{}\",\"api\":\"{}\"}}}}", job.uuid, job.api);
                self.say(options, &format!("the job goes on; `zstack-cli job {}` looks at it", job.uuid));
                // Columns are meant for what the job will lead to.
                let view = render::View { columns: None, sort_by: None, summary: false, ..view.clone() };
                self.print_result(Reply::of_text(text.into_bytes()), &Shape::default(), &view, options, out)
            }
        }
    }

    pub(super) fn print(
        &mut self,
        reply: Reply,
        shape: &Shape,
        view: &render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let mut reply = self.recorded(reply);
        self.print_pieces(&mut *reply, shape, view, options, out)
    }

    fn print_pieces(
        &self,
        reply: &mut dyn Pieces,
        shape: &Shape,
        view: &render::View,
        options: &Options,
        out: &mut Output<'_>,
    ) -> Result<(), Error> {
        let rendered = self.with_writer(out, options, |writer| {
            let rendered = render::render(reply, shape, view, writer)?;
            writer.flush()?;
            Ok(rendered)
        })?;
        // Only a reply that counts has as many rows as its total.
        let is_table = matches!(view.format, Format::Table | Format::Wide) && view.filter.is_none() && !view.summary;
        if view.terminal && is_table && rendered.rows > 1 && rendered.total != Some(rendered.rows) {
            self.say(options, &format!("({} rows)", rendered.rows));
        }
        if !rendered.hidden.is_empty() && view.format == Format::Table {
            let text = format!("columns left out: {} (-o wide, --columns)", rendered.hidden.join(", "));
            let width = self.environment.terminal_size.filter(|_| self.environment.stderr_terminal);
            self.say(options, &in_lines(&text, width.map(|(width, _)| width)));
        }
        if rendered.rows == 0 && options.fail_empty {
            return Err(Error::Empty);
        }
        // On a terminal nothing at all would look like a program that hangs.
        if rendered.rows == 0 && view.terminal && view.format.is_for_people() {
            let is_change = shape.inventory.is_none() && shape.fields.is_empty();
            self.say(options, if is_change { "done" } else { "no rows" });
        }
        Ok(())
    }
}

/// The view of the rows that a request leads to.
fn view_of_rows(view: render::View, planned: &Plan, select: Option<Selection>, options: &Options) -> render::View {
    let taken_from = match planned {
        Plan::Query(query) => query.inventory.map(str::to_owned),
        Plan::Call(_) => None,
    };
    // The rows hold the selected members and no others. Columns pick a value out of a member, or leave out the key that
    // watching adds.
    let is_needed =
        |columns: &Selection| options.watch.is_some() || columns.columns.iter().any(|column| column.path.len() > 1);
    let columns = view.columns.or_else(|| select.filter(is_needed));
    render::View { taken_from, columns, ..view }
}

/// The query that is to be repeated.
fn watched_query<'p>(command: &Command, planned: &'p Plan) -> Result<&'p plan::QueryPlan, Error> {
    match planned {
        Plan::Query(query) => Ok(query),
        Plan::Call(_) => {
            let problem = format!("{} is no query, and only those can be repeated", command.name);
            Err(Error::Option { option: "watch", problem })
        }
    }
}

/// The command without its options, secrets masked.
fn watched_title(command: &Command) -> String {
    let end = command.arguments.last().map_or(command.name_span.end, |argument| argument.span.end);
    mask_command(command.line.get(command.name_span.start..end).unwrap_or(&command.name))
}

/// Whether a request holds characters beyond U+FFFF (R9).
fn holds_wide_text(planned: &Plan) -> bool {
    match planned {
        Plan::Call(request) => request.holds_wide_text(),
        Plan::Query(query) => (0..query.parts()).any(|part| query.request(part, &Cursor::Start).holds_wide_text()),
    }
}

/// The uuid and the name of what an action made, in brackets; nothing where the reply tells neither.
fn made_by(reply: &[u8]) -> String {
    let Some(made) = json::member(reply, "inventory") else { return String::new() };
    let told = ["uuid", "name"].into_iter().filter_map(|name| {
        let text = json::member(made, name).filter(|text| json::kind(text) == Kind::Text)?;
        Some(format!("{name} {}", json::escape_unprintable(&json::unescape(text))))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { told.concat() } else { format!(" ({})", told.join(", ")) }
}

/// The request with which the node checks what was planned without doing it (P10).
fn validation(planned: &Plan) -> Result<Request, Error> {
    match planned {
        Plan::Call(request) => request.for_validation().ok_or_else(|| nothing_to_validate(request.api)),
        Plan::Query(query) => Err(nothing_to_validate(query.api)),
    }
}

/// Why a call cannot be checked: the node would fail with 500, or simply do it.
pub(super) fn nothing_to_validate(what: &str) -> Error {
    let problem = format!("{what} is not an asynchronous action, and a node can check no others");
    Error::Option { option: "validate", problem }
}

/// Text in lines that a terminal of that width does not break, the further ones indented.
fn in_lines(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let mut out = String::new();
    let mut taken = 0;
    for word in text.split(' ') {
        if taken > 0 && taken + 1 + word.len() >= width {
            out.push_str("\n  ");
            taken = 2;
        } else if taken > 0 {
            out.push(' ');
            taken += 1;
        }
        out.push_str(word);
        taken += word.len();
    }
    out
}

/// The statements that a call sends, where it is the API for that.
fn zql_of(planned: &Plan) -> Option<&str> {
    let Plan::Call(request) = planned else { return None };
    let (_, text) = request.query.iter().find(|(name, _)| request.api == ZQL_API && name == "zql")?;
    Some(&text.text)
}

/// The statement of a `zql` line.
fn zql_statement(line: &str) -> Option<String> {
    let words = syntax::split(redirection(line).ok()?.0).ok()?;
    let texts: Vec<String> = words.into_iter().map(|word| word.text).collect();
    match cli::parse(&texts, &mut Options::default()).ok()? {
        Line::Own(OwnCommand::Zql { query }) => Some(query.join(" ")),
        _ => None,
    }
}

/// The requests that are certain to be sent; further pages depend on what comes.
pub(super) fn first_requests(planned: &Plan) -> Vec<Request> {
    match planned {
        Plan::Call(request) => vec![request.clone()],
        Plan::Query(query) => (0..query.parts()).map(|part| query.request(part, &Cursor::Start)).collect(),
    }
}

fn pages_follow(planned: &Plan) -> bool {
    match planned {
        Plan::Query(query) => {
            matches!(query.extent, plan::Extent::All { .. }) && matches!(query.answer, plan::Answer::Rows { .. })
        }
        Plan::Call(_) => false,
    }
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read_file(path: &str) -> io::Result<String> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        std::fs::read(path)?
    };
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
