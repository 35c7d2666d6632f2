//! The real transport against small servers that misbehave.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{Node, action, query, synchronous_action};
use crate::client::{
    Answer, CallOptions, Client, Credentials, Endpoint, Error, Oddity, ProxyOptions, ReqwestTransport, TlsOptions,
    Transport, TransportError, TransportOptions, Uncertainty, Unwatched,
};
use crate::interrupt::Interrupt;
use crate::plan::{PathPart, Request, SecretText};

/// What the server does with a request.
enum Deed {
    /// Sends these bytes and closes the connection.
    Send(String),
    /// Sends an answer and keeps the connection.
    Keep(String),
    /// Closes without a word.
    Close,
    /// Sends these bytes, then others again and again, for as long as anybody reads.
    Pour(&'static str, &'static str),
    /// Sets the flag and says nothing until the other side goes.
    Interrupt(Interrupt),
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn empty() -> Deed {
    Deed::Send(http("200 OK", "{}"))
}

fn unknown() -> Deed {
    Deed::Send(http("404 Not Found", "unknown"))
}

/// The uuid of a job that the node names itself.
const JOB: &str = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";

fn accepted() -> Deed {
    let location = format!(r#"{{"location":"http://10.255.255.1:1/zstack/v1/api-jobs/{JOB}"}}"#);
    Deed::Send(http("202 Accepted", &location))
}

/// A request as it arrived, with the number of its connection.
#[derive(Clone, Debug)]
struct Arrived {
    connection: usize,
    text: String,
}

impl Arrived {
    fn job_uuid(&self) -> &str {
        self.text.lines().find_map(|line| line.strip_prefix("x-job-uuid: ")).expect("a job uuid").trim()
    }
}

/// A server that does one deed for each request, whatever the connection.
struct Server {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    deeds: Mutex<VecDeque<Deed>>,
    arrived: Mutex<Vec<Arrived>>,
}

impl Server {
    fn new(deeds: Vec<Deed>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/zstack", listener.local_addr().expect("an address"));
        let state = Arc::new(State { deeds: Mutex::new(deeds.into()), ..State::default() });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { return };
                let state = Arc::clone(&shared);
                std::thread::spawn(move || state.serve(connection, stream));
            }
        });
        Server { url, state }
    }

    /// The requests so far; fails if there were not as many as the server has deeds for.
    fn requests(&self) -> Vec<Arrived> {
        let arrived = self.state.arrived.lock().expect("requests").clone();
        assert!(self.state.deeds.lock().expect("deeds").is_empty(), "not asked often enough: {arrived:?}");
        arrived
    }
}

impl State {
    fn serve(&self, connection: usize, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(text) = read_request(&mut reader) {
            self.arrived.lock().expect("requests").push(Arrived { connection, text });
            let deed = self.deeds.lock().expect("deeds").pop_front();
            if !deed.is_some_and(|deed| act(reader.get_mut(), deed)) {
                return;
            }
        }
    }
}

/// Reads a request; its head. `None` when the connection ends.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    loop {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if head.ends_with("\r\n\r\n") {
            break;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").and_then(|text| text.parse().ok()))
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

/// Whether the connection is kept.
fn act(stream: &mut TcpStream, deed: Deed) -> bool {
    match deed {
        Deed::Send(text) => {
            let _ = stream.write_all(text.as_bytes());
            false
        }
        Deed::Keep(text) => stream.write_all(text.as_bytes()).is_ok(),
        Deed::Close => false,
        Deed::Pour(first, again) => {
            let mut result = stream.write_all(first.as_bytes());
            while result.is_ok() {
                result = stream.write_all(again.as_bytes());
            }
            false
        }
        Deed::Interrupt(flag) => {
            flag.set();
            let _ = stream.read(&mut [0; 16]);
            false
        }
    }
}

fn client(url: &str, options: TransportOptions) -> Client {
    let endpoint = Endpoint::parse(url).expect("a URL");
    let interrupt = options.interrupt.clone();
    let transport = ReqwestTransport::new(endpoint.clone(), options).expect("a transport");
    let mut client = Client::new(endpoint, Box::new(transport), Box::new(Node::new([])), interrupt);
    client.set_credentials(Credentials::Session("5d0c8a4f".into()));
    client
}

fn run(url: &str, request: &Request) -> Result<Answer, Error> {
    client(url, TransportOptions::default()).execute(request, &CallOptions::default(), &mut Unwatched)
}

fn text(answer: Result<Answer, Error>) -> String {
    let Answer::Reply(reply) = answer.expect("an answer") else { panic!("a reply") };
    String::from_utf8(reply.into_text().expect("readable")).expect("text")
}

#[test]
fn a_time_beyond_all_clocks_is_a_time() {
    let server = Server::new(vec![empty()]);
    let patient = Request { timeout: Some(std::time::Duration::MAX), ..action() };
    assert_eq!(text(run(&server.url, &patient)), "{}");
    server.requests();
}

#[test]
fn requests_arrive_as_they_were_planned() {
    let server = Server::new(vec![empty()]);
    let mut request = query();
    request.query.push(("q".into(), SecretText::plain("name~=%a+b/ü'\"|{}..%2E")));
    assert_eq!(text(run(&server.url, &request)), "{}");
    let head = server.requests().remove(0).text;
    let target = "/zstack/v1/zones?q=name%3Da%20b&q=name~%3D%25a%2Bb%2F%C3%BC%27%22%7C%7B%7D..%252E";
    assert!(head.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{head}");
    assert!(head.contains("\r\nauthorization: OAuth 5d0c8a4f\r\n") && head.contains("\r\nuser-agent: zstack-cli/"));
    assert!(!head.contains("content-length") && !head.contains("content-type") && !head.contains("x-job-uuid"));
}

#[test]
fn bodies_have_their_charset_and_actions_a_job_uuid() {
    let server = Server::new(vec![empty()]);
    assert_eq!(text(run(&server.url, &action())), "{}");
    let arrived = server.requests().remove(0);
    let head = &arrived.text;
    assert!(head.starts_with("POST /zstack/v1/zones HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json; charset=utf-8\r\n"), "{head}");
    assert_eq!(arrived.job_uuid().len(), 32);
    assert!(head.ends_with("\r\n\r\n{\"params\":{\"name\":\"lab\"}}"), "{head}");
}

#[test]
fn paths_that_the_url_parser_would_change_are_not_sent() {
    let server = Server::new(vec![empty()]);
    let with = |value: &str| {
        let mut request = query();
        request.query.clear();
        request.path.push(PathPart::Fixed("/"));
        request.path.push(PathPart::Variable(SecretText::plain(value)));
        request.path.push(PathPart::Fixed("/x"));
        run(&server.url, &request)
    };
    for value in ["..", "."] {
        let result = with(value);
        assert!(matches!(result, Err(Error::NotSent { source: TransportError::Unsendable })), "{result:?}");
    }
    // Encoded once more it is a segment like any other.
    assert_eq!(text(with("%2e%2e")), "{}");
    assert!(server.requests().remove(0).text.starts_with("GET /zstack/v1/zones/%252e%252e/x HTTP/1.1\r\n"));
}

#[test]
fn a_cut_connection_does_not_send_an_action_twice() {
    let server = Server::new(vec![Deed::Close, accepted(), empty()]);
    assert_eq!(text(run(&server.url, &action())), "{}");
    let posts = server.requests().iter().filter(|request| request.text.starts_with("POST")).count();
    assert_eq!(posts, 1);
    let server = Server::new(vec![Deed::Close]);
    let error = run(&server.url, &synchronous_action()).expect_err("cut");
    assert!(matches!(&error, Error::OutcomeUnknown { job: None, .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_action_whose_answer_is_cut_is_searched_by_its_job() {
    let server = Server::new(vec![Deed::Send("HTTP/1.1 20".to_owned()), unknown(), accepted(), empty()]);
    assert_eq!(text(run(&server.url, &action())), "{}");
    let requests = server.requests();
    let poll = format!("GET /zstack/v1/api-jobs/{} ", requests[0].job_uuid());
    assert!(requests[1].text.starts_with(&poll), "{requests:?}");
    assert_eq!(requests[0].job_uuid(), requests[2].job_uuid());
    let poll = format!("GET /zstack/v1/api-jobs/{JOB} ");
    assert!(requests[3].text.starts_with(&poll) && !requests[3].text.contains("authorization"), "{requests:?}");
}

#[test]
fn reads_keep_their_connection_and_actions_get_one_of_their_own() {
    let keep = || Deed::Keep(http("200 OK", "{}"));
    let server = Server::new(vec![keep(), keep(), keep(), keep()]);
    let mut client = client(&server.url, TransportOptions::default());
    for request in [query(), query(), action(), action()] {
        assert_eq!(text(client.execute(&request, &CallOptions::default(), &mut Unwatched)), "{}");
    }
    let connections: Vec<usize> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 1, 2]);
}

#[test]
fn a_cut_body_is_another_try_or_an_error() {
    let half = || Deed::Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"inventories\":[".to_owned());
    let server = Server::new(vec![half(), half(), empty()]);
    assert_eq!(text(run(&server.url, &query())), "{}");
    server.requests();
    let server = Server::new(vec![half(), half(), half()]);
    assert!(matches!(run(&server.url, &query()), Err(Error::NoAnswer { .. })));
    server.requests();
}

#[test]
fn redirects_are_not_followed() {
    let moved = "HTTP/1.1 307 Temporary\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n";
    let server = Server::new((0..3).map(|_| Deed::Keep(moved.to_owned())).collect());
    let error = run(&server.url, &action()).expect_err("elsewhere");
    assert!(matches!(&error, Error::Redirect { location, .. } if location == "http://127.0.0.1:1/x"), "{error}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn other_servers_are_told_apart() {
    let server = Server::new((0..3).map(|_| Deed::Keep(http("200 OK", "<html>welcome</html>"))).collect());
    assert!(matches!(run(&server.url, &action()), Err(Error::NotTheNode { what: Oddity::Page, .. })));
    let server = Server::new(vec![Deed::Send("SSH-2.0-OpenSSH_9.6\r\n".to_owned())]);
    let error = run(&server.url, &query()).expect_err("not HTTP");
    assert!(matches!(&error, Error::NoAnswer { source: TransportError::NotHttp { .. }, .. }), "{error:?}");
    // A server that speaks plain http does not speak TLS.
    let url = Server::new(vec![]).url.replace("http:", "https:");
    let options = TransportOptions { tls: TlsOptions { insecure: true, ca_file: None }, ..TransportOptions::default() };
    let error = client(&url, options).execute(&query(), &CallOptions::default(), &mut Unwatched).expect_err("no TLS");
    assert!(matches!(&error, Error::Unreachable { .. }), "{error:?}");
}

#[test]
fn addresses_where_nobody_is() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/zstack", listener.local_addr().expect("an address"));
    drop(listener);
    for request in [query(), action()] {
        let error = run(&url, &request).expect_err("nobody there");
        assert!(matches!(&error, Error::Unreachable { source: TransportError::Refused, .. }), "{error:?}");
    }
    let error = run("http://no-such-host.invalid:8080/zstack", &query()).expect_err("no such name");
    assert!(matches!(&error, Error::Unreachable { source: TransportError::Lookup { .. }, .. }), "{error:?}");
}

#[test]
fn waiting_for_an_answer_can_be_interrupted() {
    let interrupt = Interrupt::new();
    let server = Server::new(vec![Deed::Interrupt(interrupt.clone())]);
    let options = TransportOptions { interrupt, ..TransportOptions::default() };
    let error = client(&server.url, options)
        .execute(&action(), &CallOptions::default(), &mut Unwatched)
        .expect_err("interrupted");
    assert!(matches!(&error, Error::Unanswered { .. }), "{error:?}");
    assert_eq!(error.job(), Some(server.requests()[0].job_uuid()));
}

#[test]
fn bodies_that_break_off_or_never_end() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n";
    let server = Server::new(vec![Deed::Send(head.to_owned())]);
    let error = run(&server.url, &synchronous_action()).expect_err("cut");
    assert!(matches!(&error, Error::OutcomeUnknown { job: None, .. }), "{error:?}");
    // A failure that never ends is read up to a limit, and then it is no failure that anybody can understand. Nor does
    // it say that nothing ran.
    let server = Server::new(vec![Deed::Pour("HTTP/1.1 500 Broken\r\n\r\n<html>", "more and more and more")]);
    let error = run(&server.url, &synchronous_action()).expect_err("no answer");
    let Error::OutcomeUnknown { job: None, reason, .. } = error else { panic!("{error:?}") };
    assert_eq!(reason, Uncertainty::Answer { status: 500, what: Oddity::Page });
}

#[test]
fn an_answer_that_never_ends_is_given_up_when_its_time_is_over() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n{\"a\":\"", "HTTP/1.1 202 Accepted\r\n\r\n"] {
        let server = Server::new(vec![Deed::Pour(head, "and so on, and so on")]);
        let endpoint = Endpoint::parse(&server.url).expect("a URL");
        let mut transport = ReqwestTransport::new(endpoint, TransportOptions::default()).expect("a transport");
        let after = Duration::from_millis(100);
        let wire = client(&server.url, TransportOptions::default()).plain_get("/api-jobs/x", after);
        let mut body = transport.send(&wire).expect("a head").body;
        let error = std::io::copy(&mut body, &mut std::io::sink()).expect_err("no end");
        assert_eq!(TransportError::of(&error), TransportError::Slow { after });
    }
}

#[test]
fn proxies_are_used_only_as_told() {
    let proxy = Server::new(vec![empty()]);
    let address = proxy.url.trim_end_matches("/zstack").to_owned();
    let through = |url: &str, exceptions: Option<&str>| {
        let proxies = ProxyOptions {
            http: Some(address.as_str().into()),
            https: None,
            exceptions: exceptions.map(str::to_owned),
        };
        let options = TransportOptions { proxies, ..TransportOptions::default() };
        client(url, options).execute(&query(), &CallOptions::default(), &mut Unwatched)
    };
    let url = "http://node.invalid:8080/zstack";
    let direct = through(url, Some("node.invalid"));
    assert!(matches!(&direct, Err(Error::Unreachable { source: TransportError::Lookup { .. }, .. })), "{direct:?}");
    let local = Server::new(vec![Deed::Send(http("200 OK", "{\"own\":1}"))]);
    assert_eq!(text(through(&local.url, None)), "{\"own\":1}");
    assert_eq!(text(through(url, None)), "{}");
    // One that is gone is named, and who uses it is not.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let http = Some(format!("http://user:hunter2@{gone}").as_str().into());
    let proxies = ProxyOptions { http, https: None, exceptions: None };
    let options = TransportOptions { proxies, ..TransportOptions::default() };
    let error = client(url, options).execute(&action(), &CallOptions::default(), &mut Unwatched).expect_err("gone");
    let text = format!("cannot reach node.invalid:8080: the connection was refused (through the proxy {gone})");
    assert_eq!(error.to_string(), text);
    assert!(!format!("{error:?}").contains("hunter2"));
    let head = proxy.requests().remove(0).text;
    assert!(head.starts_with("GET http://node.invalid:8080/zstack/v1/zones?"), "{head}");
}
