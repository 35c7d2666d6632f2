//! What holds for a line: its options, then the environment, then the context, then the defaults.

use std::path::PathBuf;

use crate::cli::{ColorChoice, ErrorFormat, Options, Origin};
use crate::config::{Contexts, Credentials, Environment, Owner, Preferences};
use crate::error::Error;

use super::App;
use super::view::Screen;

impl App {
    /// The saved contexts.
    pub(super) fn contexts(&mut self) -> Result<&Contexts, Error> {
        loaded(&mut self.contexts, &self.environment)
    }

    /// The names of the saved contexts; none where they cannot be read.
    pub(super) fn context_names(&mut self) -> Vec<String> {
        let names = |contexts: &Contexts| contexts.all().iter().map(|context| context.name.clone()).collect();
        self.contexts().map(names).unwrap_or_default()
    }

    /// Where the credentials of an owner are kept.
    pub(super) fn credentials(&mut self, owner: &Owner) -> Result<Credentials, Error> {
        let context = match owner {
            Owner::Context(name) => Some(name.as_str()),
            Owner::Node(_) => None,
        };
        let keeper = self.contexts()?.preferences(context).credentials.unwrap_or_default();
        Ok(Credentials::new(self.environment.folders()?, keeper))
    }

    /// The name of the context that a line uses, if it uses one.
    pub(super) fn context_name(&mut self, options: &Options) -> Result<Option<String>, Error> {
        if options.sandbox {
            return Ok(None);
        }
        Ok(self.selection(options)?.context)
    }

    /// What the configuration says to a line. The sandbox needs none, so that one which is wrong is only warned of there.
    pub(super) fn preferences(&mut self, options: &Options) -> Result<Preferences, Error> {
        let context = self.context_name(options)?;
        match self.contexts() {
            Ok(contexts) => Ok(contexts.preferences(context.as_deref())),
            Err(error) if options.sandbox => {
                if !std::mem::replace(&mut self.warned_of_configuration, true) && !self.is_silent {
                    self.say(options, &format!("warning: {error}; the sandbox goes on without the configuration"));
                }
                Ok(Preferences::default())
            }
            Err(error) => Err(error),
        }
    }

    /// As [`App::settle`], for what needs no configuration: one that is wrong fills in nothing.
    pub(super) fn settle_if_possible(&mut self, options: &Options) -> Options {
        self.settle(options).unwrap_or_else(|_| options.clone())
    }

    /// Fills in what the options leave open.
    pub(super) fn settle(&mut self, options: &Options) -> Result<Options, Error> {
        let preferences = self.preferences(options)?;
        let mut settled = options.clone();
        let variables = &self.environment.variables;
        if settled.output.is_none() && variables.output.is_some() {
            (settled.output, settled.output_from) = (variables.output.clone(), Origin::Variable("ZSTACK_OUTPUT"));
        }
        if settled.output.is_none() && preferences.output.is_some() {
            settled.output = preferences.output;
            settled.output_from = self.origin(options, |own| own.output.is_some())?;
        }
        if settled.columns.is_none() && preferences.columns.is_some() {
            settled.columns = preferences.columns;
            settled.columns_from = self.origin(options, |own| own.columns.is_some())?;
        }
        let of_environment = errors_of_environment(&self.environment).unwrap_or_default();
        settled.errors = settled.errors.or(of_environment).or(preferences.errors);
        settled.color = settled.color.or(preferences.color);
        settled.page_size = settled.page_size.or(preferences.page_size);
        settled.timeout = settled.timeout.or(preferences.timeout.map(|timeout| timeout.as_secs()));
        settled.cacert = settled.cacert.or(preferences.cacert.map(PathBuf::from));
        settled.insecure |= preferences.insecure.unwrap_or(false);
        settled.no_pager |= matches!(preferences.pager.as_deref().map(str::trim), Some("" | "off"));
        settled.pager = settled.pager.or(preferences.pager);
        Ok(settled)
    }

    /// Where a preference that holds for a line stands: in its context, or else among the defaults.
    fn origin(&mut self, options: &Options, says: fn(&Preferences) -> bool) -> Result<Origin, Error> {
        let Some(name) = self.context_name(options)? else { return Ok(Origin::Defaults) };
        let is_own = self.contexts()?.get(&name).is_some_and(|context| says(&context.own));
        Ok(if is_own { Origin::Context(name) } else { Origin::Defaults })
    }

    /// Where results go by default.
    pub(super) fn screen(&self, options: &Options) -> Screen {
        let terminal = self.environment.stdout_terminal;
        Screen {
            terminal,
            width: self.environment.terminal_size.map(|(width, _)| width),
            colour: self.colour(terminal, options),
            ascii: !self.environment.variables.unicode,
        }
    }

    pub(super) fn colour(&self, terminal: bool, options: &Options) -> bool {
        match options.color.unwrap_or_default() {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                terminal && !self.environment.is_dumb_terminal() && !self.environment.variables.no_color
            }
        }
    }
}

/// How errors are written as the environment says.
pub(super) fn errors_of_environment(environment: &Environment) -> Result<Option<ErrorFormat>, Error> {
    let Some(name) = &environment.variables.errors else { return Ok(None) };
    ErrorFormat::from_name(name).map(Some).ok_or_else(|| Error::Preference {
        option: "errors",
        origin: Origin::Variable("ZSTACK_ERRORS"),
        problem: format!("`{name}` is neither text nor json"),
    })
}

/// The saved contexts, read at the first call.
pub(super) fn loaded<'c>(contexts: &'c mut Option<Contexts>, environment: &Environment) -> Result<&'c Contexts, Error> {
    let loaded = match contexts.take() {
        Some(loaded) => loaded,
        None => Contexts::load(environment.folders()?)?,
    };
    Ok(contexts.insert(loaded))
}
