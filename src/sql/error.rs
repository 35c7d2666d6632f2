//! Why a statement cannot be run, or ended early.

use std::ops::Range;

use crate::client::{self, ApiFailure};
use crate::plan;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The statement is wrong.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// A value of the statement cannot be one of that column.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// There is no usable answer.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The node reported that a query failed.
    #[error("{}", .failure.error.what())]
    Api {
        /// The query.
        api: &'static str,
        /// What the node reported.
        failure: Box<ApiFailure>,
    },
}

/// What is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", place(.span))]
pub struct StatementError {
    /// What is wrong.
    pub problem: String,
    /// The statement.
    pub text: String,
    /// The position of the wrong word in bytes, if it is known.
    pub span: Option<Range<usize>>,
    /// What may help.
    pub hint: Option<String>,
}

fn place(span: &Option<Range<usize>>) -> String {
    span.as_ref().map(|span| format!(", at character {}", span.start + 1)).unwrap_or_default()
}

impl StatementError {
    /// The part of the statement around the wrong word, at most `width` characters, and the columns of the word in it.
    pub fn excerpt(&self, width: usize) -> Option<(String, Range<usize>)> {
        let span = self.span.clone()?;
        let flat: Vec<char> = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let start = self.text.get(..span.start)?.chars().count();
        let end = start + self.text.get(span)?.chars().count().clamp(1, width);
        // Half of what the word leaves stands before it.
        let from = start.saturating_sub(width.saturating_sub(end - start) / 2);
        let to = flat.len().min(from + width);
        Some((flat.get(from..to)?.iter().collect(), start - from..end - from))
    }
}
