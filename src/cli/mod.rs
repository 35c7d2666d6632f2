//! Parses the program's options and own commands into plain values.
//!
//! An API call is parsed with a small parser that has only the options. The tree of own commands is built only when one
//! is typed. Both parsers accept the same options, before or after the other words.

mod commands;
mod documents;
mod options;
mod tree;
mod usage;
mod values;

pub use commands::{
    CatalogCommand, ContextCommand, EachLine, InspectLine, JobCommand, JobLine, LoginWith, MetricsLine, OwnCommand,
    RawLine, RehearseLine, SandboxCommand, ServeOptions, Shell, TopOf, Weight,
};
pub use documents::manual;
pub use options::Options;
pub(crate) use tree::{Argument, Entry, Takes, command_called, program};
pub(crate) use values::Lookup;

pub use crate::config::{ColorChoice, ErrorFormat};

use std::borrow::Cow;
use std::ffi::OsStr;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::catalog::Catalog;
use crate::config::VARIABLES;
use crate::language::Language;
use crate::render::wrapped;

use tree::way;
use usage::usage;

/// The result of parsing a command line.
#[derive(Clone, Debug)]
pub enum Line {
    /// No command: start the shell, or read commands from standard input.
    Nothing,
    /// The name of an API and its arguments; these are not parsed here.
    Call(Vec<String>),
    /// One of the program's own commands.
    Own(OwnCommand),
    /// A text to print instead of running anything (`--version`).
    Text(String),
    /// These words ask for help, which [`help`] has.
    Help(Vec<String>),
}

/// A command line that cannot be parsed, with clap's message.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct UsageError {
    /// The message, without the prefix `error:`.
    pub text: String,
    /// What to try instead.
    pub hint: String,
    /// Whether the error is in a command's arguments, not in the program's options.
    pub in_command: bool,
}

impl UsageError {
    /// Returns the error for an argument that is not valid UTF-8.
    pub fn not_text(argument: &OsStr) -> UsageError {
        UsageError {
            text: format!("an argument is not UTF-8: {}", argument.to_string_lossy()),
            hint: "NAME=@FILE takes a value from a file".to_owned(),
            in_command: false,
        }
    }
}

/// The program's description in its help.
const ABOUT: &str = "The shell with which operators run a ZStack cloud";

/// The forms of the usage line.
const FORMS: [&str; 3] = ["[OPTIONS]", "[OPTIONS] API [name=value ...]", "[OPTIONS] COMMAND [ARG ...]"];

#[derive(Debug, Parser)]
#[command(
    name = "zstack-cli",
    version,
    about = ABOUT,
    disable_help_subcommand = true,
    override_usage = FORMS.map(|form| format!("zstack-cli {form}")).join("\n       "),
    disable_help_flag = true,
    args_override_self = true
)]
struct CallLine {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    help: Help,
    /// An API with its arguments, or a command
    #[arg(value_name = "API or COMMAND")]
    words: Vec<String>,
}

#[derive(Debug, Parser)]
#[command(
    name = "zstack-cli",
    version,
    disable_help_subcommand = true,
    disable_help_flag = true,
    args_override_self = true
)]
struct OwnLine {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    help: Help,
    #[command(subcommand)]
    command: OwnCommand,
}

/// The option `--help`. Its text is the same in both forms, a line for each option.
#[derive(Args, Debug)]
struct Help {
    /// Print help
    #[arg(short, long, action = ArgAction::HelpShort, global = true)]
    help: Option<bool>,
}

/// Returns the names of all own commands.
pub fn command_names() -> Vec<&'static str> {
    program().commands().map(Entry::name).collect()
}

/// Returns the part of the program's help that follows the options.
fn after_help(language: Language, width: usize) -> String {
    let say = |text: &str| language.say(text).into_owned();
    let rows: Vec<(String, String)> =
        program().commands().map(|command| (command.form(), say(&command.summary()))).collect();
    let variables: Vec<(String, String)> =
        VARIABLES.iter().map(|(names, purpose)| (names.join(", "), say(purpose))).collect();
    let [examples, precedence] = [EXAMPLES, PRECEDENCE].map(|text| {
        let lines = text.split('\n').flat_map(|line| match line.starts_with(' ') {
            true => vec![line.to_owned()],
            false => wrapped(&language.say(line), width),
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    let (commands, variables) = (lines(&rows, width), lines(&variables, width));
    format!("Commands:\n{commands}\n{examples}\n\nEnvironment:\n{variables}{precedence}")
}

/// The width of help where no narrower terminal shows it.
pub const HELP_WIDTH: usize = 100;

/// Returns the help that the words of a line ask for, for a terminal of that width.
pub fn help(words: &[String], language: Language, width: Option<usize>) -> String {
    let width = width.unwrap_or(HELP_WIDTH).min(HELP_WIDTH);
    let argv = std::iter::once("zstack-cli").chain(words.iter().map(String::as_str));
    let rendered = if way(words).path.is_empty() {
        let program = translated(CallLine::command(), language).term_width(width);
        program.after_help(after_help(language, width)).render_help().to_string()
    } else {
        let asked = translated(own_command(), language).term_width(width).try_get_matches_from(argv);
        asked.err().map(|error| error.render().to_string()).unwrap_or_default()
    };
    match language {
        Language::English => rendered,
        _ => {
            let labels =
                LABELS.iter().fold(rendered, |text, label| text.replace(label, &language.say(label.trim_end())));
            labels.replace(":\n", "：\n")
        }
    }
}

/// What the parser itself writes in help.
const LABELS: [&str; 10] = [
    "Print version",
    "Usage:",
    "Arguments:",
    "Options:",
    "Commands:",
    "Examples:",
    "Environment:",
    "[possible values: ",
    "[default: ",
    "[alias: ",
];

/// Returns a command with its texts in a language.
fn translated(command: Command, language: Language) -> Command {
    if language == Language::English {
        return command;
    }
    let say = |text: Option<&StyledStr>| language.say(&text.map(ToString::to_string).unwrap_or_default()).into_owned();
    let about = say(command.get_about());
    let command = command.about(about).mut_subcommands(|command| translated(command, language));
    command.mut_args(|argument| {
        let help = say(argument.get_help());
        match argument.get_help_heading().map(|heading| language.tell(heading.to_owned().into())) {
            Some(Cow::Borrowed(heading)) => argument.help(help).help_heading(heading),
            _ => argument.help(help),
        }
    })
}

/// Returns the parser of own commands. The help of a command lists only its own options; those of the program have a
/// page of their own.
fn own_command() -> Command {
    OwnLine::command().mut_args(|argument| {
        let is_help = argument.get_id() == "help";
        argument.hide(!is_help)
    })
}

/// Formats rows of two columns, indented. A left cell that is much wider than others has a line of its own.
fn lines(rows: &[(String, String)], width: usize) -> String {
    const WIDEST: usize = 26;
    let column = rows.iter().map(|(left, _)| left.len()).max().unwrap_or_default().min(WIDEST);
    let mut out = String::new();
    for (left, right) in rows {
        let is_wide = left.len() > column;
        if is_wide {
            out.push_str(&format!("  {left}\n"));
        }
        for (nth, part) in wrapped(right, width.saturating_sub(column + 4)).iter().enumerate() {
            let left = if nth > 0 || is_wide { "" } else { left };
            out.push_str(&format!("  {left:<column$}  {part}\n"));
        }
    }
    out
}

const EXAMPLES: &str = "\
Without a command: the interactive shell on a terminal, else one command per line from standard input.

Examples:
  zstack-cli --sandbox QueryBackupStorage
  zstack-cli QueryVmInstance state=Running --columns name,vmNics.ip
  zstack-cli -o json CreateZone name=lab";

const PRECEDENCE: &str = "\
Options override the environment, and the environment overrides the context.

Exit codes: 0 success, 1 wrong command, 2 wrong options or configuration, or the output cannot be written, \
3 the node reports a failure, 4 no usable answer, 5 not logged in, 6 outcome of an action unknown, \
7 no rows found (--fail-empty), 8 findings (--fail-on), 70 a bug in the program, 130 interrupted.";

/// Parses the words of a command line. `options` holds the defaults, such as the options that the program was started
/// with; options of the line are added to it.
///
/// # Errors
/// [`UsageError`] when an option or an own command cannot be parsed. `options` then still has the options that say how
/// to report it.
pub fn parse(words: &[String], options: &mut Options) -> Result<Line, UsageError> {
    let parsed = parse_words(words, options);
    if parsed.is_err() {
        options.errors = errors_among(words).or(options.errors);
    }
    parsed
}

/// Returns the error format among the words, even if other words are wrong.
pub fn errors_among<S: AsRef<str>>(words: &[S]) -> Option<ErrorFormat> {
    let mut words = words.iter().map(AsRef::as_ref).take_while(|word| *word != "--");
    let mut last = None;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--errors") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        last = value.and_then(ErrorFormat::from_name).or(last);
    }
    last
}

/// The program's name and version, a line.
const VERSION: &str = concat!("zstack-cli ", env!("CARGO_PKG_VERSION"), "\n");

/// Returns the version, the commit that it was built from and the ZStack versions of the catalog.
fn long_version() -> String {
    let mut known = Catalog::versions();
    let newest = known.next().unwrap_or_default();
    let oldest = known.last().unwrap_or(newest);
    let commit = match env!("ZSTACK_CLI_COMMIT") {
        "" => "a build for development".to_owned(),
        commit => format!("commit {commit}"),
    };
    format!("{VERSION}{commit}\nZStack {oldest} to {newest}\n")
}

fn parse_words(words: &[String], options: &mut Options) -> Result<Line, UsageError> {
    // The most common call needs no parser at all.
    if words.is_empty() {
        return Ok(Line::Nothing);
    }
    match words {
        [only] if only == "-V" => return Ok(Line::Text(VERSION.to_owned())),
        [only] if only == "--version" => return Ok(Line::Text(long_version())),
        _ => {}
    }
    let words = &joined(words)[..];
    let argv = || std::iter::once("zstack-cli".to_owned()).chain(words.iter().cloned());
    // The first word is only determined where an own command is possible, as that needs the whole tree.
    let is_own = words.iter().any(|word| OwnCommand::has_subcommand(word))
        && way(words).first.is_some_and(OwnCommand::has_subcommand);
    if is_own {
        let mut command = own_command();
        let failed = |error: clap::Error| refused(&error, words);
        let matches = match command.try_get_matches_from_mut(argv()) {
            Ok(matches) => matches,
            Err(error) => return failed(error),
        };
        // An option belongs to the subcommand level at which it was typed.
        let mut level = Some(&matches);
        while let Some(here) = level {
            match Options::from_arg_matches(here) {
                Ok(typed) => options.add(typed),
                Err(error) => return failed(error),
            }
            level = here.subcommand().map(|(_, next)| next);
        }
        return match OwnLine::from_arg_matches(&matches) {
            Ok(parsed) => Ok(Line::Own(parsed.command)),
            Err(error) => failed(error),
        };
    }
    let mut command = CallLine::command();
    let mut matches = match command.try_get_matches_from_mut(argv()) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Ok(match way(words).first {
                Some(api) => api_help(api, words, options),
                None => Line::Help(words.to_vec()),
            });
        }
        Err(error) => return refused(&error, words),
    };
    let typed = Options::from_arg_matches(&matches);
    options.add(typed.map_err(|error| usage(&error, &way(words)))?);
    let words: Vec<String> = matches.remove_many("words").map(Iterator::collect).unwrap_or_default();
    Ok(if words.is_empty() { Line::Nothing } else { Line::Call(words) })
}

/// `API … --help` is the same as `help API`. Other options count as far as they can be parsed.
fn api_help(api: &str, words: &[String], options: &mut Options) -> Line {
    let rest = words.iter().map(String::as_str).filter(|word| !matches!(*word, "-h" | "--help"));
    let matches = CallLine::command().try_get_matches_from(std::iter::once("zstack-cli").chain(rest));
    if let Ok(typed) = matches.and_then(|matches| Options::from_arg_matches(&matches)) {
        options.add(typed);
    }
    Line::Own(OwnCommand::Help { subject: vec![api.to_owned()] })
}

/// Joins the optional value of `--watch` to its name: a number after it is its value, any other word is not. In `set
/// sort-by -name` the last word is a column, not an option. Behind `each`, `-p` is not the port.
fn joined(words: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::with_capacity(words.len());
    let mut is_option = true;
    for word in words {
        match joined.last_mut() {
            Some(last) if is_option && last == "--watch" && word.parse::<f64>().is_ok() => {
                last.push('=');
                last.push_str(word);
            }
            _ => joined.push(word.clone()),
        }
        is_option &= word != "--";
    }
    if is_option
        && let Some(at) = joined.windows(2).position(|pair| pair == ["set", "sort-by"])
        && joined.get(at + 2).is_some_and(|word| word.len() > 2 && word.starts_with('-') && !word.starts_with("--"))
    {
        let column = joined.remove(at + 2);
        joined.extend(["--".to_owned(), column]);
    }
    if way(words).path == ["each"]
        && let Some(at) = joined.iter().position(|word| word == "each")
    {
        for word in joined.iter_mut().skip(at).take_while(|word| *word != "--") {
            match word.strip_prefix("-p") {
                Some("") => "--parallel".clone_into(word),
                Some(number) => *word = format!("--parallel={}", number.trim_start_matches('=')),
                None => {}
            }
        }
    }
    joined
}

fn refused(error: &clap::Error, words: &[String]) -> Result<Line, UsageError> {
    if error.use_stderr() { Err(usage(error, &way(words))) } else { Ok(Line::Help(words.to_vec())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (Line, Options) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut options = Options::default();
        let line = parse(&words, &mut options).unwrap_or_else(|error| panic!("{line}: {error}"));
        (line, options)
    }

    fn call(line: &str) -> (Vec<String>, Options) {
        match parsed(line) {
            (Line::Call(words), options) => (words, options),
            (other, _) => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_before_and_after_the_api() {
        let (words, options) = call("-o json QueryZone --page-size 5 name=a -H h -p 81 --no-wait");
        assert_eq!(words, ["QueryZone", "name=a"]);
        assert_eq!(options.output.as_deref(), Some("json"));
        assert_eq!((options.page_size, options.host.as_deref(), options.port), (Some(5), Some("h"), Some(81)));
        assert!(options.no_wait);
        let (words, options) = call("QueryZone -- --sandbox");
        assert_eq!(words, ["QueryZone", "--sandbox"]);
        assert!(!options.sandbox);
        assert!(call("X --curl").1.curl_example && call("X -c").1.curl_example);
    }

    #[test]
    fn the_seconds_of_watch_may_be_left_out() {
        let watch = |line: &str| {
            let (words, options) = call(line);
            (words.join(" "), options.watch.map(|time| time.as_millis()))
        };
        assert_eq!(watch("QueryZone --watch"), ("QueryZone".to_owned(), Some(2000)));
        assert_eq!(watch("--watch QueryZone"), ("QueryZone".to_owned(), Some(2000)));
        assert_eq!(watch("--watch 5 QueryZone name=a"), ("QueryZone name=a".to_owned(), Some(5000)));
        assert_eq!(watch("QueryZone --watch=0.5"), ("QueryZone".to_owned(), Some(500)));
        assert_eq!(watch("QueryZone -- --watch 5"), ("QueryZone --watch 5".to_owned(), None));
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for line in ["QueryZone --watch 0", "QueryZone --watch=x", "QueryZone --watch -1"] {
            assert!(parse(&words(line), &mut Options::default()).is_err(), "{line}");
        }
    }

    #[test]
    fn own_commands_take_the_same_options() {
        let (Line::Own(OwnCommand::Context(ContextCommand::Set { name, .. })), options) =
            parsed("context set prod --url https://h/zstack -q")
        else {
            panic!("a context command")
        };
        assert_eq!((name.as_str(), options.url.as_deref(), options.quiet), ("prod", Some("https://h/zstack"), true));
        let (Line::Own(OwnCommand::Sandbox(SandboxCommand::Serve(serve))), options) =
            parsed("--verbose sandbox serve --port 8080 --fault slow")
        else {
            panic!("a sandbox command")
        };
        assert_eq!((serve.bind.as_str(), options.port, options.verbose), ("127.0.0.1", Some(8080), true));
        assert!(matches!(parsed("--context help QueryZone").0, Line::Call(_)));
        assert!(
            matches!(parsed("job 0b5c -q").0, Line::Own(OwnCommand::Job(job)) if job.uuid.as_deref() == Some("0b5c"))
        );
    }

    #[test]
    fn options_of_the_program_hold_for_a_line_that_names_others() {
        let mut options = Options { output: Some("csv".to_owned()), sandbox: true, ..Options::default() };
        parse(&["QueryZone".to_owned(), "--no-header".to_owned()], &mut options).expect("it parses");
        assert_eq!((options.output.as_deref(), options.sandbox, options.no_header), (Some("csv"), true, true));
        parse(&["QueryZone".to_owned(), "-o".to_owned(), "json".to_owned()], &mut options).expect("it parses");
        assert_eq!(options.output.as_deref(), Some("json"));
    }

    #[test]
    fn wrong_options_are_refused() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for line in ["--nope", "-o", "QueryZone --page-size 0", "--port x QueryZone", "login --nope", "job list -p x"] {
            assert!(!parse(&words(line), &mut Options::default()).expect_err(line).in_command, "{line}");
        }
        assert!(parse(&words("context frob"), &mut Options::default()).expect_err("unknown").in_command);
    }

    #[test]
    fn help_fits_80_columns_and_names_every_option() {
        let Line::Help(words) = parsed("--help").0 else { panic!("a text") };
        let help = super::help(&words, Language::English, Some(80));
        for line in help.lines() {
            assert!(line.len() <= 80, "{line}");
        }
        for option in ["--curl-example", "--no-secure", "--fail-empty", "--columns", "--cacert", "--jq"] {
            assert!(help.contains(option), "{option}");
        }
        let commands = help.split("Commands:").nth(1).expect("a list of commands");
        for name in command_names() {
            assert!(commands.contains(&format!(" {name}")), "{name}");
        }
        assert!(matches!(parsed("--version").0, Line::Text(text) if text.starts_with("zstack-cli ")));
    }
}
