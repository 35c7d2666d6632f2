//! The file of one result, of which the head can be read alone.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::json::write_string;
use crate::secret::KnownSecrets;

/// A result without its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its number.
    pub number: u64,
    /// The command, secrets masked.
    pub command: String,
    /// Whether it succeeded.
    pub success: bool,
    /// When it ended, in seconds since 1970 (UTC).
    pub time: u64,
    /// The size of the reply in bytes.
    pub size: u64,
}

/// A result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The result without the reply.
    pub summary: Summary,
    /// The reply, secrets masked.
    pub reply: Kept,
}

/// How much of a reply was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of it: JSON text.
    Whole(String),
    /// All of it: text that is no JSON.
    Text(String),
    /// The start of a reply that was too long.
    Start(String),
}

/// The members of a file, in order. The reply is last, so that the others can be read from the head of the file.
#[derive(Deserialize)]
struct File<'a> {
    command: String,
    success: bool,
    time: u64,
    size: u64,
    #[serde(borrow, default)]
    reply: Option<&'a RawValue>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    start: Option<String>,
}

/// The text of a file. `reply` is the kept part of `size` bytes; the known secrets are masked in it.
pub(super) fn write(
    command: &str,
    success: bool,
    time: SystemTime,
    size: u64,
    reply: &[u8],
    known: &KnownSecrets,
) -> String {
    let is_cut = (reply.len() as u64) < size;
    let masked = if is_cut { known.mask_cut_json(reply) } else { known.mask_json(reply) };
    let mut out = head(command, success, time, size);
    if is_cut {
        out.push_str(",\n\"start\": ");
        write_string(&mut out, &masked);
    } else if serde_json::from_str::<IgnoredAny>(&masked).is_ok() {
        out.push_str(",\n\"reply\": ");
        out.push_str(masked.trim());
    } else {
        out.push_str(",\n\"text\": ");
        write_string(&mut out, &masked);
    }
    out.push_str("\n}\n");
    out
}

fn head(command: &str, success: bool, time: SystemTime, size: u64) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut out = String::from("{\n\"command\": ");
    write_string(&mut out, command);
    out.push_str(&format!(",\n\"success\": {success},\n\"time\": {seconds},\n\"size\": {size}"));
    out
}

/// Reads a file. `None` if it has another format.
pub(super) fn read(number: u64, text: &str) -> Option<Record> {
    let file: File<'_> = serde_json::from_str(text).ok()?;
    let reply = match (file.reply, file.text, file.start) {
        (Some(reply), ..) => Kept::Whole(reply.get().to_owned()),
        (None, Some(text), _) => Kept::Text(text),
        (None, None, start) => Kept::Start(start?),
    };
    let File { command, success, time, size, .. } = file;
    Some(Record { summary: Summary { number, command, success, time, size }, reply })
}

/// Reads the head of a file; `text` may be just the start of the file.
pub(super) fn read_head(number: u64, text: &str) -> Option<Summary> {
    // The size is the last line of the head; a brace after it makes the head a complete object.
    let at = text.find("\n\"size\": ")?;
    let end = at + 1 + text[at + 1..].find([',', '\n'])?;
    let head = format!("{}}}", &text[..end]);
    let file: File<'_> = serde_json::from_str(&head).ok()?;
    let File { command, success, time, size, .. } = file;
    Some(Summary { number, command, success, time, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &str, size: u64) -> String {
        write("QueryZone name='a\nb'", true, UNIX_EPOCH, size, reply.as_bytes(), &KnownSecrets::default())
    }

    #[test]
    fn files_are_valid_json_and_read_back() {
        for (reply, size, expected) in [
            ("{\"inventories\":[1.0E3]}", 23, Kept::Whole("{\"inventories\":[1.0E3]}".into())),
            ("no JSON", 7, Kept::Text("no JSON".into())),
            ("{\"inventories\":[{\"na", 4096, Kept::Start("{\"inventories\":[{\"na".into())),
        ] {
            let text = written(reply, size);
            serde_json::from_str::<IgnoredAny>(&text).expect("valid JSON");
            let record = read(7, &text).expect("it reads back");
            assert_eq!(record.reply, expected);
            assert_eq!(record.summary.command, "QueryZone name='a\nb'");
            assert_eq!((record.summary.number, record.summary.size), (7, size));
            assert_eq!(read_head(7, &text), Some(record.summary));
        }
    }

    #[test]
    fn the_head_is_enough_for_a_summary() {
        let text = written("{\"a\":1}", 7);
        let cut = &text[..text.find("reply").expect("a reply")];
        assert_eq!(read_head(1, cut).map(|summary| summary.success), Some(true));
        assert_eq!(read_head(1, "{}"), None);
        assert_eq!(read(1, "{\"command\": \"x\""), None);
    }

    #[test]
    fn secrets_are_masked() {
        let text = written(r#"{"inventory":{"sshPassword":"hunter2"}}"#, 39);
        assert!(!text.contains("hunter2") && text.contains("******"), "{text}");
        let cut = written(r#"{"inventory":{"sshPassword":"hunt"#, 4096);
        assert!(!cut.contains("hunt"), "{cut}");
    }
}
