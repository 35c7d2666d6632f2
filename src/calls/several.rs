//! What is asked of the node of a line, or of those of several contexts at the same time.
//!
//! Each context has a session of its own: its node, its log-in, its version. One that fails is told and left out, and the
//! others go on.

use std::thread;

use crate::error::{Error, ExitCode};
use crate::json::{self, Kind, MapWriter};
use crate::render::{Failed, Field, FieldKind, Shape, View};
use crate::session::{Invocation, Session, Settings};
use crate::terminal::{Output, Source};

/// The member and the column that name the context.
pub(super) const CONTEXT: &str = "context";

/// The nodes of a line, each with what is kept of it.
pub(crate) struct Several<S> {
    /// What is kept of the only node.
    one: Option<S>,
    members: Vec<Member<S>>,
    failures: Failures,
}

/// The node of one of several contexts.
struct Member<S> {
    session: Session,
    settings: Settings,
    kept: S,
}

/// What asks a node.
type Ask<'a, S, T> = &'a (dyn Fn(&mut Invocation<'_>, &mut S) -> Result<T, Error> + Sync);

impl<S: Send> Several<S> {
    /// The nodes of a line. Nothing is sent.
    pub(crate) fn of(cx: &Invocation<'_>, mut kept: impl FnMut() -> S) -> Several<S> {
        let member = |settings: &Settings| {
            let (seed, settings) = settings.apart(cx.session);
            Member { session: Session::grow(seed), settings, kept: kept() }
        };
        let members: Vec<Member<S>> = cx.settings.contexts.iter().map(member).collect();
        Several { one: members.is_empty().then(kept), members, failures: Failures::default() }
    }

    /// Asks the nodes, and returns what each answered with its context, which is empty where there is only one. In a dry
    /// run they are asked one after the other.
    ///
    /// # Errors
    /// Of a single node; of several only an interruption, a closed pipe, and what is wrong for all of them. Others are told.
    pub(crate) fn each<T: Send>(
        &mut self,
        cx: &mut Invocation<'_>,
        ask: Ask<'_, S, T>,
    ) -> Result<Vec<(String, T)>, Error> {
        if let Some(kept) = &mut self.one {
            return Ok(vec![(String::new(), ask(cx, kept)?)]);
        }
        let mut members = std::mem::take(&mut self.members);
        let answers: Vec<Result<T, Error>> = if cx.settings.call.dry_run {
            let in_turn = |member: &mut Member<S>| {
                cx.say(&format!("context {}:", member.context()));
                member.ask(cx.out.again(), ask)
            };
            members.iter_mut().map(in_turn).collect()
        } else {
            thread::scope(|scope| {
                let asked = members.iter_mut().map(|member| scope.spawn(|| member.ask(Output::Screen, ask)));
                let asked: Vec<_> = asked.collect();
                let joined = asked.into_iter().map(|thread| thread.join());
                joined.map(|joined| joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
            })
        };
        let is_wrong =
            |answer: &Result<T, Error>| matches!(answer, Err(error) if error.exit_code() == ExitCode::Command);
        let all_wrong = answers.iter().all(is_wrong);
        let mut found = Vec::new();
        for (member, answer) in members.into_iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    found.push((member.context().to_owned(), answer));
                    self.members.push(member);
                }
                Err(error) if all_wrong || error.exit_code() == ExitCode::Interrupted || error.is_closed_pipe() => {
                    return Err(error);
                }
                Err(error) => self.failures.tell(cx, member.context(), error),
            }
        }
        Ok(found)
    }

    /// Leaves out all nodes but the first.
    pub(crate) fn keep_first(&mut self) {
        self.members.truncate(1);
    }

    /// Leaves out a context whose node failed, and tells why.
    pub(crate) fn lose(
        &mut self,
        cx: &mut Invocation<'_>,
        context: &str,
        why: impl FnOnce(&mut Invocation<'_>) -> Error,
    ) {
        let Some(at) = self.members.iter().position(|member| member.context() == context) else { return };
        let mut member = self.members.remove(at);
        let Member { session, settings, .. } = &mut member;
        let error = why(&mut Invocation { session, settings, out: Output::Screen });
        self.failures.tell(cx, context, error);
    }

    /// The shape and the view of rows that begin with their context, where there are several.
    pub(crate) fn shown(&self, shape: Shape, view: View) -> (Shape, View) {
        if self.one.is_some() {
            return (shape, view);
        }
        let failed = Failed::new(self.failures.0 != ExitCode::Done);
        (with_context(shape), View { failed, leading: Some(CONTEXT.to_owned()), ..view })
    }

    /// The result of the line, or the failure of a context.
    pub(crate) fn or<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        self.failures.or(result)
    }
}

impl<S> Member<S> {
    fn context(&self) -> &str {
        self.settings.context().unwrap_or_default()
    }

    fn ask<T>(&mut self, mut out: Output<'_>, ask: Ask<'_, S, T>) -> Result<T, Error> {
        let Member { session, settings, kept } = self;
        ask(&mut Invocation { session, settings, out: out.again() }, kept)
    }
}

impl<S> Drop for Member<S> {
    fn drop(&mut self) {
        self.session.close();
    }
}

/// The exit code of the first context that failed.
pub(super) struct Failures(ExitCode);

impl Default for Failures {
    fn default() -> Failures {
        Failures(ExitCode::Done)
    }
}

impl Failures {
    /// Tells why a context failed.
    pub(super) fn tell(&mut self, cx: &mut Invocation<'_>, context: &str, error: Error) {
        let code = cx.session.report(error, cx.settings, Some(&Source::Part { of: None, what: context }), None);
        if self.0 == ExitCode::Done {
            self.0 = code;
        }
    }

    /// The failure of a context, or else the result.
    pub(super) fn or<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        match self.0 {
            ExitCode::Done => result,
            code => Err(Error::Reported(code)),
        }
    }
}

/// A row that begins with its context; an empty one is that of no context.
pub(crate) fn in_context(context: &str, row: &[u8]) -> Vec<u8> {
    if context.is_empty() || json::kind(row) != Kind::Map {
        return row.to_vec();
    }
    let mut name = Vec::new();
    json::write_literal(&mut name, context);
    let mut written = MapWriter::default();
    written.push(CONTEXT.as_bytes(), &name);
    json::members(row)
        .filter(|(name, _)| *name != CONTEXT.as_bytes())
        .for_each(|(name, value)| written.push(name, value));
    written.finish()
}

/// The shape with the context as its first field.
pub(super) fn with_context(mut shape: Shape) -> Shape {
    if !shape.fields.is_empty() {
        shape.fields.insert(0, Field { name: CONTEXT.to_owned(), kind: FieldKind::Text, secret: false });
    }
    shape
}
