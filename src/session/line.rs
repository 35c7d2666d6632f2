//! A parsed line: its words, redirection, options and command.

use crate::cli::{self, Options, OwnCommand, UsageError};
use crate::error::Error;
use crate::secret::mask_command;
use crate::shell::{RedirectError, Redirection, redirection};
use crate::syntax::{Command, CommandError, Values, Word, commands, definition, lex, lex_with_values};

/// A command that was typed at the prompt, read from a script, or made from the program's arguments.
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
    /// The command whose result a `let` keeps, with places in the text of the whole.
    pub(crate) kept: Option<Box<Line>>,
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
    /// Reads a command without values for its variables.
    pub(crate) fn parse(text: &str) -> Line {
        Line::with_values(text, &())
    }

    /// Reads a command.
    pub(crate) fn with_values(text: &str, values: &dyn Values) -> Line {
        if let Some(definition) = definition(text) {
            let value = &text[definition.value.clone()];
            // Spaces in the place of what is before it, so that places in it are those in the whole.
            let padded = || format!("{}{value}", " ".repeat(definition.value.start));
            let kept = definition.is_let().then(|| Line::with_values(&padded(), values));
            let (name, line) = (Some(definition.name.to_owned()), vec!["=".to_owned(), value.to_owned()]);
            let command =
                if kept.is_some() { OwnCommand::Let { name, line } } else { OwnCommand::Alias { name, line } };
            let options = kept.as_ref().map(|kept| kept.options.clone()).unwrap_or_default();
            let (text, end, words) = (text.to_owned(), text.len(), Vec::new());
            let command = Ok(cli::Line::Own(command));
            return Line { text, end, redirection: None, words, options, command, kept: kept.map(Box::new) };
        }
        let (command, redirection) = match redirection(text, values) {
            Ok((command, redirection)) => (command, Ok(redirection)),
            Err(error) => (text, Err(LineError::Redirect(error))),
        };
        let lexed = lex_with_values(command, values);
        let texts: Vec<String> = lexed.words.iter().map(|word| word.text.clone()).collect();
        let sign =
            lexed.words.iter().find(|word| takes_effect(word, command)).map(|word| taken_literally(word, command));
        let words = lexed.into_words(command.len()).map_err(|error| LineError::Syntax(error.into()));
        let mut options = Options::default();
        let parsed = sign.map_or_else(|| cli::parse(&texts, &mut options), Err).map_err(LineError::Usage);
        if parsed.is_err() {
            options = Options { errors: options.errors, ..Options::default() };
        }
        let end = command.len();
        let mut line = Line {
            text: text.to_owned(),
            end,
            redirection: None,
            words: Vec::new(),
            options,
            command: parsed,
            kept: None,
        };
        // The first error is reported.
        match redirection.and_then(|redirection| Ok((redirection, words?))) {
            Ok((redirection, words)) => line.take(redirection, words),
            Err(error) => line.command = Err(error),
        }
        line
    }

    /// A command that cannot be read for this reason.
    pub(crate) fn wrong(text: &str, error: UsageError) -> Line {
        Line { command: Err(LineError::Usage(error)), ..Line::parse(text) }
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
                let text = |word: &Word| match word.text.len() {
                    length if (0..length).any(|at| word.is_from_variable(at, &self.text)) => word.text.clone(),
                    _ => self.text[word.span.clone()].to_owned(),
                };
                *statement = words.iter().map(text).collect();
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
        let (end, options) = (text.len(), Options::default());
        Line { end, text, redirection: None, words, options, command: Ok(line), kept: None }
    }

    /// The text without the redirection.
    pub(crate) fn command_text(&self) -> &str {
        &self.text[..self.end]
    }

    /// The name of the API that it calls.
    pub(crate) fn api(&self) -> &str {
        self.words.first().map_or("", |word| &word.text)
    }
}

/// The text of a line for the history: without secrets, except in commands with `-s`.
pub(crate) fn to_keep(text: &str) -> String {
    let shows = |range: &std::ops::Range<usize>| Line::parse(&text[range.clone()]).options.no_secure;
    let commands = commands(text);
    // Where a quote is open, commands cannot be told apart.
    if lex(text).open_quote.is_some() || !commands.iter().any(shows) {
        return mask_command(text);
    }
    let mut kept = String::new();
    let mut at = 0;
    for range in commands {
        let command = &text[range.clone()];
        kept.push_str(&text[at..range.start]);
        kept.push_str(&if shows(&range) { command.to_owned() } else { mask_command(command) });
        at = range.end;
    }
    kept.push_str(&text[at..]);
    kept
}

/// Whether the value of a variable would be an option or a file, which only what was typed can be.
fn takes_effect(word: &Word, line: &str) -> bool {
    let is_named = !line[word.span.clone()]
        .trim_start_matches(['"', '$', '{'])
        .starts_with(|c: char| c.is_ascii_digit() || c == '*');
    word.text.starts_with(['-', '@']) && is_named && word.is_from_variable(0, line)
}

fn taken_literally(word: &Word, line: &str) -> UsageError {
    let sign = &word.text[..1];
    let variable = &line[word.span.clone()];
    UsageError {
        text: format!("the value of {variable} begins with `{sign}`"),
        hint: format!("a value cannot become an option or name a file: type the `{sign}` before {variable}"),
        in_command: true,
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
        let kept = to_keep;
        let line = "LogInByAccount accountName=admin password=hunter2";
        assert_eq!(kept(line), "LogInByAccount accountName=admin password=******");
        assert_eq!(kept(&format!("{line} -s")), format!("{line} -s"));
        assert_eq!(kept("LogInByAccount password='hunter2 -s"), "LogInByAccount password=******");
        assert_eq!(kept(&format!("{line}; {line} -s")), format!("{}; {line} -s", line.replace("hunter2", "******")));
        assert_eq!(
            kept(&format!("let x = {line} | .a; Q")),
            format!("let x = {} | .a; Q", line.replace("hunter2", "******"))
        );
    }
}
