//! The values of arguments: fixed choices that the parser knows, and kinds of names that completion looks up.

use std::ffi::OsStr;

use clap::Arg;
use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::{Error, ErrorKind};

use crate::named::named;

named! {
    /// A kind of value that is only known at run time, such as the name of a context. Its name is the placeholder in
    /// usage lines, which also marks the arguments that take it.
    pub(crate) enum Lookup {
        /// An alias
        Alias = "ALIAS",
        /// An API
        Api = "API",
        /// An API or an inventory
        ApiOrInventory = "API|INVENTORY",
        /// An API, a topic of help, or a command with its words
        ApiOrTopic = "API|TOPIC",
        /// A ZStack version, of the program's or an imported catalog
        CatalogVersion = "VERSION",
        /// A ZStack version, or auto
        CatalogVersionOrAuto = "VERSION|auto",
        /// A ZStack version to compare with another one
        OtherCatalogVersion = "OTHER",
        /// A column of the rows
        Column = "COLUMN",
        /// Columns of the rows, separated by commas
        Columns = "A,B.C",
        /// A saved context
        Context = "CONTEXT",
        /// Saved contexts, separated by commas
        Contexts = "NAME[,NAME]",
        /// Keys of a context with their values
        ContextKeys = "KEY=VALUE",
        /// A jq expression
        Filter = "EXPR",
        /// A job that this machine submitted
        Job = "UUID",
        /// A kind of resource
        Kind = "KIND",
        /// Metrics of the kind before them
        Metric = "METRIC",
        /// A path that the catalog has with the method before it
        Path = "PATH",
        /// A resource of the kind before it
        Resource = "NAME|UUID",
        /// The number of an earlier result
        Result = "N",
        /// Numbers of earlier results
        Results = "N[,N...]",
        /// A setting of the shell
        Setting = "SETTING",
        /// A value of the setting before it
        SettingValue = "VALUE",
        /// A variable
        Variable = "VARIABLE",
    }
}

impl Lookup {
    /// Returns what completion looks up for an argument, if anything.
    pub(super) fn of(argument: &Arg) -> Option<Lookup> {
        let lookup = Lookup::from_name(argument.get_value_names()?.first()?.as_str())?;
        // Options have numbers and versions of other things.
        let is_kept = matches!(lookup, Lookup::Result | Lookup::CatalogVersion);
        (!is_kept || argument.is_positional()).then_some(lookup)
    }
}

/// Returns names and descriptions as values of the parser.
pub(super) fn choices(choices: impl IntoIterator<Item = (&'static str, &'static str)>) -> Vec<PossibleValue> {
    choices.into_iter().map(|(name, summary)| PossibleValue::new(name).help(summary)).collect()
}

/// Accepts one of these names. The list is only built when it is shown or an error lists it, because the parser is
/// built for every line.
#[derive(Clone)]
pub(super) struct OneOf<T> {
    pub(super) from_name: fn(&str) -> Option<T>,
    pub(super) choices: fn() -> Vec<PossibleValue>,
}

impl<T: Clone + Send + Sync + 'static> TypedValueParser for OneOf<T> {
    type Value = T;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        match value.to_str().and_then(self.from_name) {
            Some(choice) => Ok(choice),
            None => {
                PossibleValuesParser::new((self.choices)()).parse_ref(command, argument, value)?;
                Err(Error::new(ErrorKind::InvalidValue).with_cmd(command))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.choices)().into_iter()))
    }
}

/// Accepts any text and lists the known values. The text is checked later, where an error can say where it comes from.
#[derive(Clone)]
pub(super) struct Suggested(pub(super) fn() -> Vec<PossibleValue>);

impl TypedValueParser for Suggested {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter()))
    }
}
