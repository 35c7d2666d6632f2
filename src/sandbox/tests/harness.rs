//! A client that writes its requests byte by byte and keeps connections to itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::sandbox::{Options, Running, start};

pub(super) const ZONE: &str = "140ebc2fbdb74ae197323a69d432f25e";
pub(super) const NOTHING: &str = "00000000000040008000000000000000";
/// The SHA-512 of `password`.
pub(super) const PASSWORD: &str = "b109f3bbbc244eb82441917ed06d618b9008dd09b3befd1b5e07394c706a8bb980b1d7785e5976ec049b46df5f1326af5a2ea6d103fd07c95385ffab0cacbc86";

/// A reply as it came.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The header lines, in lower case.
    pub(super) headers: String,
    pub(super) body: String,
}

impl Reply {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a failed API.
    #[track_caller]
    pub(super) fn code(&self) -> String {
        assert_eq!(self.status, 503, "{self:?}");
        self.json()["error"]["code"].as_str().expect("an error has a code").to_owned()
    }
}

/// A sandbox in memory, fast, and requests to it.
pub(super) struct Sandbox {
    pub(super) running: Running,
}

impl Sandbox {
    pub(super) fn new() -> Sandbox {
        Sandbox::with(Options::default())
    }

    /// A sandbox with those options at a speed that no test waits for.
    pub(super) fn with(options: Options) -> Sandbox {
        let speed = if options.speed == 1.0 { 1000.0 } else { options.speed };
        Sandbox { running: start(Options { speed, ..options }).expect("a sandbox starts") }
    }

    /// Sends bytes and returns what comes back until the connection ends.
    pub(super) fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.running.address()).expect("the sandbox listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out can be set");
        stream.write_all(request).expect("the sandbox reads");
        let mut reply = Vec::new();
        // A connection that is cut may be reset as well as closed.
        let _ = stream.read_to_end(&mut reply);
        reply
    }

    /// Sends a request line, header lines and a body; nothing where the connection is cut before an answer.
    pub(super) fn try_send(&self, line: &str, headers: &[&str], body: &str) -> Option<Reply> {
        let mut request =
            format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for header in headers {
            request.push_str(&format!("{header}\r\n"));
        }
        request.push_str(&format!("\r\n{body}"));
        let reply = String::from_utf8(self.raw(request.as_bytes())).expect("replies are UTF-8");
        let (head, body) = reply.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Some(Reply { status, headers: head.to_lowercase(), body: body.to_owned() })
    }

    #[track_caller]
    pub(super) fn send(&self, line: &str, headers: &[&str], body: &str) -> Reply {
        self.try_send(line, headers, body).expect("an answer")
    }

    /// Sends a request below `/zstack/v1` with the sandbox's own session.
    #[track_caller]
    pub(super) fn call(&self, verb: &str, path: &str, body: &str) -> Reply {
        self.call_as(self.running.session_uuid(), verb, path, body)
    }

    #[track_caller]
    pub(super) fn call_as(&self, session: &str, verb: &str, path: &str, body: &str) -> Reply {
        let authorization = format!("Authorization: OAuth {session}");
        let content_type = "Content-Type: application/json; charset=utf-8";
        self.send(&format!("{verb} /zstack/v1{path}"), &[&authorization, content_type], body)
    }

    /// Logs in and returns the session.
    #[track_caller]
    pub(super) fn log_in(&self, account: &str, password: &str) -> Reply {
        let body = format!(r#"{{"logInByAccount":{{"accountName":"{account}","password":"{password}"}}}}"#);
        self.send("PUT /zstack/v1/accounts/login", &["Content-Type: application/json; charset=utf-8"], &body)
    }

    /// Makes an asynchronous call and polls until it ends.
    #[track_caller]
    pub(super) fn change(&self, verb: &str, path: &str, body: &str) -> Reply {
        self.change_as(self.running.session_uuid(), verb, path, body)
    }

    #[track_caller]
    pub(super) fn change_as(&self, session: &str, verb: &str, path: &str, body: &str) -> Reply {
        let accepted = self.call_as(session, verb, path, body);
        self.finish(&accepted)
    }

    /// Polls the job that a reply tells of until it ends.
    #[track_caller]
    pub(super) fn finish(&self, accepted: &Reply) -> Reply {
        assert_eq!(accepted.status, 202, "{accepted:?}");
        let location = accepted.json()["location"].as_str().expect("a location").to_owned();
        let job = location.rsplit('/').next().expect("a last segment").to_owned();
        let patience = Instant::now() + Duration::from_secs(30);
        loop {
            let reply = self.send(&format!("GET /zstack/v1/api-jobs/{job}"), &[], "");
            if reply.status != 202 {
                return reply;
            }
            assert!(Instant::now() < patience, "the job does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The rows of a query, by path and query string.
    #[track_caller]
    pub(super) fn rows(&self, path: &str) -> Vec<Value> {
        let reply = self.call("GET", path, "");
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()["inventories"].as_array().expect("inventories").clone()
    }

    /// The only row of a query.
    #[track_caller]
    pub(super) fn row(&self, path: &str) -> Value {
        let rows = self.rows(path);
        assert_eq!(rows.len(), 1, "{path}: {rows:?}");
        rows[0].clone()
    }
}
