//! Pipes and redirections after a command: `| FILTER`, `|! PROGRAM`, `> FILE`, `>> FILE`.

use std::ops::Range;

use crate::syntax::{LexError, Sign, Values, first_sign, lex_with_values, split as split_words};

/// Where a command's output goes instead of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirection {
    /// To a jq expression: the rest of the line, unchanged.
    Filter(String),
    /// To the standard input of a program, which the user's shell runs: the rest of the line, unchanged.
    Program(String),
    /// To a file.
    File {
        /// The path, unquoted.
        path: String,
        /// Whether to append to the file instead of replacing its content.
        append: bool,
    },
}

/// Why a redirection is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// The line cannot be split into words.
    #[error(transparent)]
    Lex(#[from] LexError),
    /// Nothing follows the sign.
    #[error("nothing follows `{sign}`")]
    Missing {
        /// The sign, such as `>>`.
        sign: &'static str,
        /// The sign's position in the line, in bytes.
        span: Range<usize>,
    },
    /// More than one word follows the sign of a file.
    #[error("only a file can follow `{sign}`")]
    TooMuch {
        /// The sign, such as `>>`.
        sign: &'static str,
        /// The position of the first extra word in the line, in bytes.
        span: Range<usize>,
    },
}

impl RedirectError {
    /// Returns the position of the error in the line, in bytes.
    pub fn span(&self) -> Range<usize> {
        match self {
            RedirectError::Lex(error) => error.span(),
            RedirectError::Missing { span, .. } | RedirectError::TooMuch { span, .. } => span.clone(),
        }
    }
}

/// Splits a line into its command and its redirection. `values` stand for the variables in the name of a file.
///
/// # Errors
/// `Lex` where a quote in the command or the file name is not closed, `Missing` and `TooMuch` where a sign is not
/// followed by what it needs.
pub fn redirection<'l>(line: &'l str, values: &dyn Values) -> Result<(&'l str, Option<Redirection>), RedirectError> {
    let Some(Sign { text: sign, span }) = first_sign(line) else {
        return Ok((line, None));
    };
    // What follows a pipe has its own quoting rules, so only the command before it is checked.
    let command = &line[..span.start];
    split_words(command)?;
    let rest = &line[span.end..];
    match sign {
        "|" | "|!" => {
            let text = rest.trim();
            if text.is_empty() {
                return Err(RedirectError::Missing { sign, span });
            }
            let text = text.to_owned();
            Ok((command, Some(if sign == "|" { Redirection::Filter(text) } else { Redirection::Program(text) })))
        }
        _ => {
            let words =
                lex_with_values(rest, values).into_words(rest.len()).map_err(|error| error.shifted(span.end))?;
            match words.as_slice() {
                [] => Err(RedirectError::Missing { sign, span }),
                [path] => Ok((command, Some(Redirection::File { path: path.text.clone(), append: sign == ">>" }))),
                [_, more, ..] => {
                    let at = more.span.start + span.end..more.span.end + span.end;
                    Err(RedirectError::TooMuch { sign, span: at })
                }
            }
        }
    }
}

/// Returns the byte at which the jq expression after `|` starts, if the line has one or none is typed yet.
pub(crate) fn filter_start(line: &str) -> Option<usize> {
    first_sign(line).filter(|sign| sign.text == "|").map(|sign| sign.span.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, append: bool) -> Option<Redirection> {
        Some(Redirection::File { path: path.into(), append })
    }

    #[test]
    fn signs_of_their_own_redirect() {
        let filter = |text: &str| Some(Redirection::Filter(text.into()));
        let program = |text: &str| Some(Redirection::Program(text.into()));
        for (line, command, expected) in [
            ("QueryZone name=a", "QueryZone name=a", None),
            ("QueryZone | .inventories | length", "QueryZone ", filter(".inventories | length")),
            ("QueryZone | .a > 3", "QueryZone ", filter(".a > 3")),
            ("QueryZone | '", "QueryZone ", filter("'")),
            ("QueryZone |! grep 'a b' | wc", "QueryZone ", program("grep 'a b' | wc")),
            ("QueryZone > out.json", "QueryZone ", file("out.json", false)),
            ("QueryZone >> 'my file'", "QueryZone ", file("my file", true)),
            ("QueryZone >out", "QueryZone ", file("out", false)),
            ("QueryVolume size>10 name=a|b", "QueryVolume size>10 name=a|b", None),
            ("QueryZone name='a | b' '>' x", "QueryZone name='a | b' '>' x", None),
            ("zql query volume where size > 10", "zql query volume where size > 10", None),
            ("zql 'query zone' > f", "zql 'query zone' ", file("f", false)),
        ] {
            assert_eq!(redirection(line, &()), Ok((command, expected)), "{line}");
        }
    }

    #[test]
    fn a_sign_needs_what_it_needs() {
        assert_eq!(redirection("QueryZone |", &()), Err(RedirectError::Missing { sign: "|", span: 10..11 }));
        assert_eq!(redirection("QueryZone > ", &()), Err(RedirectError::Missing { sign: ">", span: 10..11 }));
        assert_eq!(redirection("QueryZone > a b", &()), Err(RedirectError::TooMuch { sign: ">", span: 14..15 }));
        assert_eq!(redirection("QueryZone name='a", &()), Ok(("QueryZone name='a", None)));
        assert!(matches!(redirection("QueryZone > 'a", &()), Err(RedirectError::Lex(_))));
    }
}
