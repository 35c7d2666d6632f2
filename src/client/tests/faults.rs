//! Many actions against the embedded node, which cuts, loses and lies: each is carried out once or told as unknown,
//! none twice, none lost without a word.

use super::fake::{Node, action, query};
use crate::client::{
    Answer, CallOptions, Class, Client, Credentials, Endpoint, Error, ReqwestTransport, TransportOptions, Unwatched,
};
use crate::interrupt::Interrupt;
use crate::json::{Piece, Pieces, Value, member, unescape};
use crate::plan::Request;
use crate::sandbox::{self, Fault, Running};

/// How many actions are sent with each kind of fault.
const ACTIONS: usize = 12;

fn client(node: &Running) -> Client {
    let endpoint = Endpoint::parse(&node.base_url()).expect("a URL");
    let transport = ReqwestTransport::new(endpoint.clone(), TransportOptions::default()).expect("a transport");
    // A clock that takes no time: the node's jobs end at once, so that waiting for them would only take longer.
    let mut client = Client::new(endpoint, Box::new(transport), Box::new(Node::new([])), Interrupt::new());
    client.set_credentials(Credentials::Session(node.session_uuid().into()));
    client
}

fn create(name: &str) -> Request {
    let parameters = Value::Map(vec![("name".into(), Value::text(name))]);
    Request { body: Some(Value::Map(vec![("params".into(), parameters)])), ..action() }
}

/// The names of all zones.
fn zones(client: &mut Client) -> Vec<String> {
    for _ in 0..50 {
        let request = Request { query: Vec::new(), ..query() };
        let Ok(Answer::Reply(mut reply)) = client.execute(&request, &CallOptions::default(), &mut Unwatched) else {
            continue;
        };
        let mut names = Vec::new();
        while let Some(piece) = reply.next_piece().expect("readable") {
            if let Piece::Row(row) = piece {
                names.push(member(row, "name").map(|name| unescape(name).into_owned()).expect("a name"));
            }
        }
        return names;
    }
    panic!("no answer to the query, however often it is asked");
}

/// Sends actions to a node with these faults; how many were carried out, refused, and told as unknown.
fn act_under(faults: &[&str], seed: u64) -> (usize, usize, usize) {
    let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    let options = sandbox::Options { faults, fault_seed: seed, speed: 10_000.0, ..sandbox::Options::default() };
    let node = sandbox::start(options).expect("a node");
    let mut client = client(&node);
    let results: Vec<(String, Result<Answer, Error>)> = (0..ACTIONS)
        .map(|number| {
            let name = format!("under-fault-{number}");
            let result = client.execute(&create(&name), &CallOptions::default(), &mut Unwatched);
            (name, result)
        })
        .collect();
    let there = zones(&mut client);
    let mut counts = (0, 0, 0);
    for (name, result) in results {
        let found = there.iter().filter(|known| **known == name).count();
        match &result {
            Ok(Answer::Reply(_)) => {
                assert_eq!(found, 1, "{name} was told as done");
                counts.0 += 1;
            }
            Err(error) if error.class() == Class::Unknown => {
                assert!(found <= 1 && error.job().is_some(), "{name}: {error}");
                counts.2 += 1;
            }
            Ok(Answer::Failed(_)) | Err(_) => {
                assert_eq!(found, 0, "{name} was told as not done: {result:?}");
                counts.1 += 1;
            }
            Ok(Answer::Detached(_)) => panic!("{name}: nobody asked for that"),
        }
    }
    counts
}

#[test]
fn each_action_is_carried_out_once_or_told_as_unknown() {
    for kind in ["cut-before", "cut-after", "truncated", "html", "empty-500", "job-lost", "starting"] {
        for seed in [1, 2] {
            act_under(&[&format!("{kind}:0.3")], seed);
        }
    }
    act_under(&["cut-before:0.15", "cut-after:0.15", "truncated:0.15", "html:0.1", "empty-500:0.1"], 3);
}

#[test]
fn lost_connections_alone_lose_nothing() {
    let (done, refused, unknown) = act_under(&["cut-before:CreateZone:0.5", "cut-after:CreateZone:0.3"], 7);
    assert_eq!((done + unknown, refused), (ACTIONS, 0));
    assert!(done > ACTIONS / 2, "{done} of {ACTIONS}");
}
