//! The interactive shell: what the program is for the prompt.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::{Command as Process, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::client::{Client, Reply};
use crate::error::{Error, ExitCode};
use crate::json::{Piece, Pieces, ReadError};
use crate::results::{Limits, Recording, Results};
use crate::secret::mask_command;
use crate::shell::complete::{Disk, LiveValue};
use crate::shell::{self, History, LiveCache, LiveLimits, Prompt, Redirection, Session, Unreachable, redirection};

use super::confirm::Confirm;
use super::output::Output;
use super::{App, Flow, nearby};

/// What only the interactive shell has.
pub(super) struct State {
    pub(super) confirm: Confirm,
    pub(super) live: Arc<LiveCache>,
    results: Results,
    /// The command that runs, and the reply that it has got so far.
    recording: Option<Arc<Mutex<Vec<u8>>>>,
    /// The client that live values are asked with, and whether there may be one.
    lookup: Arc<Mutex<Option<Client>>>,
}

/// The most of a reply that is recorded, in bytes; what is longer keeps its start.
const RECORDED: usize = 4 << 20;

impl App {
    /// Runs the shell until the user leaves.
    pub(super) fn interactive(&mut self) -> ExitCode {
        match self.run_shell() {
            Ok(()) => ExitCode::Done,
            Err(error) => self.conclude(Err(error), None, None).0,
        }
    }

    fn run_shell(&mut self) -> Result<(), Error> {
        // What is wrong with the configuration or the sandbox is worth knowing before the first prompt.
        let options = self.settle(&self.options.clone())?;
        if options.sandbox {
            self.node(&options)?;
        }
        self.watch_ctrl_c()?;
        let folders = self.environment.folders()?.clone();
        let keep_secrets = options.no_secure;
        let mask = move |line: &str| if keep_secrets { line.to_owned() } else { mask_command(line) };
        let history = History::new(Some(folders.state.join("history")), Box::new(mask));
        let lookup: Arc<Mutex<Option<Client>>> = Arc::default();
        let live = Arc::new(LiveCache::new(LiveLimits::default(), look_up(self.catalog, Arc::clone(&lookup))));
        let context = self.context_name(&options)?;
        let confirm = match self.contexts()?.preferences(context.as_deref()).confirm {
            Some(false) => Confirm::Off,
            _ => Confirm::On,
        };
        self.shell = Some(State {
            confirm,
            live: Arc::clone(&live),
            results: Results::new(folders.state.join("results"), Limits::default(), keep_secrets),
            recording: None,
            lookup,
        });
        let shell_options = shell::Options {
            catalog: self.catalog,
            live: &*live,
            files: &Disk,
            history,
            colour: self.colour(self.environment.stdout_terminal, &options),
        };
        if !options.quiet {
            self.say(&options, "zstack-cli: `help` explains, Tab completes, Ctrl-D leaves");
        }
        shell::run(shell_options, self, &mut io::stderr())?;
        Ok(())
    }

    /// The reply, recorded on its way where the shell keeps results.
    pub(super) fn recorded(&mut self, reply: Reply) -> Box<dyn Pieces> {
        match self.shell.as_ref().and_then(|shell| shell.recording.clone()) {
            Some(kept) => Box::new(Recorder { reply, kept, begun: false, rows: 0, open: false, done: false }),
            None => Box::new(reply),
        }
    }

    /// Runs one line of the prompt, with its redirection.
    fn run_line(&mut self, line: &str) -> Result<Flow, Error> {
        let (command, redirection) = redirection(line)?;
        match redirection {
            None => self.evaluate_text(command, &mut Output::Screen),
            Some(Redirection::File { path, append }) => {
                let mut how = OpenOptions::new();
                how.create(true).write(true).append(append).truncate(!append);
                let file = how.open(&path);
                let mut file = file.map_err(|source| Error::Script { path: path.clone(), source })?;
                self.evaluate_text(command, &mut Output::Writer(&mut file))
            }
            Some(Redirection::Program(program)) => {
                let mut child = Process::new("sh").args(["-c", &program]).stdin(Stdio::piped()).spawn()?;
                let result = match child.stdin.take() {
                    Some(mut stdin) => self.evaluate_text(command, &mut Output::Writer(&mut stdin)),
                    None => Ok(Flow::Continue),
                };
                child.wait()?;
                result
            }
            Some(Redirection::Filter(expression)) => {
                let before = self.options.jq.replace(expression);
                let result = self.evaluate_text(command, &mut Output::Screen);
                self.options.jq = before;
                result
            }
        }
    }

    /// Keeps what a line led to among the results.
    fn keep_result(&mut self, line: &str, kept: &[u8], success: bool) {
        let Some(shell) = &self.shell else { return };
        let mut recording: Recording<'_> = shell.results.record(line);
        let written = recording.write_all(kept);
        if let Err(error) = written
            .map_err(|error| error.to_string())
            .and_then(|()| recording.finish(success).map(drop).map_err(|error| error.to_string()))
        {
            self.say(&self.options, &format!("warning: the result cannot be kept: {error}"));
        }
    }

    /// Gives live look-ups a client of their own for the node in use.
    fn refresh_lookup(&mut self) {
        let options = self.options.clone();
        let client =
            self.known_node(&options).filter(|node| node.client.has_credentials()).map(|node| node.client.fork());
        if let Some(shell) = &self.shell {
            let mut lookup = shell.lookup.lock().unwrap_or_else(PoisonError::into_inner);
            *lookup = client;
        }
    }
}

impl Session for App {
    fn prompt(&mut self) -> Prompt {
        let options = self.options.clone();
        let context = self.context_name(&options).ok().flatten();
        let known = self.settle(&options).and_then(|settled| {
            let node = self.node(&settled)?;
            Ok(node.account.clone().filter(|_| node.client.has_credentials()))
        });
        // What is wrong with the node is said when a command needs it.
        let account = known.unwrap_or_default();
        self.refresh_lookup();
        Prompt { account, context, sandbox: options.sandbox, colour: None }
    }

    fn contexts(&mut self) -> Vec<String> {
        let names =
            |contexts: &crate::config::Contexts| contexts.all().iter().map(|context| context.name.clone()).collect();
        App::contexts(self).map(names).unwrap_or_default()
    }

    fn evaluate(&mut self, line: &str) -> shell::Flow {
        self.interrupt.clear();
        let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
        if let Some(shell) = &mut self.shell {
            shell.recording = Some(Arc::clone(&kept));
        }
        let mut result = self.run_line(line);
        if let Err(error) = &result
            && self.logs_in_again(line, error)
        {
            result = self.run_line(line);
        }
        if let Some(shell) = &mut self.shell {
            shell.recording = None;
        }
        let success = result.is_ok();
        let (_, flow) = self.conclude(result, None, Some(line));
        let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        if !kept.is_empty() {
            self.keep_result(line, &kept, success);
        }
        match flow {
            Flow::Continue => shell::Flow::Continue,
            Flow::Leave => shell::Flow::Leave,
        }
    }
}

/// Asks the node for resources by name, for Tab.
fn look_up(catalog: crate::catalog::Catalog, lookup: Arc<Mutex<Option<Client>>>) -> Box<shell::Fetch> {
    Box::new(move |query, typed, limit| {
        // Held while asking: there is one thread that asks.
        let mut lookup = lookup.lock().unwrap_or_else(PoisonError::into_inner);
        let client = lookup.as_mut().ok_or(Unreachable)?;
        let mut values: Vec<LiveValue> = Vec::new();
        for conditions in nearby::searches(typed) {
            let found = nearby::resources(client, catalog, query, &conditions, limit).ok_or(Unreachable)?;
            values.extend(found.into_iter().filter(|value| !values.contains(value)).collect::<Vec<_>>());
        }
        Ok(values)
    })
}

/// Hands pieces on and keeps them as JSON text.
struct Recorder {
    reply: Reply,
    kept: Arc<Mutex<Vec<u8>>>,
    begun: bool,
    rows: usize,
    open: bool,
    done: bool,
}

impl Pieces for Recorder {
    fn next_piece(&mut self) -> Result<Option<Piece<'_>>, ReadError> {
        let piece = self.reply.next_piece()?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < RECORDED {
            let mut member = |kept: &mut Vec<u8>, name: &str| {
                kept.push(if std::mem::replace(&mut self.begun, true) { b',' } else { b'{' });
                kept.extend_from_slice(format!("\"{name}\":").as_bytes());
            };
            match &piece {
                Some(Piece::Member { name, text }) => {
                    member(&mut kept, name);
                    kept.extend_from_slice(text);
                }
                Some(Piece::Rows { name }) => {
                    member(&mut kept, name);
                    kept.push(b'[');
                    self.rows = 0;
                    self.open = true;
                }
                Some(Piece::Row(text)) => {
                    if self.rows > 0 {
                        kept.push(b',');
                    }
                    self.rows += 1;
                    kept.extend_from_slice(text);
                }
                Some(Piece::EndRows) => {
                    kept.push(b']');
                    self.open = false;
                }
                None if !self.done => {
                    kept.extend_from_slice(if self.begun { b"}" } else { b"{}" });
                    self.done = true;
                }
                None => {}
            }
        }
        drop(kept);
        Ok(piece)
    }
}
