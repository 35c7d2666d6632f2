//! The commands and options as the parser has them, for help, the manual page and completion.

use std::sync::LazyLock;

use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory, ValueHint};

use super::OwnLine;
use super::values::Lookup;

/// Options and own commands, built when they are first asked for.
static PROGRAM: LazyLock<Command> = LazyLock::new(|| {
    let mut program = OwnLine::command();
    program.build();
    program
});

/// The program, or one of its own commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry(&'static Command);

/// An option, or a word of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argument(&'static Arg);

/// What the value of an argument may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Anything.
    Any,
    /// A file or folder.
    File,
    /// One of these names, each with what it means.
    OneOf(Vec<(String, String)>),
    /// Something to look up.
    Lookup(Lookup),
}

/// The program itself: its options, and the own commands.
pub(crate) fn program() -> Entry {
    Entry(&PROGRAM)
}

/// The own command that these words name, such as `job list`.
pub(crate) fn command_called<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Entry> {
    let mut here = program();
    for word in words {
        here = here.command(word)?;
    }
    Some(here)
}

/// Where the words of a line lead.
pub(super) struct Way<'w> {
    /// The first word that is neither an option nor the value of one.
    pub(super) first: Option<&'w str>,
    /// The names of the own command, from the outermost; none where the first word is not one.
    pub(super) path: Vec<&'static str>,
    /// The own command, or else the program.
    pub(super) entry: Entry,
}

/// Follows the words of a line.
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
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.0.get_name()
    }

    /// What it does, in one line.
    pub(crate) fn summary(self) -> String {
        text(self.0.get_about())
    }

    /// The commands below it, as they are defined.
    pub(crate) fn commands(self) -> impl Iterator<Item = Entry> {
        self.0.get_subcommands().map(Entry)
    }

    /// The command of that name below it.
    pub(crate) fn command(self, name: &str) -> Option<Entry> {
        self.0.find_subcommand(name).map(Entry)
    }

    /// Its words other than the names of commands.
    pub(crate) fn words(self) -> impl Iterator<Item = Argument> {
        self.0.get_positionals().map(Argument)
    }

    /// The options that are its own. Those of the program go with every command.
    pub(crate) fn options(self) -> impl Iterator<Item = Argument> {
        let is_program = self.0.get_name() == PROGRAM.get_name();
        self.all_options().filter(move |option| is_program || !option.0.is_global_set())
    }

    /// The option of that name, short or long, be it its own or the program's.
    pub(crate) fn option(self, name: &str) -> Option<Argument> {
        self.all_options().find(|option| option.names().any(|known| known == name))
    }

    fn all_options(self) -> impl Iterator<Item = Argument> {
        self.0.get_arguments().filter(|argument| !argument.is_positional()).map(Argument)
    }

    /// How it is written: a line for each of its forms and options, each with what it does.
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

    /// As [`Entry::usage`], in one line: `context list|use|set`.
    pub(crate) fn form(self) -> String {
        let commands: Vec<&str> = self.commands().map(Entry::name).collect();
        let words = self.words().map(Argument::shown);
        let rest: Vec<String> = if commands.is_empty() { words.collect() } else { vec![commands.join("|")] };
        format!("{} {}", self.name(), rest.join(" ")).trim_end().to_owned()
    }
}

impl Argument {
    /// The option's names, the short one first, with their dashes.
    pub(crate) fn names(self) -> impl Iterator<Item = String> {
        let long = self.0.get_long_and_visible_aliases().unwrap_or_default().into_iter();
        let short = self.0.get_short().map(|short| format!("-{short}"));
        short.into_iter().chain(long.map(|long| format!("--{long}")))
    }

    /// What it means.
    pub(crate) fn summary(self) -> String {
        text(self.0.get_help())
    }

    /// What it means, with the values that it may have.
    pub(crate) fn described(self) -> String {
        match self.takes() {
            Takes::OneOf(values) if !self.0.is_hide_possible_values_set() => {
                let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
                format!("{} [{}]", self.summary(), names.join(" | "))
            }
            _ => self.summary(),
        }
    }

    /// Whether there may be several of it, which is only so of a command's last word.
    pub(crate) fn is_several(self) -> bool {
        self.0.get_num_args().is_some_and(|range| range.max_values() > 1)
    }

    /// Whether the word after this option is its value.
    pub(crate) fn takes_next_word(self) -> bool {
        self.takes_value() && !self.0.is_require_equals_set()
    }

    /// What its value may be.
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

    /// How usage writes it: `[NAME ...]` for a word, `--name VALUE` for an option.
    pub(crate) fn shown(self) -> String {
        let value = self.value_name();
        if let Some(long) = self.0.get_long() {
            return if self.takes_value() { format!("--{long} {value}") } else { format!("--{long}") };
        }
        let value = if self.is_several() { format!("{value} ...") } else { value.to_owned() };
        if self.is_required() { value } else { format!("[{value}]") }
    }

    /// How usage calls its value.
    pub(crate) fn value_name(self) -> &'static str {
        self.0.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str())
    }

    /// Whether a command cannot be without it.
    pub(super) fn is_required(self) -> bool {
        self.0.is_required_set()
    }

    /// Whether it has a value.
    pub(super) fn takes_value(self) -> bool {
        self.0.get_action().takes_values()
    }

    /// The heading that help lists an option under.
    pub(super) fn heading(self) -> Option<&'static str> {
        self.0.get_help_heading()
    }
}

/// A help text without its style.
fn text(help: Option<&StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}
