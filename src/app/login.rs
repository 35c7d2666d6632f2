//! Opening and closing sessions, by the APIs or by `login` and `logout`.

use std::io::{self, Read};

use crate::cli::{LoginWith, Options};
use crate::client::{AccessKey, Answer, Credentials, NodeZone, Session};
use crate::config::{self, Entry, Login, Owner};
use crate::error::{Error, OwnError};
use crate::plan::{self, Plan, Request};
use crate::secret::Secret;
use crate::syntax::Command;

use super::App;
use super::connect::Node;

impl App {
    /// The log-in that the environment's password allows without asking anybody.
    pub(super) fn log_in_from_environment(&self, account: Option<&str>) -> Result<Request, Error> {
        let password = self.environment.variables.password.clone().ok_or(Error::Own(OwnError::NoPassword))?;
        self.log_in_request(
            "LogInByAccount",
            &[("accountName", account.unwrap_or("admin")), ("password", password.expose())],
        )
    }

    /// Plans a log-in with these parameters.
    fn log_in_request(&self, api: &str, parameters: &[(&str, &str)]) -> Result<Request, Error> {
        let mut words = vec![api.to_owned()];
        words.extend(parameters.iter().map(|(name, value)| format!("{name}={value}")));
        let (line, words) = Command::words_from_args(&words);
        let command = Command::from_words(&line, &words)?;
        match command.map(|command| plan::plan(&command, self.catalog, &plan::Options::default())) {
            Some(Ok(Plan::Call(request))) => Ok(request),
            Some(Err(error)) => Err(error.into()),
            Some(Ok(Plan::Query(_))) | None => Err(Error::Own(OwnError::NoPassword)),
        }
    }

    /// `login`: opens a session as somebody, asking for the password.
    pub(super) fn login(&mut self, with: &LoginWith, options: &Options) -> Result<(), Error> {
        if let Some(id) = &with.access_key {
            return self.use_access_key(id, options);
        }
        let context = self.context_name(options)?;
        let preferences = self.contexts()?.preferences(context.as_deref());
        let account = with.account.clone().or(preferences.account).unwrap_or_else(|| "admin".to_owned());
        let (api, mut parameters) = match (&with.user, &with.ldap, &with.iam2) {
            (Some(user), _, _) => ("LogInByUser", vec![("userName", user.clone()), ("accountName", account.clone())]),
            (None, Some(uid), _) => ("LogInByLdap", vec![("uid", uid.clone())]),
            (None, None, Some(name)) => ("LoginIAM2VirtualID", vec![("name", name.clone())]),
            (None, None, None) => ("LogInByAccount", vec![("accountName", account.clone())]),
        };
        let who = parameters[0].1.clone();
        let password = self.ask_secret(&format!("password of {who}: "))?;
        parameters.push(("password", password.expose().to_owned()));
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = self.log_in_request(api, &parameters)?;
        match self.execute(&request, options)? {
            Answer::Reply(reply) => {
                let text = reply.into_text().map_err(|error| crate::client::Error::of_read(&error))?;
                self.logged_in(&request, &text, &parameters_of(&parameters), options)?;
                let name = self.node(options)?.name();
                self.say(options, &format!("logged in as {who} at {name}"));
                Ok(())
            }
            Answer::Failed(failure) => Err(Error::Api(Box::new(failure))),
            Answer::Detached(_) => Ok(()),
        }
    }

    /// Stores an access key: requests are signed with it from now on.
    fn use_access_key(&mut self, id: &str, options: &Options) -> Result<(), Error> {
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
            account: None,
            user: None,
        };
        let owner = node.owner.clone();
        let name = node.name();
        if let Some(owner) = owner {
            config::Credentials::new(self.environment.folders()?).save(&owner, &entry)?;
        }
        self.say(options, &format!("the access key is used at {name} from now on"));
        Ok(())
    }

    /// Takes the session that a log-in opened: it is used and kept from now on.
    pub(super) fn logged_in(
        &mut self,
        request: &Request,
        reply: &[u8],
        parameters: &[(String, String)],
        options: &Options,
    ) -> Result<(), Error> {
        let Some(session) = Session::of_log_in(reply) else { return Ok(()) };
        let value = |names: &[&str]| {
            parameters.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.clone())
        };
        let account = value(&["accountName", "uid", "username", "name"]);
        let user = value(&["userName"]);
        let node = self.node(options)?;
        node.client.set_credentials(Credentials::Session(session.uuid.clone()));
        node.account = match (&account, &user) {
            (Some(account), Some(user)) => Some(format!("{account}/{user}")),
            (account, user) => account.clone().or_else(|| user.clone()),
        };
        node.single_run = false;
        let entry = entry(node, request.api, &session, account, user);
        let owner = node.owner.clone();
        self.save(owner, &entry)
    }

    /// Keeps a session that was renewed, as whoever it belonged to before.
    pub(super) fn keep_session(
        &self,
        node: &Node,
        api: &str,
        session: &Session,
        account: Option<String>,
    ) -> Result<(), Error> {
        let account = account.or_else(|| node.account.clone());
        self.save(node.owner.clone(), &entry(node, api, session, account, None))
    }

    fn save(&self, owner: Option<Owner>, entry: &Entry) -> Result<(), Error> {
        if let Some(owner) = owner {
            config::Credentials::new(self.environment.folders()?).save(&owner, entry)?;
        }
        Ok(())
    }

    /// Forgets a session that was closed.
    pub(super) fn logged_out(&mut self, options: &Options) -> Result<(), Error> {
        let node = self.node(options)?;
        node.client.set_credentials(Credentials::None);
        node.account = None;
        let owner = node.owner.clone();
        if let Some(owner) = owner {
            config::Credentials::new(self.environment.folders()?).delete(&owner, None)?;
        }
        Ok(())
    }

    /// The session that is in use, for calls that name it.
    pub(super) fn open_session(&mut self, options: &Options) -> Result<Option<String>, Error> {
        let node = self.node(options)?;
        Ok(node.client.session_uuid().map(|uuid| uuid.expose().to_owned()))
    }

    /// Asks for a secret: the environment's password, else the terminal without echo, else standard input.
    fn ask_secret(&self, question: &str) -> Result<Secret, Error> {
        if let Some(password) = &self.environment.variables.password {
            return Ok(password.clone());
        }
        let mut text = if self.environment.stdin_terminal {
            rpassword::prompt_password(question).map_err(|error| match error.kind() {
                io::ErrorKind::Interrupted => Error::Client(crate::client::Error::Interrupted { job: None }),
                _ => Error::Write(error),
            })?
        } else {
            let mut text = String::new();
            io::stdin().lock().read_to_string(&mut text)?;
            text
        };
        while text.ends_with(['\n', '\r']) {
            text.pop();
        }
        if text.is_empty() {
            return Err(Error::Own(OwnError::NoPassword));
        }
        Ok(Secret::new(text))
    }
}

/// The zone of a node by its name, or else this machine's.
pub(super) fn zone(name: Option<&str>) -> NodeZone {
    name.and_then(NodeZone::parse).unwrap_or_else(NodeZone::of_this_machine)
}

/// The parameters of a log-in that name who logs in.
pub(super) fn parameters_of(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters
        .iter()
        .filter(|(name, _)| *name != "password")
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn entry(node: &Node, api: &str, session: &Session, account: Option<String>, user: Option<String>) -> Entry {
    Entry {
        url: node.client.endpoint().base().to_owned(),
        login: Login::Session { uuid: session.uuid.clone(), expires: session.expired_date.clone() },
        api: Some(api.to_owned()),
        account,
        user,
    }
}
