//! The question before something is destroyed: in the interactive shell, and where a context insists on it.

use std::io::{self, Write};

use crate::cli::Options;
use crate::client;
use crate::config::ConfirmWish;
use crate::error::{Error, OwnError};
use crate::plan::Plan;
use crate::shell::{self, Hit};
use crate::syntax::{Command, split_list};

use super::{App, nearby};

impl App {
    /// When to ask: as `set confirm` said, else as the context wants.
    pub(super) fn confirm_wish(&mut self, options: &Options) -> Result<ConfirmWish, Error> {
        if let Some(wish) = self.shell.as_ref().and_then(|shell| shell.confirm) {
            return Ok(wish);
        }
        let wish = self.preferences(options)?.confirm.unwrap_or(ConfirmWish::On);
        // Single commands on a terminal are asked about only where the context insists.
        Ok(if self.shell.is_none() && wish != ConfirmWish::Strict { ConfirmWish::Off } else { wish })
    }

    /// Asks before a dangerous action. Scripts are never asked: nobody is there to answer.
    pub(super) fn confirm(&mut self, command: &Command, planned: &Plan, options: &Options) -> Result<(), Error> {
        let is_watched = self.environment.stdin_terminal && self.environment.stderr_terminal && self.scripts == 0;
        if self.shell.is_none() && !is_watched {
            return Ok(());
        }
        let Plan::Call(request) = planned else { return Ok(()) };
        let Some(api) = self.catalog.api(request.api) else { return Ok(()) };
        let Some(danger) = shell::danger(self.catalog, &api) else { return Ok(()) };
        let wish = self.confirm_wish(options)?;
        if wish == ConfirmWish::Off {
            return Ok(());
        }
        let catalog = self.catalog;
        let node = self.node(options)?;
        let place = node.name();
        let mut asked = node.client.fork();
        // The question is worth a short wait; names that do not come in time are missing from it.
        asked.set_patience(nearby::PATIENCE);
        let mut hits = Vec::new();
        for target in &danger.targets {
            let Some(argument) = command.arguments.iter().find(|argument| argument.name == target.parameter) else {
                continue;
            };
            let uuids = split_list(&argument.value).unwrap_or_default();
            let condition = vec![format!("uuid?={}", uuids.join(","))];
            // A list that is no list of plain uuids is not one to ask with.
            let plain = uuids.iter().all(|uuid| uuid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
            let found = target
                .query
                .filter(|_| plain && !uuids.is_empty())
                .and_then(|query| nearby::resources(&mut asked, catalog, query, &condition, uuids.len()));
            for uuid in uuids {
                let known = found.as_ref().map(|found| found.iter().find(|value| value.uuid == uuid));
                hits.push(Hit {
                    parameter: target.parameter.to_owned(),
                    missing: known == Some(None),
                    name: known.flatten().map(|value| value.name.clone()),
                    uuid,
                });
            }
        }
        if self.interrupt.is_set() {
            return Err(client::Error::Interrupted { job: None }.into());
        }
        let strict = wish == ConfirmWish::Strict;
        let question = shell::question(api.name, &danger, &hits, &place, strict);
        // What stands above the question's last line stays there while that one is answered.
        let (above, last) = question.rsplit_once('\n').unwrap_or(("", &question));
        writeln!(io::stderr(), "{above}")?;
        let _attended = self.attend_to_ends()?;
        let answer = shell::ask(last)?.unwrap_or_default();
        if shell::agrees(&answer, &hits, strict) { Ok(()) } else { Err(Error::Own(OwnError::NotConfirmed)) }
    }
}
