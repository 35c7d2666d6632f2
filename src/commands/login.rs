//! `login`: who logs in, and what that means in APIs and parameters.

/// Somebody who can log in with a password.
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
}

impl LogIn {
    /// Who opened a stored session, by the API that did and the names that were given. `None` for APIs that take
    /// more than a name and a password.
    pub(crate) fn of_stored(api: Option<&str>, account: Option<&str>, user: Option<&str>) -> Option<LogIn> {
        let account = account?.to_owned();
        Some(match (api?, user) {
            ("LogInByAccount", _) => LogIn::Account(account),
            ("LogInByUser", Some(user)) => LogIn::User { account, user: user.to_owned() },
            ("LogInByLdap", _) => LogIn::Ldap(account),
            ("LoginIAM2VirtualID", _) => LogIn::VirtualId(account),
            ("LoginIAM2VirtualIDWithLdap", _) => LogIn::VirtualIdOfLdap(account),
            _ => return None,
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
        }
    }

    /// Its parameters, without the password.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            LogIn::Account(name) => vec![("accountName", name.clone())],
            LogIn::User { account, user } => vec![("userName", user.clone()), ("accountName", account.clone())],
            LogIn::Ldap(uid) | LogIn::VirtualIdOfLdap(uid) => vec![("uid", uid.clone())],
            LogIn::VirtualId(name) => vec![("name", name.clone())],
        }
    }

    /// Whose password it is.
    pub(crate) fn name(&self) -> &str {
        match self {
            LogIn::User { user: name, .. }
            | LogIn::Account(name)
            | LogIn::Ldap(name)
            | LogIn::VirtualId(name)
            | LogIn::VirtualIdOfLdap(name) => name,
        }
    }

    /// What the node calls this kind of log-in when it is asked for a captcha (A10 names `account`).
    pub(crate) fn login_type(&self) -> &'static str {
        match self {
            LogIn::Account(_) => "account",
            LogIn::User { .. } => "user",
            LogIn::Ldap(_) => "ldap",
            LogIn::VirtualId(_) | LogIn::VirtualIdOfLdap(_) => "iam2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn whoever_logged_in_is_found_again() {
        for log_in in [
            LogIn::Account("admin".into()),
            LogIn::User { account: "admin".into(), user: "bob".into() },
            LogIn::Ldap("bob".into()),
            LogIn::VirtualId("bob".into()),
            LogIn::VirtualIdOfLdap("bob".into()),
        ] {
            let value = |names: &[&str]| {
                let found = log_in.parameters().into_iter().find(|(name, _)| names.contains(name));
                found.map(|(_, value)| value)
            };
            let (account, user) = (value(&["accountName", "uid", "name"]), value(&["userName"]));
            let found = LogIn::of_stored(Some(log_in.api()), account.as_deref(), user.as_deref());
            assert_eq!(found, Some(log_in));
        }
        assert_eq!(LogIn::of_stored(Some("LoginByCas"), Some("bob"), None), None);
        assert_eq!(LogIn::of_stored(Some("LogInByUser"), Some("admin"), None), None);
        assert_eq!(LogIn::of_stored(None, Some("admin"), None), None);
    }

    #[test]
    fn the_parameters_are_those_of_the_catalog() {
        let catalog = Catalog::newest();
        for log_in in [
            LogIn::User { account: "admin".into(), user: "bob".into() },
            LogIn::Ldap("bob".into()),
            LogIn::VirtualId("bob".into()),
            LogIn::VirtualIdOfLdap("bob".into()),
        ] {
            let api = catalog.api(log_in.api()).expect("an API");
            for (name, _) in log_in.parameters() {
                assert!(api.parameters.iter().any(|parameter| parameter.name == name), "{} {name}", api.name);
            }
        }
    }
}
