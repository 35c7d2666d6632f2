//! The tree of commands and options as the parser has it, for help, the manual page and completion.

use std::sync::LazyLock;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory, ValueHint};

use super::OwnLine;
use super::values::Lookup;

/// Options and own commands, made on first use. `Command::build` would copy the options of the program into every
/// command, which takes longer than the rest of a Tab of a Unix shell.
static PROGRAM: LazyLock<Command> = LazyLock::new(OwnLine::command);

/// The program, or one of its own commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry(&'static Command);

/// An option or a positional argument of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argument(&'static Arg);

/// The allowed values of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Any text.
    Any,
    /// A file or folder.
    File,
    /// One of these names, each with its description.
    OneOf(Vec<(String, String)>),
    /// A name that completion looks up.
    Lookup(Lookup),
}

/// Returns the program itself, with its options and own commands.
pub(crate) fn program() -> Entry {
    Entry(&PROGRAM)
}

/// Returns the own command with this path of names, such as `job list`.
pub(crate) fn command_called<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Entry> {
    let mut here = program();
    for word in words {
        here = here.command(word)?;
    }
    Some(here)
}

/// The command that the words of a line name.
pub(super) struct Way<'w> {
    /// The first word that is neither an option nor the value of one.
    pub(super) first: Option<&'w str>,
    /// The names of the own command, outermost first; empty where the first word is not one.
    pub(super) path: Vec<&'static str>,
    /// The own command, or the program where there is none.
    pub(super) entry: Entry,
}

/// Finds the command that the words of a line name.
pub(super) fn way(words: &[String]) -> Way<'_> {
    let mut way = Way { first: None, path: Vec::new(), entry: program() };
    let mut options_end = false;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if !options_end && word.len() > 1 && word.starts_with('-') {
            options_end = word == "--";
            if way.entry.option(word).is_some_and(Argument::takes_next_word) {
                words.next();
            }
            continue;
        }
        way.first = way.first.or(Some(word));
        match way.entry.command(word) {
            Some(command) => {
                way.entry = command;
                way.path.push(command.name());
            }
            None => break,
        }
    }
    way
}

impl Entry {
    /// Returns the name.
    pub(crate) fn name(self) -> &'static str {
        self.0.get_name()
    }

    /// Returns the description in one line.
    pub(crate) fn summary(self) -> String {
        text(self.0.get_about())
    }

    /// Returns the subcommands in the order of their definition.
    pub(crate) fn commands(self) -> impl Iterator<Item = Entry> {
        self.0.get_subcommands().map(Entry)
    }

    /// Returns the subcommand of that name.
    pub(crate) fn command(self, name: &str) -> Option<Entry> {
        self.0.find_subcommand(name).map(Entry)
    }

    /// Returns the positional arguments.
    pub(crate) fn words(self) -> impl Iterator<Item = Argument> {
        self.0.get_positionals().map(Argument)
    }

    /// Returns the command's own options, without those of the program, which every command accepts.
    pub(crate) fn options(self) -> impl Iterator<Item = Argument> {
        self.0.get_arguments().filter(|argument| !argument.is_positional()).map(Argument)
    }

    /// Returns the option of that name, short or long, of the command or of the program.
    pub(crate) fn option(self, name: &str) -> Option<Argument> {
        self.options().chain(program().options()).find(|option| option.names().any(|known| known == name))
    }

    /// Returns the usage: a line for each form and option, each with its description.
    pub(crate) fn usage(self, path: &str) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let words: Vec<String> = self.words().map(Argument::shown).collect();
        let is_group = self.commands().next().is_some();
        if !is_group || !words.is_empty() {
            let form = format!("{path} {}", words.join(" "));
            rows.push((form.trim_end().to_owned(), self.summary()));
            let options = self.options().map(|option| (format!("    {}", option.shown()), option.described()));
            rows.extend(options);
        }
        for command in self.commands() {
            rows.extend(command.usage(&format!("{path} {}", command.name())));
        }
        rows
    }

    /// Returns the usage like [`Entry::usage`], in one line: `context list|use|set`.
    pub(crate) fn form(self) -> String {
        let commands: Vec<&str> = self.commands().map(Entry::name).collect();
        let words = self.words().map(Argument::shown);
        let rest: Vec<String> = if commands.is_empty() { words.collect() } else { vec![commands.join("|")] };
        format!("{} {}", self.name(), rest.join(" ")).trim_end().to_owned()
    }
}

impl Argument {
    /// Returns the option's names with their dashes, the short one first.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        let long = self.0.get_long_and_visible_aliases().unwrap_or_default().into_iter();
        let short = self.0.get_short().map(|short| format!("-{short}"));
        short.into_iter().chain(long.map(|long| format!("--{long}")))
    }

    /// Returns the description.
    pub(crate) fn summary(self) -> String {
        text(self.0.get_help())
    }

    /// Returns the description and the allowed values.
    pub(crate) fn described(self) -> String {
        match self.takes() {
            Takes::OneOf(values) if !self.0.is_hide_possible_values_set() => {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                format!("{} [{}]", self.summary(), names.join(" | "))
            }
            _ => self.summary(),
        }
    }

    /// Whether the argument may be repeated; only the last argument of a command may.
    pub(crate) fn is_several(self) -> bool {
        self.0.get_num_args().is_some_and(|range| range.max_values() > 1)
    }

    /// Whether the word after this option is its value.
    pub(crate) fn takes_next_word(self) -> bool {
        self.takes_value() && !self.0.is_require_equals_set()
    }

    /// Returns the allowed values.
    pub(crate) fn takes(self) -> Takes {
        if !self.takes_value() {
            return Takes::Any;
        }
        if let Some(lookup) = Lookup::of(self.0) {
            return Takes::Lookup(lookup);
        }
        let values = self.0.get_possible_values();
        if !values.is_empty() {
            let pair = |value: &clap::builder::PossibleValue| (value.get_name().to_owned(), text(value.get_help()));
            return Takes::OneOf(values.iter().map(pair).collect());
        }
        match self.0.get_value_hint() {
            ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => Takes::File,
            _ => Takes::Any,
        }
    }

    /// Returns the argument in usage notation: `[NAME ...]` for a positional one, `--name VALUE` for an option.
    pub(crate) fn shown(self) -> String {
        let value = self.value_name();
        if let Some(long) = self.0.get_long() {
            return if self.takes_value() { format!("--{long} {value}") } else { format!("--{long}") };
        }
        let value = if self.is_several() { format!("{value} ...") } else { value.to_owned() };
        if self.is_required() { value } else { format!("[{value}]") }
    }

    /// Returns the placeholder of the value in usage lines.
    pub(crate) fn value_name(self) -> &'static str {
        self.0.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str())
    }

    /// Whether the command requires the argument.
    pub(super) fn is_required(self) -> bool {
        self.0.is_required_set()
    }

    /// Whether the option takes a value.
    pub(super) fn takes_value(self) -> bool {
        self.0.get_action().takes_values()
    }

    /// Returns the heading of the option in the help.
    pub(crate) fn heading(self) -> Option<&'static str> {
        self.0.get_help_heading()
    }
}

/// Returns a help text without styles.
fn text(help: Option<&StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}
