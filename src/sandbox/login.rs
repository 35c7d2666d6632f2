//! Logging in and out (A4 to A10).

use super::answer::Failure;
use super::arguments::Arguments;
use super::calls::Caller;
use super::change::uuids;
use super::node::Node;
use super::sessions::Session;
use super::store::{Row, Scalar};
use crate::json;

/// The APIs of log-ins and sessions.
pub(super) const APIS: [&str; 9] = [
    "GetLoginProcedures",
    "LogIn",
    "LogInByAccount",
    "LogInByUser",
    "LogOut",
    "LoginIAM2Project",
    "LoginIAM2VirtualID",
    "RenewSession",
    "ValidateSession",
];

impl Node {
    /// Runs an API of log-ins and sessions; `None` for other APIs.
    pub(super) fn run_log_in(
        &mut self,
        api: &str,
        arguments: &Arguments,
        caller: &Caller,
    ) -> Option<Result<String, Failure>> {
        Some(match api {
            "LogInByAccount" => self.log_in_by_account(arguments.text("accountName"), arguments.text("password")),
            "LogIn" => match arguments.text("loginType") {
                Some("account") => self.log_in_by_account(arguments.text("username"), arguments.text("password")),
                Some(other) => Err(Failure::argument(format!("field[loginType] has an unknown value {other}"))),
                None => Err(Failure::argument("field[loginType] is mandatory, it cannot be null")),
            },
            "LogInByUser" => self.log_in_by_user(arguments),
            "LoginIAM2VirtualID" => self.log_in_by_virtual_id(arguments.text("name"), arguments.text("password")),
            "LoginIAM2Project" => self.enter_project(arguments.text("projectName").unwrap_or_default(), caller),
            "LogOut" => self.log_out(arguments.text("sessionUuid").unwrap_or_default()),
            "ValidateSession" => self.validate(arguments.text("sessionUuid").unwrap_or_default()),
            "RenewSession" => self.renew(arguments),
            // The sandbox has neither captchas nor second factors.
            "GetLoginProcedures" => Ok("{\"procedures\":[]}".to_owned()),
            _ => return None,
        })
    }

    fn log_in_by_account(&mut self, name: Option<&str>, password: Option<&str>) -> Result<String, Failure> {
        let accounts = self.find("AccountInventory", &[("name", Scalar::from(name.unwrap_or_default()))])?;
        let account = accounts.iter().find(|account| has_password(account, name, password)).ok_or_else(wrong)?;
        let uuid = account.text("uuid").unwrap_or_default();
        self.open(uuid, uuid, account.text("type") == Some("SystemAdmin"))
    }

    fn log_in_by_user(&mut self, arguments: &Arguments) -> Result<String, Failure> {
        let account = match (arguments.text("accountUuid"), arguments.text("accountName")) {
            (Some(uuid), _) => self.find("AccountInventory", &[("uuid", Scalar::from(uuid))])?,
            (None, Some(name)) => self.find("AccountInventory", &[("name", Scalar::from(name))])?,
            (None, None) => {
                return Err(Failure::argument("field[accountName] and field[accountUuid] cannot both be null"));
            }
        };
        let account = account.first().ok_or_else(wrong)?;
        let account_uuid = account.text("uuid").unwrap_or_default();
        let name = arguments.text("userName");
        let conditions =
            [("accountUuid", Scalar::from(account_uuid)), ("name", Scalar::from(name.unwrap_or_default()))];
        let users = self.find("UserInventory", &conditions)?;
        let user = users.iter().find(|user| has_password(user, name, arguments.text("password"))).ok_or_else(wrong)?;
        self.open(account_uuid, user.text("uuid").unwrap_or_default(), account.text("type") == Some("SystemAdmin"))
    }

    /// A virtual id is nobody until it enters a project: its account is itself, which owns nothing.
    fn log_in_by_virtual_id(&mut self, name: Option<&str>, password: Option<&str>) -> Result<String, Failure> {
        let found = self.find("IAM2VirtualIDInventory", &[("name", Scalar::from(name.unwrap_or_default()))])?;
        let id = found.iter().find(|id| has_password(id, name, password)).ok_or_else(wrong)?;
        if id.text("state") != Some("Enabled") {
            return Err(Failure::refused("the virtual id is disabled"));
        }
        let uuid = id.text("uuid").unwrap_or_default();
        self.open(uuid, uuid, false)
    }

    /// Opens a session of a project for one of its members.
    fn enter_project(&mut self, name: &str, caller: &Caller) -> Result<String, Failure> {
        let found = self.find("IAM2ProjectInventory", &[("name", Scalar::from(name))])?;
        let is_member = |project: &&Row| uuids(project, "virtualIDUuids").contains(&caller.account);
        let project = found.iter().find(is_member).ok_or_else(|| {
            Failure::refused(format!("the virtual id is no member of a project with the name {name}"))
        })?;
        if project.text("state") != Some("Enabled") {
            return Err(Failure::refused(format!("the project {name} is not enabled")));
        }
        self.open(project.text("linkedAccountUuid").unwrap_or_default(), &caller.account, false)
    }

    /// Opens a session, unless its user has too many (A4, R11). Ends the others if only one is allowed (A5).
    fn open(&mut self, account: &str, user: &str, is_admin: bool) -> Result<String, Failure> {
        let now = self.now();
        let settings = self.find("GlobalConfigInventory", &[("category", Scalar::from("identity"))])?;
        // A setting with its default value defers to the options of the sandbox.
        let changed = |name: &str| {
            let row = settings.iter().find(|row| row.text("name") == Some(name))?;
            row.text("value").filter(|value| row.text("defaultValue") != Some(value))
        };
        let limit = changed("session.maxConcurrent").and_then(|value| value.parse().ok());
        let limit = limit.unwrap_or(self.options.session_limit);
        let lifetime = changed("session.timeout").and_then(|value| value.parse::<i64>().ok());
        let lifetime = lifetime.map_or(self.session_lifetime(), |seconds| seconds.saturating_mul(1000));
        if changed("enable.unique.session") == Some("true") {
            self.ledger.close_sessions_of(user)?;
        } else if self.ledger.count_sessions(user, now)? >= limit {
            return Err(Failure::new("ID.1006", format!("the user has {limit} sessions, which is the most allowed")));
        }
        let session = self.ledger.open_session(account, user, is_admin, now, lifetime)?;
        Ok(reply(&session))
    }

    fn log_out(&mut self, uuid: &str) -> Result<String, Failure> {
        self.ledger.close_session(uuid)?;
        Ok("{}".to_owned())
    }

    fn validate(&mut self, uuid: &str) -> Result<String, Failure> {
        let is_valid = self.ledger.session(uuid, self.now())?.is_some();
        Ok(format!("{{\"valid\":{is_valid}}}"))
    }

    fn renew(&mut self, arguments: &Arguments) -> Result<String, Failure> {
        let now = self.now();
        let uuid = arguments.text("sessionUuid").unwrap_or_default();
        let mut session = self.ledger.session(uuid, now)?.ok_or_else(Failure::no_session)?;
        let lifetime = arguments.integer("duration").map_or(self.session_lifetime(), |seconds| seconds * 1000);
        session.expires = now.plus(lifetime);
        self.ledger.move_session_end(uuid, session.expires)?;
        Ok(reply(&session))
    }

    /// Reads rows of the store.
    pub(super) fn find(&self, inventory: &str, conditions: &[(&str, Scalar)]) -> Result<Vec<Row>, Failure> {
        self.store.read(|tx| Ok(tx.find_where(inventory, conditions)?))
    }
}

/// The store compares text ignoring case; names and passwords are compared exactly.
fn has_password(row: &Row, name: Option<&str>, password: Option<&str>) -> bool {
    row.text("name") == name && row.text("password").is_some() && row.text("password") == password
}

fn wrong() -> Failure {
    Failure::new("ID.1000", "wrong account name or password")
}

/// The reply with a session.
fn reply(session: &Session) -> String {
    let member = |name: &str, text: String| (name.to_owned(), json::Value::text(text));
    let inventory = json::Value::Map(vec![
        member("uuid", session.uuid.clone()),
        member("accountUuid", session.account.clone()),
        member("userUuid", session.user.clone()),
        member("expiredDate", session.expires.to_shown()),
        member("createDate", session.created.to_shown()),
        ("noSessionEvaluation".to_owned(), json::Value::Bool(false)),
    ]);
    format!("{{\"inventory\":{}}}", inventory.to_json(None))
}
