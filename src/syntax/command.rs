//! A command: its name and its `name operator value` arguments.

use std::fmt;
use std::io;
use std::ops::Range;

use super::lexer::{LexError, Word, quote_word, split};

/// The operator of an argument or condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    In,
    NotIn,
    Like,
    NotLike,
    IsNull,
    NotNull,
}

impl Operator {
    /// All operators as the user types them.
    pub const TYPED: [(&'static str, Operator); 12] = [
        ("=", Operator::Equal),
        ("!=", Operator::NotEqual),
        (">", Operator::Greater),
        ("<", Operator::Less),
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("?=", Operator::In),
        ("!?=", Operator::NotIn),
        ("~=", Operator::Like),
        ("!~=", Operator::NotLike),
        ("=null", Operator::IsNull),
        ("!=null", Operator::NotNull),
    ];

    /// The longest operator that `text` begins with. The null tests are told from `=` and `!=` by the value,
    /// which only a condition gives that meaning.
    fn at_start_of(text: &str) -> Option<(Operator, usize)> {
        Operator::TYPED
            .iter()
            .filter(|(_, operator)| !matches!(operator, Operator::IsNull | Operator::NotNull))
            .filter(|(typed, _)| text.starts_with(typed))
            .max_by_key(|(typed, _)| typed.len())
            .map(|(typed, operator)| (*operator, typed.len()))
    }

    /// The operator as the user types it.
    pub fn as_typed(self) -> &'static str {
        Operator::TYPED.iter().find(|(_, operator)| *operator == self).map_or("", |(typed, _)| typed)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_typed())
    }
}

/// One `name operator value` word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The parameter or field path.
    pub name: String,
    /// The operator between name and value. `=null` is `Equal` with the value `null`: its meaning depends on whether
    /// the command is a query.
    pub operator: Operator,
    /// The value as typed, or the content of the file that `@FILE` names.
    pub value: String,
    /// Whether the value came from a file.
    pub from_file: bool,
    /// The position of the word in the line.
    pub span: Range<usize>,
    /// The position of the name in the line.
    pub name_span: Range<usize>,
    /// The position of the value in the line.
    pub value_span: Range<usize>,
}

impl Argument {
    fn parse(word: &Word, line: &str) -> Result<Argument, CommandError> {
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let name_len = word.text.find(|c| !is_name(c)).unwrap_or(word.text.len());
        let (name, rest) = word.text.split_at(name_len);
        let Some((operator, length)) = Operator::at_start_of(rest) else {
            return Err(CommandError::NotAnArgument { text: word.text.clone(), span: word.span.clone() });
        };
        if name.is_empty() {
            return Err(CommandError::NoName { span: word.span.clone() });
        }
        let value = &rest[length..];
        // The value of a variable never names a file.
        let is_path = value.starts_with('@') && !word.is_from_variable(name_len + length, line);
        Ok(Argument {
            name: name.to_owned(),
            operator,
            value: if is_path || !value.starts_with('@') { value.to_owned() } else { format!("@{value}") },
            from_file: false,
            span: word.span.clone(),
            name_span: word.span_of(0..name_len),
            value_span: word.span_from(name_len + length),
        })
    }
}

/// A command as typed: a name and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The text that the spans point into.
    pub line: String,
    /// The API's name as typed.
    pub name: String,
    /// The position of the name in the line.
    pub name_span: Range<usize>,
    /// The arguments in the order typed.
    pub arguments: Vec<Argument>,
}

/// Why a line is not a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The line cannot be split into words.
    #[error(transparent)]
    Lex(#[from] LexError),
    /// A word that has no operator.
    #[error("`{text}` is not of the form name=value")]
    NotAnArgument {
        /// The word.
        text: String,
        /// Its position in the line.
        span: Range<usize>,
    },
    /// A word that begins with an operator.
    #[error("a name is missing before the operator")]
    NoName {
        /// Its position in the line.
        span: Range<usize>,
    },
}

impl CommandError {
    /// Where it is wrong, in bytes of the line.
    pub fn span(&self) -> Range<usize> {
        match self {
            CommandError::Lex(error) => error.span(),
            CommandError::NotAnArgument { span, .. } | CommandError::NoName { span } => span.clone(),
        }
    }
}

/// Why the file of an `@FILE` value cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}")]
pub struct FileError {
    /// The file as typed.
    pub path: String,
    /// The position of the value in the line.
    pub span: Range<usize>,
    /// What went wrong.
    pub source: io::Error,
}

impl Command {
    /// A command that nobody typed. Its places point nowhere.
    pub fn of<'a>(name: &str, arguments: impl IntoIterator<Item = (&'a str, Operator, String)>) -> Command {
        let argument = |(name, operator, value): (&str, Operator, String)| Argument {
            name: name.to_owned(),
            operator,
            value,
            from_file: false,
            span: 0..0,
            name_span: 0..0,
            value_span: 0..0,
        };
        let arguments = arguments.into_iter().map(argument).collect();
        Command { line: String::new(), name: name.to_owned(), name_span: 0..0, arguments }
    }

    /// Reads a line; `None` when it holds nothing but blanks and comments.
    ///
    /// # Errors
    /// Where the line cannot be split, or a word after the first is not `name operator value`.
    pub fn parse(line: &str) -> Result<Option<Command>, CommandError> {
        Command::from_words(line, &split(line)?)
    }

    /// Reads words that were split before, with the line that their spans point into.
    ///
    /// # Errors
    /// Where a word after the first is not `name operator value`.
    pub fn from_words(line: &str, words: &[Word]) -> Result<Option<Command>, CommandError> {
        let Some((name, rest)) = words.split_first() else {
            return Ok(None);
        };
        let arguments = rest.iter().map(|word| Argument::parse(word, line)).collect::<Result<_, _>>()?;
        Ok(Some(Command { line: line.to_owned(), name: name.text.clone(), name_span: name.span.clone(), arguments }))
    }

    /// The line and words of a command that the operating system's shell has split already.
    pub fn words_from_args<S: AsRef<str>>(args: &[S]) -> (String, Vec<Word>) {
        let mut line = String::new();
        let mut words = Vec::new();
        for arg in args {
            if !line.is_empty() {
                line.push(' ');
            }
            let start = line.len();
            let quoted = quote_word(arg.as_ref());
            line.push_str(&quoted);
            // The words were just quoted, so splitting cannot fail.
            let mut word = split(&quoted).ok().and_then(|mut words| words.pop()).unwrap_or_else(|| Word::plain("", 0));
            word.shift(start);
            words.push(word);
        }
        (line, words)
    }

    /// Replaces `@FILE` values by what `read` gives for the file (`-` is standard input) and `@@x` by `@x`.
    /// One line end at the end of a file is dropped.
    ///
    /// # Errors
    /// When `read` fails for a file.
    pub fn resolve_files(&mut self, read: &mut dyn FnMut(&str) -> io::Result<String>) -> Result<(), FileError> {
        for argument in &mut self.arguments {
            let Some(path) = argument.value.strip_prefix('@') else { continue };
            if path.starts_with('@') {
                argument.value = path.to_owned();
                continue;
            }
            let mut text = read(path).map_err(|source| FileError {
                path: if path == "-" { "standard input".to_owned() } else { path.to_owned() },
                span: argument.value_span.clone(),
                source,
            })?;
            if text.ends_with('\n') {
                text.pop();
                if text.ends_with('\r') {
                    text.pop();
                }
            }
            argument.value = text;
            argument.from_file = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(text: &str) -> (String, Operator, String) {
        let command = Command::parse(&format!("X '{text}'")).expect("it parses").expect("a command");
        let argument = command.arguments.into_iter().next().expect("an argument");
        (argument.name, argument.operator, argument.value)
    }

    #[test]
    fn the_operator_is_the_first_after_the_name_and_the_longest() {
        use Operator::*;
        for (text, name, operator, value) in [
            ("name=a=b", "name", Equal, "a=b"),
            ("name=~=x", "name", Equal, "~=x"),
            ("name!=a", "name", NotEqual, "a"),
            ("name!?=a,b", "name", NotIn, "a,b"),
            ("name?=", "name", In, ""),
            ("name!~=a", "name", NotLike, "a"),
            ("vmNics.l3Network.name~=a>=b", "vmNics.l3Network.name", Like, "a>=b"),
            ("size>=1", "size", GreaterOrEqual, "1"),
            ("size>1>2", "size", Greater, "1>2"),
            ("size<=1", "size", LessOrEqual, "1"),
            ("size<", "size", Less, ""),
            ("hostUuid=null", "hostUuid", Equal, "null"),
            ("__systemTag__=a::b", "__systemTag__", Equal, "a::b"),
        ] {
            assert_eq!(argument(text), (name.to_owned(), operator, value.to_owned()), "{text}");
        }
    }

    #[test]
    fn words_without_an_operator_or_a_name_are_refused_where_they_stand() {
        let error = Command::parse("QueryZone name").expect_err("no operator");
        assert_eq!(error.span(), 10..14);
        assert!(matches!(Command::parse("QueryZone =x"), Err(CommandError::NoName { .. })));
        assert!(matches!(Command::parse("QueryZone 'a b=c'"), Err(CommandError::NotAnArgument { .. })));
        assert_eq!(Command::parse(" # nothing"), Ok(None));
    }

    #[test]
    fn spans_point_at_name_and_value() {
        let line = "CreateZone name='a b'";
        let command = Command::parse(line).expect("it parses").expect("a command");
        let argument = &command.arguments[0];
        assert_eq!(&line[argument.name_span.clone()], "name");
        assert_eq!(&line[argument.value_span.clone()], "a b'");
    }

    #[test]
    fn arguments_of_the_process_are_not_split_again() {
        let (line, words) = Command::words_from_args(&["QueryZone", "name=a b", "description=it's"]);
        assert_eq!(line, r"QueryZone name='a b' description='it'\''s'");
        let command = Command::from_words(&line, &words).expect("it parses").expect("a command");
        assert_eq!(command.arguments[0].value, "a b");
        assert_eq!(command.arguments[1].value, "it's");
        assert_eq!(&line[command.arguments[1].name_span.clone()], "description");
    }

    #[test]
    fn files_are_read_once_and_a_double_at_sign_is_literal() {
        let mut command = Command::parse("X a=@f b=@@f c=@-").expect("it parses").expect("a command");
        command.resolve_files(&mut |path| Ok(format!("<{path}>\r\n"))).expect("all can be read");
        let values: Vec<&str> = command.arguments.iter().map(|argument| argument.value.as_str()).collect();
        assert_eq!(values, ["<f>", "@f", "<->"]);

        let mut command = Command::parse("X a=@gone").expect("it parses").expect("a command");
        let error = command
            .resolve_files(&mut |_| Err(io::Error::new(io::ErrorKind::NotFound, "no such file")))
            .expect_err("it cannot be read");
        assert_eq!((error.to_string().as_str(), error.span), ("cannot read gone: no such file", 4..9));
    }
}
