//! The secrets of the command that runs, which are masked wherever they turn up.

use std::borrow::Cow;

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
            Plan::Call(_) => View { known: Some(self.known.clone()), ..view },
            Plan::Query(_) => view,
        }
    }

    /// Text about a command as it may be shown.
    pub(super) fn shown<'t>(&self, text: &'t str, secrets: Secrets) -> Cow<'t, str> {
        match secrets {
            Secrets::Masked => self.known.mask(text),
            Secrets::Shown => Cow::Borrowed(text),
        }
    }
}
