//! `alias` and `unalias`: commands of one's own, kept in the configuration.

use crate::catalog::Catalog;
use crate::cli;
use crate::config::Contexts;
use crate::error::{Error, OwnError};
use crate::json::escape_unprintable;
use crate::nearness::nearest;
use crate::secret::mask_command;
use crate::session::{Invocation, Session};
use crate::shell::Flow;
use crate::syntax::{lex, quote_word, split};

/// Keeps an alias, lists all, or shows one. `line` is `=` and what follows it.
pub(super) fn run(cx: &mut Invocation<'_>, name: Option<&str>, line: &[String]) -> Result<Flow, Error> {
    let Some(name) = name else {
        let row = |(name, line): (&String, &String)| format!("alias {name} = {}\n", whole(line));
        let text: String = cx.session.contexts()?.aliases().iter().map(row).collect();
        cx.out.write_text(&escape_lines(&text))?;
        return Ok(Flow::Continue);
    };
    if let Some((name, rest)) = name.split_once('=') {
        let line: Vec<String> = ["=", rest].into_iter().map(str::to_owned).chain(line.iter().cloned()).collect();
        return run(cx, Some(name), &line);
    }
    let Some((equals, words)) = line.split_first() else {
        let text = format!("alias {name} = {}\n", whole(find(cx.session, name)?));
        cx.out.write_text(&escape_lines(&text))?;
        return Ok(Flow::Continue);
    };
    if equals != "=" {
        return Err(bad(name, "`=` is missing: alias NAME = LINE".to_owned()));
    }
    let line = match words {
        // Quotes around all of it are not part of it, and keep a `;` in it.
        [line] => match split(line).map_err(|error| Error::Syntax(error.into()))?.as_slice() {
            [word] if line.starts_with(['\'', '"']) => word.text.clone(),
            _ => line.clone(),
        },
        words => words.iter().map(|word| joined(word)).collect::<Vec<_>>().join(" "),
    };
    check(name, line.trim(), cx.session.catalog)?;
    let folders = cx.session.environment.folders()?;
    let contexts = Contexts::set_alias(folders, name, Some(line.trim()))?;
    cx.session.set_contexts(contexts);
    Ok(Flow::Continue)
}

/// Forgets an alias.
pub(super) fn forget(cx: &mut Invocation<'_>, name: &str) -> Result<Flow, Error> {
    find(cx.session, name)?;
    let contexts = Contexts::set_alias(cx.session.environment.folders()?, name, None)?;
    cx.session.set_contexts(contexts);
    Ok(Flow::Continue)
}

fn find<'s>(session: &'s mut Session, name: &str) -> Result<&'s String, Error> {
    let aliases = session.contexts()?.aliases();
    aliases.get(name).ok_or_else(|| {
        let near = nearest(name, aliases.keys().map(String::as_str)).into_iter().map(str::to_owned).collect();
        Error::Own(OwnError::NotFound { kind: "alias", name: name.to_owned(), near })
    })
}

fn check(name: &str, line: &str, catalog: Catalog) -> Result<(), Error> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(is_word) {
        return Err(bad(name, "a name begins with a letter, and consists of letters, digits, `-` and `_`".to_owned()));
    }
    if hides(name, catalog) {
        return Err(bad(name, "a command has that name already".to_owned()));
    }
    if line.is_empty() {
        return Err(bad(name, "a line is missing after `=`".to_owned()));
    }
    if mask_command(line) != line {
        let problem = "the line holds a secret, which is not kept; NAME=@- reads a value from standard input, \
                       NAME=@/PATH from a file, and `login` asks for a password";
        return Err(bad(name, problem.to_owned()));
    }
    let lexed = lex(line);
    lexed.into_words(line.len()).map(drop).map_err(|error| bad(name, error.to_string()))
}

/// Whether a command of the program or an API has that name.
pub(crate) fn hides(name: &str, catalog: Catalog) -> bool {
    cli::command_called([name]).is_some() || catalog.api_ignoring_case(name).is_some()
}

/// A line as `alias` takes it: in quotes where `;` is in it.
fn whole(line: &str) -> String {
    if line.contains(';') || line.contains('#') { quote_word(line) } else { line.to_owned() }
}

/// A word of a Unix shell's arguments as it is typed in a line, where variables count in it.
fn joined(word: &str) -> String {
    let is_plain = quote_word(word) == word
        || !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "'\"\\#;".contains(c));
    if is_plain { word.to_owned() } else { format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"")) }
}

fn escape_lines(text: &str) -> String {
    text.split('\n').map(escape_unprintable).collect::<Vec<_>>().join("\n")
}

fn bad(name: &str, problem: String) -> Error {
    Error::Own(OwnError::Value { name: name.to_owned(), problem })
}
