//! The program's options and own commands: from words to plain values.
//!
//! An API call is parsed by a small parser that knows the options only; the tree of own commands is built just
//! when one is typed. Both read the same options, before or after the other words.

mod commands;
mod documents;
mod options;

pub use commands::{
    CatalogCommand, ContextCommand, JobCommand, JobLine, LoginWith, OwnCommand, RawLine, SandboxCommand, ServeOptions,
    Shell,
};
pub use documents::manual;
pub use options::{ColorChoice, ErrorFormat, Options};

use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser};

use crate::nearness::closest;

/// What the words of a command line come to.
#[derive(Clone, Debug)]
pub enum Line {
    /// No command: the shell, or commands from standard input.
    Nothing,
    /// An API's name and its arguments, not split again.
    Call(Vec<String>),
    /// One of the program's own commands.
    Own(OwnCommand),
    /// Text that was asked for instead (`--help`, `--version`).
    Text(String),
}

/// Words that cannot be parsed; the text says why, in clap's words.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct UsageError {
    /// What to show, without the word `error:`.
    pub text: String,
    /// What to try instead.
    pub hint: String,
    /// Whether the problem lies in a command's own words rather than the program's options.
    pub in_command: bool,
}

impl UsageError {
    /// An argument that is no text.
    pub fn not_text(argument: &OsStr) -> UsageError {
        UsageError {
            text: format!("an argument is not UTF-8: {}", argument.to_string_lossy()),
            hint: "NAME=@FILE takes a value from a file".to_owned(),
            in_command: false,
        }
    }
}

#[derive(Debug, Parser)]
#[command(
    name = "zstack-cli",
    version,
    about = "The shell with which operators run a ZStack cloud",
    disable_help_subcommand = true,
    override_usage = "zstack-cli [OPTIONS]\n       zstack-cli [OPTIONS] API [name=value ...]\n       zstack-cli [OPTIONS] COMMAND [ARG ...]",
    after_help = AFTER_HELP,
    args_override_self = true,
    max_term_width = 100
)]
struct CallLine {
    #[command(flatten)]
    options: Options,
    /// An API with its arguments, or one of the program's own commands
    #[arg(value_name = "API or COMMAND")]
    words: Vec<String>,
}

#[derive(Debug, Parser)]
#[command(name = "zstack-cli", disable_help_subcommand = true, args_override_self = true, max_term_width = 100)]
struct OwnLine {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: OwnCommand,
}

const AFTER_HELP: &str = "\
Commands:
  help [API|TOPIC]                      what an API takes and returns; topics
  login, logout                         open and close a session (the password is asked for)
  context list|use|set|show|delete      saved nodes, accounts and preferences
  job list|show|wait                    asynchronous jobs that this machine submitted
  more [N], save N[,N...] [FILE|DIR]    earlier results: show them, write them to files
  history [COUNT]                       the commands typed before
  set [NAME [VALUE]]                    settings of the shell
  run FILE                              commands from a file
  capacity                              how full hosts, primary and backup storages are
  raw METHOD PATH [BODY]                any request to the node
  zql QUERY                             a statement of the node's query language ZQL
  catalog list|show|version             what the program knows of the APIs
  sandbox serve|reset|seed|path         a management node of your own, for trying and testing
  completions bash|zsh|fish, man        completion scripts; the manual page
  complete LINE                         what Tab would offer at the end of LINE
  exit, quit                            leave the shell

Without a command: the interactive shell on a terminal, else one command per line from standard input.

Examples:
  zstack-cli --sandbox QueryBackupStorage
  zstack-cli QueryVmInstance state=Running vmNics.ip~=10.% --columns name,vmNics.ip
  zstack-cli -o json CreateZone name=lab

Environment:
  ZSTACK_URL, ZSTACK_HOST, ZSTACK_PORT, ZSTACK_CONTEXT       which node
  ZSTACK_PASSWORD, ZSTACK_SESSION_UUID                       how to log in
  ZSTACK_ACCESS_KEY_ID, ZSTACK_ACCESS_KEY_SECRET             or how to sign
  ZSTACK_OUTPUT, ZSTACK_ERRORS                               the formats of results and of errors
  ZSTACK_CLI_HOME                                            one directory for all files of the program
  NO_COLOR, PAGER, LESS, http_proxy, https_proxy, no_proxy   as usual
An option beats the environment, the environment beats a context.

Exit codes: 0 done, 1 wrong command, 2 wrong options or configuration or no room for the output,
3 the node says it failed, 4 no usable answer, 5 not logged in, 6 outcome of a job unknown,
7 nothing found (--fail-empty), 70 a bug in the program, 130 interrupted.";

/// Parses the words of a command line. `options` are what holds without them, such as the options that the
/// program was started with.
///
/// # Errors
/// [`UsageError`] when an option or an own command is not understood; `options` say then how to tell it.
pub fn parse(words: &[String], options: &mut Options) -> Result<Line, UsageError> {
    let parsed = parse_words(words, options);
    if parsed.is_err() {
        options.errors = errors_among(words).or(options.errors);
    }
    parsed
}

/// How errors are to be written, whatever is wrong with the other words.
pub fn errors_among<S: AsRef<str>>(words: &[S]) -> Option<ErrorFormat> {
    let mut words = words.iter().map(AsRef::as_ref).take_while(|word| *word != "--");
    let mut last = None;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--errors") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        last = value.and_then(ErrorFormat::of_name).or(last);
    }
    last
}

fn parse_words(words: &[String], options: &mut Options) -> Result<Line, UsageError> {
    // The commonest call costs no parser at all.
    if words.is_empty() {
        return Ok(Line::Nothing);
    }
    if let [only] = words
        && (only == "--version" || only == "-V")
    {
        return Ok(Line::Text(concat!("zstack-cli ", env!("CARGO_PKG_VERSION"), "\n").to_owned()));
    }
    let words = &joined(words)[..];
    let argv = || std::iter::once("zstack-cli".to_owned()).chain(words.iter().cloned());
    // Which word comes first is looked into only where one can be meant, since that takes the options' descriptions.
    let is_own = words.iter().any(|word| OwnCommand::NAMES.contains(&word.as_str()))
        && first_word(words).is_some_and(|word| OwnCommand::NAMES.contains(&word));
    if is_own {
        // Its help tells of what is its own; the program's options have a page of theirs.
        let mut command = OwnLine::command().mut_args(|argument| argument.hide(true));
        let matches = match command.try_get_matches_from_mut(argv()) {
            Ok(matches) => matches,
            Err(error) => return refused(&error, true),
        };
        // An option stands on the command behind which it was typed.
        let mut level = Some(&matches);
        while let Some(here) = level {
            options.add(Options::from_arg_matches(here).map_err(|error| usage(&error, true))?);
            level = here.subcommand().map(|(_, next)| next);
        }
        let parsed = OwnLine::from_arg_matches(&matches).map_err(|error| usage(&error, true))?;
        return Ok(Line::Own(parsed.command));
    }
    let mut command = CallLine::command();
    let mut matches = match command.try_get_matches_from_mut(argv()) {
        Ok(matches) => matches,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return match first_word(words) {
                Some(api) => Ok(api_help(api, words, options)),
                None => refused(&error, false),
            };
        }
        Err(error) => return refused(&error, false),
    };
    options.add(Options::from_arg_matches(&matches).map_err(|error| usage(&error, false))?);
    let words: Vec<String> = matches.remove_many("words").map(Iterator::collect).unwrap_or_default();
    Ok(if words.is_empty() { Line::Nothing } else { Line::Call(words) })
}

/// `API … --help` is `help API`. The other options count as far as they are understood.
fn api_help(api: &str, words: &[String], options: &mut Options) -> Line {
    let rest = words.iter().map(String::as_str).filter(|word| !matches!(*word, "-h" | "--help"));
    let matches = CallLine::command().try_get_matches_from(std::iter::once("zstack-cli").chain(rest));
    if let Ok(typed) = matches.and_then(|matches| Options::from_arg_matches(&matches)) {
        options.add(typed);
    }
    Line::Own(OwnCommand::Help { subject: vec![api.to_owned()] })
}

/// The words with the value of `--watch`, which may be left out, tied to its name: a number behind it is its value,
/// another word is not. In `set sort-by -name` the last word is a column.
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
    joined
}

fn refused(error: &clap::Error, in_command: bool) -> Result<Line, UsageError> {
    if error.use_stderr() { Err(usage(error, in_command)) } else { Ok(Line::Text(error.render().to_string())) }
}

/// What is said of an option that people know from the original program, or take it to have, and that there is not.
fn not_offered(option: &str) -> Option<UsageError> {
    let (what, hint) = match option {
        "-d" | "--deploy" | "-t" | "--template" => (
            "deploying a cloud from an XML file is not offered",
            "`zstack-cli run FILE` runs a script of commands, such as `CreateZone name=lab`",
        ),
        "-D" | "--dump" => (
            "dumping a cloud to an XML file is not offered",
            "queries tell what there is, such as `zstack-cli -o json QueryZone`",
        ),
        "-P" | "--password" => (
            "deploying from XML files and dumping to them, which this password was for, are not offered",
            "`zstack-cli login` asks for the password; ZSTACK_PASSWORD tells it to scripts",
        ),
        "-j" | "--json" => ("there is no such option", "`-o json` prints JSON; it is the default in pipes and scripts"),
        _ => return None,
    };
    Some(UsageError { text: format!("{option}: {what}"), hint: hint.to_owned(), in_command: false })
}

fn usage(error: &clap::Error, in_command: bool) -> UsageError {
    if let (ErrorKind::UnknownArgument, Some(ContextValue::String(option))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
        && let Some(told) = not_offered(option).filter(|_| !in_command)
    {
        return told;
    }
    // An option is one wherever it stands, behind an own command too.
    let is_option = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(name)) => name.starts_with('-'),
        Some(ContextValue::Strings(names)) => names.iter().all(|name| name.starts_with('-')),
        _ => false,
    };
    let in_option = is_option(ContextKind::InvalidArg) || is_option(ContextKind::PriorArg);
    let rendered = error.render().to_string();
    let text = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let commands = rendered.lines().skip_while(|line| *line != "Commands:").skip(1);
            let names = commands.map_while(|line| line.split_whitespace().next());
            format!("the word that is to follow is missing: one of {}", names.collect::<Vec<_>>().join(", "))
        }
        // Whoever types a second word there means a password, which is not repeated.
        ErrorKind::UnknownArgument if !in_option && rendered.contains("Usage: zstack-cli login ") => {
            "login takes one name; the password is asked for, or read from standard input".to_owned()
        }
        // What follows the first paragraph are tips and usage.
        _ => rendered.trim().trim_start_matches("error: ").split("\n\n").next().unwrap_or_default().to_owned(),
    };
    UsageError { text, hint: usage_hint(error, &rendered), in_command: in_command && !in_option }
}

/// A name that is much like the wrong one, or else where the right ones stand.
fn usage_hint(error: &clap::Error, rendered: &str) -> String {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        // The nearest is the last.
        Some(ContextValue::Strings(texts)) => texts.last().map(String::as_str),
        _ => None,
    };
    let near = [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
        (ContextKind::InvalidSubcommand, ContextKind::SuggestedSubcommand),
    ]
    .into_iter()
    .find_map(|(wrong, right)| closest(text(wrong)?, [text(right)?]));
    if let Some(near) = near {
        return format!("did you mean `{near}`?");
    }
    let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or("zstack-cli");
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
    let command: Vec<&str> = usage.split(' ').take_while(is_word).collect();
    format!("`{} --help` tells more", command.join(" "))
}

/// The first word that is neither an option nor the value of one.
fn first_word(words: &[String]) -> Option<&str> {
    let mut options = clap::Command::new("options");
    options = Options::augment_args(options);
    let takes_value = |name: &str| {
        options.get_arguments().any(|argument| {
            let named = match name.strip_prefix("--") {
                Some(long) => {
                    argument.get_long() == Some(long)
                        || argument.get_all_aliases().is_some_and(|aliases| aliases.contains(&long))
                }
                None => argument.get_short() == name.chars().nth(1),
            };
            named && argument.get_action().takes_values() && !argument.is_require_equals_set()
        })
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--" => return words.next().map(String::as_str),
            "-" => return Some("-"),
            option if option.starts_with('-') => {
                let bare_short = !option.starts_with("--") && option.chars().count() == 2;
                let bare_long = option.starts_with("--") && !option.contains('=');
                if (bare_short || bare_long) && takes_value(option) {
                    words.next();
                }
            }
            other => return Some(other),
        }
    }
    None
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
    fn the_names_of_own_commands_are_those_of_the_parser() {
        let mut known: Vec<String> =
            OwnLine::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        known.sort();
        let names: Vec<&str> = OwnCommand::NAMES.iter().copied().filter(|name| *name != "?").collect();
        assert_eq!(known, names);
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
        let Line::Text(help) = parsed("--help").0 else { panic!("a text") };
        for option in ["--curl-example", "--no-secure", "--fail-empty", "--columns", "--cacert", "--jq"] {
            assert!(help.contains(option), "{option}");
        }
        let commands = help.split("Commands:").nth(1).expect("a list of commands");
        for name in OwnCommand::NAMES.iter().filter(|name| **name != "?") {
            assert!(commands.contains(&format!(" {name}")), "{name}");
        }
        assert!(matches!(parsed("--version").0, Line::Text(text) if text.starts_with("zstack-cli ")));
    }
}
