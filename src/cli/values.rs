//! What values may be: choices that the parser knows, and kinds that completion looks up.

use clap::Arg;
use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::Error;

use crate::config::{ColorChoice, ErrorFormat};
use crate::named::named;

named! {
    /// A value that only the moment tells, such as the name of a context. Its name is how usage calls the value, and
    /// marks the argument that takes it.
    pub(crate) enum Lookup {
        /// An API
        Api = "API",
        /// An API or an inventory
        ApiOrInventory = "API|INVENTORY",
        /// An API, a topic of help, or a command with its words
        ApiOrTopic = "API|TOPIC",
        /// A column of the rows
        Column = "COLUMN",
        /// Columns of the rows, separated by commas
        Columns = "A,B.C",
        /// A saved context
        Context = "CONTEXT",
        /// Keys of a context with their values
        ContextKeys = "KEY=VALUE",
        /// A path that the catalog has with the method before it
        Path = "PATH",
        /// A setting of the shell
        Setting = "SETTING",
        /// A value of the setting before it
        SettingValue = "VALUE",
    }
}

impl Lookup {
    /// What an argument looks up, if anything.
    pub(super) fn of(argument: &Arg) -> Option<Lookup> {
        Lookup::from_name(argument.get_value_names()?.first()?.as_str())
    }
}

/// Names with what they mean, as the parser has them.
pub(super) fn choices(choices: impl IntoIterator<Item = (&'static str, &'static str)>) -> Vec<PossibleValue> {
    choices.into_iter().map(|(name, summary)| PossibleValue::new(name).help(summary)).collect()
}

/// Reads the name of a colour choice.
pub(super) fn color() -> impl TypedValueParser<Value = ColorChoice> {
    let names = choices(ColorChoice::ALL.map(|choice| (choice.name(), choice.summary())));
    PossibleValuesParser::new(names).map(|name| ColorChoice::from_name(&name).unwrap_or_default())
}

/// Reads the name of an error format.
pub(super) fn errors() -> impl TypedValueParser<Value = ErrorFormat> {
    let names = choices(ErrorFormat::ALL.map(|format| (format.name(), format.summary())));
    PossibleValuesParser::new(names).map(|name| ErrorFormat::from_name(&name).unwrap_or_default())
}

/// Takes any text and tells which ones are known. The text is checked later, where an error can say what it comes from.
#[derive(Clone)]
pub(super) struct Suggested(pub(super) fn() -> Vec<PossibleValue>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter()))
    }
}
