//! A compiled jq expression that can be interrupted and does not overflow the stack.

use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader, span};
use jaq_core::{Compiler, Ctx, DataT, Native, Vars, load};
use jaq_json::Val;

use crate::json;

use super::error::Error;

/// Why a text is not a valid jq expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The message.
    pub message: String,
    /// The bytes of the expression that are wrong.
    pub span: Range<usize>,
}

/// The stack size of the thread that runs expressions, in bytes. It is far larger than the limit for calls, since
/// deeply nested values are also written and dropped by recursion. The memory is reserved, not used.
pub const STACK: usize = 512 << 20;

/// How much stack the calls of an expression may use, in bytes.
const STACK_OF_CALLS: usize = 128 << 20;

/// A compiled expression.
pub(super) struct Program(jaq_core::Filter<Bounded>);

impl Program {
    /// Compiles an expression.
    pub(super) fn compile(expression: &str) -> Result<Program, FilterError> {
        let own = |message: String, found: &str| FilterError { message, span: span(expression, found) };
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        // `env` is left out: the environment may contain passwords.
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

    /// Runs it and passes its outputs to `found`. Returns `false` if `halt` ended it.
    pub(super) fn run(
        &self,
        input: Val,
        is_interrupted: &dyn Fn() -> bool,
        found: &mut dyn FnMut(Val) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        // State that a stopped run leaves behind is not used again.
        let bounds = Bounds { is_interrupted, start: stack_position() };
        let ran = panic::catch_unwind(AssertUnwindSafe(|| self.run_unbounded(input, &bounds, found)));
        ran.unwrap_or_else(|payload| match payload.downcast::<Stop>() {
            Ok(stop) => Err(stop.error()),
            Err(bug) => panic::resume_unwind(bug),
        })
    }

    fn run_unbounded(
        &self,
        input: Val,
        bounds: &Bounds<'_>,
        found: &mut dyn FnMut(Val) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let context = Ctx::<Bounded>::new(Data { lut: &self.0.lut, bounds }, Vars::new([]));
        bounds.check();
        for output in self.0.id.run((context, input)) {
            bounds.check();
            match output {
                Ok(value) => found(value)?,
                Err(exception) => {
                    return match exception.get_err() {
                        Ok(error) => Err(Error::Filter { message: message(error.into_val()) }),
                        // `halt` ends the filter, not the program.
                        Err(_) => Ok(false),
                    };
                }
            }
        }
        Ok(true)
    }
}

/// The values and the data that jaq works with.
struct Bounded;

type Lut = jaq_core::compile::Lut<Native<Bounded>>;

impl DataT for Bounded {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

/// What jaq carries from call to call.
struct Data<'a> {
    lut: &'a Lut,
    bounds: &'a Bounds<'a>,
}

impl Clone for Data<'_> {
    /// jaq has no way to stop an expression that yields nothing. But it clones this value for every call and branch, so
    /// the limits are checked here.
    fn clone(&self) -> Self {
        self.bounds.check();
        Data { ..*self }
    }
}

impl<'a> HasLut<'a, Bounded> for Data<'a> {
    fn lut(&self) -> &'a Lut {
        self.lut
    }
}

/// The limits of a run.
struct Bounds<'a> {
    is_interrupted: &'a dyn Fn() -> bool,
    /// The stack position at the start of the run.
    start: usize,
}

/// Why a run was stopped.
enum Stop {
    Interrupted,
    TooDeep,
}

impl Bounds<'_> {
    /// Unwinds the run when it was interrupted or its calls use too much stack.
    fn check(&self) {
        // A panic during unwinding would abort the process.
        if let Some(stop) = self.passed()
            && !thread::panicking()
        {
            panic::resume_unwind(Box::new(stop));
        }
    }

    fn passed(&self) -> Option<Stop> {
        if stack_position().abs_diff(self.start) > STACK_OF_CALLS {
            return Some(Stop::TooDeep);
        }
        (self.is_interrupted)().then_some(Stop::Interrupted)
    }
}

impl Stop {
    fn error(&self) -> Error {
        match self {
            Stop::Interrupted => Error::Interrupted,
            Stop::TooDeep => Error::Filter { message: "the recursion is too deep".to_owned() },
        }
    }
}

/// The approximate stack position: the address of a local variable.
#[inline(never)]
fn stack_position() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&mark)).addr()
}

/// The lexer reports the rest of the text from the offending character on.
fn first_of(found: &str) -> &str {
    let end = found.chars().next().map_or(0, char::len_utf8);
    &found[..end]
}

/// The text of an error, escaped for a terminal since it may quote the reply.
fn message(error: Val) -> String {
    let text = match &error {
        Val::TStr(text) => String::from_utf8_lossy(text).into_owned(),
        other => other.to_string(),
    };
    json::escape_unprintable(&text).into_owned()
}

/// A value of a reply.
pub(super) fn value(text: &[u8]) -> Result<Val, Error> {
    jaq_json::read::parse_single(text).map_err(|error| Error::Filter { message: error.to_string() })
}
