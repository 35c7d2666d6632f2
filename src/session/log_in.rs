//! The kinds of log-in, with their APIs and parameters.

use crate::catalog::Catalog;
use crate::config::{Preferences, Who};
use crate::plan::{self, Request};
use crate::secret::Secret;

/// The account that every node has from the start (A8).
pub(crate) const ADMIN: &str = "admin";

/// A user who can log in with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogIn {
    /// An account.
    Account(String),
    /// A user of an account.
    User {
        /// The account's name.
        account: String,
        /// The user's name.
        user: String,
    },
    /// A uid of an LDAP directory.
    Ldap(String),
    /// An IAM2 virtual id.
    VirtualId(String),
    /// An IAM2 virtual id that an LDAP directory knows.
    VirtualIdOfLdap(String),
    /// A user of a CAS server.
    Cas {
        /// The name.
        name: String,
        /// The kind of server, `type` of LoginByCas.
        kind: String,
    },
    /// A user with another type of log-in.
    Typed {
        /// The name.
        name: String,
        /// The type, `loginType` of LogIn.
        kind: String,
    },
}

impl LogIn {
    /// The log-in of a stored session, by its API and the names that were given. `None` for APIs that need more than a
    /// name and a password.
    pub(crate) fn of_stored(api: Option<&str>, who: &Who) -> Option<LogIn> {
        let name = who.account.clone()?;
        Some(match api? {
            "LogInByAccount" => LogIn::Account(name),
            "LogInByUser" => LogIn::User { account: name, user: who.user.clone()? },
            "LogInByLdap" => LogIn::Ldap(name),
            "LoginIAM2VirtualID" => LogIn::VirtualId(name),
            "LoginIAM2VirtualIDWithLdap" => LogIn::VirtualIdOfLdap(name),
            "LoginByCas" => LogIn::Cas { name, kind: who.kind.clone()? },
            "LogIn" => LogIn::Typed { name, kind: who.kind.clone()? },
            _ => return None,
        })
    }

    /// The log-in of a context, by its `login`, `account` and `user`; `None` if it has none of them.
    pub(crate) fn of_preferences(preferences: &Preferences) -> Option<LogIn> {
        let (account, user) = (preferences.account.clone(), preferences.user.clone());
        Some(match preferences.log_in.as_deref() {
            Some("ldap") => LogIn::Ldap(user.or(account)?),
            Some("iam2") => LogIn::VirtualId(user.or(account)?),
            Some("iam2-ldap") => LogIn::VirtualIdOfLdap(user.or(account)?),
            Some("account") => LogIn::Account(account?),
            _ => match user {
                Some(user) => LogIn::User { account: account.unwrap_or_else(|| ADMIN.to_owned()), user },
                None => LogIn::Account(account?),
            },
        })
    }

    /// The API that opens the session (A6).
    pub(crate) fn api(&self) -> &'static str {
        match self {
            LogIn::Account(_) => "LogInByAccount",
            LogIn::User { .. } => "LogInByUser",
            LogIn::Ldap(_) => "LogInByLdap",
            LogIn::VirtualId(_) => "LoginIAM2VirtualID",
            LogIn::VirtualIdOfLdap(_) => "LoginIAM2VirtualIDWithLdap",
            LogIn::Cas { .. } => "LoginByCas",
            LogIn::Typed { .. } => "LogIn",
        }
    }

    /// Its parameters, without the password.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            LogIn::Account(name) => vec![("accountName", name.clone())],
            LogIn::User { account, user } => vec![("userName", user.clone()), ("accountName", account.clone())],
            LogIn::Ldap(uid) | LogIn::VirtualIdOfLdap(uid) => vec![("uid", uid.clone())],
            LogIn::VirtualId(name) => vec![("name", name.clone())],
            LogIn::Cas { name, kind } => vec![("name", name.clone()), ("type", kind.clone())],
            LogIn::Typed { name, kind } => vec![("username", name.clone()), ("loginType", kind.clone())],
        }
    }

    /// The name of the user.
    pub(crate) fn name(&self) -> &str {
        match self {
            LogIn::User { user: name, .. }
            | LogIn::Account(name)
            | LogIn::Ldap(name)
            | LogIn::VirtualId(name)
            | LogIn::VirtualIdOfLdap(name)
            | LogIn::Cas { name, .. }
            | LogIn::Typed { name, .. } => name,
        }
    }

    /// The name of this kind of log-in in requests for a captcha (A10 names `account`).
    pub(crate) fn login_type(&self) -> &str {
        match self {
            LogIn::Account(_) => "account",
            LogIn::User { .. } => "user",
            LogIn::Ldap(_) => "ldap",
            LogIn::VirtualId(_) | LogIn::VirtualIdOfLdap(_) => "iam2",
            LogIn::Cas { kind, .. } | LogIn::Typed { kind, .. } => kind,
        }
    }
}

/// Further proofs that a log-in may need.
#[derive(Default)]
pub(crate) struct Proofs {
    pub(crate) captcha: Option<Captcha>,
    /// The code of the second factor (M1).
    pub(crate) code: Option<Secret>,
}

/// A captcha and the user's answer.
pub(crate) struct Captcha {
    pub(crate) uuid: String,
    pub(crate) code: String,
}

impl LogIn {
    /// The request, with a password and further proofs.
    pub(crate) fn request(&self, password: &Secret, proofs: &Proofs, catalog: Catalog) -> Result<Request, plan::Error> {
        let mut parameters = self.parameters();
        parameters.push(("password", password.expose().to_owned()));
        if let Some(captcha) = &proofs.captcha {
            parameters.extend([("captchaUuid", captcha.uuid.clone()), ("verifyCode", captcha.code.clone())]);
        }
        if let Some(code) = &proofs.code {
            parameters.push(("systemTags", format!("twofatoken::{}", code.expose())));
        }
        plan::call(self.api(), &parameters, catalog)
    }

    /// The names to be stored.
    pub(crate) fn who(&self) -> Who {
        who_of(self.parameters().iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// The names among the parameters of a log-in.
pub(crate) fn who_of<'p>(parameters: impl Iterator<Item = (&'p str, &'p str)>) -> Who {
    let mut who = Who::default();
    for (name, value) in parameters {
        let place = match name {
            "accountName" | "uid" | "username" | "name" | "projectName" => &mut who.account,
            "userName" => &mut who.user,
            "loginType" | "type" => &mut who.kind,
            _ => continue,
        };
        *place = Some(value.to_owned());
    }
    who
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everybody() -> [LogIn; 7] {
        let (name, kind) = ("bob".to_owned(), "corporate".to_owned());
        [
            LogIn::Account(name.clone()),
            LogIn::User { account: "admin".into(), user: name.clone() },
            LogIn::Ldap(name.clone()),
            LogIn::VirtualId(name.clone()),
            LogIn::VirtualIdOfLdap(name.clone()),
            LogIn::Cas { name: name.clone(), kind: kind.clone() },
            LogIn::Typed { name, kind },
        ]
    }

    #[test]
    fn whoever_logged_in_is_found_again() {
        for log_in in everybody() {
            assert_eq!(LogIn::of_stored(Some(log_in.api()), &log_in.who()), Some(log_in));
        }
        let bob = Who { account: Some("bob".into()), ..Who::default() };
        for api in [Some("LoginByCas"), Some("LogInByUser"), Some("LoginIAM2Project"), None] {
            assert_eq!(LogIn::of_stored(api, &bob), None, "{api:?}");
        }
    }

    #[test]
    fn the_parameters_are_those_of_the_catalog() {
        let catalog = Catalog::newest();
        for log_in in everybody() {
            let api = catalog.api(log_in.api()).expect("an API");
            for (name, _) in log_in.parameters() {
                assert!(api.parameters.iter().any(|parameter| parameter.name == name), "{} {name}", api.name);
            }
        }
    }

    #[test]
    fn a_context_names_who_logs_in() {
        let of = |log_in: &str, account: &str, user: &str| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            LogIn::of_preferences(&Preferences {
                log_in: text(log_in),
                account: text(account),
                user: text(user),
                ..Preferences::default()
            })
        };
        let bob = || "bob".to_owned();
        assert_eq!(of("", "", ""), None);
        assert_eq!(of("", "bob", ""), Some(LogIn::Account(bob())));
        assert_eq!(of("", "", "bob"), Some(LogIn::User { account: "admin".into(), user: bob() }));
        assert_eq!(of("user", "lab", "bob"), Some(LogIn::User { account: "lab".into(), user: bob() }));
        assert_eq!(of("account", "bob", "eve"), Some(LogIn::Account(bob())));
        assert_eq!(of("ldap", "bob", ""), Some(LogIn::Ldap(bob())));
        assert_eq!(of("iam2", "admin", "bob"), Some(LogIn::VirtualId(bob())));
        assert_eq!(of("iam2-ldap", "", "bob"), Some(LogIn::VirtualIdOfLdap(bob())));
        assert_eq!(of("ldap", "", ""), None);
    }
}
