//! Waiting for jobs.

use std::time::Duration;

use super::fake::{Node, Step, Witness, accepted, action, answer, cut, ok, query, refused};
use crate::client::{Answer, CallOptions, Class, Error, Job, JobState, JobUuid, Uncertainty, Unwatched};
use crate::plan::{Effect, Request};

const JOB: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";

fn submitted(timeout_millis: u64) -> Step {
    let location = format!("https://10.0.0.9:1/other/v1/api-jobs/{JOB}");
    answer(202, &format!(r#"{{"location":"{location}","apiTimeout":{timeout_millis}}}"#))
}

fn options(timeout: Option<u64>) -> CallOptions {
    let job = Some(JobUuid::of(JOB));
    CallOptions { timeout: timeout.map(Duration::from_secs), job, ..CallOptions::default() }
}

#[test]
fn a_job_is_polled_on_our_own_base_at_a_slowing_pace() {
    let steps = [submitted(1_800_000)].into_iter().chain(vec![accepted(); 14]).chain([ok(r#"{"inventory":{}}"#)]);
    let node = Node::new(steps);
    let mut witness = Witness::default();
    let result = node.client().execute(&action(), &options(None), &mut witness).expect("an answer");
    let Answer::Reply(reply) = result else { panic!("a reply") };
    assert_eq!(reply.job(), Some(JOB));
    assert_eq!(reply.into_text().expect("readable"), br#"{"inventory":{}}"#);
    assert!(witness.done && witness.calls > 20);
    let seen = node.seen();
    assert_eq!(seen[0].line, "POST /v1/zones");
    assert_eq!(seen[0].body.as_deref(), Some(r#"{"params":{"name":"lab"}}"#));
    assert_eq!(seen[0].header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(seen[0].header("authorization"), Some("OAuth 5d0c8a4f"));
    assert_eq!(seen[0].header("x-job-uuid").map(str::len), Some(32));
    for poll in &seen[1..] {
        assert_eq!(poll.line, format!("GET /v1/api-jobs/{JOB}"));
        assert_eq!(poll.header("authorization"), None, "nobody looks at it there");
        assert_eq!(poll.header("x-job-uuid"), None);
    }
    let looks: Vec<u128> = seen[1..].iter().map(|poll| poll.at.as_millis()).collect();
    assert_eq!(looks, [15, 25, 40, 64, 102, 163, 262, 419, 671, 1073, 1717, 2748, 4398, 6398, 8398]);
}

#[test]
fn the_next_job_of_an_api_is_looked_for_when_the_last_one_had_ended() {
    let job = || [submitted(1_800_000), accepted(), accepted(), ok("{}")];
    let late = [submitted(1_800_000), accepted(), accepted(), accepted(), ok("{}")];
    let node = Node::new(job().into_iter().chain(job()).chain(late));
    let mut client = node.client();
    for _ in 0..3 {
        client.execute(&action(), &options(None), &mut Unwatched).expect("an answer");
    }
    let polls = node.seen().into_iter().filter(|seen| seen.line.starts_with("GET"));
    let looks: Vec<u128> = polls.map(|poll| poll.at.as_micros()).collect();
    assert_eq!(looks[..3], [15_000, 25_000, 40_000]);
    assert_eq!(looks[3..6], [55_000, 65_000, 78_750]);
    // It takes longer than the one before: the looks that follow are closer together.
    assert_eq!(looks[6..].iter().map(|at| at - 78_750).collect::<Vec<_>>(), [15_000, 25_000, 37_539, 42_231]);
}

#[test]
fn a_job_of_before_is_looked_at_at_once() {
    let node = Node::new([accepted(), accepted(), ok("{}")]);
    let job = Job { uuid: JOB.into(), api: "CreateZone".into(), timeout: None, submitted: None };
    node.client().wait_for_job("CreateZone", job, &options(None), &mut Unwatched).expect("an answer");
    let looks: Vec<u128> = node.seen().iter().map(|poll| poll.at.as_millis()).collect();
    assert_eq!(looks, [0, 10, 20]);
}

#[test]
fn a_failed_job_is_a_failure() {
    let node = Node::new([submitted(1000), answer(503, r#"{"error":{"code":"SYS.1006","details":"no"}}"#)]);
    let result = node.client().execute(&action(), &options(None), &mut Unwatched).expect("an answer");
    assert!(matches!(result, Answer::Failed(failure) if failure.code() == "SYS.1006"));
    node.seen();
}

#[test]
fn a_job_that_does_not_end_in_time_is_unknown() {
    for (timeout, least, most) in [(Some(10), 10, 20), (None, 60, 80)] {
        let node = Node::new([submitted(60_000)].into_iter().chain(vec![accepted(); 200]));
        let error = node.client().execute(&action(), &options(timeout), &mut Unwatched).expect_err("no end");
        assert_eq!((error.class(), error.job()), (Class::Unknown, Some(JOB)));
        let Error::OutcomeUnknown { reason: Uncertainty::StillRunning { waited }, .. } = error else {
            panic!("{error}")
        };
        assert!((least..most).contains(&waited.as_secs()), "{waited:?}");
    }
}

#[test]
fn a_job_may_be_waited_for_without_end() {
    let node = Node::new([submitted(1000), accepted(), ok("{}")]);
    let options = CallOptions { timeout: Some(Duration::MAX), ..options(None) };
    node.client().execute(&action(), &options, &mut Unwatched).expect("an answer");
    node.seen();
}

#[test]
fn nothing_that_a_job_takes_outlasts_the_time_to_wait_for_it() {
    let drip = || Step::Drip(200, "{".to_owned());
    for steps in [
        // The submission says nothing, or its answer has no end; then the same of the polls.
        vec![Step::Silent; 9],
        vec![Step::Drip(202, "{".to_owned()), Step::Silent, Step::Silent, Step::Silent],
        vec![drip(); 9],
        vec![submitted(1_800_000), Step::Silent, Step::Silent, Step::Silent],
        vec![submitted(1_800_000), drip(), drip(), drip()],
        vec![submitted(1_800_000), Step::Drip(500, "<".to_owned()), Step::Silent, Step::Silent],
        vec![cut(), answer(404, "unknown job"), cut(), answer(404, "unknown job"), Step::Silent, Step::Silent],
    ] {
        let node = Node::new(steps.iter().cloned().chain(vec![Step::Silent; 9]));
        let request = crate::plan::Request { timeout: Some(Duration::from_secs(2)), ..action() };
        let error = node.client().execute(&request, &options(Some(2)), &mut Unwatched).expect_err("no end");
        assert_eq!(error.class(), Class::Unknown, "{steps:?}: {error}");
        assert!(error.job().is_some());
        let took = crate::client::Clock::now(&node);
        assert!(took <= Duration::from_secs(6), "{steps:?}: {took:?}");
    }
}

#[test]
fn each_answer_but_that_of_a_query_has_an_end() {
    let node = Node::new([submitted(1_800_000), accepted(), ok("{}"), ok("{}")]);
    let mut client = node.client();
    client.execute(&action(), &options(None), &mut Unwatched).expect("an answer");
    client.execute(&query(), &options(None), &mut Unwatched).expect("an answer");
    client.log_out();
    let ends: Vec<bool> = node.seen_so_far().iter().map(|seen| seen.whole.is_some()).collect();
    assert_eq!(ends, [true, true, true, false, true]);
}

#[test]
fn a_long_job_is_not_waited_for_beyond_its_time() {
    let node = Node::new([row("Running"), Step::Silent, Step::Silent]);
    let error = node.client().follow_long_job(JOB, &options(Some(10)), &mut Unwatched).expect_err("no end");
    assert_eq!((error.class(), error.job()), (Class::Unknown, Some(JOB)));
    assert!(crate::client::Clock::now(&node) <= Duration::from_secs(13));
}

#[test]
fn progress_that_never_ends_delays_a_job_by_a_moment() {
    let steps = [submitted(1_800_000)].into_iter().chain(vec![accepted(); 9]);
    let steps = steps.chain([Step::Drip(200, r#"{"inventories":[{"#.to_owned()), ok("{}")]);
    let node = Node::new(steps);
    let mut witness = Witness { wants_progress: true, ..Witness::default() };
    node.client().execute(&action(), &options(None), &mut witness).expect("an answer");
    let seen = node.seen();
    assert!(seen[10].line.contains("task-progresses"), "{seen:?}");
    assert!(seen[10].at >= Duration::from_secs(1), "most jobs are over by then");
    assert!(seen[11].at - seen[10].at <= Duration::from_secs(2));
}

#[test]
fn a_job_without_a_record_is_unknown_and_not_failed() {
    let node = Node::new([submitted(1000), accepted(), answer(404, "not found")]);
    let error = node.client().execute(&action(), &options(None), &mut Unwatched).expect_err("no record");
    assert!(matches!(&error, Error::OutcomeUnknown { reason: Uncertainty::NoRecord, .. }), "{error}");
    assert_eq!(error.job(), Some(JOB));
}

#[test]
fn a_node_that_restarts_while_a_job_runs_is_waited_for() {
    let node = Node::new([
        submitted(1_800_000),
        refused(),
        cut(),
        answer(404, "<html>starting</html>"),
        answer(404, "no api mapping to /v1/api-jobs/x"),
        answer(503, ""),
        Step::CutBody(r#"{"inventory":"#.to_owned()),
        ok(r#"{"inventory":"#),
        ok("{}"),
    ]);
    let result = node.client().execute(&action(), &options(None), &mut Unwatched).expect("an answer");
    assert!(matches!(result, Answer::Reply(_)));
    assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[test]
fn a_result_that_cannot_be_read_is_not_waited_for() {
    for step in [
        ok(r#"{"inventory":"#),
        ok(r#"{"inventory":]}"#),
        ok("OK"),
        ok("<html>"),
        ok(""),
        Step::CutBody("{".to_owned()),
        ok(&format!(r#"{{"a":"{}"]"#, "x".repeat(300_000))),
    ] {
        let node = Node::new([submitted(1_800_000)].into_iter().chain(vec![step.clone(); 9]));
        let error = node.client().execute(&action(), &options(None), &mut Unwatched).expect_err("no result");
        let reads = matches!(&error, Error::OutcomeUnknown { reason: Uncertainty::Unreadable { .. }, .. });
        assert!(reads && error.job() == Some(JOB), "{error}");
        assert!(node.seen().last().expect("a poll").at < Duration::from_secs(1));
    }
}

#[test]
fn a_job_that_died_with_its_node_is_not_waited_for() {
    // It is Mar 4, 2025 6:10:07 AM, UTC.
    let joined = |date: &str| ok(&format!(r#"{{"inventories":[{{"uuid":"a","joinDate":"{date}"}}]}}"#));
    let clock = || ok(r#"{"currentTime":{"MillionSeconds":1741068607000}}"#);
    let told = |date: &str| [joined(date), ok(r#"{"offset":"Z"}"#), clock()];
    let died = |error: &Error| matches!(error, Error::OutcomeUnknown { reason: Uncertainty::Restarted { .. }, .. });
    // The node was away meanwhile.
    let away = || [submitted(1_800_000)].into_iter().chain(vec![refused(); 12]).chain([accepted()]);
    let node = Node::new(away().chain(told("Mar 4, 2025 6:11:00 AM")));
    let error = node.client().execute(&action(), &options(None), &mut Unwatched).expect_err("it died");
    assert!(died(&error) && error.job() == Some(JOB) && error.class() == Class::Unknown, "{error}");
    node.seen();
    let node = Node::new(away().chain(told("Mar 1, 2025 6:11:00 AM")).chain([accepted(), ok("{}")]));
    node.client().execute(&action(), &options(None), &mut Unwatched).expect("only the network was away");
    node.seen();
    // Another process submitted it, an hour ago.
    let hour_ago = Duration::from_secs(1_741_068_607 - 3600);
    let job = Job { uuid: JOB.into(), api: "CreateZone".into(), timeout: None, submitted: Some(hour_ago) };
    let node = Node::new([accepted()].into_iter().chain(told("Mar 4, 2025 6:00:00 AM")));
    let error =
        node.client().wait_for_job("CreateZone", job.clone(), &options(None), &mut Unwatched).expect_err("it died");
    assert!(died(&error), "{error}");
    node.seen();
    let node = Node::new([accepted()].into_iter().chain(told("Mar 4, 2025 4:00:00 AM")).chain([accepted(), ok("{}")]));
    node.client().wait_for_job("CreateZone", job, &options(None), &mut Unwatched).expect("an answer");
    node.seen();
}

#[test]
fn a_node_that_stays_away_leaves_the_outcome_unknown() {
    let node = Node::new([submitted(86_400_000)].into_iter().chain(vec![refused(); 400]));
    let error = node.client().execute(&action(), &options(None), &mut Unwatched).expect_err("nobody there");
    assert!(matches!(&error, Error::OutcomeUnknown { reason: Uncertainty::Unreachable(_), .. }), "{error}");
    assert_eq!(error.job(), Some(JOB));
}

#[test]
fn interrupting_stops_the_waiting_and_tells_the_job() {
    let node = Node::new([submitted(1000), Step::Interrupt(202, "{}".to_owned())]);
    let error = node.client().execute(&action(), &options(None), &mut Unwatched).expect_err("interrupted");
    assert!(matches!(&error, Error::Interrupted { job: Some(job) } if job == JOB), "{error}");
    assert_eq!(error.class(), Class::Interrupted);
    node.seen();
}

#[test]
fn nobody_waits_when_told_not_to() {
    let node = Node::new([submitted(5000)]);
    let options = CallOptions { wait: false, ..options(None) };
    let result = node.client().execute(&action(), &options, &mut Unwatched).expect("an answer");
    let Answer::Detached(job) = result else { panic!("detached") };
    assert_eq!((job.uuid.as_str(), job.timeout), (JOB, Some(Duration::from_secs(5))));
    node.seen();
}

#[test]
fn the_job_uuid_that_was_sent_counts_whatever_the_answer_names() {
    for answered in [answer(202, "{}"), submitted(1000)] {
        let node = Node::new([answered, ok("{}")]);
        node.client().execute(&action(), &CallOptions::default(), &mut Unwatched).expect("an answer");
        let seen = node.seen();
        let sent = seen[0].header("x-job-uuid").expect("sent");
        assert_ne!(sent, JOB);
        assert_eq!(seen[1].line, format!("GET /v1/api-jobs/{sent}"));
    }
}

#[test]
fn progress_is_asked_for_and_never_in_the_way() {
    let progress = r#"{"inventories":[{"type":"Progress","content":"37","time":1}]}"#;
    let polls = |count: usize| vec![accepted(); count];
    let steps = [submitted(1_800_000)].into_iter().chain(polls(9)).chain([ok(progress)]).chain(polls(3));
    let steps = steps.chain([answer(503, r#"{"error":{"code":"SYS.1000"}}"#)]).chain(polls(3)).chain([ok("{}")]);
    let node = Node::new(steps);
    let mut witness = Witness { wants_progress: true, ..Witness::default() };
    node.client().execute(&action(), &options(None), &mut witness).expect("an answer");
    assert_eq!(witness.percent, Some(37));
    let asked: Vec<String> = node.lines().into_iter().filter(|line| line.contains("task-progresses")).collect();
    assert_eq!(asked, vec![format!("GET /v1/task-progresses/{JOB}"); 2], "no more after it failed");
}

#[test]
fn whoever_waits_for_a_silent_node_is_told() {
    for request in [action(), query()] {
        let node = Node::new(vec![Step::Silent; 9]);
        let mut witness = Witness::default();
        node.client().execute(&request, &options(Some(20)), &mut witness).expect_err("no answer");
        assert_eq!((witness.silent.as_deref(), witness.done), (Some("node:8080"), true), "{}", request.api);
    }
}

#[test]
fn a_read_that_becomes_a_job_is_followed() {
    let read = Request { effect: Effect::Read, ..query() };
    let node = Node::new([submitted(1000), ok("{}")]);
    let result = node.client().execute(&read, &options(None), &mut Unwatched).expect("an answer");
    assert!(matches!(result, Answer::Reply(_)));
    let node = Node::new([answer(202, "{}")]);
    assert!(matches!(node.client().execute(&read, &options(None), &mut Unwatched), Err(Error::Reply { .. })));
}

#[test]
fn a_query_that_becomes_a_job_was_none() {
    let node = Node::new([submitted(1000)]);
    let error = node.client().execute(&query(), &options(None), &mut Unwatched).expect_err("no query");
    assert!(matches!(error, Error::NoSuchApi { api: "QueryZone", .. }), "{error}");
    assert_eq!(node.lines().len(), 1, "the job of something else is none of ours");
}

#[test]
fn a_job_can_be_looked_at_later() {
    let node = Node::new([
        accepted(),
        ok("{}"),
        answer(503, r#"{"error":{"code":"A.1"}}"#),
        answer(404, "unknown"),
        refused(),
    ]);
    let mut client = node.client();
    assert!(matches!(client.look_at_job(JOB), Ok(JobState::Running)));
    assert!(matches!(client.look_at_job(JOB), Ok(JobState::Succeeded(_))));
    assert!(matches!(client.look_at_job(JOB), Ok(JobState::Failed(_))));
    assert!(matches!(client.look_at_job(JOB), Ok(JobState::NoRecord)));
    assert!(matches!(client.look_at_job(JOB), Err(Error::Unreachable { .. })));
    assert!(matches!(client.look_at_job("../x"), Ok(JobState::NoRecord)), "nothing is sent");
    node.seen();
}

/// A long job in that state.
fn row(state: &str) -> Step {
    ok(&format!(
        r#"{{"inventories":[{{"uuid":"{JOB}","jobName":"APIAddImageMsg","state":"{state}","jobResult":"{{}}"}}]}}"#
    ))
}

#[test]
fn a_node_that_restarts_while_a_long_job_runs_is_waited_for() {
    let page = answer(404, "<html>starting</html>");
    let starting = || [answer(404, "no api mapping to /v1/longjobs"), answer(404, "no api mapping")];
    let away = vec![refused(); 60].into_iter().chain(vec![cut(); 60]).chain([page, answer(404, "<html>")]);
    let steps = [row("Running")].into_iter().chain(away).chain(starting()).chain(starting());
    let node = Node::new(steps.chain([row("Running")]).chain(vec![refused(); 60]).chain([row("Succeeded")]));
    let job = node.client().follow_long_job(JOB, &options(None), &mut Unwatched).expect("an answer");
    assert_eq!(job.expect("no failure").state, "Succeeded");
    assert!(node.seen().last().expect("requests").at > Duration::from_secs(100));
}

#[test]
fn a_node_that_stays_away_leaves_a_long_job_unknown() {
    for step in [refused(), answer(502, "<html>")] {
        let node = Node::new([row("Running")].into_iter().chain(vec![step; 900]));
        let error = node.client().follow_long_job(JOB, &options(None), &mut Unwatched).expect_err("nobody there");
        assert_eq!((error.class(), error.job()), (Class::Unknown, Some(JOB)), "{error}");
        assert!(crate::client::Clock::now(&node).as_secs() >= 300);
    }
    let node = Node::new([row("Running")].into_iter().chain(vec![refused(); 900]));
    let error = node.client().follow_long_job(JOB, &options(Some(20)), &mut Unwatched).expect_err("nobody there");
    assert!(matches!(&error, Error::OutcomeUnknown { reason: Uncertainty::Unreachable(_), .. }), "{error}");
    assert!(crate::client::Clock::now(&node).as_secs() < 30, "the limit of the user counts");
}

#[test]
fn long_jobs_are_followed_to_their_end() {
    let node = Node::new([row("Waiting"), row("Running"), cut(), row("Canceling"), row("Canceled")]);
    let job =
        node.client().follow_long_job(JOB, &options(None), &mut Unwatched).expect("an answer").expect("no failure");
    assert_eq!(
        (job.state.as_str(), job.name.as_str(), job.result.as_deref()),
        ("Canceled", "APIAddImageMsg", Some("{}"))
    );
    assert!(node.lines().iter().all(|line| *line == format!("GET /v1/longjobs?q=uuid%3D{JOB}")));
    let node = Node::new(vec![row("Running"); 40]);
    let error = node.client().follow_long_job(JOB, &options(Some(10)), &mut Unwatched).expect_err("no end");
    assert_eq!((error.class(), error.job()), (Class::Unknown, Some(JOB)));
    let looks: Vec<u128> = node.seen_so_far().iter().map(|seen| seen.at.as_millis()).collect();
    assert_eq!(looks[..6], [0, 10, 20, 32, 51, 81]);
    assert_eq!(looks[looks.len() - 4..], [7518, 9518, 11518, 12000]);
    let node = Node::new([ok(r#"{"inventories":[]}"#)]);
    let error = node.client().follow_long_job(JOB, &options(None), &mut Unwatched).expect_err("gone");
    assert!(matches!(error, Error::OutcomeUnknown { reason: Uncertainty::NoRecord, .. }));
}
