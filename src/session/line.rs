//! A parsed line: its words, redirection, options and command.

use crate::cli::{self, Options, OwnCommand, UsageError};
use crate::error::Error;
use crate::secret::mask_command;
use crate::shell::{RedirectError, Redirection, redirection};
use crate::syntax::{Command, CommandError, Word, lex};

/// A line that was typed at the prompt, read from a script, or made from the program's arguments.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its text.
    pub(crate) text: String,
    /// The byte offset where the command ends and its redirection begins.
    end: usize,
    /// The redirection of the output.
    pub(crate) redirection: Option<Redirection>,
    /// The words of a call; empty for other commands.
    pub(crate) words: Vec<Word>,
    /// The options of the line; of an invalid line only the format of errors.
    pub(crate) options: Options,
    /// The command.
    pub(crate) command: Result<cli::Line, LineError>,
}

/// Why a line cannot be read.
#[derive(Clone, Debug)]
pub(crate) enum LineError {
    Redirect(RedirectError),
    Syntax(CommandError),
    Usage(UsageError),
}

impl From<LineError> for Error {
    fn from(error: LineError) -> Error {
        match error {
            LineError::Redirect(error) => error.into(),
            LineError::Syntax(error) => error.into(),
            LineError::Usage(error) => error.into(),
        }
    }
}

impl Line {
    /// Reads a line of text.
    pub(crate) fn parse(text: &str) -> Line {
        let (command, redirection) = match redirection(text) {
            Ok((command, redirection)) => (command, Ok(redirection)),
            Err(error) => (text, Err(LineError::Redirect(error))),
        };
        let lexed = lex(command);
        let texts: Vec<String> = lexed.words.iter().map(|word| word.text.clone()).collect();
        let words = lexed.into_words(command.len()).map_err(|error| LineError::Syntax(error.into()));
        let mut options = Options::default();
        let parsed = cli::parse(&texts, &mut options).map_err(LineError::Usage);
        if parsed.is_err() {
            options = Options { errors: options.errors, ..Options::default() };
        }
        let end = command.len();
        let mut line =
            Line { text: text.to_owned(), end, redirection: None, words: Vec::new(), options, command: parsed };
        // The first error is reported.
        match redirection.and_then(|redirection| Ok((redirection, words?))) {
            Ok((redirection, words)) => line.take(redirection, words),
            Err(error) => line.command = Err(error),
        }
        line
    }

    fn take(&mut self, redirection: Option<Redirection>, words: Vec<Word>) {
        if let Some(Redirection::Filter(expression)) = &redirection {
            self.options.jq.get_or_insert_with(|| expression.clone());
        }
        match &mut self.command {
            Ok(cli::Line::Call(called)) => self.words = words_of(called, words),
            // SQL has quotes of its own: those around the statement are taken away, and those within it stay.
            Ok(cli::Line::Own(OwnCommand::Sql { statement })) if statement.len() > 1 => {
                let words = words_of(statement, words);
                *statement = words.iter().map(|word| self.text[word.span.clone()].to_owned()).collect();
            }
            _ => {}
        }
        self.redirection = redirection;
    }

    /// The line of the program's arguments. Their options are those of all lines.
    pub(crate) fn of_arguments(line: cli::Line) -> Line {
        let (text, words) = match &line {
            cli::Line::Call(words) => Command::words_from_args(words),
            _ => Default::default(),
        };
        Line { end: text.len(), text, redirection: None, words, options: Options::default(), command: Ok(line) }
    }

    /// The text without the redirection.
    pub(crate) fn command_text(&self) -> &str {
        &self.text[..self.end]
    }

    /// The text for the history: without secrets, unless the line has `-s`.
    pub(crate) fn to_keep(&self) -> String {
        if self.options.no_secure { self.text.clone() } else { mask_command(&self.text) }
    }

    /// The name of the API that it calls.
    pub(crate) fn api(&self) -> &str {
        self.words.first().map_or("", |word| &word.text)
    }
}

/// The words of a call without the options of the line.
fn words_of(called: &[String], words: Vec<Word>) -> Vec<Word> {
    let mut rest = words.into_iter();
    called.iter().filter_map(|text| rest.by_ref().find(|word| word.text == *text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let line = Line::parse("QueryZone -o csv name='a b' > x");
        assert_eq!((line.command_text(), line.api()), ("QueryZone -o csv name='a b' ", "QueryZone"));
        assert_eq!(line.words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["QueryZone", "name=a b"]);
        assert_eq!(line.options.output.as_deref(), Some("csv"));
        assert!(matches!(line.redirection, Some(Redirection::File { append: false, .. })));
        assert_eq!(Line::parse("QueryZone | .a").options.jq.as_deref(), Some(".a"));
    }

    #[test]
    fn a_wrong_line_says_how_to_tell_it() {
        let line = Line::parse("QueryZone --nope --errors json -o csv");
        assert!(matches!(line.command, Err(LineError::Usage(_))));
        let expected = Options { errors: Some(cli::ErrorFormat::Json), ..Options::default() };
        assert_eq!(line.options, expected);
        assert!(matches!(Line::parse("QueryZone 'a").command, Err(LineError::Syntax(_))));
        assert!(matches!(Line::parse("QueryZone >").command, Err(LineError::Redirect(_))));
    }

    #[test]
    fn secrets_are_kept_only_when_told() {
        let kept = |text: &str| Line::parse(text).to_keep();
        let line = "LogInByAccount accountName=admin password=hunter2";
        assert_eq!(kept(line), "LogInByAccount accountName=admin password=******");
        assert_eq!(kept(&format!("{line} -s")), format!("{line} -s"));
        assert_eq!(kept("LogInByAccount password='hunter2 -s"), "LogInByAccount password=******");
    }
}
