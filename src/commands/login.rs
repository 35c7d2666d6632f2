//! `login` and `logout`: opening and closing sessions.

use crate::calls::{send, show};
use crate::cli::LoginWith;
use crate::client::{self, Answer, Reply};
use crate::config::{Preferences, Who};
use crate::error::{Error, OwnError, SECOND_FACTOR_DUE, SECOND_FACTOR_WRONG};
use crate::plan::{self, Plan, Request};
use crate::secret::{MASK, Secret, Secrets};
use crate::session::{ADMIN, Invocation, LogIn, Proofs, accounts, nodes, who_of};
use crate::shell::Flow;
use crate::syntax::Command;
use crate::terminal::{Output, ask_secret};

use super::{call, captcha};

/// The maximum number of captchas before a log-in fails.
const CAPTCHAS: usize = 3;

/// The maximum number of questions for a code of the second factor.
const CODES: usize = 3;

/// The account is locked after too many wrong passwords; a captcha does not help (A10).
const ACCOUNT_LOCKED: &str = "LOGIN_CONTROL.1002";

/// `login`: asks for the password and opens a session.
pub(super) fn run(cx: &mut Invocation<'_>, with: &LoginWith) -> Result<Flow, Error> {
    match &with.access_key {
        Some(id) => use_access_key(cx, id)?,
        None => open_session(cx, with)?,
    }
    Ok(Flow::Continue)
}

fn open_session(cx: &mut Invocation<'_>, with: &LoginWith) -> Result<(), Error> {
    let further = match (&with.project, with.platform) {
        (Some(project), _) => Some(("LoginIAM2Project", vec![("projectName", project.clone())])),
        (None, true) => Some(("LoginIAM2Platform", Vec::new())),
        (None, false) => None,
    };
    let code = with.code.as_ref().map(code).transpose()?;
    let preferences = &cx.settings.preferences;
    let named = named(with, preferences);
    // A project needs no password if the user is logged in.
    if further.is_none() || named.is_some() || !nodes::node(cx.session, cx.settings)?.client.has_credentials() {
        let who =
            named.or_else(|| LogIn::of_preferences(preferences)).unwrap_or_else(|| LogIn::Account(ADMIN.to_owned()));
        let password = password(cx, &who)?;
        let proofs = Proofs { captcha: None, code };
        if cx.settings.call.dry_run {
            let request = who.request(&password, &proofs, cx.session.catalog)?;
            send::dry_run(cx, &Plan::Call(request))?;
        } else {
            log_in(cx, &who, &password, proofs)?;
        }
    }
    let Some((api, parameters)) = further else { return Ok(()) };
    let request = plan::call(api, &parameters, cx.session.catalog)?;
    if cx.settings.call.dry_run {
        return send::dry_run(cx, &Plan::Call(request));
    }
    log_in_further(cx, &request, &parameters)
}

fn password(cx: &Invocation<'_>, who: &LogIn) -> Result<Secret, Error> {
    match &cx.session.environment.variables.password {
        Some(password) => Ok(password.clone()),
        // The question would not be shown.
        None if cx.settings.call.dry_run && cx.settings.view.secrets == Secrets::Masked => Ok(Secret::from(MASK)),
        None => ask(cx, &format!("password of {}:", who.name())),
    }
}

/// Asks for a secret.
fn ask(cx: &Invocation<'_>, question: &str) -> Result<Secret, Error> {
    let on_terminal = cx.settings.ui.terminal.stdin;
    let _attended = if on_terminal { cx.session.attend_to_ends()? } else { None };
    let question = &cx.settings.ui.language.ask(question);
    let secret = ask_secret(question, on_terminal, cx.session.reads_stdin, &cx.session.interrupt)?;
    cx.session.known.learn(secret.expose());
    Ok(secret)
}

/// Exchanges the current session for one of a project or of the platform (A6).
fn log_in_further(cx: &mut Invocation<'_>, request: &Request, parameters: &[(&str, String)]) -> Result<(), Error> {
    match send::execute_shown(cx, request)? {
        Answer::Reply(reply) => {
            let who = who_of(parameters.iter().map(|(name, value)| (*name, value.as_str())));
            let place = who.account.clone().map_or("the platform".to_owned(), |name| format!("project {name}"));
            take_session(cx, request, reply, who)?;
            cx.say(&format!("working in {place} from now on"));
            Ok(())
        }
        Answer::Failed(failure) => Err(Error::Api(Box::new(failure))),
        Answer::Detached(_) => Ok(()),
    }
}

/// Logs in, and asks for further proofs if the node wants them.
fn log_in(cx: &mut Invocation<'_>, who: &LogIn, password: &Secret, mut proofs: Proofs) -> Result<(), Error> {
    let (mut captchas, mut codes) = (CAPTCHAS, CODES);
    loop {
        let request = who.request(password, &proofs, cx.session.catalog)?;
        let failure = match send::execute_shown(cx, &request)? {
            Answer::Reply(reply) => {
                take_session(cx, &request, reply, who.who())?;
                let name = nodes::node(cx.session, cx.settings)?.name();
                cx.say(&format!("logged in as {} at {name}", who.name()));
                return Ok(());
            }
            Answer::Failed(failure) => failure,
            Answer::Detached(_) => return Ok(()),
        };
        let is_asked = match failure.code() {
            _ if !cx.settings.ui.terminal.stdin => false,
            due @ (SECOND_FACTOR_DUE | SECOND_FACTOR_WRONG) if codes > 0 => {
                codes -= 1;
                if due == SECOND_FACTOR_WRONG {
                    cx.say("the code is wrong or has expired");
                }
                proofs.code = ask_code(cx, &format!("code of the second factor of {}:", who.name()))?;
                proofs.code.is_some()
            }
            code if code.starts_with("LOGIN_CONTROL.") && code != ACCOUNT_LOCKED && captchas > 0 => {
                captchas -= 1;
                proofs.captcha = captcha::ask(cx, who)?;
                proofs.captcha.is_some()
            }
            _ => false,
        };
        if !is_asked {
            return Err(Error::Api(Box::new(failure)));
        }
    }
}

/// Asks for a code of the second factor; `None` if the user enters none.
fn ask_code(cx: &Invocation<'_>, question: &str) -> Result<Option<Secret>, Error> {
    match ask(cx, question) {
        Ok(typed) => code(&typed).map(Some),
        Err(Error::Own(OwnError::NoPassword)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Uses the session of a log-in's reply; a reply without one is an error.
fn take_session(cx: &mut Invocation<'_>, request: &Request, reply: Reply, who: Who) -> Result<(), Error> {
    let text = show::text(reply)?;
    if accounts::logged_in(cx.session, cx.settings, request, &text, who)? {
        return Ok(());
    }
    Err(Error::Client(client::Error::Reply { flaw: "a log-in without a session".to_owned() }))
}

/// Asks the user to log in again after a command failed without a valid session. `false` if the user declines.
pub(crate) fn again(cx: &mut Invocation<'_>, error: &Error) -> Result<bool, Error> {
    if cx.settings.target.is_sandbox() {
        return Ok(false);
    }
    let node = nodes::node(cx.session, cx.settings)?;
    // The user is asked only once. A session of the environment would take precedence.
    if node.declined_log_in || node.has_foreign_session {
        return Ok(false);
    }
    let name = node.name();
    let who = node.log_in.clone();
    cx.say(&error.to_string());
    // The line editor reads the answer, so that Ctrl-C ends the question immediately.
    let question = format!("Log in to {name} as {}? [Y/n]", who.name());
    let answer = crate::shell::ask(&cx.settings.ui.language.ask(&question))?;
    if !answer.is_some_and(|answer| matches!(answer.trim(), "" | "y" | "Y" | "yes")) {
        nodes::node(cx.session, cx.settings)?.declined_log_in = true;
        return Ok(false);
    }
    let password = match ask(cx, &format!("password of {}:", who.name())) {
        // Ctrl-C and an empty line mean no here.
        Err(Error::Client(client::Error::Interrupted { .. }) | Error::Own(OwnError::NoPassword)) => return Ok(false),
        password => password?,
    };
    if cx.session.interrupt.is_set() {
        return Ok(false);
    }
    log_in(cx, &who, &password, Proofs::default())?;
    Ok(true)
}

/// Stores an access key: requests are signed with it from now on.
fn use_access_key(cx: &mut Invocation<'_>, id: &str) -> Result<(), Error> {
    if cx.settings.call.dry_run {
        cx.say("nothing would be sent: the access key would be kept on this machine");
        return Ok(());
    }
    let secret = match &cx.session.environment.variables.access_key_secret {
        Some(secret) => secret.clone(),
        None => ask(cx, "secret of the access key:")?,
    };
    accounts::use_access_key(cx.session, cx.settings, id, &secret)?;
    let name = nodes::node(cx.session, cx.settings)?.name();
    cx.say(&format!("the access key is used at {name} from now on"));
    Ok(())
}

/// `logout`: closes the session, or forgets the access key.
pub(super) fn out(cx: &mut Invocation<'_>) -> Result<Flow, Error> {
    let dry_run = cx.settings.call.dry_run;
    let client = &nodes::node(cx.session, cx.settings)?.client;
    if client.session_uuid().is_none() && client.has_credentials() {
        if dry_run {
            cx.say("nothing would be sent: the access key would be forgotten");
            return Ok(Flow::Continue);
        }
        accounts::forget_access_key(cx.session, cx.settings)?;
        cx.say("the access key is forgotten");
        return Ok(Flow::Continue);
    }
    let command = Command::of("LogOut", []);
    if dry_run {
        call::run(cx, command)?;
        return Ok(Flow::Continue);
    }
    let (mut nowhere, settings) = (Vec::new(), cx.settings);
    let mut quietly = Invocation { session: cx.session, settings, out: Output::Writer(&mut nowhere) };
    call::run(&mut quietly, command)?;
    cx.say("logged out");
    Ok(Flow::Continue)
}

/// The log-in that the options of the command describe.
fn named(with: &LoginWith, preferences: &Preferences) -> Option<LogIn> {
    let with = with.clone();
    let account = || with.account.clone().or(preferences.account.clone()).unwrap_or_else(|| ADMIN.to_owned());
    if let Some(user) = with.user {
        return Some(LogIn::User { account: account(), user });
    }
    if let Some(uid) = with.ldap {
        return Some(LogIn::Ldap(uid));
    }
    if let Some(name) = with.iam2 {
        return Some(LogIn::VirtualId(name));
    }
    if let Some(uid) = with.iam2_ldap {
        return Some(LogIn::VirtualIdOfLdap(uid));
    }
    match (with.cas, with.kind) {
        (Some(name), Some(kind)) => Some(LogIn::Cas { name, kind }),
        (_, Some(kind)) => Some(LogIn::Typed { name: account(), kind }),
        _ => with.account.map(LogIn::Account),
    }
}

/// A code without the spaces between groups of digits.
fn code(typed: &Secret) -> Result<Secret, Error> {
    let digits = Secret::new(typed.expose().split_whitespace().collect::<String>());
    if digits.is_empty() || !digits.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::Option { option: "code", problem: "digits are expected, such as 123456".to_owned() });
    }
    Ok(digits)
}
