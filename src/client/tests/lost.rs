//! Connections that fail: no action is lost or repeated.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{Node, Step, accepted, action, answer, cut, log_in, ok, query, refused, synchronous_action};
use crate::client::{
    Answer, CallOptions, Class, Client, Error, Job, JobOutcome, JobRecord, Oddity, TransportError, Uncertainty,
    Unwatched,
};
use crate::json::Value;

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
fn a_job_that_the_node_may_be_unable_to_record_is_never_taken_for_one_that_did_not_run() {
    let name = Value::Map(vec![("name".into(), Value::text("lab \u{1f600}"))]);
    let request = crate::plan::Request { body: Some(Value::Map(vec![("params".into(), name)])), ..action() };
    for steps in [
        vec![answer(202, "{}"), unknown_job()],
        vec![cut(), unknown_job()],
        vec![answer(502, "<html>"), unknown_job()],
        vec![answer(500, ""), unknown_job()],
    ] {
        let node = Node::new(steps.clone());
        let notes = Notes::default();
        let mut client = node.client();
        client.set_job_record(Some(Box::new(notes.clone())));
        let error = run(&mut client, &request).expect_err("nobody knows");
        assert_eq!((error.class(), error.job().is_some()), (Class::Unknown, true), "{steps:?}: {error}");
        assert_eq!(notes.0.lock().expect("notes").last().map(String::as_str), Some("Unknown"), "{steps:?}");
        node.seen();
    }
}

#[test]
fn a_duplicate_that_the_node_refuses_is_followed() {
    let node = Node::new([cut(), unknown_job(), answer(400, "Duplicate job uuid[x]"), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 2);
}

#[test]
fn a_duplicate_without_a_record_has_reached_the_node() {
    let duplicate = || answer(400, "Duplicate job uuid[x]");
    for steps in [vec![cut(), unknown_job(), duplicate(), unknown_job()], vec![duplicate(), unknown_job()]] {
        let node = Node::new(steps);
        let error = run(&mut node.client(), &action()).expect_err("nobody knows");
        assert!(matches!(&error, Error::OutcomeUnknown { reason: Uncertainty::Duplicate, .. }), "{error}");
        assert_eq!((error.class(), error.job()), (Class::Unknown, node.seen()[0].header("x-job-uuid")));
    }
}

#[test]
fn what_refuses_the_second_try_says_nothing_of_the_first() {
    let not_ready = r#"{"error":{"code":"SYS.1010"}}"#;
    for refusal in [
        answer(503, not_ready),
        answer(503, r#"{"error":{"code":"SYS.1006"}}"#),
        answer(503, r#"{"error":{"code":"ID.1001"}}"#),
        answer(500, ""),
        answer(500, "no"),
        answer(400, "no"),
        answer(404, "no api mapping to /v1/zones"),
    ] {
        let node = Node::new([answer(504, ""), unknown_job(), refusal.clone(), unknown_job()]);
        let notes = Notes::default();
        let mut client = node.client();
        client.set_job_record(Some(Box::new(notes.clone())));
        let error = run(&mut client, &action()).expect_err("nobody knows");
        assert_eq!((error.class(), error.job().is_some()), (Class::Unknown, true), "{refusal:?}: {error}");
        assert_eq!(*notes.0.lock().expect("notes"), ["CreateZone 32", "Unknown"], "{refusal:?}");
        node.seen();
        // The first try has arrived meanwhile.
        let node = Node::new([answer(504, ""), unknown_job(), refusal.clone(), accepted(), ok("{}")]);
        run(&mut node.client(), &action()).unwrap_or_else(|error| panic!("{refusal:?}: {error}"));
        node.seen();
    }
}

#[test]
fn a_result_that_comes_at_once_counts_only_without_a_record() {
    let at_once = || ok(r#"{"inventory":{"uuid":"other"}}"#);
    let text = |steps: Vec<Step>| {
        let node = Node::new(steps);
        let Answer::Reply(reply) = run(&mut node.client(), &action()).expect("an answer") else { panic!("a reply") };
        let sent = node.seen()[0].header("x-job-uuid").map(str::to_owned);
        (reply.job().map(str::to_owned) == sent, String::from_utf8(reply.into_text().expect("text")).expect("text"))
    };
    let own = r#"{"inventory":{"uuid":"own"}}"#;
    assert_eq!(text(vec![at_once(), accepted(), ok(own)]), (true, own.to_owned()));
    assert_eq!(text(vec![at_once(), unknown_job()]), (false, r#"{"inventory":{"uuid":"other"}}"#.to_owned()));
    let failed = answer(503, r#"{"error":{"code":"SYS.1006"}}"#);
    let node = Node::new([at_once(), failed.clone(), failed]);
    assert!(matches!(run(&mut node.client(), &action()), Ok(Answer::Failed(_))));
    node.seen();
    let node = Node::new([at_once()].into_iter().chain(vec![cut(); 100]));
    assert_eq!(run(&mut node.client(), &action()).expect_err("nobody knows").class(), Class::Unknown);
}

#[test]
fn a_front_end_that_broke_behind_the_submission_is_found_out() {
    let node = Node::new([answer(500, ""), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    node.seen();
    // Without a word it may have broken behind the action; with one it turned it away.
    for (text, class) in [("", Class::Unknown), ("no such parameter", Class::Failure)] {
        let node = Node::new([answer(500, text), unknown_job()]);
        let error = run(&mut node.client(), &action()).expect_err("no answer");
        assert_eq!((error.class(), error.job().is_some()), (class, class == Class::Unknown), "{error}");
        assert_eq!(node.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
    }
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
    assert!(matches!(&error, Error::Unanswered { .. }), "{error}");
    assert_eq!(error.job(), node.seen()[0].header("x-job-uuid"));
    let node = Node::new([cut(), Step::Interrupt(503, "<html>".to_owned())]);
    let error = run(&mut node.client(), &action()).expect_err("interrupted");
    assert!(matches!(&error, Error::Unanswered { job: Some(_), .. }), "{error}");
    let node = Node::new([Step::Fail(TransportError::Interrupted)]);
    let error = run(&mut node.client(), &synchronous_action()).expect_err("interrupted");
    assert!(matches!(&error, Error::Unanswered { job: None, .. }), "{error}");
    let node = Node::new([Step::Fail(TransportError::Interrupted)]);
    assert!(matches!(run(&mut node.client(), &query()), Err(Error::Interrupted { job: None })));
    let node = Node::new([Step::Fail(TransportError::Interrupted)]);
    assert!(matches!(run(&mut node.client(), &log_in()), Err(Error::Interrupted { job: None })));
}

#[test]
fn an_action_that_is_interrupted_before_it_is_sent_did_not_run() {
    let node = Node::new([]);
    node.interrupt.set();
    let notes = Notes::default();
    let mut client = node.client();
    client.set_job_record(Some(Box::new(notes.clone())));
    assert!(matches!(run(&mut client, &action()), Err(Error::Interrupted { job: None })));
    assert_eq!(*notes.0.lock().expect("notes"), ["CreateZone 32", "NotRun"]);
    // Another client may have sent it before.
    let how = CallOptions { is_repeat: true, ..CallOptions::default() };
    let error = client.execute(&action(), &how, &mut Unwatched).expect_err("interrupted");
    assert!(matches!(&error, Error::Unanswered { job: Some(_), .. }), "{error}");
    node.seen();
}

#[test]
fn what_refuses_the_second_client_says_nothing_of_the_first() {
    let how = CallOptions { is_repeat: true, ..CallOptions::default() };
    for refusal in [answer(400, "no"), answer(503, r#"{"error":{"code":"SYS.1006"}}"#)] {
        let node = Node::new([refusal, unknown_job()]);
        let error = node.client().execute(&action(), &how, &mut Unwatched).expect_err("nobody knows");
        assert_eq!((error.class(), error.job().is_some()), (Class::Unknown, true), "{error}");
        node.seen();
    }
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
        // An action is asked for, and then the node for itself: nothing of it is there.
        let pages = usize::from(matches!(step, Step::Answer(404, _))) + 1;
        for (request, times) in [(query(), pages), (action(), 3), (synchronous_action(), pages + 1)] {
            let node = Node::new(vec![step.clone(); times]);
            let error = run(&mut node.client(), &request).expect_err("no answer");
            assert!(matches!(&error, Error::NotTheNode { what: found, .. } if *found == what), "{step:?}: {error}");
            assert!(!error.to_string().contains("secret page"));
            assert_eq!(error.class(), Class::NoAnswer);
            let seen = node.seen();
            assert_eq!(error.job(), seen[0].header("x-job-uuid").filter(|_| request.is_async));
        }
    }
    let node = Node::new([answer(400, "bad q")]);
    let error = run(&mut node.client(), &query()).expect_err("refused");
    assert_eq!(error.to_string(), "the node refused the request with status 400: bad q");
    assert_eq!(error.class(), Class::Failure);
}

/// What comes from a web server, a proxy or a framework while the node behind it carries the action out.
fn no_answers() -> Vec<Step> {
    let page = |status: u16| answer(status, "<html>oops</html>");
    let spring = r#"{"timestamp":1,"status":500,"error":"Internal Server Error"}"#;
    let mut steps: Vec<Step> = [200, 302, 401, 404, 408, 429, 500, 520, 524].map(page).to_vec();
    let others = [(200, ""), (200, "OK"), (204, ""), (404, ""), (404, "page not found"), (500, spring), (500, "")];
    steps.extend(others.map(|(status, body)| answer(status, body)));
    steps.push(answer(400, "Duplicate job uuid[x]"));
    steps
}

#[test]
fn an_action_that_was_answered_by_something_else_is_asked_for() {
    for step in no_answers() {
        let node = Node::new([step.clone(), accepted(), ok(r#"{"inventory":{}}"#)]);
        let result = run(&mut node.client(), &action()).unwrap_or_else(|error| panic!("{step:?}: {error}"));
        assert!(matches!(result, Answer::Reply(_)), "{step:?}");
        let seen = node.seen();
        assert_eq!(seen.iter().filter(|seen| seen.line.starts_with("POST")).count(), 1, "{step:?}");
        assert_eq!(seen[1].line, format!("GET /v1/api-jobs/{}", seen[0].header("x-job-uuid").expect("sent")));
    }
}

#[test]
fn an_action_that_was_answered_by_something_else_and_is_not_found_is_unknown() {
    for step in no_answers() {
        // Plain text is the node's own way to turn a request away: what it has no record of then never ran, unless it
        // says that it has seen the uuid.
        let refused = matches!(&step, Step::Answer(400 | 404 | 500, body) if !body.is_empty()
            && !body.starts_with(['<', '{']) && !body.starts_with("Duplicate"));
        let ready = matches!(&step, Step::Answer(404, _)) && refused;
        let node = Node::new([step.clone(), unknown_job()].into_iter().chain(ready.then(|| ok("{}"))));
        let notes = Notes::default();
        let mut client = node.client();
        client.set_job_record(Some(Box::new(notes.clone())));
        let error = run(&mut client, &action()).expect_err("nobody knows");
        let expected = if refused { Class::Failure } else { Class::Unknown };
        assert_eq!(error.class(), expected, "{step:?}: {error}");
        let sent = node.seen()[0].header("x-job-uuid").map(str::to_owned);
        assert_eq!(error.job().map(str::to_owned), sent.filter(|_| !refused), "{step:?}");
        let outcome = if refused { "NotRun" } else { "Unknown" };
        assert_eq!(*notes.0.lock().expect("notes"), ["CreateZone 32", outcome], "{step:?}");
    }
}

#[test]
fn an_address_without_a_node_is_told_and_the_action_stays_unknown() {
    for step in [answer(404, "<html>"), answer(404, "page not found"), answer(401, ""), answer(302, "")] {
        let node = Node::new(vec![step.clone(); 3]);
        let notes = Notes::default();
        let mut client = node.client();
        client.set_job_record(Some(Box::new(notes.clone())));
        let error = run(&mut client, &action()).expect_err("no node");
        assert!(matches!(&error, Error::NotTheNode { job: Some(_), .. } | Error::Redirect { job: Some(_), .. }));
        assert_eq!(error.class(), Class::NoAnswer);
        assert_eq!(*notes.0.lock().expect("notes"), ["CreateZone 32", "Unknown"]);
        assert_eq!(node.lines()[2], "GET /v1/management-nodes/ready");
    }
    // A web page of a node that is ready says nothing of the action.
    let node = Node::new([answer(404, "<html>"), answer(404, "<html>"), ok("{}"), accepted(), ok("{}")]);
    run(&mut node.client(), &action()).expect("an answer");
    node.seen();
}

#[test]
fn a_synchronous_change_that_something_else_answers_is_unknown() {
    for step in no_answers() {
        let lasting = matches!(&step, Step::Answer(status, _) if *status < 408 && *status != 400);
        let node = Node::new([step.clone()].into_iter().chain(lasting.then(|| ok("{}"))));
        let error = run(&mut node.client(), &synchronous_action()).expect_err("nobody knows");
        if matches!(&step, Step::Answer(400, _)) {
            assert!(matches!(&error, Error::Refused { .. }), "{step:?}: {error}");
        } else {
            assert!(matches!(&error, Error::OutcomeUnknown { job: None, .. }), "{step:?}: {error}");
            assert_eq!(error.class(), Class::NoAnswer);
        }
        node.seen();
    }
}

#[test]
fn a_log_in_leaves_no_question() {
    let node = Node::new([answer(500, "<html>")]);
    let error = run(&mut node.client(), &log_in()).expect_err("no node");
    assert!(matches!(&error, Error::NotTheNode { status: 500, job: None, .. }), "{error}");
    node.seen();
}

#[test]
fn a_missing_api_is_told_from_a_starting_node() {
    let missing = || answer(404, "no api mapping to /v1/zones");
    let node = Node::new([missing(), ok("{}")]);
    assert!(matches!(run(&mut node.client(), &query()), Err(Error::NoSuchApi { api: "QueryZone", .. })));
    assert_eq!(node.lines()[1], "GET /v1/management-nodes/ready");
    for starting in [missing(), answer(503, r#"{"error":{"code":"SYS.1010"}}"#)] {
        let node = Node::new([missing(), starting]);
        assert!(matches!(run(&mut node.client(), &action()), Err(Error::Starting { .. })));
    }
}

#[test]
fn a_node_that_starts_is_no_wrong_address() {
    let page = |status| answer(status, "<html>starting</html>");
    let not_ready = || answer(503, r#"{"error":{"code":"SYS.1010"}}"#);
    for steps in [
        vec![page(404), not_ready()],
        vec![page(404), answer(404, "no api mapping to /v1/management-nodes/ready")],
        vec![page(503), page(503), page(503), not_ready()],
    ] {
        let node = Node::new(steps);
        let error = run(&mut node.client(), &query()).expect_err("not ready");
        assert!(matches!(&error, Error::Starting { .. }), "{error}");
        assert_eq!(node.lines().last().map(String::as_str), Some("GET /v1/management-nodes/ready"));
    }
    // The container answers before the node does: nobody can tell it from another web server.
    let node = Node::new(vec![page(503); 4]);
    let error = run(&mut node.client(), &query()).expect_err("no answer");
    assert!(matches!(&error, Error::NotTheNode { status: 503, .. }), "{error}");
    node.seen();
    // An action is not taken for one that did not run.
    let no_mapping = answer(404, "no api mapping to /v1/api-jobs/x");
    let node = Node::new([page(503)].into_iter().chain(vec![no_mapping; 30]));
    let error = run(&mut node.client(), &action()).expect_err("not ready");
    assert!(matches!(&error, Error::OutcomeUnknown { job: Some(_), reason: Uncertainty::Starting, .. }), "{error}");
}

/// Notes what it is told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl JobRecord for Notes {
    fn submitted(&mut self, job: &Job, _at: Duration) {
        self.0.lock().expect("notes").push(format!("{} {}", job.api, job.uuid.len()));
    }

    fn ended(&mut self, _uuid: &str, outcome: JobOutcome, _at: Duration) {
        self.0.lock().expect("notes").push(format!("{outcome:?}"));
    }
}

#[test]
fn jobs_are_noted_before_they_are_sent() {
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
