//! Long queries, whose later pages are requested in ranges, several at once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::harness::{Home, Run};
use crate::node::{Node, Recorded, Reply};

const PAGE: usize = 20;

/// The uuids of a cloud: some at random places, some one after the other.
fn uuids() -> BTreeSet<u128> {
    let mut random = 7_u128;
    let mut next = || {
        random = random.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(0x9e37_79b9);
        random
    };
    let mut all: BTreeSet<u128> = (0..700).map(|_| next()).collect();
    let start = next();
    all.extend((0..200).map(|number| start.wrapping_add(number)));
    all
}

fn text(uuid: u128) -> String {
    format!("{uuid:032x}")
}

/// The ends of the range that a request asks for: after the first, up to the second.
fn range(request: &Recorded) -> (Option<u128>, Option<u128>) {
    let (mut after, mut to) = (None, None);
    for (_, value) in request.query().into_iter().filter(|(name, _)| name == "q") {
        let number = |text: &str| u128::from_str_radix(text, 16).ok();
        after = value.strip_prefix("uuid>").map_or(after, number);
        to = value.strip_prefix("uuid<=").map_or(to, number);
    }
    (after, to)
}

/// A row, long enough that a few fill a buffer.
fn row(uuid: u128) -> String {
    format!(r#"{{"description":"{}","uuid":"{}"}}"#, "x".repeat(1000), text(uuid))
}

/// The page of these rows that a request asks for.
fn page(uuids: &BTreeSet<u128>, request: &Recorded) -> Reply {
    let (after, to) = range(request);
    let limit = request
        .query()
        .into_iter()
        .find(|(name, _)| name == "limit")
        .map_or(1000, |(_, value)| value.parse().expect("a number"));
    let wanted =
        uuids.iter().filter(|uuid| after.is_none_or(|after| **uuid > after) && to.is_none_or(|to| **uuid <= to));
    let rows: Vec<String> = wanted.take(limit).map(|uuid| row(*uuid)).collect();
    Reply::ok(format!(r#"{{"inventories":[{}]}}"#, rows.join(",")))
}

fn list(home: &Home, node: &Node, words: &[&str]) -> Run {
    let words = [&["QueryZone", "--page-size", "20", "-o", "value", "--columns", "uuid"], words].concat();
    home.run(node.call(&words)).variable("ZSTACK_SESSION_UUID", "5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37")
}

fn lines(uuids: impl IntoIterator<Item = u128>) -> String {
    uuids.into_iter().map(|uuid| text(uuid) + "\n").collect()
}

/// Waits until as many requests are being answered.
#[derive(Default)]
struct Meeting {
    present: Mutex<usize>,
    changed: Condvar,
}

impl Meeting {
    fn of(&self, count: usize) -> bool {
        let mut present = self.present.lock().expect("no panic");
        *present += 1;
        self.changed.notify_all();
        let long = Duration::from_secs(20);
        let (present, _) =
            self.changed.wait_timeout_while(present, long, |present| *present < count).expect("no panic");
        *present >= count
    }
}

#[test]
fn the_rest_of_a_long_query_comes_in_ranges_several_at_once() {
    let all = uuids();
    let (rows, met) = (all.clone(), Arc::new(Mutex::new(Vec::new())));
    let (meeting, results) = (Meeting::default(), Arc::clone(&met));
    let ranges = AtomicUsize::new(0);
    let node = Node::start(move |request| {
        if range(request).1.is_some() && ranges.fetch_add(1, Ordering::SeqCst) < 3 {
            let all_are_here = meeting.of(3);
            results.lock().expect("no panic").push(all_are_here);
        }
        page(&rows, request)
    });
    let home = Home::new();
    list(&home, &node, &["--page-parallel", "3"]).succeeds().stdout(&lines(all.iter().copied()));
    assert_eq!(*met.lock().expect("no panic"), [true; 3]);
    // The first ten as ever, and then not many more than one after the other would take.
    let requests = node.requests();
    assert!(requests[..10].iter().all(|request| range(request).1.is_none()));
    assert!(range(&requests[10]).1.is_some());
    assert!(requests.len() < 2 * all.len() / PAGE, "{}", requests.len());
    // The order that is asked for by name is the same one.
    list(&home, &node, &["sortBy=uuid"]).succeeds().stdout(&lines(all.iter().copied()));
    assert!(node.requests()[requests.len()..].iter().any(|request| range(request).1.is_some()));
}

#[test]
fn what_cannot_be_divided_comes_one_page_after_the_other() {
    let all = uuids();
    let rows = all.clone();
    let node = Node::start(move |request| page(&rows, request));
    let home = Home::new();
    list(&home, &node, &["--page-parallel", "1"]).succeeds().stdout(&lines(all.iter().copied()));
    list(&home, &node, &["limit=500"]).succeeds().stdout(&lines(all.iter().copied().take(500)));
    let few = 10 * PAGE - 1;
    let rows: BTreeSet<u128> = all.iter().copied().take(few).collect();
    let expected = lines(rows.iter().copied());
    let small = Node::start(move |request| page(&rows, request));
    list(&home, &small, &[]).succeeds().stdout(&expected);
    assert_eq!(small.requests().len(), 10);
    for request in node.requests().iter().chain(&small.requests()) {
        assert_eq!(range(request).1, None, "{}", request.target);
    }
}

#[test]
fn no_row_is_missed_or_doubled_while_others_come_and_go() {
    let all = uuids();
    let number = Arc::new(AtomicUsize::new(0));
    let rows = Mutex::new(all.clone());
    let stay = all.clone();
    let node = Node::start(move |request| {
        let mut rows = rows.lock().expect("no panic");
        let turn = number.fetch_add(1, Ordering::SeqCst) as u128;
        // Rows beside those that stay, everywhere; those of the last turn are gone.
        rows.retain(|uuid| stay.contains(uuid));
        rows.extend(stay.iter().map(|uuid| uuid.wrapping_add(1_000 + turn)));
        page(&rows, request)
    });
    let found = list(&Home::new(), &node, &["--page-parallel", "4"]).succeeds().out();
    let found: Vec<u128> = found.lines().map(|line| u128::from_str_radix(line, 16).expect("a uuid")).collect();
    assert!(found.is_sorted_by(|one, other| one < other));
    let found: BTreeSet<u128> = found.into_iter().collect();
    assert!(found.is_superset(&all));
}

#[test]
fn a_node_that_ignores_the_end_of_a_range_is_read_completely() {
    let all = uuids();
    let rows = all.clone();
    let node = Node::start(move |request| {
        let mut request = request.clone();
        request.target = request.target.replace("uuid%3C%3D", "name%3C%3D");
        page(&rows, &request)
    });
    list(&Home::new(), &node, &[]).succeeds().stdout(&lines(all));
}

#[test]
fn an_error_in_a_range_comes_after_the_rows_before_it() {
    let all = uuids();
    let rows = all.clone();
    let node = Node::start(move |request| match range(request) {
        (Some(after), Some(_)) if after > 0xc << 124 => Reply::error("SYS.1006", "no memory"),
        _ => page(&rows, request),
    });
    let words = ["-o", "jsonl", "--columns", "description,uuid", "--page-parallel", "4"];
    let found = list(&Home::new(), &node, &words).fails(3).stderr_has("SYS.1006").out();
    let expected: String = all.iter().map(|uuid| row(*uuid) + "\n").collect();
    assert!(expected.starts_with(&found));
    assert!(found.contains(&text(*all.range(0xa << 124..).next().expect("rows"))), "{}", found.len());
}

#[test]
fn a_session_that_expires_under_several_requests_is_renewed_once() {
    const FIRST: &str = "11111111111111111111111111111111";
    const SECOND: &str = "22222222222222222222222222222222";
    let all = uuids();
    let (rows, meeting) = (all.clone(), Meeting::default());
    let log_ins = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&log_ins);
    let node = Node::start(move |request| {
        if request.path().ends_with("/accounts/login") {
            let uuid = if count.fetch_add(1, Ordering::SeqCst) == 0 { FIRST } else { SECOND };
            return Reply::ok(format!(r#"{{"inventory":{{"uuid":"{uuid}"}}}}"#));
        }
        let is_old = request.header("authorization").is_some_and(|text| text.contains(FIRST));
        if is_old && range(request).1.is_some() {
            meeting.of(2);
            return Reply::error("ID.1001", "expired");
        }
        page(&rows, request)
    });
    let home = Home::new();
    home.run(node.call(&["login"])).input("x\n").succeeds();
    let words = ["QueryZone", "--page-size", "20", "-o", "value", "--columns", "uuid"];
    home.run(node.call(&words)).variable("ZSTACK_PASSWORD", "x").succeeds().stdout(&lines(all));
    assert_eq!(log_ins.load(Ordering::SeqCst), 2);
}
