//! Trouble on demand, as clients meet it.

use super::harness::{Sandbox, ZONE};
use crate::sandbox::{Fault, FaultKind, Options};

const LAB: &str = r#"{"params":{"name":"lab"}}"#;

fn with(fault: &str) -> Sandbox {
    let fault = fault.parse::<Fault>().expect("a fault");
    Sandbox::with(Options { faults: vec![fault], ..Options::default() })
}

fn create(sandbox: &Sandbox, job: &str) -> Option<super::harness::Reply> {
    let session = format!("Authorization: OAuth {}", sandbox.running.session_uuid());
    let job = format!("X-Job-UUID: {job}");
    sandbox.try_send("POST /zstack/v1/zones", &[&session, &job, "Content-Type: application/json; charset=utf-8"], LAB)
}

const JOB: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";

/// The status of polls once the job has ended.
fn outcome(sandbox: &Sandbox) -> u16 {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let status = sandbox.send(&format!("GET /zstack/v1/api-jobs/{JOB}"), &[], "").status;
        if status != 202 {
            return status;
        }
        assert!(std::time::Instant::now() < patience, "the job does not end");
    }
}

#[test]
fn a_connection_is_cut_before_the_work_j6() {
    let sandbox = with("cut-before:CreateZone");
    assert!(create(&sandbox, JOB).is_none());
    assert_eq!(outcome(&sandbox), 404, "the node never saw the job");
    assert!(sandbox.rows("/zones?q=name%3Dlab").is_empty());
}

#[test]
fn a_connection_is_cut_after_the_work_j6() {
    let sandbox = with("cut-after:CreateZone");
    assert!(create(&sandbox, JOB).is_none());
    assert_eq!(outcome(&sandbox), 200);
    assert_eq!(sandbox.rows("/zones?q=name%3Dlab").len(), 1);
}

#[test]
fn the_record_of_a_job_is_lost_j5() {
    let sandbox = with("job-lost:CreateZone");
    assert_eq!(create(&sandbox, JOB).map(|reply| reply.status), Some(202));
    assert_eq!(outcome(&sandbox), 404);
    assert_eq!(sandbox.rows("/zones?q=name%3Dlab").len(), 1, "the work is done all the same");
}

#[test]
fn a_job_stays_in_progress_as_after_a_crash_j8() {
    let sandbox = with("job-stuck:CreateZone");
    assert_eq!(create(&sandbox, JOB).map(|reply| reply.status), Some(202));
    // Whatever runs after it ends; it does not.
    let body = r#"{"updateZone":{"description":"x"}}"#;
    assert_eq!(sandbox.change("PUT", &format!("/zones/{ZONE}/actions"), body).status, 200);
    let poll = sandbox.send(&format!("GET /zstack/v1/api-jobs/{JOB}"), &[], "");
    assert_eq!((poll.status, poll.body.as_str()), (202, "{}"));
    assert!(sandbox.rows("/zones?q=name%3Dlab").is_empty());
}

#[test]
fn answers_are_empty_pages_or_cut_in_half() {
    let reply = with("empty-500:QueryZone").call("GET", "/zones", "");
    assert_eq!((reply.status, reply.body.as_str()), (500, ""));
    let reply = with("html:QueryZone").call("GET", "/zones", "");
    assert_eq!(reply.status, 502);
    assert!(reply.body.contains("<html") && reply.headers.contains("text/html"), "{reply:?}");
    let whole = Sandbox::new().call("GET", "/zones", "");
    let half = with("truncated:QueryZone").call("GET", "/zones", "");
    assert_eq!(half.status, 200);
    assert!(half.headers.contains(&format!("content-length: {}", whole.body.len())), "{half:?}");
    assert_eq!(half.body.len(), whole.body.len() / 2, "{half:?}");
}

#[test]
fn a_node_that_starts_has_no_apis_t9() {
    let sandbox = with("starting");
    let reply = sandbox.call("GET", "/zones", "");
    assert_eq!((reply.status, reply.body.as_str()), (404, "no api mapping to /v1/zones"));
    assert_eq!(sandbox.call("GET", "/management-nodes/ready", "").code(), "SYS.1010");
}

#[test]
fn a_clock_is_off() {
    let body = r#"{"getCurrentTime":{}}"#;
    let time = |sandbox: &Sandbox| {
        let reply = sandbox.call("PUT", "/management-nodes/actions", body).json();
        reply["currentTime"]["Seconds"].as_i64().expect("seconds")
    };
    let (right, wrong) = (time(&Sandbox::new()), time(&with("clock-off")));
    assert!(wrong - right >= 1200, "{right} {wrong}");
}

#[test]
fn polls_can_fail_while_the_job_goes_on() {
    let sandbox = with("empty-500:api-jobs");
    assert_eq!(create(&sandbox, JOB).map(|reply| reply.status), Some(202));
    assert_eq!(outcome(&sandbox), 500);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while sandbox.rows("/zones?q=name%3Dlab").is_empty() {
        assert!(std::time::Instant::now() < patience, "the job does not end");
    }
}

#[test]
fn trouble_repeats_with_its_seed() {
    let run = |fault_seed| {
        let fault = Fault { kind: FaultKind::Empty500, api: None, rate: 0.5 };
        let sandbox = Sandbox::with(Options { faults: vec![fault], fault_seed, ..Options::default() });
        (0..20).map(|_| sandbox.call("GET", &format!("/zones/{ZONE}"), "").status).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert!(run(1).contains(&200) && run(1).contains(&500));
    assert_ne!(run(1), run(2));
}
