//! Queries over several pages.

use super::fake::{Node, Step, answer, cut, ok};
use crate::catalog::Catalog;
use crate::client::{Answer, CallOptions, Class, Client, Error, Unwatched};
use crate::json::{Piece, Pieces};
use crate::plan::{Options, Plan, QueryPlan, plan};
use crate::syntax::Command;

fn planned(line: &str) -> QueryPlan {
    let command = Command::parse(line).expect("it parses").expect("a command");
    let options = Options { page_size: 2, ..Options::default() };
    match plan(&command, Catalog::newest(), &options).expect("a plan") {
        Plan::Query(plan) => *plan,
        Plan::Call(_) => panic!("{line} is no query"),
    }
}

fn uuid(number: u32) -> String {
    format!("{number:032x}")
}

fn page(numbers: &[u32]) -> Step {
    let rows: Vec<String> = numbers.iter().map(|number| format!(r#"{{"uuid":"{}"}}"#, uuid(*number))).collect();
    ok(&format!(r#"{{"inventories":[{}],"schema":{{}}}}"#, rows.join(",")))
}

fn start(client: &mut Client, line: &str) -> Result<Answer, Error> {
    client.query(&planned(line), &CallOptions::default(), &mut Unwatched)
}

/// The numbers of the rows, the other members, and the error at the end.
fn all(node: &Node, line: &str) -> (Vec<u32>, String, Option<Error>) {
    let Answer::Reply(mut reply) = start(&mut node.client(), line).expect("a reply") else { panic!("a reply") };
    let (mut rows, mut members) = (Vec::new(), String::new());
    loop {
        match reply.next_piece() {
            Err(error) => return (rows, members, Some(Error::of_read(&error))),
            Ok(None) => return (rows, members, None),
            Ok(Some(Piece::Row(row))) => {
                let text = String::from_utf8_lossy(row);
                rows.push(u32::from_str_radix(&text[9..41], 16).expect("a number"));
            }
            Ok(Some(Piece::Member { name, text })) => {
                members.push_str(&format!("{name}={} ", String::from_utf8_lossy(text)));
            }
            Ok(Some(Piece::Rows { name })) => members.push_str(&format!("[{name} ")),
            Ok(Some(Piece::EndRows)) => members.push_str("] "),
        }
    }
}

#[test]
fn pages_follow_each_other_by_key_and_read_as_one_reply() {
    let node = Node::new([page(&[1, 2]), page(&[3, 7]), page(&[9])]);
    let (rows, members, error) = all(&node, "QueryZone");
    assert_eq!((rows, members.as_str(), error.is_none()), (vec![1, 2, 3, 7, 9], "[inventories ] schema={} ", true));
    let lines = node.lines();
    assert_eq!(lines[0], "GET /v1/zones?limit=2&sort=%2Buuid");
    assert_eq!(lines[1], format!("GET /v1/zones?q=uuid%3E{}&limit=2&sort=%2Buuid", uuid(2)));
    assert_eq!(lines[2], format!("GET /v1/zones?q=uuid%3E{}&limit=2&sort=%2Buuid", uuid(7)));
}

#[test]
fn one_short_page_is_everything() {
    for (step, count) in [(page(&[]), 0), (page(&[5]), 1), (page(&[1, 2, 3]), 3)] {
        let node = Node::new([step]);
        assert_eq!(all(&node, "QueryZone").0.len(), count);
        node.seen();
    }
}

#[test]
fn a_page_longer_than_asked_for_is_handed_on_with_what_follows_it() {
    // Longer than what is looked at before anything is handed on.
    let pad = "x".repeat(40_000);
    let row = |number| format!(r#"{{"uuid":"{}","pad":"{pad}"}}"#, uuid(number));
    let rows: Vec<String> = (1..=9).map(row).collect();
    let text = format!(r#"{{"before":1,"inventories":[{}],"total":9}}"#, rows.join(","));
    let node = Node::new([ok(&text)]);
    let (rows, members, error) = all(&node, "QueryZone");
    assert_eq!((rows, error.is_none()), ((1..=9).collect(), true));
    assert_eq!(members, "before=1 [inventories ] total=9 ");
    // What was handed on already cannot be asked for again.
    let node = Node::new([Step::CutBody(text[..text.len() - 60].to_owned())]);
    let (rows, _, error) = all(&node, "QueryZone");
    assert_eq!(rows, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(error.map(|error| error.class()), Some(Class::NoAnswer));
    node.seen();
}

#[test]
fn a_node_that_ignores_the_condition_is_paged_by_offset() {
    let node = Node::new([page(&[1, 2]), page(&[1, 2]), page(&[3, 4]), page(&[])]);
    let (rows, _, error) = all(&node, "QueryZone");
    assert_eq!((rows, error.is_none()), (vec![1, 2, 3, 4], true));
    let lines = node.lines();
    assert!(lines[2].contains("start=2") && !lines[2].contains("q="), "{lines:?}");
    assert!(lines[3].contains("start=4"), "{lines:?}");
}

#[test]
fn rows_out_of_order_are_paged_by_offset() {
    let node = Node::new([page(&[9, 1]), page(&[4])]);
    assert_eq!(all(&node, "QueryZone").0, [9, 1, 4]);
    assert!(node.lines()[1].contains("start=2"));
}

#[test]
fn in_the_users_order_rows_that_come_twice_are_dropped() {
    let node = Node::new([page(&[9, 8]), page(&[8, 7]), page(&[1])]);
    assert_eq!(all(&node, "QueryZone sortBy=name").0, [9, 8, 7, 1]);
    let lines = node.lines();
    assert!(lines[1].contains("start=2") && lines[2].contains("start=4"), "{lines:?}");
}

#[test]
fn a_node_that_sends_the_same_page_for_ever_is_an_error() {
    let node = Node::new([page(&[1, 2]), page(&[1, 2]), page(&[1, 2])]);
    let (rows, _, error) = all(&node, "QueryZone");
    assert_eq!(rows, [1, 2]);
    assert_eq!(error.map(|error| error.class()), Some(Class::NoAnswer));
    node.seen();
}

#[test]
fn an_error_on_a_later_page_comes_after_the_rows_before_it() {
    let failed = answer(503, r#"{"error":{"code":"SYS.1006"}}"#);
    let node = Node::new([page(&[1, 2]), failed]);
    let (rows, _, error) = all(&node, "QueryZone");
    assert_eq!(rows, [1, 2]);
    let error = error.expect("an error");
    assert_eq!((error.class(), error.failure().map(|failure| failure.code())), (Class::Failure, Some("SYS.1006")));
    let node = Node::new([page(&[1, 2]), cut(), cut(), cut()]);
    assert!(matches!(all(&node, "QueryZone").2, Some(Error::NoAnswer { .. })));
}

#[test]
fn a_page_that_is_cut_is_fetched_again() {
    let node = Node::new([page(&[1, 2]), Step::CutBody(r#"{"inventories":[{"#.into()), page(&[3])]);
    assert_eq!(all(&node, "QueryZone").0, [1, 2, 3]);
    // Cut behind what is looked at before a reply is handed on.
    let long = format!(r#"{{"pad":"{}","inventories":[{{"#, "x".repeat(300_000));
    let node = Node::new([page(&[1, 2]), Step::CutBody(long), page(&[3])]);
    assert_eq!(all(&node, "QueryZone").0, [1, 2, 3]);
    node.seen();
}

#[test]
fn an_error_on_the_first_page_is_the_answer() {
    let node = Node::new([answer(503, r#"{"error":{"code":"ID.1002"}}"#)]);
    let result = start(&mut node.client(), "QueryZone").expect("an answer");
    assert!(matches!(result, Answer::Failed(failure) if failure.code() == "ID.1002"));
}

#[test]
fn a_limit_is_asked_for_as_it_is() {
    let node = Node::new([page(&[1, 2, 3])]);
    assert_eq!(all(&node, "QueryZone limit=5").0, [1, 2, 3]);
    assert_eq!(node.lines(), ["GET /v1/zones?limit=5"]);
}

#[test]
fn results_of_zql_are_paged_too() {
    let rows = |numbers: &[u32]| {
        let rows: Vec<String> = numbers.iter().map(|number| format!(r#"{{"uuid":"{}"}}"#, uuid(*number))).collect();
        ok(&format!(r#"{{"results":[{{"inventories":[{}],"total":null,"name":null}}]}}"#, rows.join(",")))
    };
    let node = Node::new([rows(&[1, 2]), rows(&[3])]);
    let (found, members, error) = all(&node, "QueryZone \"name=it's\"");
    assert_eq!((found, members.as_str(), error.is_none()), (vec![1, 2, 3], "[inventories ] ", true));
    assert!(node.lines()[1].contains(&uuid(2)));
}

#[test]
fn split_lists_are_counted_and_joined() {
    let uuids: Vec<String> = (0..400).map(uuid).collect();
    let line = format!("QueryZone uuid?={}", uuids.join(","));
    let parts = planned(&line).parts();
    assert!(parts > 1);
    let node = Node::new((0..parts as u32).map(|part| page(&[part])));
    assert_eq!(all(&node, &line).0, (0..parts as u32).collect::<Vec<u32>>());
    let node = Node::new((0..parts).map(|_| ok(r#"{"total":3,"schema":{}}"#)));
    let (_, members, _) = all(&node, &format!("{line} count=true"));
    assert_eq!(members, format!("total={} ", parts * 3));
}
