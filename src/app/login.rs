//! Opening and closing sessions, by the APIs or by `login` and `logout`.

use std::io::{self, Read};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::cli::{LoginWith, Options};
use crate::client::{AccessKey, Answer, Credentials, JobUuid, NodeZone, Reply, Session};
use crate::commands::login::{ADMIN, LogIn, SECOND_FACTOR_DUE, SECOND_FACTOR_WRONG, who_of};
use crate::config::{self, Entry, Login, Owner, Preferences, Who};
use crate::error::{Error, OwnError};
use crate::json::{self, MASK, Secrets};
use crate::picture::{self, Drawing};
use crate::plan::{self, Plan, Request};
use crate::secret::{Secret, mask_json, mask_value};
use crate::shell;
use crate::syntax::Command;
use crate::terminal;

use super::App;
use super::connect::Node;
use super::interactive::line_options;
use super::no_echo::NoEcho;
use super::output::Output;

/// How often a captcha is asked for before a log-in counts as failed.
const CAPTCHAS: usize = 3;

/// How often a code of the second factor is asked for.
const CODES: usize = 3;

impl App {
    /// The log-in that the environment's password allows without asking anybody.
    pub(super) fn log_in_from_environment(&self, who: &LogIn) -> Result<Request, Error> {
        let password = self.environment.variables.password.clone().ok_or(Error::Own(OwnError::NoPassword))?;
        self.log_in_request(who, &password, &Proofs::default())
    }

    /// Plans a log-in, with the further proofs that are due.
    fn log_in_request(&self, who: &LogIn, password: &Secret, proofs: &Proofs) -> Result<Request, Error> {
        let mut parameters = who.parameters();
        // An `@` at the beginning would name a file.
        let text = password.expose();
        self.known.learn(text);
        let literal = if text.starts_with('@') { format!("@{text}") } else { text.to_owned() };
        parameters.push(("password", literal));
        if let Some(captcha) = &proofs.captcha {
            parameters.extend([("captchaUuid", captcha.uuid.clone()), ("verifyCode", captcha.code.clone())]);
        }
        if let Some(code) = &proofs.code {
            parameters.push(("systemTags", format!("twofatoken::{}", code.expose())));
        }
        self.request(who.api(), &parameters)
    }

    /// Plans a call that is no query.
    fn request(&self, api: &str, parameters: &[(&str, String)]) -> Result<Request, Error> {
        let mut words = vec![api.to_owned()];
        words.extend(parameters.iter().map(|(name, value)| format!("{name}={value}")));
        let (line, words) = Command::words_from_args(&words);
        let mut command = Command::from_words(&line, &words)?.ok_or(Error::Own(OwnError::NoPassword))?;
        command.resolve_files(&mut |_| Err(io::ErrorKind::Unsupported.into()))?;
        // Places in a line that nobody typed would be shown in the one that was.
        let planned = plan::plan(&command, self.catalog, &plan::Options::default());
        match planned.map_err(|error| plan::Error { span: None, ..error })? {
            Plan::Call(request) => Ok(request),
            Plan::Query(_) => Err(Error::Own(OwnError::NoPassword)),
        }
    }

    /// `login`: opens a session as somebody, asking for the password.
    pub(super) fn login(&mut self, with: &LoginWith, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        if let Some(id) = &with.access_key {
            return self.use_access_key(id, options);
        }
        let further = match (&with.project, with.platform) {
            (Some(project), _) => Some(("LoginIAM2Project", vec![("projectName", project.clone())])),
            (None, true) => Some(("LoginIAM2Platform", Vec::new())),
            (None, false) => None,
        };
        let code = with.code.as_ref().map(code).transpose()?;
        let context = self.context_name(options)?;
        let preferences = self.contexts()?.preferences(context.as_deref());
        let named = named(with, &preferences);
        // Whoever is logged in can go to a project without doing so again.
        if further.is_none() || named.is_some() || !self.node(options)?.client.has_credentials() {
            let who = named
                .or_else(|| LogIn::of_preferences(&preferences))
                .unwrap_or_else(|| LogIn::Account(ADMIN.to_owned()));
            let password = match &self.environment.variables.password {
                Some(password) => password.clone(),
                // It would not be shown.
                None if options.dry_run && !options.no_secure => Secret::from(MASK),
                None => self.ask_secret(&format!("password of {}: ", who.name()))?,
            };
            let proofs = Proofs { captcha: None, code };
            if options.dry_run {
                let request = self.log_in_request(&who, &password, &proofs)?;
                self.dry_run(&Plan::Call(request), options, out)?;
            } else {
                self.log_in_as(&who, &password, proofs, options)?;
            }
        }
        match further {
            Some((api, parameters)) if options.dry_run => {
                let request = self.request(api, &parameters)?;
                self.dry_run(&Plan::Call(request), options, out)
            }
            Some((api, parameters)) => self.log_in_further(api, &parameters, options),
            None => Ok(()),
        }
    }

    /// Exchanges the session in use for one of a project or of the platform (A6).
    fn log_in_further(&mut self, api: &str, parameters: &[(&str, String)], options: &Options) -> Result<(), Error> {
        let request = self.request(api, parameters)?;
        match self.execute_shown(&request, options)? {
            Answer::Reply(reply) => {
                let who = who_of(parameters.iter().map(|(name, value)| (*name, value.as_str())));
                let place = who.account.clone().map_or("the platform".to_owned(), |name| format!("project {name}"));
                self.open_session_of(&request, reply, who, options)?;
                self.say(options, &format!("working in {place} from now on"));
                Ok(())
            }
            Answer::Failed(failure) => Err(Error::Api(Box::new(failure))),
            Answer::Detached(_) => Ok(()),
        }
    }

    /// Sends a request, under the uuid that its curl example has where one is wanted.
    fn execute_shown(&mut self, request: &Request, options: &Options) -> Result<Answer, Error> {
        let job = JobUuid::fresh();
        if options.curl_example {
            self.say_curl(&Plan::Call(request.clone()), job, options)?;
        }
        self.execute_as(request, job, options)
    }

    fn log_in_as(
        &mut self,
        who: &LogIn,
        password: &Secret,
        mut proofs: Proofs,
        options: &Options,
    ) -> Result<(), Error> {
        let (mut captchas, mut codes) = (CAPTCHAS, CODES);
        loop {
            let request = self.log_in_request(who, password, &proofs)?;
            let failure = match self.execute_shown(&request, options)? {
                Answer::Reply(reply) => {
                    self.open_session_of(&request, reply, stored(who), options)?;
                    let name = self.node(options)?.name();
                    self.say(options, &format!("logged in as {} at {name}", who.name()));
                    return Ok(());
                }
                Answer::Failed(failure) => failure,
                Answer::Detached(_) => return Ok(()),
            };
            let is_asked = match failure.code() {
                _ if !self.environment.stdin_terminal => false,
                due @ (SECOND_FACTOR_DUE | SECOND_FACTOR_WRONG) if codes > 0 => {
                    codes -= 1;
                    if due == SECOND_FACTOR_WRONG {
                        self.say(options, "the code is wrong or has expired");
                    }
                    proofs.code = self.ask_code(&format!("code of the second factor of {}: ", who.name()))?;
                    proofs.code.is_some()
                }
                code if code.starts_with("LOGIN_CONTROL.") && code != ACCOUNT_LOCKED && captchas > 0 => {
                    captchas -= 1;
                    proofs.captcha = self.ask_captcha(who, options)?;
                    proofs.captcha.is_some()
                }
                _ => false,
            };
            if !is_asked {
                return Err(Error::Api(Box::new(failure)));
            }
        }
    }

    /// Asks for a code of the second factor; nothing where the user types none.
    fn ask_code(&mut self, question: &str) -> Result<Option<Secret>, Error> {
        match self.ask_secret(question) {
            Ok(typed) => code(&typed).map(Some),
            Err(Error::Own(OwnError::NoPassword)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the session of a log-in's reply; a reply without one is an error.
    fn open_session_of(&mut self, request: &Request, reply: Reply, who: Who, options: &Options) -> Result<(), Error> {
        let text = reply.into_text().map_err(|error| crate::client::Error::of_read(&error))?;
        if self.logged_in(request, &text, who, options)? {
            return Ok(());
        }
        Err(Error::Client(crate::client::Error::Reply { flaw: "a log-in without a session".to_owned() }))
    }

    /// Fetches a captcha, shows where its picture is and asks what it says; nothing where there is none or the
    /// user gives up.
    fn ask_captcha(&mut self, who: &LogIn, options: &Options) -> Result<Option<Captcha>, Error> {
        let parameters = [("resourceName", who.name().to_owned()), ("loginType", who.login_type().to_owned())];
        let request = self.request("GetLoginCaptcha", &parameters)?;
        let Answer::Reply(reply) = self.execute(&request, options)? else { return Ok(None) };
        let text = reply.into_text().map_err(|error| crate::client::Error::of_read(&error))?;
        let member = |name: &str| json::member(&text, name).map(|value| json::unescape(value).into_owned());
        let (Some(uuid), Some(picture)) = (member("captchaUuid"), member("captcha")) else { return Ok(None) };
        // Some nodes send it as the address of an image: `data:image/png;base64,...`.
        let base64 = picture.rsplit(',').next().unwrap_or_default();
        let Ok(picture) = BASE64_STANDARD.decode(base64) else { return Ok(None) };
        let code = self.read_captcha(&picture)?;
        Ok(code.filter(|code| !code.is_empty()).map(|code| Captcha { uuid, code }))
    }

    /// Shows a picture and asks what it says: on the terminal where it shows pictures, else in a file.
    fn read_captcha(&self, picture: &[u8]) -> Result<Option<String>, Error> {
        let drawing = self.environment.variables.drawing.filter(|_| self.environment.stderr_terminal);
        let columns = self.environment.terminal_size.map_or(80, |(width, _)| width);
        let is_drawn = match drawing {
            Some(drawing) => picture::draw(picture, drawing, columns, &mut io::stderr())?,
            None => false,
        };
        // Half blocks are a rough picture, which may have to be looked at elsewhere.
        let is_clear = is_drawn && !matches!(drawing, Some(Drawing::Blocks { .. }));
        let path = self.environment.folders()?.state.join("captcha").join("captcha.png");
        if !is_clear {
            config::write_private(&path, picture)?;
        }
        let question = match (is_drawn, is_clear) {
            (_, true) => "What does the picture say? ".to_owned(),
            (true, false) => format!("What does the picture say, which is also in {}? ", path.display()),
            (false, _) => format!("What does the picture in {} say? ", path.display()),
        };
        let _attended = self.attend_to_ends()?;
        let code = shell::ask(&question);
        // It has served its purpose.
        let _ = std::fs::remove_file(&path);
        Ok(code?.map(|code| code.trim().to_owned()))
    }

    /// In the shell: lets the user log in when a command failed for want of a session. Whether to repeat the
    /// command: only where it surely did not run.
    pub(super) fn logs_in_again(&mut self, line: &str, error: &Error) -> bool {
        let never_ran = match error {
            Error::Client(crate::client::Error::NoSession { .. }) => true,
            Error::Client(crate::client::Error::SessionExpired { failure }) => failure.refused_session(),
            _ => return false,
        };
        if self.shell.is_none() || !self.environment.stdin_terminal || !self.environment.stderr_terminal {
            return false;
        }
        match self.try_log_in_again(line, error) {
            Ok(true) if never_ran => true,
            Ok(true) => {
                self.say(&self.options, "the command may have been carried out before, and is not repeated");
                false
            }
            Ok(false) => false,
            Err(error) => {
                self.conclude(Err(error), None, None);
                false
            }
        }
    }

    fn try_log_in_again(&mut self, line: &str, error: &Error) -> Result<bool, Error> {
        let options = self.settle(&line_options(line, &self.options))?;
        if options.sandbox {
            return Ok(false);
        }
        let node = self.node(&options)?;
        // Whoever said no once is not asked after every command. A session of the environment would win anyhow.
        if node.declined_log_in || node.has_foreign_session {
            return Ok(false);
        }
        let name = node.name();
        let who = node.log_in.clone();
        self.say(&options, &error.to_string());
        // The line editor reads the answer, so that Ctrl-C ends the question at once.
        let answer = shell::ask(&format!("Log in to {name} as {}? [Y/n] ", who.name()))?;
        if !answer.is_some_and(|answer| matches!(answer.trim(), "" | "y" | "Y" | "yes")) {
            self.node(&options)?.declined_log_in = true;
            return Ok(false);
        }
        let password = match self.ask_secret(&format!("password of {}: ", who.name())) {
            // Ctrl-C and an empty line mean no here.
            Err(Error::Client(crate::client::Error::Interrupted { .. }) | Error::Own(OwnError::NoPassword)) => {
                return Ok(false);
            }
            password => password?,
        };
        if self.interrupt.is_set() {
            return Ok(false);
        }
        self.log_in_as(&who, &password, Proofs::default(), &options)?;
        Ok(true)
    }

    /// Warns whoever sits at a terminal when a secret stands among the program's arguments, which other users of the
    /// machine can list. A script would repeat it at every call.
    pub(super) fn warn_of_visible_secrets(&self, arguments: &[String], options: &Options) {
        let visible = arguments.iter().find_map(|argument| {
            let (name, value) = argument.split_once('=')?;
            let from_file = value.starts_with('@') && !value.starts_with("@@");
            let is_visible = mask_value(name, value) != value && !from_file;
            is_visible.then_some(name)
        });
        if let Some(name) = visible.filter(|_| self.warns_of_secrets(options)) {
            self.say(
                options,
                &format!(
                    "warning: other users of this machine can see {name}= among the arguments; \
                     {name}=@FILE and {name}=@- read it from a file or from standard input"
                ),
            );
        }
    }

    /// The same for the body of `raw`.
    pub(super) fn warn_of_visible_body(&self, body: &str, options: &Options) {
        if mask_json(body.as_bytes()) != body && self.warns_of_secrets(options) {
            let text = "warning: other users of this machine can see the secrets of the body among the arguments; @FILE and \
                        @- read it from a file or from standard input";
            self.say(options, text);
        }
    }

    /// Whether anybody is to be warned of visible secrets. The sandbox's passwords are known to everybody.
    fn warns_of_secrets(&self, options: &Options) -> bool {
        self.environment.stderr_terminal && !options.sandbox
    }

    /// Stores an access key: requests are signed with it from now on.
    fn use_access_key(&mut self, id: &str, options: &Options) -> Result<(), Error> {
        if options.dry_run {
            self.say(options, "nothing would be sent: the access key would be kept on this machine");
            return Ok(());
        }
        let secret = match &self.environment.variables.access_key_secret {
            Some(secret) => secret.clone(),
            None => self.ask_secret("secret of the access key: ")?,
        };
        let context = self.context_name(options)?;
        let time_zone = self.contexts()?.preferences(context.as_deref()).time_zone;
        let node = self.node(options)?;
        let key = AccessKey { id: id.to_owned(), secret: secret.clone(), zone: zone(time_zone.as_deref()) };
        node.client.set_credentials(Credentials::AccessKey(key));
        let entry = Entry {
            url: node.client.endpoint().base().to_owned(),
            login: Login::AccessKey { id: id.to_owned(), secret, time_zone },
            api: None,
            who: Who::default(),
        };
        let owner = node.owner.clone();
        let name = node.name();
        self.save(owner, &entry)?;
        self.say(options, &format!("the access key is used at {name} from now on"));
        Ok(())
    }

    /// Takes the session that a log-in opened: it is used and kept from now on. `false` where the reply tells none.
    pub(super) fn logged_in(
        &mut self,
        request: &Request,
        reply: &[u8],
        who: Who,
        options: &Options,
    ) -> Result<bool, Error> {
        let Some(session) = Session::of_log_in(reply) else { return Ok(false) };
        let node = self.node(options)?;
        // One session is enough; the one of a project may live by that of its virtual id.
        let is_exchange = matches!(request.api, "LoginIAM2Project" | "LoginIAM2Platform");
        let former = node.client.session_uuid().filter(|_| !node.has_foreign_session && !is_exchange);
        node.has_foreign_session = false;
        node.declined_log_in = false;
        node.client.set_credentials(Credentials::Session(session.uuid.clone()));
        node.account = who.label();
        node.single_run = false;
        if let Some(who) = LogIn::of_stored(Some(request.api), &who) {
            node.log_in = who;
        }
        let entry = entry(node, request.api, &session, who);
        let owner = node.owner.clone();
        self.save(owner.clone(), &entry)?;
        if let Some(owner) = owner {
            let credentials = self.credentials(&owner)?;
            self.node(options)?.share_session(credentials, &entry);
        }
        if let Some(former) = former.filter(|former| *former != session.uuid) {
            self.node(options)?.client.end_session(&former);
        }
        Ok(true)
    }

    fn save(&mut self, owner: Option<Owner>, entry: &Entry) -> Result<(), Error> {
        if let Some(owner) = owner {
            self.credentials(&owner)?.save(&owner, entry)?;
        }
        Ok(())
    }

    /// `logout`: closes the session, or forgets the access key.
    pub(super) fn logout(&mut self, options: &Options, out: &mut Output<'_>) -> Result<(), Error> {
        let node = self.node(options)?;
        if node.client.session_uuid().is_none() && node.client.has_credentials() {
            if options.dry_run {
                self.say(options, "nothing would be sent: the access key would be forgotten");
                return Ok(());
            }
            let node = self.node(options)?;
            let owner = node.owner.clone();
            node.client.set_credentials(Credentials::None);
            node.account = None;
            if let Some(owner) = owner {
                self.credentials(&owner)?.delete(&owner, None)?;
            }
            self.say(options, "the access key is forgotten");
            return Ok(());
        }
        let (line, words) = Command::words_from_args(&["LogOut"]);
        if let Some(command) = Command::from_words(&line, &words)? {
            if options.dry_run {
                return self.call(command, options, out);
            }
            self.call(command, options, &mut Output::Writer(&mut Vec::new()))?;
        }
        self.say(options, "logged out");
        Ok(())
    }

    /// Forgets the session that a log-out closed; one of somebody else is none of ours.
    pub(super) fn logged_out(&mut self, request: &Request, options: &Options) -> Result<(), Error> {
        let node = self.node(options)?;
        let target = Secret::new(request.target(Secrets::Shown));
        let Some(session) = node.client.session_uuid().filter(|uuid| target.expose().ends_with(uuid.expose())) else {
            return Ok(());
        };
        node.client.set_credentials(Credentials::None);
        node.account = None;
        let owner = node.owner.clone();
        if let Some(owner) = owner {
            // Another process may have logged in meanwhile.
            self.credentials(&owner)?.delete(&owner, Some(&session))?;
        }
        Ok(())
    }

    /// The session that is in use, for calls that name it.
    pub(super) fn open_session(&mut self, options: &Options) -> Result<Option<String>, Error> {
        let node = self.node(options)?;
        Ok(node.client.session_uuid().map(|uuid| uuid.expose().to_owned()))
    }

    /// Asks for a secret: on the terminal without echo, else standard input tells it.
    fn ask_secret(&mut self, question: &str) -> Result<Secret, Error> {
        if self.environment.stdin_terminal {
            // An end by Ctrl-C would leave the terminal without echo.
            self.interrupt.on_ctrl_c()?;
            let _attended = self.attend_to_ends()?;
            let _kept = terminal::keep();
            let _silent = NoEcho::new();
            return secret_of(rpassword::prompt_password(question));
        }
        if self.reads_stdin {
            return Err(Error::Own(OwnError::NoPassword));
        }
        let mut text = String::new();
        secret_of(io::stdin().lock().read_to_string(&mut text).map(|_| text))
    }
}

/// What somebody typed or piped as a secret, without its line end.
fn secret_of(read: io::Result<String>) -> Result<Secret, Error> {
    let text = read.map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Error::Client(crate::client::Error::Interrupted { job: None }),
        io::ErrorKind::UnexpectedEof => Error::Own(OwnError::NoPassword),
        _ => Error::Script { path: "the password".to_owned(), source: error },
    })?;
    let secret = Secret::new(text);
    let bare = secret.expose().trim_end_matches(['\n', '\r']);
    if bare.is_empty() {
        return Err(Error::Own(OwnError::NoPassword));
    }
    Ok(Secret::from(bare))
}

/// The zone of a node by its name, or else this machine's.
pub(super) fn zone(name: Option<&str>) -> NodeZone {
    name.and_then(NodeZone::parse).unwrap_or_else(NodeZone::of_this_machine)
}

/// Who is to log in, as far as the command says.
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

/// Who logged in, as it is stored.
fn stored(log_in: &LogIn) -> Who {
    who_of(log_in.parameters().iter().map(|(name, value)| (*name, value.as_str())))
}

/// What a log-in may need beside the password.
#[derive(Default)]
struct Proofs {
    captcha: Option<Captcha>,
    /// The code of the second factor (M1).
    code: Option<Secret>,
}

/// A code as it goes into a tag: without the blanks that people group digits by.
fn code(typed: &Secret) -> Result<Secret, Error> {
    let digits = Secret::new(typed.expose().split_whitespace().collect::<String>());
    if digits.is_empty() || !digits.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Error::Option { option: "code", problem: "digits are expected, such as 123456".to_owned() });
    }
    Ok(digits)
}

/// A captcha and what the user read in it.
struct Captcha {
    uuid: String,
    code: String,
}

/// The account is locked after too many wrong passwords: no captcha helps (A10).
const ACCOUNT_LOCKED: &str = "LOGIN_CONTROL.1002";

fn entry(node: &Node, api: &str, session: &Session, who: Who) -> Entry {
    Entry {
        url: node.client.endpoint().base().to_owned(),
        login: Login::Session { uuid: session.uuid.clone(), expires: session.expired_date.clone() },
        api: Some(api.to_owned()),
        who,
    }
}
