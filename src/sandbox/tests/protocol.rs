//! The transport, dispatch, authentication and job rules of the protocol.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use super::harness::{NOTHING, Sandbox, ZONE};
use crate::sandbox::Options;

const UTF8: &str = "Content-Type: application/json; charset=utf-8";

#[test]
fn replies_have_no_content_type_and_offer_a_cookie_t4_t5() {
    let sandbox = Sandbox::new();
    let reply = sandbox.call("GET", "/zones", "");
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(!reply.headers.contains("content-type"), "{reply:?}");
    assert!(reply.headers.contains("set-cookie: jsessionid="), "{reply:?}");
    let reply = sandbox.send("GET /zstack/v1/zones", &["Cookie: JSESSIONID=1"], "");
    assert!(!reply.headers.contains("set-cookie"), "{reply:?}");
}

#[test]
fn the_container_answers_what_it_cannot_read_with_a_page_t3_t6_t7() {
    let sandbox = Sandbox::new();
    let long = "x".repeat(70_000);
    for line in [
        "GET /zstack/v1/zones?q=name~={x}".to_owned(),
        "GET /zstack/v1/zones?q=a|b".to_owned(),
        "GET /zstack/v1/zones?q=<b>".to_owned(),
        "GET /zstack/v1/zones?q=\"b\"".to_owned(),
        "GET /zstack/v1/zones?q=é".to_owned(),
        "GET /zstack/v1/zones/a%2Fb".to_owned(),
        format!("GET /zstack/v1/zones?q=uuid={long}"),
    ] {
        let reply = sandbox.send(&line, &[], "");
        assert_eq!(reply.status, 400, "{line:.80} {:.300}", reply.headers);
        assert!(reply.body.contains("<html"), "{line:.80} {:.300}", reply.body);
        assert!(reply.headers.contains("content-type: text/html"), "{line:.80}");
    }
    assert_eq!(sandbox.send("GET /other/v1/zones", &[], "").status, 404);
    assert_eq!(sandbox.send("PATCH /zstack/v1/zones", &[], "").status, 405);
}

#[test]
fn the_context_is_a_deployments_choice_t1() {
    let sandbox = Sandbox::with(Options { context: String::new(), ..Options::default() });
    assert_eq!(sandbox.send("PUT /v1/management-nodes/actions", &[UTF8], r#"{"getVersion":{}}"#).status, 200);
    assert_eq!(sandbox.send("PUT /zstack/v1/management-nodes/actions", &[UTF8], "{}").status, 404);
}

#[test]
fn a_connection_serves_several_requests() {
    let sandbox = Sandbox::new();
    let one =
        "PUT /zstack/v1/management-nodes/actions HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n{\"getVersion\":{}}";
    let last = one.replace("Host", "Connection: close\r\nHost");
    let replies = String::from_utf8(sandbox.raw(format!("{one}{last}").as_bytes())).expect("UTF-8");
    assert_eq!(replies.matches("\"version\":\"5.2.1\"").count(), 2, "{replies}");
}

#[test]
fn verbs_and_keys_choose_among_the_apis_of_a_path_d2_d6() {
    let sandbox = Sandbox::new();
    let reply = sandbox.call("GET", "/zonesss", "");
    assert_eq!((reply.status, reply.body.as_str()), (404, "no api mapping to /v1/zonesss"));
    assert_eq!(sandbox.call("GET", "/zones/", "").status, 404);
    assert_eq!(sandbox.call("DELETE", "/zones", "").status, 500);
    assert_eq!(sandbox.call("HEAD", "/zones", "").status, 405);
    let path = format!("/zones/{ZONE}/actions");
    assert_eq!(sandbox.call("PUT", &path, r#"{"wrong":{}}"#).status, 400);
    let empty = sandbox.call("PUT", &path, "");
    assert_eq!((empty.status, empty.body.as_str()), (500, ""));
    assert_eq!(sandbox.call("POST", "/zones", "{broken").status, 500);
}

#[test]
fn sessions_are_asked_for_by_header_a1() {
    let sandbox = Sandbox::new();
    let reply = sandbox.send("GET /zstack/v1/zones", &[], "");
    assert_eq!((reply.status, reply.body.as_str()), (400, "missing header 'Authorization'"));
    assert_eq!(sandbox.send("GET /zstack/v1/zones", &["Authorization: oauth x"], "").status, 400);
    assert_eq!(sandbox.send("GET /zstack/v1/zones", &["Authorization: ZStack a:b"], "").status, 400);
    assert_eq!(sandbox.send("GET /zstack/v1/zones", &["Authorization: OAuth"], "").code(), "ID.1001");
    assert_eq!(sandbox.call_as(NOTHING, "GET", "/zones", "").code(), "ID.1001");
    assert_eq!(sandbox.call_as(NOTHING, "GET", "/zones?q=name", "").status, 400);
    // An asynchronous call is taken and fails in the poll.
    let body = r#"{"params":{"name":"lab"}}"#;
    assert_eq!(sandbox.change_as(NOTHING, "POST", "/zones", body).code(), "ID.1001");
    // Parameters are checked first (A2).
    assert_eq!(sandbox.change_as(NOTHING, "POST", "/zones", r#"{"params":{}}"#).code(), "SYS.1007");
}

#[test]
fn calls_without_a_session_need_no_header() {
    let sandbox = Sandbox::new();
    let action =
        |name: &str| sandbox.send("PUT /zstack/v1/management-nodes/actions", &[UTF8], &format!("{{\"{name}\":{{}}}}"));
    assert_eq!(action("getVersion").json()["version"], "5.2.1");
    let time = action("getCurrentTime").json();
    let (fine, coarse) = (&time["currentTime"]["MillionSeconds"], &time["currentTime"]["Seconds"]);
    assert_eq!(fine.as_i64().map(|fine| fine / 1000), coarse.as_i64());
    let apis = action("getSupportAPIs").json();
    assert_eq!(apis["supportApis"].as_array().map(Vec::len), Some(1026));
    assert!(!apis["supportApis"].to_string().contains("APIGetVersionMsg"), "a few are always there");
    assert_eq!(sandbox.send("GET /zstack/v1/management-nodes/ready", &[], "").body, "{}");
    assert_eq!(sandbox.send("GET /zstack/v1/meta-data/opensource", &[], "").json()["opensource"], true);
    let zone = sandbox.call("GET", "/management-nodes/platform-timezone", "").json();
    assert_eq!((&zone["timezone"], &zone["offset"]), (&"UTC".into(), &"Z".into()));
}

#[test]
fn a_lone_api_runs_whatever_the_verb_d3() {
    let sandbox = Sandbox::new();
    // GET where only a DELETE lives: it logs out.
    let session = sandbox.running.session_uuid();
    let path = format!("/zstack/v1/accounts/sessions/{session}");
    assert_eq!(sandbox.send(&format!("GET {path}/valid"), &[], "").json()["valid"], true);
    let reply = sandbox.send(&format!("GET {path}"), &[], "");
    assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    assert_eq!(sandbox.send(&format!("GET {path}/valid"), &[], "").json()["valid"], false);
}

#[test]
fn jobs_are_taken_with_202_and_a_location_j1_j3() {
    let sandbox = Sandbox::new();
    let job = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    let session = format!("Authorization: OAuth {}", sandbox.running.session_uuid());
    let header = format!("X-Job-UUID: {job}");
    let send = |headers: &[&str]| sandbox.send("POST /zstack/v1/zones", headers, r#"{"params":{}}"#);
    let taken = send(&[&session, UTF8, &header]);
    assert_eq!(taken.status, 202, "{taken:?}");
    let json = taken.json();
    assert_eq!(json["location"], format!("http://x/zstack/v1/api-jobs/{job}"));
    assert_eq!(json["apiTimeout"], 1_800_000);
    assert_eq!(sandbox.finish(&taken).code(), "SYS.1007");
    // A uuid that was seen is refused, a malformed one as well (J2).
    let again = send(&[&session, UTF8, &header]);
    assert_eq!((again.status, again.body), (400, format!("Duplicate job uuid[{job}]")));
    assert_eq!(send(&[&session, UTF8, "X-Job-UUID: short"]).status, 400);
    // Queries do not look at it.
    assert_eq!(sandbox.send("GET /zstack/v1/zones", &[&session, &header], "").status, 200);
    assert_eq!(sandbox.send(&format!("GET /zstack/v1/api-jobs/{NOTHING}"), &[], "").status, 404);
    assert_eq!(sandbox.send(&format!("POST /zstack/v1/api-jobs/{job}"), &[], "").status, 405);
}

#[test]
fn a_location_may_lead_nowhere_j3() {
    let faults = vec!["location:CreateZone".parse().expect("a fault")];
    let sandbox = Sandbox::with(Options { faults, ..Options::default() });
    let taken = sandbox.call("POST", "/zones", r#"{"params":{"name":"lab"}}"#);
    let location = taken.json()["location"].as_str().expect("a location").to_owned();
    assert!(location.starts_with("http://mn-1.sandbox.invalid:8080/zstack/v1/api-jobs/"), "{location}");
    assert_eq!(sandbox.finish(&taken).status, 200);
}

#[test]
fn errors_of_jobs_list_their_causes_r17() {
    let sandbox = Sandbox::new();
    let failed = sandbox.change("POST", "/zones", r#"{"params":{}}"#);
    assert!(failed.body.starts_with(r#"{"error":{"causes":[],"code":"SYS.1007""#), "{failed:?}");
    let refused = sandbox.call_as(NOTHING, "GET", "/zones", "");
    assert!(refused.json()["error"].get("causes").is_none(), "{refused:?}");
}

#[test]
fn text_beyond_three_bytes_loses_the_record_of_its_job_r9() {
    let sandbox = Sandbox::new();
    let taken = sandbox.call("POST", "/zones", r#"{"params":{"name":"lab","description":"\ud83d\ude00"}}"#);
    assert_eq!(sandbox.finish(&taken).status, 404);
    assert_eq!(sandbox.rows("/zones?q=name%3Dlab").len(), 1, "the action was dispatched all the same");
}

#[test]
fn names_are_checked_as_a_running_node_checks_them() {
    let sandbox = Sandbox::new();
    let make = |parameters: &str| sandbox.change("POST", "/zones", &format!(r#"{{"params":{{{parameters}}}}}"#));
    let longest = "a".repeat(255);
    for (given, made) in [
        (r#""""#, ""),
        (r#""   ""#, ""),
        (r#"" lab ""#, "lab"),
        ("5", "5"),
        ("true", "true"),
        (r#""\u540d\u5b57""#, "名字"),
        (&format!("\"{longest}\""), &longest),
    ] {
        let reply = make(&format!(r#""name":{given},"nope":1"#));
        assert_eq!((reply.status, &reply.json()["inventory"]["name"]), (200, &made.into()), "{given}: {reply:?}");
    }
    let too_long = format!(r#""name":"q","description":"{}""#, "x".repeat(2049));
    for given in ["", r#""name":null"#, r#""name":"it's""#, r#""name":"a!=b""#, &too_long] {
        assert_eq!(make(given).code(), "SYS.1007", "{given}");
    }
    for uuid in ["abc", "00000000000000000000000000000000"] {
        assert_eq!(make(&format!(r#""name":"x","resourceUuid":"{uuid}""#)).code(), "SYS.1007", "{uuid}");
    }
    for (verb, path, body) in [
        ("DELETE", "/zones/abc", ""),
        ("PUT", "/zones/abc/actions", r#"{"updateZone":{"name":"x"}}"#),
        ("PUT", "/zones/11111111111111111111111111111111/actions", r#"{"updateZone":{"name":"x"}}"#),
    ] {
        assert_eq!(sandbox.change(verb, path, body).code(), "SYS.1003", "{verb} {path}");
    }
    let path = format!("/zones/{ZONE}/actions");
    assert_eq!(sandbox.change("PUT", &path, r#"{"updateZone":{}}"#).status, 200);
    assert_eq!(sandbox.change("PUT", &path, r#"{"changeZoneState":{"stateEvent":"nope"}}"#).code(), "SYS.1007");
}

#[test]
fn what_no_check_finds_is_an_internal_error_r13() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.change("DELETE", &format!("/zones/{ZONE}?deleteMode=Nope"), "").code(), "SYS.1000");
    let job = r#"{"params":{"name":"j","jobName":"APIAddImageMsg","jobData":"{"}}"#;
    assert_eq!(sandbox.change("POST", "/longjobs", job).code(), "SYS.1000");
    assert_eq!(sandbox.call("POST", "/zones", r#"{"params":{"name":["a"]}}"#).status, 500);
}

#[test]
fn replies_name_their_classes_where_asked_n6() {
    let sandbox = Sandbox::new();
    let taken = sandbox.call("POST", "/zones", r#"{"params":{"name":"lab"}}"#);
    assert!(!sandbox.finish(&taken).body.contains("schema"));
    let location = taken.json()["location"].as_str().expect("a location").to_owned();
    let path = location.strip_prefix("http://x").expect("where the client is");
    let polled = sandbox.send(&format!("GET {path}"), &["X-JSON-Schema: true"], "");
    let class = "org.zstack.header.zone.ZoneInventory";
    assert!(polled.body.starts_with(&format!(r#"{{"schema":{{"inventory":"{class}"}},"inventory":{{"#)), "{polled:?}");
    let empty = sandbox.send("GET /zstack/v1/management-nodes/ready", &["X-JSON-Schema: 1"], "");
    assert_eq!(empty.body, r#"{"schema":{}}"#);
}

#[test]
fn a_result_is_posted_where_the_client_said_w1() {
    let sandbox = Sandbox::new();
    let receiver = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let hook = format!("X-Web-Hook: http://{}/done?x=1", receiver.local_addr().expect("an address"));
    let session = format!("Authorization: OAuth {}", sandbox.running.session_uuid());
    let job = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    let headers = [&session, UTF8, &hook, &format!("X-Job-UUID: {job}")];
    let headers = headers.map(|header| header as &str);
    assert_eq!(sandbox.send("POST /zstack/v1/zones", &headers, r#"{"params":{"name":"lab"}}"#).status, 202);
    let receive = |answer: &str| {
        let (mut stream, _) = receiver.accept().expect("the node calls");
        let mut text = String::new();
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            if let Some(number) = line.strip_prefix("Content-Length: ") {
                length = number.trim().parse().expect("a length");
            }
            text.push_str(&line);
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").as_bytes()).expect("an answer");
        (text, String::from_utf8(body).expect("UTF-8"))
    };
    // A receiver that fails is told again.
    let first = receive("500 Oops");
    let second = receive("200 OK");
    assert_eq!(first, second);
    assert!(first.0.starts_with("POST /done?x=1 HTTP/1.1\r\n"), "{first:?}");
    assert!(first.0.contains(&format!("X-Job-UUID: {job}\r\nX-Job-Success: true\r\n")), "{first:?}");
    assert!(first.1.starts_with(r#"{"inventory":{"#), "{first:?}");
}

#[test]
fn a_call_may_say_how_long_it_may_take() {
    let sandbox = Sandbox::with(Options { speed: 1e-3, ..Options::default() });
    let session = format!("Authorization: OAuth {}", sandbox.running.session_uuid());
    let send = |timeout: &str| {
        let header = format!("X-API-Timeout: {timeout}");
        sandbox.send("POST /zstack/v1/zones", &[&session, UTF8, &header], r#"{"params":{"name":"lab"}}"#)
    };
    assert_eq!(send("soon").status, 500);
    assert_eq!(send("90").json()["apiTimeout"], 90_000);
    // At this speed the work takes longer than that.
    assert_eq!(sandbox.finish(&send("1")).code(), "SYS.1001");
}

#[test]
fn what_is_not_simulated_says_so() {
    let sandbox = Sandbox::new();
    let reply = sandbox.change(
        "POST",
        "/hybrid/hybrid/key",
        r#"{"params":{"name":"k","type":"aliyun","key":"a","secret":"b"}}"#,
    );
    assert_eq!(reply.code(), "SANDBOX.1000");
    assert!(reply.body.contains("does not simulate AddHybridKeySecret"), "{reply:?}");
}
