//! Interprets answers by their status and body (doc/protocol.md, "Status codes").

use std::io::{Cursor, Read};
use std::time::Duration;

use super::call::Reply;
use super::error::Oddity;
use super::failure::ApiFailure;
use super::wire::{TransportError, WireResponse};
use crate::json::{self, Kind, MEMORY_LIMIT, Pieces, ReadError, Scanner, escape_unprintable, unescape};
use crate::secret::mask_text;

/// How much of a result is read before it is passed on, in bytes. If the connection is cut before that, the call can be
/// repeated, since nothing was printed.
const PREFIX: usize = 256 * 1024;

/// The longest error object that is read, in bytes.
const FAILURE_LIMIT: usize = 4 << 20;

/// How much is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// The longest plain text that is shown, in characters.
const SHOWN_TEXT: usize = 2000;

/// An interpreted answer.
pub(super) enum Understood {
    /// 200 and a JSON object.
    Result(Box<dyn Read + Send>),
    /// 202: accepted, or still running.
    Accepted { job: Option<String>, timeout: Option<Duration> },
    /// The API failed.
    Failed(ApiFailure),
    /// The front end refused in plain text, often empty.
    Refused { status: u16, text: String },
    /// A server other than a node answered.
    Odd { status: u16, what: Oddity },
    /// 3xx.
    Redirect { status: u16, location: String },
    /// 200, but the connection failed before the result was there.
    Lost(TransportError),
    /// The result is cut off or invalid JSON.
    Broken(ReadError),
}

/// Reads as much of the answer as is needed to interpret it.
///
/// # Errors
/// When the connection fails meanwhile.
pub(super) fn understand(mut response: WireResponse) -> Result<Understood, TransportError> {
    let status = response.status;
    match status {
        // The head alone says that the call ran, or is running: a failure after it does not change that.
        200 => Ok(understand_result(response.body).unwrap_or_else(Understood::Lost)),
        202 => Ok(match read_up_to(&mut response.body, FAILURE_LIMIT) {
            Ok(body) => understand_accepted(&body),
            Err(TransportError::Interrupted) => return Err(TransportError::Interrupted),
            Err(_) => Understood::Accepted { job: None, timeout: None },
        }),
        300..=399 => {
            let location = response.header("location").unwrap_or("another address");
            Ok(Understood::Redirect { status, location: shown(&crate::secret::mask_url(location)) })
        }
        _ => {
            let body = read_up_to(&mut response.body, FAILURE_LIMIT)?;
            Ok(understand_failure(status, &body))
        }
    }
}

fn understand_result(mut body: Box<dyn Read + Send>) -> Result<Understood, TransportError> {
    let prefix = read_up_to(&mut body, PREFIX)?;
    let start = prefix.trim_ascii_start();
    match start.first() {
        Some(b'{') => {}
        Some(b'<') => return Ok(Understood::Odd { status: 200, what: Oddity::Page }),
        Some(_) => return Ok(Understood::Odd { status: 200, what: Oddity::Text }),
        None => return Ok(Understood::Odd { status: 200, what: Oddity::Empty }),
    }
    if prefix.len() < PREFIX {
        // The reply is complete, so an error in it can be found before half of it is printed.
        if let Err(flaw) = check(&prefix) {
            return Ok(Understood::Broken(flaw));
        }
        return Ok(Understood::Result(Box::new(Cursor::new(prefix))));
    }
    Ok(Understood::Result(Box::new(Cursor::new(prefix).chain(body))))
}

fn check(text: &[u8]) -> Result<(), ReadError> {
    let mut scanner = Scanner::new(text);
    while scanner.next_piece()?.is_some() {}
    Ok(())
}

/// The job of `{"location": URL, "apiTimeout": MILLISECONDS}`: only the last segment of the URL counts (J3).
fn understand_accepted(body: &[u8]) -> Understood {
    if json::parse(body).is_err() {
        return Understood::Accepted { job: None, timeout: None };
    }
    let body = body.trim_ascii();
    let job = json::member(body, "location").filter(|value| json::kind(value) == Kind::Text).and_then(|value| {
        let location = unescape(value);
        let last = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        is_uuid(last).then(|| last.to_owned())
    });
    let timeout = json::member(body, "apiTimeout")
        .and_then(|value| std::str::from_utf8(value).ok())
        .and_then(|text| text.trim_matches('"').parse::<f64>().ok())
        .filter(|millis| (1.0..1e12).contains(millis))
        .map(|millis| Duration::from_secs_f64(millis / 1000.0));
    Understood::Accepted { job, timeout }
}

fn understand_failure(status: u16, body: &[u8]) -> Understood {
    // Other servers may send an `error`, too, but without one of the node's codes.
    if let Some(failure) = ApiFailure::of_body(body).filter(|failure| !failure.error.code.is_empty()) {
        return Understood::Failed(failure);
    }
    let text = body.trim_ascii();
    let plain = matches!(status, 400 | 403 | 404 | 405 | 500);
    match text.first() {
        _ if status == 401 || status == 407 => Understood::Odd { status, what: Oddity::LogIn },
        Some(b'<') => Understood::Odd { status, what: Oddity::Page },
        Some(b'{') if json::parse(text).is_ok() => Understood::Odd { status, what: Oddity::Object },
        // A node names the unknown path or job (D6, J4).
        None if status == 404 => Understood::Odd { status, what: Oddity::Empty },
        _ if plain => Understood::Refused { status, text: shown(&mask_text(&String::from_utf8_lossy(text))) },
        Some(_) => Understood::Odd { status, what: Oddity::Text },
        None => Understood::Odd { status, what: Oddity::Empty },
    }
}

/// Text of a node for display: one line, without control characters, limited in length.
fn shown(text: &str) -> String {
    let short: String =
        text.chars().take(SHOWN_TEXT).map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    escape_unprintable(short.trim()).into_owned()
}

/// Reads until the end or the limit.
fn read_up_to(body: &mut (impl Read + ?Sized), limit: usize) -> Result<Vec<u8>, TransportError> {
    let mut bytes = Vec::new();
    loop {
        // The buffer grows by a quarter, since doubling a long one takes too much memory.
        let more = (bytes.len() / 4).max(CHUNK).min(limit - bytes.len());
        bytes.reserve_exact(more);
        let read = body.take(more as u64).read_to_end(&mut bytes).map_err(|error| TransportError::of(&error))?;
        if read < more || bytes.len() == limit {
            return Ok(bytes);
        }
    }
}

/// Reads the whole reply of a job. The node keeps it, so that it can be read again if the connection is cut.
///
/// # Errors
/// When the connection fails meanwhile.
pub(super) fn read_whole(mut reader: Box<dyn Read + Send>) -> Result<Reply, TransportError> {
    whole_up_to(&mut reader, MEMORY_LIMIT)
}

fn whole_up_to(reader: &mut (dyn Read + Send), limit: usize) -> Result<Reply, TransportError> {
    let bytes = read_up_to(reader, limit)?;
    let flaw = match bytes.len() < limit {
        true => check(&bytes).err(),
        false => Some(ReadError::TooLong { offset: 0, limit }),
    };
    match flaw {
        None => Ok(Reply::of_text(bytes)),
        Some(flaw) => Err(TransportError::Flawed { flaw: flaw.to_string() }),
    }
}

/// Whether text may stand as one segment of a path: a uuid with or without dashes.
pub(super) fn is_uuid(text: &str) -> bool {
    matches!(text.len(), 32 | 36) && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Understood {
        let headers = vec![("location".to_owned(), "https://u:p@elsewhere/x\u{1b}".to_owned())];
        let body = Box::new(Cursor::new(body.as_bytes().to_vec()));
        understand(WireResponse { status, headers, body }).expect("readable")
    }

    #[test]
    fn results_are_objects() {
        assert!(matches!(answer(200, " {\"a\":1} "), Understood::Result(_)));
        assert!(matches!(answer(200, ""), Understood::Odd { what: Oddity::Empty, .. }));
        assert!(matches!(answer(200, "\n<html>"), Understood::Odd { what: Oddity::Page, .. }));
        assert!(matches!(answer(200, "OK"), Understood::Odd { what: Oddity::Text, .. }));
        assert!(matches!(answer(200, "{\"a\":"), Understood::Broken(ReadError::Truncated { .. })));
    }

    #[test]
    fn a_result_is_held_up_to_its_limit() {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(300_000));
        let read = |limit| whole_up_to(&mut Cursor::new(text.clone().into_bytes()), limit).expect("readable");
        assert_eq!(read(text.len() + 1).into_text().expect("whole"), text.as_bytes());
        let error = whole_up_to(&mut Cursor::new(text.clone().into_bytes()), text.len()).expect_err("too long");
        assert!(matches!(error, TransportError::Flawed { .. }), "{error}");
        let broken = format!("{}]", &text[..text.len() - 1]);
        whole_up_to(&mut Cursor::new(broken.into_bytes()), 1 << 20).expect_err("no JSON");
    }

    #[test]
    fn only_the_last_segment_of_a_location_counts() {
        let uuid = "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61";
        let Understood::Accepted { job, timeout } =
            answer(202, &format!(r#"{{"location":"http://evil/zstack/v1/api-jobs/{uuid}","apiTimeout":1800000}}"#))
        else {
            panic!("accepted")
        };
        assert_eq!(job.as_deref(), Some(uuid));
        assert_eq!(timeout, Some(Duration::from_secs(1800)));
        for body in ["", "{}", r#"{"location":"http://h/a/../../x"}"#, "<html>", r#"{"location":7,"apiTimeout":"x"}"#] {
            assert!(matches!(answer(202, body), Understood::Accepted { job: None, timeout: None }), "{body}");
        }
    }

    #[test]
    fn failures_are_told_from_text_and_pages() {
        assert!(matches!(answer(503, r#"{"error":{"code":"SYS.1006"}}"#), Understood::Failed(_)));
        assert!(matches!(answer(503, "down"), Understood::Odd { status: 503, what: Oddity::Text }));
        assert!(matches!(answer(503, ""), Understood::Odd { status: 503, what: Oddity::Empty }));
        assert!(matches!(answer(404, "<!DOCTYPE html>"), Understood::Odd { status: 404, what: Oddity::Page }));
        assert!(matches!(answer(404, r#"{"error":"Not Found"}"#), Understood::Odd { what: Oddity::Object, .. }));
        assert!(matches!(answer(500, r#"{"error":{"code":500}}"#), Understood::Odd { what: Oddity::Object, .. }));
        assert!(matches!(answer(404, ""), Understood::Odd { what: Oddity::Empty, .. }));
        assert!(matches!(answer(404, "unable to find job"), Understood::Refused { status: 404, .. }));
        assert!(matches!(answer(401, "x"), Understood::Odd { what: Oddity::LogIn, .. }));
        let Understood::Refused { status: 500, text } = answer(500, "") else { panic!("refused") };
        assert_eq!(text, "");
        let Understood::Refused { text, .. } = answer(400, "bad\r\n\u{1b}[31mpassword=x") else { panic!("refused") };
        assert!(!text.contains('\u{1b}') && !text.contains("=x"), "{text}");
    }

    #[test]
    fn redirects_are_reported_without_secrets() {
        let Understood::Redirect { status: 302, location } = answer(302, "") else { panic!("redirect") };
        assert!(location.starts_with("https://u:******@elsewhere/x") && !location.contains('\u{1b}'), "{location}");
    }
}
