//! No action is lost or repeated, whatever happens to connections: what the program says is held against what
//! the node did. doc/reliability.md tells the figures of the long run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use crate::harness::Home;
use crate::node::{Node, Recorded, Reply};
use crate::served::Served;

/// How many processes act at a time.
const PROCESSES: usize = 8;

/// What befalls calls and polls of the sandbox, and how often. Records are lost of one API only: an action whose
/// answer and whose record are both lost could not be told from one that never arrived.
const TROUBLE: [&str; 12] = [
    "cut-before:CreateZone:0.15",
    "cut-after:CreateZone:0.15",
    "truncated:CreateZone:0.1",
    "empty-500:CreateZone:0.05",
    "html:CreateZone:0.05",
    "job-lost:CreateDiskOffering:0.1",
    "html:CreateDiskOffering:0.1",
    "cut-before:CreateDiskOffering:0.1",
    "cut-before:api-jobs:0.1",
    "truncated:api-jobs:0.1",
    "html:api-jobs:0.05",
    "empty-500:api-jobs:0.05",
];

/// What the program said of actions, by their names.
#[derive(Default)]
struct Claims {
    done: BTreeSet<String>,
    unknown: BTreeSet<String>,
    not_done: BTreeSet<String>,
}

/// How long a process may take for its share of the actions.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(900);

/// Runs the commands, each with its name, in several processes at a time.
fn act(home: &Home, options: &[String], commands: &[(String, String)]) -> Claims {
    let claims = Mutex::new(Claims::default());
    thread::scope(|scope| {
        for part in commands.chunks(commands.len().div_ceil(PROCESSES)) {
            let claims = &claims;
            scope.spawn(move || {
                let script: String = part.iter().map(|(_, command)| format!("{command}\n")).collect();
                let mut words = options.to_vec();
                words.extend(["-k", "-q", "-o", "jsonl"].map(str::to_owned));
                let done = home.run(words).input(script).within(LONGEST).done();
                let mut claims = claims.lock().expect("no other panicked");
                let mut said = BTreeSet::new();
                for line in done.out().lines() {
                    let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
                    if let Some(name) = row["name"].as_str() {
                        claims.done.insert(name.to_owned());
                        said.insert(name.to_owned());
                    }
                }
                for line in done.err().lines() {
                    let Some((number, problem)) =
                        line.strip_prefix("error: line ").and_then(|rest| rest.split_once(": "))
                    else {
                        continue;
                    };
                    let (name, _) = &part[number.parse::<usize>().expect("a number") - 1];
                    let unknown = problem.contains("the outcome of") && problem.contains("is unknown");
                    if unknown { &mut claims.unknown } else { &mut claims.not_done }.insert(name.clone());
                    said.insert(name.clone());
                }
                assert_eq!(said.len(), part.len(), "nothing is said of some actions:\n{}", done.err());
            });
        }
    });
    claims.into_inner().expect("no panic")
}

/// Holds what was said against how often each action was carried out.
fn judge(what: &str, claims: &Claims, carried_out: &BTreeMap<String, usize>, began: Instant) {
    let times = |name: &String| carried_out.get(name).copied().unwrap_or_default();
    let twice: Vec<&String> = carried_out.iter().filter(|(_, times)| **times > 1).map(|(name, _)| name).collect();
    assert!(twice.is_empty(), "carried out twice: {twice:?}");
    let lost: Vec<&String> = claims.done.iter().filter(|name| times(name) == 0).collect();
    assert!(lost.is_empty(), "said to be done, and not done: {lost:?}");
    let silent: Vec<&String> = claims.not_done.iter().filter(|name| times(name) > 0).collect();
    assert!(silent.is_empty(), "said to have failed, and done: {silent:?}");
    let of_unknown = claims.unknown.iter().filter(|name| times(name) > 0).count();
    let text = format!(
        "{what}: {} actions in {} s: {} done, {} not done, {} unknown ({of_unknown} of them done); none twice, none lost",
        claims.done.len() + claims.not_done.len() + claims.unknown.len(),
        began.elapsed().as_secs(),
        claims.done.len(),
        claims.not_done.len(),
        claims.unknown.len(),
    );
    writeln!(std::io::stderr(), "{text}").expect("standard error");
}

fn against_the_sandbox(actions: usize) {
    let mut options = vec!["--speed", "100", "--seed", "7"];
    options.extend(TROUBLE.iter().flat_map(|fault| ["--fault", fault]));
    let served = Served::start(&options);
    let home = Home::new();
    served.log_in(&home);
    let commands: Vec<(String, String)> = (0..actions)
        .map(|at| {
            let name = format!("act-{at}");
            let command = match at % 2 {
                0 => format!("CreateZone name={name}"),
                _ => format!("CreateDiskOffering name={name} diskSize=1G"),
            };
            (name, command)
        })
        .collect();
    let began = Instant::now();
    let claims = act(&home, &["--url", &served.url].map(str::to_owned), &commands);
    let mut carried_out = BTreeMap::new();
    for query in ["QueryZone", "QueryDiskOffering"] {
        let rows = served.run(&home, &[query, "name~=act-%", "fields=name", "-o", "value"]).succeeds().out();
        for name in rows.lines() {
            *carried_out.entry(name.to_owned()).or_default() += 1;
        }
    }
    judge("sandbox with faults", &claims, &carried_out, began);
}

/// What the other server remembers.
#[derive(Default)]
struct Memory {
    /// How often each name was created.
    created: BTreeMap<String, usize>,
    /// The answer of each job that was received.
    jobs: BTreeMap<String, String>,
    /// Where the draws of chance are.
    state: u64,
}

impl Memory {
    /// A number below `below`, another one each time.
    fn draw(&mut self, below: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % below
    }

    /// Creates a zone as often as it is told to: only the program keeps it from happening twice, but for a job
    /// uuid that was seen, which a node refuses (J2).
    fn create(&mut self, request: &Recorded) -> Reply {
        let job = request.header("x-job-uuid").expect("a job uuid").to_owned();
        if self.draw(100) < 12 {
            return Reply::Cut;
        }
        if self.draw(100) < 6 {
            return Reply::Send(502, "<html>bad gateway</html>".to_owned());
        }
        if self.jobs.contains_key(&job) {
            return Reply::Send(400, format!("Duplicate job uuid[{job}]"));
        }
        let name = request.json()["params"]["name"].as_str().expect("a name").to_owned();
        let answer = format!(r#"{{"inventory":{{"uuid":"{job}","name":"{name}"}}}}"#);
        *self.created.entry(name).or_default() += 1;
        self.jobs.insert(job.clone(), answer.clone());
        // It was carried out; from here on the answer goes wrong.
        let location = format!(r#"{{"location":"http://10.255.255.1:1/zstack/v1/api-jobs/{job}","apiTimeout":60000}}"#);
        match self.draw(10) {
            0 | 1 => Reply::Cut,
            2 => Reply::Raw(b"HTTP/1.1 202 Accepted\r\nContent-Length: 90\r\n\r\n{\"loca".to_vec()),
            3 => Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"inventory\":{".to_vec()),
            4 => Reply::Send(504, "<html>gateway time-out</html>".to_owned()),
            5 => Reply::Raw(b"HTTP/1.1 2".to_vec()),
            6 => Reply::ok(answer),
            _ => Reply::Send(202, location),
        }
    }

    fn poll(&mut self, uuid: &str) -> Reply {
        let trouble = self.draw(10);
        match (trouble, self.jobs.get(uuid)) {
            (0, _) => Reply::Cut,
            (1, _) => Reply::Send(502, "<html>bad gateway</html>".to_owned()),
            (_, None) => Reply::Send(404, "unknown job".to_owned()),
            (2 | 3, Some(_)) => Reply::Send(202, "{}".to_owned()),
            (4, Some(answer)) => {
                let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", answer.len(), &answer[..20]);
                Reply::Raw(text.into_bytes())
            }
            (_, Some(answer)) => Reply::ok(answer.clone()),
        }
    }
}

fn against_another_server(actions: usize) {
    let memory = Arc::new(Mutex::new(Memory::default()));
    let own = Arc::clone(&memory);
    let node = Node::start(move |request| {
        let mut memory = own.lock().expect("no panic");
        if let Some(uuid) = request.path().strip_prefix("/zstack/v1/api-jobs/") {
            return memory.poll(uuid);
        }
        match request.method.as_str() {
            "PUT" => Reply::ok(r#"{"inventory":{"uuid":"5d0c8a4f0d7e4c6c8f0d6f6a4c1b2e37"}}"#),
            _ => memory.create(request),
        }
    });
    let home = Home::new();
    home.run(node.call(&["login", "-q"])).input("x\n").succeeds();
    let commands: Vec<(String, String)> =
        (0..actions).map(|at| (format!("act-{at}"), format!("CreateZone name=act-{at}"))).collect();
    let began = Instant::now();
    let claims = act(&home, &node.options(), &commands);
    let carried_out = memory.lock().expect("no panic").created.clone();
    judge("another server", &claims, &carried_out, began);
}

#[test]
fn actions_under_faults_are_carried_out_once_or_called_unknown() {
    against_the_sandbox(64);
    against_another_server(64);
}

#[test]
#[ignore = "takes minutes; doc/reliability.md tells when to run it"]
fn over_a_thousand_actions_under_faults() {
    against_the_sandbox(1200);
    against_another_server(1200);
}
