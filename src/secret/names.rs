//! The names whose values are secret.

use std::cell::RefCell;
use std::collections::HashMap;

/// How many names are remembered with what they say.
const MOST_KNOWN: usize = 1000;

/// How much of a value is secret, judged by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// Nothing, as far as the name says.
    Open,
    /// The value may contain a secret in a known place: user info in a URL, the tail of a system tag, a member of JSON
    /// within the text.
    Inside,
    /// All of it.
    Whole,
}

/// Suffixes of names, in lower case, whose values are secret: `sshPassword`, `AccessKeySecret`, `idToken`.
const SECRET_ENDINGS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secrete",
    "secretkey",
    "secretaccesskey",
    "token",
    "privatekey",
    "privkey",
    "credential",
];

/// Whole names, in lower case, whose values are secret although no suffix says so.
const SECRET_NAMES: [&str; 6] =
    ["authorization", "authkey", "sessionuuid", "sessionid", "captchaverifycode", "verifycode"];

/// Options whose values are secret although parameters of the same name are not.
const SECRET_OPTIONS: [&str; 1] = ["--code"];

/// Programs whose option `-p` takes a password, with or without a space before it.
const TAKE_PASSWORDS: [&str; 4] = ["sshpass", "mysql", "mysqldump", "mysqladmin"];

/// Returns the byte offset at which the secret starts in a word of another program's command line, judged by the two
/// words before it: `sshpass -p X`, `mysql -pX`, `curl -u root:X`.
pub(super) fn secret_of_option(program: &str, option: &str, word: &str) -> Option<usize> {
    let takes_password = |program: &str| TAKE_PASSWORDS.iter().any(|known| program.rsplit('/').next() == Some(known));
    if option == "-p" && takes_password(program) {
        return Some(0);
    }
    if takes_password(option) && word.len() > 2 && word.starts_with("-p") {
        return Some(2);
    }
    let user = matches!(option, "-u" | "--user" | "--proxy-user").then(|| word.find(':')).flatten()?;
    (user + 1 < word.len() && !word.contains("://")).then_some(user + 1)
}

/// Names, in lower case, whose values may contain a secret.
const INSIDE_NAMES: [&str; 15] = [
    "url",
    "urls",
    "monurl",
    "monurls",
    "monaddr",
    "tag",
    "tags",
    "systemtags",
    "systemtag",
    "__systemtag__",
    "usertags",
    "jobdata",
    "jobresult",
    "webssh",
    "userdata",
];

/// Returns how much of the value of the parameter, member, field or option called `name` is secret. Case, a plural and
/// leading dashes make no difference; of a path (`mons.sshPassword`) the last segment decides.
///
/// Every parameter that the catalog marks as secret is at least [`Secrecy::Inside`]; a test checks that.
pub fn name_secrecy(name: &str) -> Secrecy {
    thread_local! {
        /// The names of the members of rows, which are the same for all rows.
        static KNOWN: RefCell<HashMap<String, Secrecy>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(secrecy) = known.get(name) {
            return *secrecy;
        }
        let secrecy = secrecy_of(name);
        if known.len() < MOST_KNOWN {
            known.insert(name.to_owned(), secrecy);
        }
        secrecy
    })
}

fn secrecy_of(name: &str) -> Secrecy {
    if SECRET_OPTIONS.contains(&name) {
        return Secrecy::Whole;
    }
    let last = name.rsplit(['.', '/']).next().unwrap_or(name).trim().trim_start_matches('-');
    let mut lower: String = last.chars().filter(|c| *c != '-').flat_map(char::to_lowercase).collect();
    if INSIDE_NAMES.contains(&lower.as_str()) {
        return Secrecy::Inside;
    }
    if let Some(singular) = lower.strip_suffix('s')
        && !singular.ends_with('s')
    {
        lower.truncate(singular.len());
    }
    let joined = lower.replace('_', "");
    let secret = SECRET_NAMES.contains(&joined.as_str())
        || SECRET_ENDINGS.iter().any(|ending| joined.ends_with(ending))
        || ends_like_password(&joined);
    if secret { Secrecy::Whole } else { Secrecy::Open }
}

/// Whether a name ends in `password` with a single typing error, as in a history: `pasword`, `passwrod`.
fn ends_like_password(name: &str) -> bool {
    const WORD: &[u8] = b"password";
    let bytes = name.as_bytes();
    let ending = |length: usize| bytes.len().checked_sub(length).map(|start| &bytes[start..]);
    let without = |text: &[u8], at: usize| [&text[..at], &text[at + 1..]].concat();
    let one_missing = ending(WORD.len() - 1).is_some_and(|end| (0..WORD.len()).any(|at| without(WORD, at) == end));
    let one_more = ending(WORD.len() + 1).is_some_and(|end| (0..end.len()).any(|at| without(end, at) == WORD));
    let one_other = ending(WORD.len()).is_some_and(|end| {
        let wrong: Vec<usize> = (0..WORD.len()).filter(|&at| end[at] != WORD[at]).collect();
        match wrong[..] {
            [_] => true,
            [one, other] => other == one + 1 && end[one] == WORD[other] && end[other] == WORD[one],
            _ => false,
        }
    });
    one_missing || one_more || one_other
}

/// Whether a reply member or parameter of this name is secret: `sshPassword`, `token`, `AccessKeySecret`. The name does
/// not decide for a session's `uuid`: see [`is_session_record`].
pub fn member_is_secret(name: &str) -> bool {
    name_secrecy(name) == Secrecy::Whole
}

/// Whether a record with these members is a session, as log-ins return it. Its `uuid` is then a secret.
///
/// Source: A6 (`uuid`, `accountUuid`, `userUuid`, `expiredDate`, `createDate`, `noSessionEvaluation`).
pub fn is_session_record<'a>(members: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut expires, mut owner) = (false, false);
    for name in members {
        expires |= matches!(name, "expiredDate" | "noSessionEvaluation");
        owner |= matches!(name, "accountUuid" | "userUuid" | "noSessionEvaluation");
    }
    expires && owner
}

/// Whether the value of an HTTP header is secret.
pub fn header_is_secret(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn secret_names_are_known_in_any_case_and_place() {
        for name in [
            "password",
            "Password",
            "sshPassword",
            "oldPassword",
            "AccessKeySecret",
            "clientSecrete",
            "hmacToken",
            "mons.sshPassword",
            "--password",
            "access_key_secret",
            "passwords",
            "sshPrivKey",
            "sessionUuid",
            "authKey",
            "access-key-secret",
            "pasword",
            "sshPasswrod",
            "passwordd",
            "oldPassward",
        ] {
            assert_eq!(name_secrecy(name), Secrecy::Whole, "{name}");
        }
        for name in [
            "uuid",
            "name",
            "AccessKeyID",
            "publicKey",
            "sortKey",
            "tokenUrl",
            "tokenName",
            "secretResourcePoolUuid",
            "sshKeyPairUuid",
            "privateIpAddress",
            "accountUuid",
            "passwordless",
            "s",
            "",
            "keyIndex",
        ] {
            assert_eq!(name_secrecy(name), Secrecy::Open, "{name}");
        }
        assert_eq!(name_secrecy("monUrls"), Secrecy::Inside);
        assert_eq!(name_secrecy("systemTags"), Secrecy::Inside);
    }

    #[test]
    fn every_secret_parameter_of_the_catalog_is_known_by_its_name() {
        let catalog = Catalog::newest();
        let mut seen = 0;
        for name in catalog.api_names() {
            let api = catalog.api(name.as_str()).expect("a listed API");
            for parameter in api.parameters.iter().filter(|parameter| parameter.secret) {
                seen += 1;
                assert_ne!(name_secrecy(parameter.name), Secrecy::Open, "{} {}", api.name, parameter.name);
            }
        }
        assert!(seen > 50, "the catalog marks secrets");
    }

    #[test]
    fn sessions_are_known_by_their_members() {
        assert!(is_session_record(["uuid", "accountUuid", "userUuid", "expiredDate", "createDate"]));
        assert!(!is_session_record(["uuid", "name", "accountUuid", "createDate"]));
        assert!(!is_session_record(["uuid", "expiredDate"]), "a licence");
    }

    #[test]
    fn headers_that_carry_credentials() {
        assert!(header_is_secret("Authorization"));
        assert!(header_is_secret("set-cookie"));
        assert!(!header_is_secret("X-Job-UUID"));
    }
}
