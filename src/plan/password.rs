//! Passwords that are sent as their hash (A7).

/// The parameters whose value goes over the wire as the lower-case hex SHA-512 of what was typed.
///
/// Source: A7. Host, storage, LDAP and console passwords go as typed.
const HASHED: [(&str, &[&str]); 12] = [
    ("CreateAccount", &["password"]),
    ("CreateIAM2VirtualID", &["password"]),
    ("CreateUser", &["password"]),
    ("GetTwoFactorAuthenticationSecret", &["password"]),
    ("LogIn", &["password"]),
    ("LogInByAccount", &["password"]),
    ("LogInByUser", &["password"]),
    ("LoginIAM2VirtualID", &["password"]),
    ("PowerOffHost", &["adminPassword"]),
    ("UpdateAccount", &["password", "oldPassword"]),
    ("UpdateIAM2VirtualID", &["password", "oldPassword"]),
    ("UpdateUser", &["password", "oldPassword"]),
];

/// Whether a parameter is sent as its hash. `login_type` is the value of `loginType`, where it was given: of the log-in
/// types only the built-in `account` hashes.
pub(super) fn is_hashed(api: &str, parameter: &str, login_type: Option<&str>) -> bool {
    let listed = HASHED.iter().any(|(name, parameters)| *name == api && parameters.contains(&parameter));
    listed && (api != "LogIn" || login_type.is_none_or(|kind| kind == "account"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::sha512;

    #[test]
    fn the_documented_password_has_the_documented_hash() {
        assert_eq!(
            sha512("password"),
            "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb980b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86"
        );
    }

    #[test]
    fn only_the_listed_ones_are_hashed() {
        assert!(is_hashed("LogInByAccount", "password", None));
        assert!(is_hashed("UpdateUser", "oldPassword", None));
        assert!(is_hashed("LogIn", "password", Some("account")));
        assert!(!is_hashed("LogIn", "password", Some("ldap")));
        assert!(!is_hashed("LogInByLdap", "password", None));
        assert!(!is_hashed("AddKVMHost", "password", None));
    }
}
