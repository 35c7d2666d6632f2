//! Web hooks (W1): the node posts the result of a job to the URL in `X-Web-Hook`.
//!
//! The sandbox posts only to this machine, so that it cannot be used to send requests to others.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::Answer;

/// The maximum number of attempts.
pub(super) const TRIES: usize = 15;
/// The pause between attempts at speed 1.
pub(super) const PAUSE: Duration = Duration::from_secs(2);
/// The time-out of an attempt.
const PATIENCE: Duration = Duration::from_secs(10);

/// A result to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebHook {
    pub(super) url: String,
    pub(super) job: String,
    /// The expected time until the job ends, in milliseconds.
    pub(super) after: u64,
}

impl WebHook {
    /// Posts a result once. Returns whether the receiver accepted it.
    pub(super) async fn post(&self, answer: &Answer) -> bool {
        tokio::time::timeout(PATIENCE, self.try_post(answer)).await.is_ok_and(|outcome| outcome.unwrap_or(false))
    }

    async fn try_post(&self, answer: &Answer) -> std::io::Result<bool> {
        let Some((host, path)) = read_url(&self.url) else { return Ok(false) };
        let name = if host.contains(':') && !host.ends_with(']') { host.to_owned() } else { format!("{host}:80") };
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host(name).await?.collect();
        let Some(address) = addresses.into_iter().find(|address| address.ip().is_loopback()) else { return Ok(false) };
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json; charset=utf-8\r\n\
             X-Job-UUID: {}\r\nX-Job-Success: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.job,
            answer.status == 200,
            answer.body.len()
        );
        stream.write_all(&[head.as_bytes(), &answer.body].concat()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        Ok(status.starts_with(b"HTTP/1.") && status[9] == b'2')
    }
}

/// The host with port, and the path of a URL; `None` if it cannot be posted to.
fn read_url(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let is_plain = |text: &str| text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    (!host.is_empty() && !host.contains('@') && is_plain(url)).then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        assert_eq!(read_url("http://127.0.0.1:9000/done?x=1"), Some(("127.0.0.1:9000", "/done?x=1")));
        assert_eq!(read_url("http://localhost"), Some(("localhost", "/")));
        for url in ["https://localhost/", "http:///x", "http://u@localhost/", "http://localhost/a b", "x"] {
            assert_eq!(read_url(url), None, "{url}");
        }
    }
}
