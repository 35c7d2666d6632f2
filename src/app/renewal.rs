//! The offer to log in, when a command at the prompt finds no session.

use crate::cli::{LoginWith, Options};
use crate::client::{self, Credentials};
use crate::config;
use crate::error::Error;
use crate::shell;

use super::App;
use super::interactive::line_options;

impl App {
    /// Offers to log in again, and says whether that was done, so that the command can be repeated once. Who declines
    /// is not asked again before the next log-in.
    ///
    /// # Errors
    /// When the log-in fails; that is then what went wrong.
    pub(super) fn offer_log_in(&mut self, line: &str, error: &Error) -> Result<bool, Error> {
        let asks = self.environment.stdin_terminal && self.environment.stderr_terminal;
        if !asks || self.shell.as_ref().is_none_or(|shell| shell.declined) {
            return Ok(false);
        }
        let options = self.settle(&line_options(line, &self.options))?;
        let with = self.last_log_in(&options)?;
        let who = [&with.user, &with.ldap, &with.iam2, &with.account].into_iter().flatten().next();
        let who = who.cloned().unwrap_or_else(|| "admin".to_owned());
        let node = self.node(&options)?;
        if matches!(error, Error::Client(client::Error::SessionExpired { .. })) && node.client.session_uuid().is_some()
        {
            // The prompt shall not name somebody who is not logged in any more.
            node.client.set_credentials(Credentials::None);
        }
        let place = node.name();
        self.say(&Options { quiet: false, ..options.clone() }, &error.to_string());
        let answer = shell::ask(&format!("Log in to {place} as {who}? [Y/n] "))?;
        let agrees =
            answer.is_some_and(|answer| matches!(answer.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"));
        if let Some(shell) = &mut self.shell {
            shell.declined = !agrees;
        }
        if agrees {
            self.login(&with, &options)?;
        }
        Ok(agrees)
    }

    /// How somebody logged in to the node last.
    fn last_log_in(&mut self, options: &Options) -> Result<LoginWith, Error> {
        let node = self.node(options)?;
        let (owner, url) = (node.owner.clone(), node.client.endpoint().base().to_owned());
        let entry = match owner {
            Some(owner) => config::Credentials::new(self.environment.folders()?).load(&owner, &url)?,
            None => None,
        };
        let context = self.context_name(options)?;
        let preferred = self.contexts()?.preferences(context.as_deref()).account;
        let mut with = LoginWith { account: preferred, user: None, ldap: None, iam2: None, access_key: None };
        if let Some(entry) = entry {
            match entry.api.as_deref() {
                Some("LogInByLdap") => with.ldap = entry.account,
                Some("LoginIAM2VirtualID") => with.iam2 = entry.account,
                _ => {
                    with.account = entry.account.or(with.account);
                    with.user = entry.user;
                }
            }
        }
        Ok(with)
    }
}
