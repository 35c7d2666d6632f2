//! The question before something is destroyed: in the interactive shell only.

use std::io::{self, BufRead, Write};

use crate::cli::Options;
use crate::error::{Error, OwnError};
use crate::plan::Plan;
use crate::shell::{self, Hit};
use crate::syntax::{Command, split_list};

use super::{App, nearby};

/// When to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirm {
    /// Never.
    Off,
    /// A yes is enough.
    On,
    /// The name has to be typed.
    Strict,
}

impl App {
    /// Asks before a dangerous action. Scripts and single commands are never asked.
    pub(super) fn confirm(&mut self, command: &Command, planned: &Plan, options: &Options) -> Result<(), Error> {
        let Some(confirm) = self.shell.as_ref().map(|shell| shell.confirm) else { return Ok(()) };
        let Plan::Call(request) = planned else { return Ok(()) };
        let Some(api) = self.catalog.api(request.api) else { return Ok(()) };
        let Some(danger) = shell::danger(self.catalog, &api) else { return Ok(()) };
        if confirm == Confirm::Off {
            return Ok(());
        }
        let catalog = self.catalog;
        let node = self.node(options)?;
        let place = node.name();
        let mut hits = Vec::new();
        for target in &danger.targets {
            let Some(argument) = command.arguments.iter().find(|argument| argument.name == target.parameter) else {
                continue;
            };
            for uuid in split_list(&argument.value).unwrap_or_default() {
                let condition = vec![format!("uuid={uuid}")];
                let found =
                    target.query.and_then(|query| nearby::resources(&mut node.client, catalog, query, &condition, 1));
                hits.push(Hit {
                    parameter: target.parameter.to_owned(),
                    missing: found.as_ref().is_some_and(Vec::is_empty),
                    name: found.and_then(|found| found.into_iter().next()).map(|value| value.name),
                    uuid,
                });
            }
        }
        let strict = confirm == Confirm::Strict;
        let mut out = io::stderr();
        write!(out, "{}", shell::question(api.name, &danger, &hits, &place, strict))?;
        out.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if shell::agrees(&answer, &hits, strict) { Ok(()) } else { Err(Error::Own(OwnError::NotConfirmed)) }
    }
}
