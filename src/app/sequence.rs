//! The commands of a line, one after the other, with those of aliases in their place.
//!
//! Each is read when its turn comes, since the commands before it may set variables and aliases that it uses.

use std::rc::Rc;

use crate::cli::{self, Options, UsageError};
use crate::commands::alias::hides;
use crate::session::{Line, Scope, Session};
use crate::shell::Redirection;
use crate::syntax::{commands, first_sign, lex, references};

/// The commands that are still to be run, the next one last.
pub(super) struct Sequence(Vec<Pending>);

enum Pending {
    Text { text: String, call: Option<Rc<Call>> },
    Read(Box<Line>),
}

/// A call of an alias, which holds for each command of the alias.
struct Call {
    name: String,
    words: Vec<String>,
    options: Options,
    redirection: Option<Redirection>,
    /// The call of the alias that this one is part of.
    outer: Option<Rc<Call>>,
}

impl Sequence {
    /// The commands of a line of text.
    pub(super) fn of(line: &str) -> Sequence {
        // What follows an open quote belongs to it. Nothing is run before that is put right.
        let whole = 0..line.len();
        let ranges = if lex(line).open_quote.is_some() { vec![whole] } else { commands(line) };
        let mut pending: Vec<Pending> = ranges.into_iter().filter_map(|range| pending(&line[range], None)).collect();
        pending.reverse();
        Sequence(pending)
    }

    /// The commands of a line that was read before.
    pub(super) fn of_line(line: Line) -> Sequence {
        Sequence(vec![Pending::Read(Box::new(line))])
    }

    /// The next command.
    pub(super) fn next(&mut self, session: &mut Session) -> Option<Line> {
        loop {
            let (line, call) = match self.0.pop()? {
                Pending::Read(line) => (*line, None),
                Pending::Text { text, call } => (read(session, &text, call.as_deref()), call),
            };
            match body(session, &line) {
                None => return Some(line),
                Some((name, body)) => match expanded(&name, &body, &line, call) {
                    Ok(pending) => self.0.extend(pending.into_iter().rev()),
                    Err(problem) => return Some(Line::wrong(&line.text, problem)),
                },
            }
        }
    }

    /// Whether no command is left.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn pending(text: &str, call: Option<&Rc<Call>>) -> Option<Pending> {
    let text = text.trim();
    let is_blank = {
        let lexed = lex(text);
        lexed.words.is_empty() && !lexed.is_incomplete()
    };
    (!is_blank).then(|| Pending::Text { text: text.to_owned(), call: call.cloned() })
}

/// Reads a command with its variables, and tells which of them there are not.
fn read(session: &mut Session, text: &str, call: Option<&Call>) -> Line {
    for name in references(text).names {
        // A script may have met many secrets since.
        if let Some(variable) = session.variables.get(&name).filter(|variable| variable.is_secret) {
            session.known.learn(&variable.text);
        }
    }
    let words = call.map(|call| call.words.as_slice()).or(session.words.as_deref());
    let scope = Scope { variables: &session.variables, words };
    let mut line = Line::with_values(text, &scope);
    let meant = scope.probably_meant(&line.words, line.command_text());
    let warnings: Vec<String> = meant.into_iter().map(|(name, near)| undefined(name, near)).collect();
    if !warnings.is_empty() {
        let settings = session.settle_if_possible(&line.options);
        warnings.iter().for_each(|warning| settings.ui.warn(warning));
    }
    if let Some(call) = call {
        call.apply(&mut line);
    }
    line
}

fn undefined(name: &str, near: Option<&str>) -> String {
    let meant = near.map(|near| format!("; did you mean ${near}?")).unwrap_or_default();
    format!("{name} is not a variable, and stays as it is{meant} ('...' says that it is meant so)")
}

/// The alias that a command calls, with its line.
fn body(session: &mut Session, line: &Line) -> Option<(String, String)> {
    let Ok(cli::Line::Call(words)) = &line.command else { return None };
    let name = words.first()?;
    let body = session.contexts().ok()?.aliases().get(name)?.clone();
    (!hides(name, session.catalog)).then(|| (name.clone(), body))
}

/// The commands of an alias.
fn expanded(name: &str, body: &str, line: &Line, outer: Option<Rc<Call>>) -> Result<Vec<Pending>, UsageError> {
    let mut around = outer.as_deref();
    while let Some(call) = around {
        if call.name == name {
            return Err(wrong(name, "calls itself", "`alias` lists what the names stand for"));
        }
        around = call.outer.as_deref();
    }
    let Ok(cli::Line::Call(words)) = &line.command else { return Ok(Vec::new()) };
    let words = words[1..].to_vec();
    let parts: Vec<&str> =
        commands(body).into_iter().map(|range| body[range].trim()).filter(|part| !part.is_empty()).collect();
    let found = references(body);
    let mut body = parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    if !found.has_all && found.highest == 0 && !words.is_empty() {
        let [only] = &mut body[..] else {
            return Err(wrong(
                name,
                "takes no words: it has several commands",
                "$1 to $9 and $* in an alias stand for its words",
            ));
        };
        // As in a Unix shell, the words are added.
        let at = first_sign(only).map_or(only.len(), |sign| sign.span.start);
        only.insert_str(at, if at == only.len() { " $*" } else { "$* " });
    } else if !found.has_all && words.len() > found.highest {
        let most = found.highest;
        let takes = if most == 1 { "takes one word".to_owned() } else { format!("takes {most} words") };
        return Err(wrong(name, &takes, "$* in an alias stands for all of its words"));
    }
    let redirection = line.redirection.clone();
    if body.len() > 1 && matches!(redirection, Some(Redirection::File { .. } | Redirection::Program(_))) {
        return Err(wrong(
            name,
            "has several commands, and their output cannot be redirected together",
            "a redirection can be part of the alias",
        ));
    }
    let call = Rc::new(Call { name: name.to_owned(), words, options: line.options.clone(), redirection, outer });
    Ok(body.iter().filter_map(|part| pending(part, Some(&call))).collect())
}

fn wrong(name: &str, problem: &str, hint: &str) -> UsageError {
    UsageError { text: format!("the alias {name} {problem}"), hint: hint.to_owned(), in_command: true }
}

impl Call {
    /// Applies the options and the redirection of the call to a command of the alias.
    fn apply(&self, line: &mut Line) {
        if let Some(kept) = &mut line.kept {
            return self.apply(kept);
        }
        let inner = line.options.jq.take();
        line.options.add(self.options.clone());
        line.options.jq = match (inner, self.options.jq.clone()) {
            (Some(inner), Some(outer)) => Some(format!("({inner}) | ({outer})")),
            (inner, outer) => inner.or(outer),
        };
        if matches!(line.redirection, None | Some(Redirection::Filter(_))) {
            line.redirection = self.redirection.clone().or(line.redirection.take());
        }
        if let Some(outer) = &self.outer {
            outer.apply(line);
        }
    }
}
