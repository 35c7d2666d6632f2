//! The secrets of the command that runs, which are masked wherever they turn up.

use std::borrow::Cow;

use crate::cli::Options;
use crate::client::ErrorCode;
use crate::error::Error;
use crate::json::Secrets;
use crate::plan::Plan;
use crate::render::View;
use crate::syntax::Command;

use super::App;
use super::call::first_requests;

impl App {
    /// Makes the secrets of a command known, those included that it reads from files.
    pub(super) fn learn_secrets(&self, command: &Command) {
        for argument in &command.arguments {
            self.known.learn_value(&argument.name, &argument.value);
        }
    }

    /// Makes what the catalog marks as secret known.
    pub(super) fn learn_secrets_of(&self, planned: &Plan) {
        let requests = first_requests(planned);
        requests.iter().flat_map(|request| request.secrets()).for_each(|secret| self.known.learn(secret.expose()));
    }

    /// The view, for a reply that may quote what was sent. The rows of a query are not looked through: there may be many.
    pub(super) fn view_without_secrets(&self, view: View, planned: &Plan) -> View {
        match planned {
            Plan::Call(_) => View { known: Some(self.known_secrets()), ..view },
            Plan::Query(_) => view,
        }
    }

    /// The error, with the secrets left out that the node quotes.
    pub(super) fn without_quoted_secrets(&self, mut error: Error) -> Error {
        match &mut error {
            Error::Api(failure) => self.leave_out(&mut failure.error),
            Error::Parts(parts) => parts.iter_mut().for_each(|part| self.leave_out(&mut part.failure.error)),
            _ => {}
        }
        error
    }

    fn leave_out(&self, error: &mut ErrorCode) {
        let texts = [
            &mut error.description,
            &mut error.details,
            &mut error.elaboration,
            &mut error.message_en,
            &mut error.message_cn,
        ];
        for text in texts {
            if let Cow::Owned(masked) = self.known.mask(text) {
                *text = masked;
            }
        }
        error.cause.iter_mut().for_each(|cause| self.leave_out(cause));
        error.causes.iter_mut().for_each(|cause| self.leave_out(cause));
    }

    /// What a failed call led to, as it may be shown: an error may quote what was sent.
    pub(super) fn shown_json(&self, text: String, options: &Options) -> String {
        if options.no_secure { text } else { self.known_secrets().mask_json(text.as_bytes()) }
    }

    /// Text about a command as it may be shown.
    pub(super) fn shown<'t>(&self, text: &'t str, secrets: Secrets) -> Cow<'t, str> {
        match secrets {
            Secrets::Masked => self.known.mask(text),
            Secrets::Shown => Cow::Borrowed(text),
        }
    }
}
