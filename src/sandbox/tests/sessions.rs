//! Log-ins and sessions over the wire (A3 to A10).

use std::time::Duration;

use super::harness::{NOTHING, PASSWORD, Sandbox};
use crate::sandbox::Options;

const UTF8: &str = "Content-Type: application/json; charset=utf-8";

#[test]
fn an_account_logs_in_and_out_a6_a9() {
    let sandbox = Sandbox::new();
    let reply = sandbox.log_in("admin", PASSWORD);
    assert_eq!(reply.status, 200, "{reply:?}");
    let session = reply.json()["inventory"].clone();
    assert_eq!(session["accountUuid"], "36c27e8ff05c4780bf6d2fa65700f22e");
    assert_eq!((&session["userUuid"], &session["noSessionEvaluation"]), (&session["accountUuid"], &false.into()));
    assert!(session["expiredDate"].is_string() && session["createDate"].is_string(), "{session}");
    let uuid = session["uuid"].as_str().expect("a session");
    assert_eq!(sandbox.call_as(uuid, "GET", "/zones", "").status, 200);
    let out = sandbox.send(&format!("DELETE /zstack/v1/accounts/sessions/{uuid}"), &[], "");
    assert_eq!((out.status, out.body.as_str()), (200, "{}"));
    assert_eq!(sandbox.call_as(uuid, "GET", "/zones", "").code(), "ID.1001");
    let again = sandbox.send(&format!("DELETE /zstack/v1/accounts/sessions/{NOTHING}"), &[], "");
    assert_eq!(again.status, 200, "logging out what is unknown succeeds");
}

#[test]
fn a_wrong_password_is_refused_and_not_repeated() {
    let sandbox = Sandbox::new();
    for (account, password) in [("admin", "hunter2"), ("admin", &PASSWORD.to_uppercase()), ("nobody", PASSWORD)] {
        let reply = sandbox.log_in(account, password);
        assert_eq!(reply.code(), "ID.1000");
        assert!(!reply.body.contains(password), "{reply:?}");
    }
}

#[test]
fn users_and_the_general_log_in_work_too() {
    let sandbox = Sandbox::new();
    let user = sandbox.row("/accounts/users?q=name%3Dalice");
    let account = user["accountUuid"].as_str().expect("an account").to_owned();
    let body = format!(r#"{{"logInByUser":{{"userName":"alice","password":"{PASSWORD}","accountUuid":"{account}"}}}}"#);
    let session = sandbox.send("PUT /zstack/v1/accounts/users/login", &[UTF8], &body).json()["inventory"].clone();
    assert_eq!((&session["accountUuid"], &session["userUuid"]), (&account.as_str().into(), &user["uuid"]));
    let rows = sandbox.call_as(session["uuid"].as_str().expect("a session"), "GET", "/vm-instances", "").json();
    let rows = rows["inventories"].as_array().map(Vec::len);
    assert!(rows < Some(sandbox.rows("/vm-instances").len()), "a user sees what is the account's only: {rows:?}");
    let log_in = |kind: &str| {
        let body = format!(r#"{{"logIn":{{"username":"admin","password":"{PASSWORD}","loginType":"{kind}"}}}}"#);
        sandbox.send("PUT /zstack/v1/login", &[UTF8], &body)
    };
    assert_eq!(log_in("account").status, 200);
    assert_eq!(log_in("oracle").code(), "SYS.1007");
    let procedures = sandbox.send("GET /zstack/v1/login/procedures?username=admin&loginType=account", &[], "");
    assert_eq!(procedures.json()["procedures"], serde_json::json!([]));
}

#[test]
fn a_session_expires_unless_it_is_renewed_a3() {
    let sandbox = Sandbox::with(Options { session_lifetime: Duration::ZERO, ..Options::default() });
    assert_eq!(sandbox.call("GET", "/zones", "").code(), "ID.1001");
    let sandbox = Sandbox::new();
    let path = format!("/accounts/sessions/{}/renew", sandbox.running.session_uuid());
    let renewed = sandbox.change("PUT", &path, r#"{"renewSession":{"duration":31536000}}"#);
    assert_eq!(renewed.status, 200, "{renewed:?}");
    assert_eq!(renewed.json()["inventory"]["uuid"], sandbox.running.session_uuid());
    let refused = sandbox.change("PUT", &path, r#"{"renewSession":{"duration":59}}"#);
    assert_eq!(refused.code(), "SYS.1007");
}

#[test]
fn a_user_has_so_many_sessions_and_no_more_a4() {
    let sandbox = Sandbox::with(Options { session_limit: 2, ..Options::default() });
    // The sandbox's own session is one.
    assert_eq!(sandbox.log_in("admin", PASSWORD).status, 200);
    assert_eq!(sandbox.log_in("admin", PASSWORD).code(), "ID.1006");
}

#[test]
fn with_unique_sessions_a_log_in_ends_the_others_a5() {
    let sandbox = Sandbox::new();
    let path = "/global-configurations/identity/enable.unique.session/actions";
    let set = sandbox.change("PUT", path, r#"{"updateGlobalConfig":{"value":"true"}}"#);
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(sandbox.log_in("admin", PASSWORD).status, 200);
    assert_eq!(sandbox.call("GET", "/zones", "").code(), "ID.1001");
}

#[test]
fn settings_bound_sessions_too() {
    let sandbox = Sandbox::new();
    let set = |name: &str, value: &str| {
        let body = format!(r#"{{"updateGlobalConfig":{{"value":"{value}"}}}}"#);
        sandbox.change("PUT", &format!("/global-configurations/identity/{name}/actions"), &body)
    };
    assert_eq!(set("session.maxConcurrent", "1").status, 200);
    assert_eq!(sandbox.log_in("admin", PASSWORD).code(), "ID.1006");
    assert_eq!(set("session.maxConcurrent", "9").status, 200);
    assert_eq!(set("session.timeout", "0").status, 200);
    let session = sandbox.log_in("admin", PASSWORD).json()["inventory"].clone();
    assert_eq!(session["expiredDate"], session["createDate"]);
    let uuid = session["uuid"].as_str().expect("a session");
    assert_eq!(sandbox.call_as(uuid, "GET", "/zones", "").code(), "ID.1001");
    let unknown = set("no.such.setting", "1");
    assert_eq!(unknown.code(), "SYS.1007");
}

/// Signs a request as A11 says.
fn signature(secret: &str, verb: &str, date: &str, path: &str) -> String {
    use base64::Engine as _;
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("{verb}\n{date}\n{path}").as_bytes());
    base64::prelude::BASE64_STANDARD.encode(tag)
}

#[test]
fn access_keys_sign_requests_a11() {
    let sandbox = Sandbox::new();
    let admin = "36c27e8ff05c4780bf6d2fa65700f22e";
    let body = format!(r#"{{"params":{{"accountUuid":"{admin}","userUuid":"{admin}"}}}}"#);
    let key = sandbox.change("POST", "/accesskeys", &body).json()["inventory"].clone();
    let (id, secret) =
        (key["AccessKeyID"].as_str().expect("an id"), key["AccessKeySecret"].as_str().expect("a secret"));
    // The node's clock, in its zone, by the name of another one.
    let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S Asia/Shanghai").to_string();
    let send = |verb: &str, date: &str, signature: &str| {
        let authorization = format!("Authorization: ZStack {id}:{signature}");
        let date = format!("Date: {date}");
        sandbox.send(&format!("{verb} /zstack/v1/zones?limit=1"), &[&authorization, &date], "")
    };
    let good = signature(secret, "GET", &now, "/v1/zones");
    assert_eq!(send("GET", &now, &good).json()["inventories"].as_array().map(Vec::len), Some(1));
    assert_eq!(send("GET", &now, &signature("wrong", "GET", &now, "/v1/zones")).code(), "ID.1001");
    assert_eq!(send("GET", &now, &signature(secret, "GET", &now, "/v1/hosts")).code(), "ID.1001");
    let late = "Tue, 04 Mar 2025 14:10:07 UTC";
    let skewed = send("GET", late, &signature(secret, "GET", late, "/v1/zones"));
    assert_eq!((skewed.status, skewed.body.as_str()), (403, "requestTimeTooSkewed"));
    assert_eq!(send("GET", "yesterday", &good).status, 400);
    let uuid = key["uuid"].as_str().expect("a uuid");
    let path = format!("/accesskeys/{uuid}/actions");
    let disabled = sandbox.change("PUT", &path, r#"{"changeAccessKeyState":{"stateEvent":"disable"}}"#);
    assert_eq!(disabled.json()["inventory"]["state"], "Disabled");
    assert_eq!(send("GET", &now, &good).code(), "ID.1001");
}
