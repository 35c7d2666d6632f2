//! Asks before something is destroyed: in the interactive shell, or if the context requires it.

use std::io::{self, Write};

use crate::catalog::Catalog;
use crate::client;
use crate::config::Confirm;
use crate::error::{Error, OwnError};
use crate::plan::Plan;
use crate::session::{Invocation, Lookup, Session, Settings, lookup, nodes};
use crate::shell::{self, Danger, Harm, Hit};
use crate::syntax::{Command, Operator, split_list};

use super::belongings;

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
    confirm_all(cx, &[command], planned)
}

/// As [`confirm`], once for several calls of the same API. `planned` is one of them.
pub(crate) fn confirm_all(cx: &mut Invocation<'_>, commands: &[&Command], planned: &Plan) -> Result<(), Error> {
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
    // The question waits briefly for names and counts; those that are late are left out.
    let mut lookup = lookup(cx.session, cx.settings)?;
    let hits = hits(&mut lookup, commands, &danger);
    let belongs = belongs(&lookup, cx.session.catalog, &danger, &hits);
    if cx.session.interrupt.is_set() {
        return Err(client::Error::Interrupted { job: None }.into());
    }
    let strict = asked == Confirm::Strict;
    let question = shell::question(api.name, &danger, &hits, belongs.as_deref(), &place, strict);
    let question = cx.settings.ui.language.say_lines(question.trim_end()) + " ";
    // Only the last line of the question is the prompt; the others are printed above it.
    let (above, last) = question.rsplit_once('\n').unwrap_or(("", &question));
    writeln!(io::stderr(), "{above}")?;
    let _attended = cx.session.attend_to_ends()?;
    let answer = shell::ask(last)?.unwrap_or_default();
    if shell::agrees(&answer, &hits, strict) { Ok(()) } else { Err(Error::Own(OwnError::NotConfirmed)) }
}

/// Asks whether something may be replaced, unless `yes` says so. `what` is what would happen.
pub(crate) fn replacing(cx: &mut Invocation<'_>, what: &str, yes: bool) -> Result<(), Error> {
    let terminal = cx.settings.ui.terminal;
    if !yes && (!terminal.stdin || !terminal.stderr || cx.session.scripts > 0) {
        return Err(Error::Own(OwnError::Unasked(format!("{what}; --yes does so without asking"))));
    }
    agreed(cx, &format!("{what}. Go on"), yes)
}

/// Asks a question at the terminal, unless `yes` answers it.
pub(crate) fn agreed(cx: &mut Invocation<'_>, question: &str, yes: bool) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    let _attended = cx.session.attend_to_ends()?;
    let answer = shell::ask(&format!("{question}? [y/N] "))?.unwrap_or_default();
    let agrees = matches!(answer.trim(), "y" | "Y" | "yes");
    if agrees { Ok(()) } else { Err(Error::Own(OwnError::NotConfirmed)) }
}

/// What belongs to the resources that the question is about, as a sentence. What is only detached keeps what belongs to
/// it.
fn belongs(lookup: &Lookup, catalog: Catalog, danger: &Danger, hits: &[Hit]) -> Option<String> {
    let target = danger.targets.first().filter(|_| danger.harm != Harm::Separates)?;
    let rows = catalog.inventory(catalog.api(target.query?)?.inventory?)?;
    let found = hits.iter().filter(|hit| hit.parameter == target.parameter && hit.name.is_some());
    let uuids: Vec<String> = found.map(|hit| hit.uuid.clone()).collect();
    if uuids.is_empty() { None } else { belongings::counted(lookup, catalog, &catalog.kind_of(&rows)?, &uuids) }
}

/// The resources that would be destroyed.
fn hits(lookup: &mut Lookup, commands: &[&Command], danger: &Danger) -> Vec<Hit> {
    let mut hits = Vec::new();
    for target in &danger.targets {
        let arguments = commands.iter().flat_map(|command| &command.arguments);
        let named = arguments.filter(|argument| argument.name == target.parameter);
        let uuids: Vec<String> = named.flat_map(|argument| split_list(&argument.value).unwrap_or_default()).collect();
        if uuids.is_empty() {
            continue;
        }
        let condition = [("uuid", Operator::In, uuids.join(","))];
        // Only lists of plain uuids can be looked up.
        let plain = uuids.iter().all(|uuid| uuid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        let found = target.query.filter(|_| plain).and_then(|query| lookup.resources(query, &condition, uuids.len()));
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
