//! Asks before something is destroyed: in the interactive shell, or if the context requires it.

use std::io::{self, Write};

use crate::client;
use crate::config::Confirm;
use crate::error::{Error, OwnError};
use crate::plan::Plan;
use crate::session::{Invocation, Lookup, Session, Settings, lookup, nodes};
use crate::shell::{self, Danger, Hit};
use crate::syntax::{Command, Operator, split_list};

/// When to ask: as `set confirm` said, else as the context wants.
pub(crate) fn confirmation(session: &Session, settings: &Settings) -> Confirm {
    if let Some(asked) = session.base.confirm {
        return asked;
    }
    let asked = settings.call.confirm.as_ref().map_or(Confirm::On, |confirm| confirm.value);
    // Single commands on a terminal are asked about only where the context insists.
    if session.prompt.is_none() && asked != Confirm::Strict { Confirm::Off } else { asked }
}

/// Asks before a dangerous action. Scripts do not ask.
pub(super) fn confirm(cx: &mut Invocation<'_>, command: &Command, planned: &Plan) -> Result<(), Error> {
    let terminal = cx.settings.ui.terminal;
    let is_watched = terminal.stdin && terminal.stderr && cx.session.scripts == 0;
    if cx.session.prompt.is_none() && !is_watched {
        return Ok(());
    }
    let Plan::Call(request) = planned else { return Ok(()) };
    let Some(api) = cx.session.catalog.api(request.api) else { return Ok(()) };
    let Some(danger) = shell::danger(cx.session.catalog, &api) else { return Ok(()) };
    let asked = confirmation(cx.session, cx.settings);
    if asked == Confirm::Off {
        return Ok(());
    }
    let place = nodes::node(cx.session, cx.settings)?.name();
    // The question waits briefly for names; those that are late are left out.
    let hits = hits(&mut lookup(cx.session, cx.settings)?, command, &danger);
    if cx.session.interrupt.is_set() {
        return Err(client::Error::Interrupted { job: None }.into());
    }
    let strict = asked == Confirm::Strict;
    let question = shell::question(api.name, &danger, &hits, &place, strict, cx.settings.ui.language);
    // Only the last line of the question is the prompt; the others are printed above it.
    let (above, last) = question.rsplit_once('\n').unwrap_or(("", &question));
    writeln!(io::stderr(), "{above}")?;
    let _attended = cx.session.attend_to_ends()?;
    let answer = shell::ask(last)?.unwrap_or_default();
    if shell::agrees(&answer, &hits, strict) { Ok(()) } else { Err(Error::Own(OwnError::NotConfirmed)) }
}

/// The resources that would be destroyed.
fn hits(lookup: &mut Lookup, command: &Command, danger: &Danger) -> Vec<Hit> {
    let mut hits = Vec::new();
    for target in &danger.targets {
        let Some(argument) = command.arguments.iter().find(|argument| argument.name == target.parameter) else {
            continue;
        };
        let uuids = split_list(&argument.value).unwrap_or_default();
        let condition = [("uuid", Operator::In, uuids.join(","))];
        // Only lists of plain uuids can be looked up.
        let plain = uuids.iter().all(|uuid| uuid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        let found = target
            .query
            .filter(|_| plain && !uuids.is_empty())
            .and_then(|query| lookup.resources(query, &condition, uuids.len()));
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
    hits
}
