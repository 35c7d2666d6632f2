//! No action is lost or repeated, whatever happens to connections: what the program says is held against what
//! the node did. doc/reliability.md tells the figures of the long run.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use crate::harness::Home;
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
pub(crate) struct Claims {
    pub(crate) done: BTreeSet<String>,
    pub(crate) unknown: BTreeSet<String>,
    pub(crate) not_done: BTreeSet<String>,
}

/// How long a process may take for its share of the actions.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(900);

/// Runs the commands, each with its name, in several processes at a time.
pub(crate) fn act(home: &Home, options: &[String], commands: &[(String, String)]) -> Claims {
    let claims = Mutex::new(Claims::default());
    thread::scope(|scope| {
        for part in commands.chunks(commands.len().div_ceil(PROCESSES)) {
            let claims = &claims;
            scope.spawn(move || {
                let script: String = part.iter().map(|(_, command)| format!("{command}\n")).collect();
                let mut words = options.to_vec();
                words.extend(["-k", "-q", "-o", "jsonl", "--errors", "json"].map(str::to_owned));
                let done = home.run(words).input(script).variable("ZSTACK_PASSWORD", "x").within(LONGEST).done();
                let mut claims = claims.lock().expect("no other panicked");
                let mut said = BTreeSet::new();
                for line in done.out().lines() {
                    let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
                    if let Some(name) = row["name"].as_str() {
                        assert!(part.iter().any(|(known, _)| known == name), "the result of another: {line}");
                        assert!(claims.done.insert(name.to_owned()), "a result twice: {line}");
                        said.insert(name.to_owned());
                    }
                }
                for line in done.err().lines() {
                    let Ok(told) = serde_json::from_str::<serde_json::Value>(line) else { continue };
                    let error = &told["error"];
                    let (name, _) = &part[error["line"].as_u64().expect("a number") as usize - 1];
                    // Where something else than a node answers, what became of the job is not known either.
                    let is_unknown = error["exitCode"] == 6 || (error["exitCode"] == 4 && error["job"].is_string());
                    if is_unknown { &mut claims.unknown } else { &mut claims.not_done }.insert(name.clone());
                    assert!(said.insert(name.clone()), "done and an error: {line}");
                }
                assert_eq!(said.len(), part.len(), "nothing is said of some actions:\n{}", done.err());
            });
        }
    });
    claims.into_inner().expect("no panic")
}

/// Holds what was said against how often each action was carried out.
pub(crate) fn judge(
    what: &str,
    claims: &Claims,
    carried_out: &BTreeMap<String, usize>,
    story: &BTreeMap<String, Vec<String>>,
    began: Instant,
) {
    let told = |names: &[&String]| {
        let stories =
            names.iter().map(|name| format!("{name}\n  {}", story.get(*name).unwrap_or(&vec![]).join("\n  ")));
        stories.collect::<Vec<_>>().join("\n")
    };
    let times = |name: &String| carried_out.get(name).copied().unwrap_or_default();
    let twice: Vec<&String> = carried_out.iter().filter(|(_, times)| **times > 1).map(|(name, _)| name).collect();
    assert!(twice.is_empty(), "carried out twice: {}", told(&twice));
    let lost: Vec<&String> = claims.done.iter().filter(|name| times(name) == 0).collect();
    assert!(lost.is_empty(), "said to be done, and not done: {}", told(&lost));
    let silent: Vec<&String> = claims.not_done.iter().filter(|name| times(name) > 0).collect();
    assert!(silent.is_empty(), "said to have failed, and done: {}", told(&silent));
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
    judge("sandbox with faults", &claims, &carried_out, &BTreeMap::new(), began);
}

#[test]
fn actions_under_faults_are_carried_out_once_or_called_unknown() {
    against_the_sandbox(64);
}

#[test]
#[ignore = "takes minutes; doc/reliability.md tells when to run it"]
fn over_a_thousand_actions_under_faults() {
    against_the_sandbox(1200);
}
