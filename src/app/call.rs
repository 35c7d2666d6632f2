//! An API call, from the command to what is printed.

use std::io::{self, Read, Write};

use crate::cli::Options;
use crate::client::{Answer, CallOptions, Reply};
use crate::error::Error;
use crate::plan::{self, Cursor, Plan, QueryPlan};
use crate::render::{self, Format, Shape};
use crate::syntax::Command;

use super::spinner::Spinner;
use super::{App, shape, view};

impl App {
    /// Runs an API call and prints what came of it.
    pub(super) fn call(&mut self, mut command: Command, options: &Options, out: &mut dyn Write) -> Result<(), Error> {
        command.resolve_files(&mut read_file)?;
        let planned = plan::plan(&command, self.catalog, &self.plan_options(options))?;
        let shape = self.shape(&planned);
        let answer = match &planned {
            Plan::Call(request) => self.execute(request, options)?,
            Plan::Query(query) => self.query(query, options)?,
        };
        self.conclude_call(answer, &shape, options, out)
    }

    /// Runs a statement of the node's query language.
    pub(super) fn zql(&mut self, statement: &str, options: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let answer = self.execute(&plan::zql_request(statement, false), options)?;
        self.conclude_call(answer, &Shape::default(), options, out)
    }

    /// Prints what a call led to.
    fn conclude_call(
        &mut self,
        answer: Answer,
        shape: &Shape,
        options: &Options,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        match answer {
            Answer::Reply(reply) => self.print(reply, shape, options, out),
            Answer::Failed(failure) => {
                let format = view::format(options, self.screen(options))?;
                if matches!(format, Format::Json | Format::Jsonl | Format::Yaml) {
                    let text = format!("{{\"success\":false,\"error\":{}}}", failure.text);
                    self.print(Reply::of_text(text.into_bytes()), &Shape::default(), options, out)?;
                }
                Err(Error::Api(Box::new(failure)))
            }
            Answer::Detached(job) => {
                let text = format!("{{\"job\":{{\"uuid\":\"{}\",\"api\":\"{}\"}}}}", job.uuid, job.api);
                self.print(Reply::of_text(text.into_bytes()), &Shape::default(), options, out)
            }
        }
    }

    fn plan_options(&self, options: &Options) -> plan::Options {
        plan::Options {
            no_check: options.no_check,
            page_size: options.page_size.unwrap_or(1000),
            timeout: options.timeout.map(std::time::Duration::from_secs),
            session: None,
        }
    }

    fn shape(&self, planned: &Plan) -> Shape {
        match planned {
            Plan::Call(request) => {
                self.catalog.api(request.api).map(|api| shape::of_api(self.catalog, &api)).unwrap_or_default()
            }
            Plan::Query(query) => {
                let whole = query
                    .inventory
                    .and_then(|name| self.catalog.inventory(name))
                    .map(|inventory| shape::of_inventory(&inventory))
                    .unwrap_or_default();
                match &query.select {
                    Some(names) => shape::selected(&whole, names),
                    None => whole,
                }
            }
        }
    }

    fn execute(&mut self, request: &plan::Request, options: &Options) -> Result<Answer, Error> {
        let width = self.environment.width.filter(|_| self.environment.stderr_is_terminal && !options.quiet);
        let mut spinner = Spinner::new(io::stderr(), width);
        let how = CallOptions { wait: !options.no_wait, timeout: request.timeout };
        self.watch_ctrl_c()?;
        let node = self.node(options)?;
        Ok(node.client.execute(request, &how, &mut spinner)?)
    }

    fn query(&mut self, query: &QueryPlan, options: &Options) -> Result<Answer, Error> {
        self.execute(&query.request(0, &Cursor::Start), options)
    }

    fn print(&mut self, mut reply: Reply, shape: &Shape, options: &Options, out: &mut dyn Write) -> Result<(), Error> {
        let view = view::view(options, self.screen(options))?;
        let rendered = render::render(&mut reply, shape, &view, out)?;
        out.flush()?;
        if options.fail_empty && rendered.rows == 0 {
            return Err(Error::Empty);
        }
        Ok(())
    }
}

/// The text of a file, or of standard input for `-`.
fn read_file(path: &str) -> io::Result<String> {
    let bytes = if path == "-" {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        bytes
    } else {
        std::fs::read(path)?
    };
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
