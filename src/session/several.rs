//! The settings of a line that names several contexts.

use crate::cli::Options;
use crate::error::Error;

use super::settings::Settings;
use super::state::{Session, SessionSeed};

/// The settings of a line that names several contexts: those of the first, with those of each; `None` for another line.
///
/// # Errors
/// When a context does not exist, or when another node is named besides.
pub(crate) fn settle_several(session: &mut Session, line: &Options) -> Result<Option<Settings>, Error> {
    let named = line.context.as_ref().or(session.base.options.context.as_ref()).filter(|named| named.contains(','));
    let mut names: Vec<&str> = Vec::new();
    for name in named.into_iter().flat_map(|named| named.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let mut contexts = Vec::new();
    for name in names {
        session.contexts()?.find(&name)?;
        let settings = session.settle(&Options { context: Some(name), ..line.clone() })?;
        if settings.target.contradiction.is_some() || !settings.target.is_of_context {
            let problem = "several contexts are asked at their own nodes, and another is named".to_owned();
            return Err(Error::Option { option: "context", problem });
        }
        contexts.push(settings);
    }
    Ok(contexts.first().cloned().map(|first| Settings { contexts, ..first }))
}

impl Settings {
    /// What a session of its own begins with for these settings of one of several contexts, and the settings there.
    pub(crate) fn apart(&self, session: &Session) -> (SessionSeed, Settings) {
        let mut settings = self.clone();
        // Several threads would draw on the same line.
        settings.ui.terminal.stderr = false;
        settings.ui.about = self.context().map(str::to_owned);
        (session.seed(self.context().unwrap_or_default()), settings)
    }

    /// The context whose node is asked.
    pub(crate) fn context(&self) -> Option<&str> {
        self.target.context.as_deref().filter(|_| self.target.is_of_context)
    }
}
