//! The secrets of the command that runs, which are masked wherever they turn up.

use std::borrow::Cow;

use crate::plan::Plan;
use crate::render::View;
use crate::secret::{KnownSecrets, Secrets};
use crate::session::{Invocation, Session};
use crate::syntax::Command;

use super::send::first_requests;

/// Makes the secrets of a command known, those included that it reads from files.
pub(crate) fn learn_secrets(session: &Session, command: &Command) {
    learn_arguments(&session.known, command);
}

/// Makes what the catalog marks as secret known.
pub(super) fn learn_of_plan(session: &Session, planned: &Plan) {
    learn_requests(&session.known, planned);
}

/// As [`learn_secrets`] and [`learn_of_plan`].
pub(crate) fn learn_call(known: &KnownSecrets, command: &Command, planned: &Plan) {
    learn_arguments(known, command);
    learn_requests(known, planned);
}

fn learn_arguments(known: &KnownSecrets, command: &Command) {
    for argument in &command.arguments {
        known.learn_value(&argument.name, &argument.value);
    }
}

fn learn_requests(known: &KnownSecrets, planned: &Plan) {
    let requests = first_requests(planned);
    requests.iter().flat_map(|request| request.secrets()).for_each(|secret| known.learn(secret.expose()));
}

/// The view, for a reply that may quote what was sent. The rows of a query are not searched: there may be many.
pub(super) fn left_out(session: &Session, view: View, planned: &Plan) -> View {
    match planned {
        Plan::Call(_) => View { known: Some(session.known_secrets()), ..view },
        Plan::Query(_) => view,
    }
}

/// The reply of a failed call, as it may be shown: an error may quote what was sent.
pub(super) fn shown_json(cx: &Invocation<'_>, text: String) -> String {
    match cx.settings.view.secrets {
        Secrets::Masked => cx.session.known_secrets().mask_json(text.as_bytes()),
        Secrets::Shown => text,
    }
}

/// Text about a call as it may be shown.
pub(super) fn shown<'t>(secrets: Secrets, known: &KnownSecrets, text: &'t str) -> Cow<'t, str> {
    match secrets {
        Secrets::Masked => known.mask(text),
        Secrets::Shown => Cow::Borrowed(text),
    }
}
