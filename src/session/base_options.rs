//! The settings of all lines: the options of the program, changed by `set`.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Options;
use crate::config::{Confirm, Origin};

/// The settings of all lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct BaseOptions {
    /// The options that the program was started with, with what `set` has made of them.
    pub(crate) options: Options,
    /// The options that `set` changed.
    changed: BTreeSet<&'static str>,
    /// What `set confirm` said.
    pub(crate) confirm: Option<Confirm>,
    /// Whether names stand for uuids in tables, as `set names` said.
    pub(crate) names: Option<bool>,
    /// What `set columns` said for single queries, by their names.
    pub(crate) columns_of: BTreeMap<&'static str, String>,
    /// Whether nothing may be said.
    pub(crate) silent: bool,
}

impl BaseOptions {
    /// What holds for a program that was started with these options.
    pub(crate) fn new(options: Options) -> BaseOptions {
        BaseOptions { options, ..BaseOptions::default() }
    }

    /// The origin of the value of an option.
    pub(super) fn origin(&self, option: &str) -> Origin {
        if self.changed.contains(option) { Origin::Set } else { Origin::Typed }
    }

    /// Whether `set` changed an option.
    pub(crate) fn has_set(&self, option: &str) -> bool {
        self.changed.contains(option)
    }

    /// The options, to be changed by `set`, which records the name.
    pub(crate) fn set(&mut self, option: &'static str) -> &mut Options {
        self.changed.insert(option);
        &mut self.options
    }

    /// Removes the options that choose a node.
    pub(crate) fn forget_node(&mut self) {
        let options = &mut self.options;
        (options.url, options.host, options.port) = (None, None, None);
        (options.context, options.sandbox) = (None, false);
    }

    /// What holds for lines for which the options of one line hold too.
    pub(crate) fn with(&self, line: &Options) -> BaseOptions {
        let mut held = self.clone();
        held.options.add(line.clone());
        for (option, is_typed) in [
            ("output", line.output.is_some()),
            ("columns", line.columns.is_some()),
            ("sort-by", line.sort_by.is_some()),
        ] {
            if is_typed {
                held.changed.remove(option);
            }
        }
        held
    }
}
