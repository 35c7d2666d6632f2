//! Connections that fail: no action is lost or repeated.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{Node, Step, accepted, action, answer, cut, ok, query, refused, synchronous_action};
use crate::client::{
    Answer, CallOptions, Class, Client, Error, Job, JobOutcome, JobRecord, Oddity, TransportError, Uncertainty,
    Unwatched,
};

fn run(client: &mut Client, request: &crate::plan::Request) -> Result<Answer, Error> {
    client.execute(request, &CallOptions::default(), &mut Unwatched)
}

fn unknown_job() -> Step {
    answer(404, "unknown job")
}

#[test]
fn a_job_whose_answer_got_lost_is_found_and_followed() {
    for found in [accepted(), ok(r#"{"inventory":{}}"#), answer(503, r#"{"error":{"code":"SYS.1006"}}"#)] {
        let node = Node::new([cut(), refused(), found.clone(), ok("{}")]);
        run(&mut node.client(), &action()).expect("an answer");
        let seen = node.seen();
        assert_eq!(seen.iter().filter(|seen| seen.line.starts_with("POST")).count(), 1);
        let poll = format!("GET /v1/api-jobs/{}", seen[0].header("x-job-uuid").expect("sent"));
        assert!(seen[1..].iter().all(|seen| seen.line == poll), "{found:?}");
    }
}

#[test]
fn only_a_job_that_the_node_never_received_is_sent_again_under_its_uuid() {
    let node = Node::new([cut(), unknown_job(), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    let seen = node.seen();
    assert_eq!((seen[0].line.as_str(), seen[2].line.as_str()), ("POST /v1/zones", "POST /v1/zones"));
    assert_eq!(seen[0].header("x-job-uuid"), seen[2].header("x-job-uuid"));
    assert_eq!(seen[0].body, seen[2].body);
}

#[test]
fn a_duplicate_that_the_node_refuses_is_followed() {
    let node = Node::new([cut(), unknown_job(), answer(400, "Duplicate job uuid[x]"), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 2);
}

#[test]
fn a_front_end_that_broke_behind_the_submission_is_found_out() {
    let node = Node::new([answer(500, ""), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    node.seen();
    let node = Node::new([answer(500, ""), unknown_job()]);
    let error = run(&mut node.client(), &action()).expect_err("it never ran");
    assert!(matches!(&error, Error::Refused { status: 500, .. }), "{error}");
    assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[test]
fn sending_again_is_bounded() {
    let node = Node::new([cut(), unknown_job(), cut(), unknown_job(), cut(), unknown_job()]);
    let error = run(&mut node.client(), &action()).expect_err("never arrives");
    assert_eq!(error.class(), Class::Unknown);
    let uuid = node.seen()[0].header("x-job-uuid").map(str::to_owned);
    assert_eq!(error.job(), uuid.as_deref());
}

#[test]
fn a_starting_node_does_not_count_as_one_that_never_received_the_job() {
    let strange = [
        answer(404, "no api mapping to /v1/api-jobs/x"),
        answer(404, "<html>"),
        answer(503, "busy"),
        accepted(),
        ok("{}"),
    ];
    let node = Node::new([cut()].into_iter().chain(strange));
    run(&mut node.client(), &action()).expect("an answer");
    assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
}

#[test]
fn an_action_whose_node_stays_away_is_unknown() {
    let node = Node::new([cut()].into_iter().chain(vec![refused(); 100]));
    let error = run(&mut node.client(), &action()).expect_err("nobody there");
    assert!(
        matches!(&error, Error::OutcomeUnknown { job: Some(_), reason: Uncertainty::Unreachable(_), .. }),
        "{error}"
    );
}

#[test]
fn synchronous_actions_are_never_sent_again() {
    let silent = Step::Fail(TransportError::Silent { after: Duration::from_secs(330) });
    for lost in [cut(), silent, answer(502, "<html>"), answer(504, ""), Step::CutBody("{".into()), ok("{\"a\":")] {
        let node = Node::new([lost]);
        let error = run(&mut node.client(), &synchronous_action()).expect_err("lost");
        assert!(matches!(&error, Error::OutcomeUnknown { job: None, .. }), "{error}");
        assert_eq!(error.class(), Class::NoAnswer);
        node.seen();
    }
}

#[test]
fn what_was_never_sent_is_plainly_unreachable() {
    for request in [action(), synchronous_action(), query()] {
        let node = Node::new([refused()]);
        let error = run(&mut node.client(), &request).expect_err("nobody there");
        assert!(matches!(&error, Error::Unreachable { source: TransportError::Refused, .. }), "{error}");
        assert_eq!(error.to_string(), "cannot reach node:8080: the connection was refused");
        node.seen();
    }
}

#[test]
fn a_result_that_is_cut_is_fetched_from_the_job() {
    let node = Node::new([Step::CutBody("{".into()), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
    let node = Node::new([Step::CutBody("{".into()), unknown_job()]);
    let error = run(&mut node.client(), &action()).expect_err("it ran, and the result is gone");
    assert_eq!(error.class(), Class::Unknown);
    node.seen();
}

#[test]
fn queries_are_repeated_a_few_times() {
    let node = Node::new([cut(), answer(503, "<html>"), ok(r#"{"inventories":[]}"#)]);
    run(&mut node.client(), &query()).expect("an answer");
    assert_eq!(node.lines(), vec!["GET /v1/zones?q=name%3Da%20b".to_owned(); 3]);
    let node = Node::new([cut(), cut(), cut()]);
    let error = run(&mut node.client(), &query()).expect_err("cut");
    assert!(matches!(&error, Error::NoAnswer { .. }), "{error}");
    node.seen();
    let node = Node::new([Step::CutBody("{\"a".into()), ok("{\"a\":"), ok("{}")]);
    run(&mut node.client(), &query()).expect("the third is whole");
}

#[test]
fn interrupted_actions_tell_their_job() {
    let node = Node::new([Step::Fail(TransportError::Interrupted)]);
    let error = run(&mut node.client(), &action()).expect_err("interrupted");
    assert_eq!(error.job(), node.seen()[0].header("x-job-uuid"));
    let node = Node::new([Step::Fail(TransportError::Interrupted)]);
    assert!(matches!(run(&mut node.client(), &query()), Err(Error::Interrupted { job: None })));
}

#[test]
fn answers_that_are_none() {
    let page = "<!DOCTYPE html><title>secret page</title>";
    for (step, what) in [
        (answer(200, page), Oddity::Page),
        (answer(404, page), Oddity::Page),
        (answer(200, ""), Oddity::Empty),
        (answer(200, "[1]"), Oddity::Text),
        (answer(401, "who are you"), Oddity::LogIn),
        (answer(418, ""), Oddity::Empty),
    ] {
        for request in [query(), action()] {
            let node = Node::new([step.clone()]);
            let error = run(&mut node.client(), &request).expect_err("no answer");
            assert!(matches!(&error, Error::NotTheNode { what: found, .. } if *found == what), "{step:?}: {error}");
            assert!(!error.to_string().contains("secret page"));
            assert_eq!(error.class(), Class::NoAnswer);
            node.seen();
        }
    }
    let node = Node::new([answer(400, "bad q")]);
    let error = run(&mut node.client(), &query()).expect_err("refused");
    assert_eq!(error.to_string(), "the node refused the request with status 400: bad q");
    assert_eq!(error.class(), Class::Failure);
}

#[test]
fn a_missing_api_is_told_from_a_starting_node() {
    let missing = || answer(404, "no api mapping to /v1/zones");
    let node = Node::new([missing(), ok("{}")]);
    assert!(matches!(run(&mut node.client(), &query()), Err(Error::NoSuchApi { api: "QueryZone" })));
    assert_eq!(node.lines()[1], "GET /v1/management-nodes/ready");
    for starting in [missing(), answer(503, r#"{"error":{"code":"SYS.1010"}}"#)] {
        let node = Node::new([missing(), starting]);
        assert!(matches!(run(&mut node.client(), &action()), Err(Error::Starting { .. })));
    }
}

/// Notes what it is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl JobRecord for Notes {
    fn submitted(&mut self, job: &Job, _at: Duration) {
        self.0.lock().expect("notes").push(format!("{} {}", job.api, job.uuid.len()));
    }

    fn renamed(&mut self, _sent: &str, uuid: &str) {
        self.0.lock().expect("notes").push(uuid.to_owned());
    }

    fn ended(&mut self, _uuid: &str, outcome: JobOutcome, _at: Duration) {
        self.0.lock().expect("notes").push(format!("{outcome:?}"));
    }
}

#[test]
fn jobs_are_noted_before_they_are_sent() {
    let uuid = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
    let location = answer(202, &format!(r#"{{"location":"http://h/v1/api-jobs/{uuid}"}}"#));
    let node = Node::new([location, ok("{}")]);
    let notes = Notes::default();
    let mut client = node.client();
    client.set_job_record(Some(Box::new(notes.clone())));
    run(&mut client, &action()).expect("an answer");
    assert_eq!(*notes.0.lock().expect("notes"), ["CreateZone 32", uuid, "Succeeded"]);
    for (steps, outcome) in [
        (vec![accepted(), ok("{}")], "Succeeded"),
        (vec![accepted(), answer(503, r#"{"error":{"code":"SYS.1006"}}"#)], "Failed"),
        (vec![accepted(), unknown_job()], "Unknown"),
        (vec![refused()], "NotRun"),
    ] {
        let node = Node::new(steps);
        let notes = Notes::default();
        let mut client = node.client();
        client.set_job_record(Some(Box::new(notes.clone())));
        let _ = run(&mut client, &action());
        assert_eq!(*notes.0.lock().expect("notes"), ["CreateZone 32", outcome]);
    }
}
