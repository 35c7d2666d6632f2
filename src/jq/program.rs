//! A compiled jq expression.

use std::io;
use std::ops::Range;

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader, span};
use jaq_core::{Compiler, Ctx, Vars, load};
use jaq_json::Val;

use crate::json;

/// Why a text is not a valid jq expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The error message.
    pub message: String,
    /// The invalid part of the expression, as a byte range.
    pub span: Range<usize>,
}

/// An expression that can be run.
pub(super) struct Program(jaq_core::Filter<JustLut<Val>>);

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All outputs were produced.
    Done,
    /// The expression called `halt`.
    Halted,
    /// The expression failed with this message.
    Failed(String),
}

impl Program {
    /// Compiles an expression.
    pub(super) fn compile(expression: &str) -> Result<Program, FilterError> {
        let own = |message: String, found: &str| FilterError { message, span: span(expression, found) };
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        // `env` is left out: variables, which may hold passwords, are for the configuration only.
        let functions =
            jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|(name, ..)| *name != "env");
        let arena = Arena::default();
        let modules = Loader::new(definitions).load(&arena, File { code: expression, path: () }).map_err(|errors| {
            match errors.into_iter().next() {
                Some((_, load::Error::Lex(errors))) => errors
                    .first()
                    .map(|(expected, found)| own(format!("{} expected", expected.as_str()), first_of(found))),
                Some((_, load::Error::Parse(errors))) => {
                    errors.first().map(|(expected, found)| own(format!("{} expected", expected.as_str()), found))
                }
                Some((_, load::Error::Io(errors))) => {
                    errors.first().map(|(path, _)| own("modules cannot be imported here".to_owned(), path))
                }
                None => None,
            }
            .unwrap_or_else(|| own("not a jq expression".to_owned(), expression))
        })?;
        let compiled = Compiler::default().with_funs(functions).compile(modules);
        compiled.map(Program).map_err(|errors| {
            errors.into_iter().flat_map(|(_, errors)| errors).next().map_or_else(
                || own("not a jq expression".to_owned(), expression),
                |(name, undefined)| own(format!("there is no {} {name}", undefined.as_str()), name),
            )
        })
    }

    /// Runs the expression on `input` and passes each output to `found`.
    pub(super) fn run(&self, input: Val, found: &mut dyn FnMut(&Val) -> io::Result<()>) -> io::Result<End> {
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for output in self.0.id.run((context, input)) {
            match output {
                Ok(value) => found(&value)?,
                Err(exception) => {
                    return Ok(match exception.get_err() {
                        Ok(error) => End::Failed(message(error.into_val())),
                        // `halt` ends the filter, not the program.
                        Err(_) => End::Halted,
                    });
                }
            }
        }
        Ok(End::Done)
    }
}

/// The lexer reports the whole rest of the text, starting with the offending character.
fn first_of(found: &str) -> &str {
    let end = found.chars().next().map_or(0, char::len_utf8);
    &found[..end]
}

/// Returns the message of an error with unprintable characters escaped, as it may quote the reply.
fn message(error: Val) -> String {
    let text = match &error {
        Val::TStr(text) => String::from_utf8_lossy(text).into_owned(),
        other => other.to_string(),
    };
    json::escape_unprintable(&text).into_owned()
}

/// Parses a value of a reply.
pub(super) fn value(text: &[u8]) -> Result<Val, String> {
    jaq_json::read::parse_single(text).map_err(|error| error.to_string())
}
