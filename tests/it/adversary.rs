//! A node behind everything that can go wrong on the way to it: requests that arrive late, twice or never, answers
//! that are cut, repeated, replaced or lost, sessions that end. It counts how often each action was carried out, and
//! that is held against what the program says of it and what its journal keeps.
//!
//! What befalls a request depends on the seed, on the action and on how many requests were about that action before,
//! so that a run can be repeated whatever the order in which processes take turns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::faults::{act, judge};
use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};

/// How many requests about an action a late one may let pass; beyond that it arrives when all is over.
const LATEST: u64 = 5;

/// A request that is on its way.
struct Late {
    uuid: String,
    name: String,
    /// How many more requests about the action come first.
    behind: u64,
    is_refused: bool,
}

/// A job as the node has it.
struct Job {
    /// How often it is asked for while it runs.
    polls: u64,
    status: u16,
    answer: String,
}

#[derive(Default)]
struct Adversary {
    seed: u64,
    /// How often each name was created.
    created: BTreeMap<String, usize>,
    /// The jobs by their uuids.
    jobs: BTreeMap<String, Job>,
    /// The action that each uuid was sent for, whether or not the node received it.
    names: BTreeMap<String, String>,
    /// How many requests were about each action.
    requests: BTreeMap<String, u64>,
    late: Vec<Late>,
    log_ins: usize,
    /// What was asked and answered about each action.
    story: BTreeMap<String, Vec<String>>,
}

/// A source of chance.
struct Chance(u64);

impl Chance {
    fn of(parts: &[u64]) -> Chance {
        let mut chance = Chance(0);
        for part in parts {
            chance.0 = chance.next() ^ part;
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn error(code: &str) -> Reply {
    Reply::error(code, "no")
}

fn page(status: u16) -> Reply {
    Reply::Send(status, "<html>a proxy</html>".to_owned())
}

/// The beginning of an answer, and then nothing.
fn torn(status: u16, body: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{}", body.len() + 9, body).into_bytes())
}

impl Adversary {
    /// The chance for the next request about an action.
    fn chance(&mut self, name: &str) -> Chance {
        let count = self.requests.entry(name.to_owned()).or_default();
        *count += 1;
        let number = name.rsplit('-').next().and_then(|text| text.parse().ok()).expect("a number");
        Chance::of(&[self.seed, number, *count])
    }

    /// The node receives an action. One uuid runs once (J2).
    fn receive(&mut self, uuid: &str, name: &str, is_refused: bool, polls: u64) -> bool {
        if self.jobs.contains_key(uuid) {
            return false;
        }
        let failure = |code: &str| (503, format!(r#"{{"error":{{"code":"{code}","details":"no"}}}}"#));
        let (status, answer) = match polls {
            _ if is_refused => failure("ID.1001"),
            // It runs, and fails.
            7 => failure("SYS.1006"),
            _ => {
                *self.created.entry(name.to_owned()).or_default() += 1;
                (200, format!(r#"{{"inventory":{{"uuid":"{uuid}","name":"{name}"}}}}"#))
            }
        };
        self.jobs.insert(uuid.to_owned(), Job { polls: polls % 4, status, answer });
        true
    }

    /// What is on its way comes closer.
    fn bring(&mut self, name: &str, at_the_end: bool) {
        let (arrived, late) = std::mem::take(&mut self.late)
            .into_iter()
            .partition::<Vec<_>, _>(|late| at_the_end || (late.name == name && late.behind == 0));
        self.late = late;
        for late in self.late.iter_mut().filter(|late| late.name == name && late.behind < LATEST) {
            late.behind -= 1;
        }
        for late in arrived {
            self.receive(&late.uuid, &late.name, late.is_refused, 1);
        }
    }

    fn submit(&mut self, request: &Recorded) -> Reply {
        let uuid = request.header("x-job-uuid").expect("a job uuid").to_owned();
        let name = request.json()["params"]["name"].as_str().expect("a name").to_owned();
        self.names.insert(uuid.clone(), name.clone());
        let mut chance = self.chance(&name);
        self.bring(&name, false);
        let is_refused = chance.below(12) == 0;
        // What is refused while an earlier try is on its way is what leads to wrong claims.
        let is_again = self.late.iter().any(|late| late.name == name);
        let fate = if is_again && chance.below(2) == 0 { 10 + chance.below(4) } else { chance.below(30) };
        match fate {
            // It never arrives.
            0 | 1 => return Reply::Cut,
            2 => return page(502),
            3 => return Reply::Send(503, String::new()),
            // It is on its way.
            4..=9 => {
                let behind = chance.below(LATEST + 1);
                self.late.push(Late { uuid, name, behind, is_refused });
                return match chance.below(6) {
                    0 | 1 => Reply::Send(504, String::new()),
                    2 => page(504),
                    3 => Reply::Cut,
                    4 => Reply::Raw(b"HTTP/1.1 2".to_vec()),
                    _ => page(500),
                };
            }
            // The front end turns it away, in its own words.
            10 => return error("ID.1001"),
            11 => return error("SYS.1010"),
            12 => return Reply::Send(400, "no such parameter".to_owned()),
            13 => return Reply::Send(500, String::new()),
            _ => {}
        }
        let polls = chance.below(16);
        if !self.receive(&uuid, &name, is_refused, polls) {
            return Reply::Send(400, format!("Duplicate job uuid[{uuid}]"));
        }
        let other = self.jobs.keys().next().cloned().unwrap_or_default();
        let accepted =
            |job: &str| format!(r#"{{"location":"http://10.255.255.1:1/v1/api-jobs/{job}","apiTimeout":60000}}"#);
        // It was received. From here on the answer goes wrong.
        match chance.below(16) {
            0 => Reply::Cut,
            1 => torn(202, "{\"loca"),
            2 => torn(200, "{\"inventory\":{"),
            3 => Reply::Send(504, String::new()),
            4 => page(200),
            5 => Reply::Send(500, String::new()),
            // A proxy sent it twice.
            6 => Reply::Send(400, format!("Duplicate job uuid[{uuid}]")),
            7 => error("SYS.1010"),
            8 => Reply::ok(r#"{"inventory":{"uuid":"x","name":"of another"}}"#),
            9 => Reply::Again(202, accepted(&uuid)),
            10 => Reply::Send(202, accepted(&other)),
            11 => Reply::Send(202, "<html>".to_owned()),
            _ => Reply::Send(202, accepted(&uuid)),
        }
    }

    fn poll(&mut self, uuid: &str) -> Reply {
        let Some(name) = self.names.get(uuid).cloned() else { return Reply::Send(404, "no such job".to_owned()) };
        let mut chance = self.chance(&name);
        self.bring(&name, false);
        let trouble = chance.below(30);
        match trouble {
            0 | 1 => return Reply::Cut,
            2 => return page(502),
            3 => return Reply::Send(500, String::new()),
            4 => return Reply::Send(404, format!("no api mapping to /v1/api-jobs/{uuid}")),
            5 => return page(404),
            _ => {}
        }
        let Some(job) = self.jobs.get_mut(uuid) else { return Reply::Send(404, "no such job".to_owned()) };
        if job.polls > 0 {
            job.polls -= 1;
            return if trouble < 10 { Reply::Again(202, "{}".to_owned()) } else { Reply::Send(202, "{}".to_owned()) };
        }
        match trouble {
            6 => torn(job.status, &job.answer),
            7 => torn(job.status, &job.answer[..20]),
            8 => Reply::Send(200, r#"{"inventory":{"uuid":"#.to_owned()),
            9 | 10 => Reply::Again(job.status, job.answer.clone()),
            _ => Reply::Send(job.status, job.answer.clone()),
        }
    }

    fn noted(&mut self, what: &str, uuid: &str, reply: Reply) -> Reply {
        if let Some(name) = self.names.get(uuid) {
            let has_run = self.created.get(name).copied().unwrap_or_default();
            let line = format!("{what} {uuid}: {reply:?}, ran {has_run} times");
            self.story.entry(name.clone()).or_default().push(line);
        }
        reply
    }

    fn answer(&mut self, request: &Recorded) -> Reply {
        let path = request.path().to_owned();
        if let Some(uuid) = path.strip_prefix("/zstack/v1/api-jobs/") {
            let reply = self.poll(uuid);
            return self.noted("poll", uuid, reply);
        }
        match request.method.as_str() {
            "POST" => {
                let reply = self.submit(request);
                self.noted("POST", request.header("x-job-uuid").unwrap_or_default(), reply)
            }
            "PUT" => {
                self.log_ins += 1;
                Reply::ok(format!(r#"{{"inventory":{{"uuid":"{:032x}"}}}}"#, self.log_ins))
            }
            // Whether it is ready, how it is, how far a job is.
            _ => Reply::ok("{}"),
        }
    }
}

fn face(seed: u64, actions: usize) {
    let adversary = Arc::new(Mutex::new(Adversary { seed, ..Adversary::default() }));
    let own = Arc::clone(&adversary);
    let node = Node::start(move |request| own.lock().expect("no panic").answer(request));
    let home = Home::new();
    home.run(node.call(&["login", "-q"])).input("x\n").succeeds();
    let commands: Vec<(String, String)> =
        (0..actions).map(|at| (format!("act-{at}"), format!("CreateZone name=act-{at}"))).collect();
    let began = Instant::now();
    let claims = act(&home, &node.options(), &commands);
    let mut adversary = adversary.lock().expect("no panic");
    adversary.bring("", true);
    judge(&format!("an adversary, seed {seed}"), &claims, &adversary.created, &adversary.story, began);
    // The journal claims no more than the program did, and knows each uuid that was sent.
    let journal = home.run(["job", "list", "-o", "value", "--columns", "uuid,state"]).succeeds().out();
    let states: BTreeMap<&str, &str> = journal.lines().filter_map(|line| line.split_once('\t')).collect();
    for (uuid, name) in &adversary.names {
        let has_run = adversary.jobs.get(uuid).is_some_and(|job| job.status == 200);
        match states.get(uuid.as_str()) {
            Some(&"succeeded") => assert!(has_run, "seed {seed}: {name} did not run"),
            Some(&("failed" | "not run")) => assert!(!has_run, "seed {seed}: {name} ran"),
            Some(&"unknown") => {}
            other => panic!("seed {seed}: the journal says {other:?} of {name}"),
        }
    }
}

#[test]
fn an_adversary_between_makes_no_action_run_twice_and_no_claim_wrong() {
    for seed in [1, 2, 3] {
        face(seed, 64);
    }
}

#[test]
#[ignore = "takes minutes; doc/reliability.md tells when to run it"]
fn thousands_of_actions_against_an_adversary() {
    for seed in 10..20 {
        face(seed, 400);
    }
}
