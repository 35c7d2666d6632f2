//! A server that records requests and answers what it is told to. It shares nothing with the program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The decoded pairs of the query string.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let Some((_, query)) = self.target.split_once('?') else { return Vec::new() };
        query
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().expect("two digits"), rest.next().expect("two digits")];
            let digits = std::str::from_utf8(&digits).expect("digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal digits"));
        } else {
            assert!(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte), "{text} is not encoded completely");
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Answers with a status and a body.
    Send(u16, String),
    /// Answers, and sends the same again in front of its next answer on that connection.
    Again(u16, String),
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Closes without a word.
    Cut,
    /// Says nothing until the other side goes.
    Silent,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<String>) -> Reply {
        Reply::Send(200, body.into())
    }

    pub(crate) fn error(code: &str, details: &str) -> Reply {
        Reply::Send(503, format!(r#"{{"error":{{"code":"{code}","description":"failed","details":"{details}"}}}}"#))
    }
}

type Answer = dyn Fn(&Recorded) -> Reply + Send + Sync;

/// The server; its thread ends with the process.
pub(crate) struct Node {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<Recorded>>>,
}

impl Node {
    pub(crate) fn start(answer: impl Fn(&Recorded) -> Reply + Send + Sync + 'static) -> Node {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&requests);
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &record, &*answer));
            }
        });
        Node { port, requests }
    }

    /// What came so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.requests.lock().expect("no panic in the server").clone()
    }

    /// What came so far, without what asked for jobs.
    pub(crate) fn calls(&self) -> Vec<Recorded> {
        let mut calls = self.requests();
        calls.retain(|request| !request.path().contains("/api-jobs/"));
        calls
    }

    /// The options that lead to it, with a session.
    pub(crate) fn options(&self) -> Vec<String> {
        ["--url", &format!("http://127.0.0.1:{}/zstack", self.port)].map(str::to_owned).to_vec()
    }

    /// Arguments of a call to it.
    pub(crate) fn call(&self, words: &[&str]) -> Vec<String> {
        let mut all = self.options();
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all
    }
}

fn serve(stream: TcpStream, record: &Mutex<Vec<Recorded>>, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut stream = stream;
    let mut late = String::new();
    while let Some(request) = read_request(&mut reader) {
        record.lock().expect("no panic in the server").push(request.clone());
        // In one piece: two small ones would wait for each other's acknowledgement.
        let http =
            |status, body: String| format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let reply = answer(&request);
        let before = std::mem::take(&mut late);
        let sent = match reply {
            Reply::Send(status, body) => stream.write_all((before + &http(status, body)).as_bytes()),
            Reply::Again(status, body) => {
                late = http(status, body);
                stream.write_all((before + &late).as_bytes())
            }
            Reply::Raw(bytes) => {
                let _ = stream.write_all(&bytes);
                return;
            }
            Reply::Cut => return,
            Reply::Silent => {
                let _ = reader.read(&mut [0]);
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Recorded> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let mut request =
        Recorded { method: words.next()?.to_owned(), target: words.next()?.to_owned(), ..Recorded::default() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}
