//! Results as files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::json::{Sorter, write_string};
use crate::private;

use super::{Kept, Record, Results, ResultsError};

/// Why results cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The numbers cannot be read.
    #[error("`{text}` is no result number; numbers are separated by commas, as in `save 3,5-7`")]
    Number {
        /// The text in the place of a number.
        text: String,
    },
    /// Several results cannot go into one file.
    #[error("{} is no folder, and several results need one", path.display())]
    NoFolder {
        /// Where they should go.
        path: PathBuf,
    },
    /// A result cannot be read.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// Saves the results of `numbers` (`3`, `3,5`, `3-7`) and gives the files, which are valid JSON: the command and its
/// reply, with `json_only` the reply alone. Without a target they go to the current folder, named after the API.
///
/// # Errors
/// Where a number is none or has no result, or a file cannot be written. Files written before stay.
pub fn save(
    results: &Results,
    numbers: &str,
    target: Option<&Path>,
    json_only: bool,
) -> Result<Vec<PathBuf>, SaveError> {
    let numbers = parse_numbers(numbers)?;
    let is_folder = target.is_none_or(|target| target.is_dir());
    if let Some(path) = target.filter(|_| numbers.len() > 1 && !is_folder) {
        return Err(SaveError::NoFolder { path: path.to_owned() });
    }
    let folder = target.unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for number in numbers {
        let record = results.load(number)?;
        let path = if is_folder { folder.join(file_name(&record)) } else { folder.to_owned() };
        let text = contents(&record, json_only);
        write_file(&path, &text).map_err(|source| SaveError::Write { path: path.clone(), source })?;
        files.push(path);
    }
    Ok(files)
}

/// The most results that one command saves.
const MOST_NUMBERS: usize = 10_000;

fn parse_numbers(text: &str) -> Result<Vec<u64>, SaveError> {
    let mut numbers = Vec::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let wrong = || SaveError::Number { text: part.to_owned() };
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: u64 = first.trim().parse().map_err(|_| wrong())?;
        let last: u64 = last.trim().parse().map_err(|_| wrong())?;
        if last < first || (last - first) as usize >= MOST_NUMBERS || numbers.len() >= MOST_NUMBERS {
            return Err(wrong());
        }
        numbers.extend(first..=last);
    }
    if numbers.is_empty() { Err(SaveError::Number { text: text.to_owned() }) } else { Ok(numbers) }
}

/// A name such as `QueryZone-12.json`.
fn file_name(record: &Record) -> String {
    let api: String = record.summary.command.chars().take_while(char::is_ascii_alphanumeric).take(80).collect();
    let api = if api.is_empty() { "result" } else { &api };
    format!("{api}-{}.json", record.summary.number)
}

fn contents(record: &Record, json_only: bool) -> String {
    let mut reply = String::new();
    match &record.reply {
        Kept::Whole(text) => {
            let mut indented = Vec::new();
            Sorter::default().indent(&mut indented, text.as_bytes(), usize::from(!json_only));
            reply.push_str(&String::from_utf8_lossy(&indented));
        }
        Kept::Text(text) | Kept::Start(text) => write_string(&mut reply, text),
    }
    if json_only {
        return reply + "\n";
    }
    let mut out = String::from("{\n    \"command\": ");
    write_string(&mut out, &record.summary.command);
    out.push_str(&format!(",\n    \"success\": {},\n", record.summary.success));
    if let Kept::Start(_) = record.reply {
        out.push_str(&format!("    \"bytesReceived\": {},\n    \"replyStart\": ", record.summary.size));
    } else {
        out.push_str("    \"reply\": ");
    }
    out.push_str(&reply);
    out.push_str("\n}\n");
    out
}

/// Writes a file that only its owner may read: a masked reply still tells much of a cloud.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    private::options().write(true).create(true).truncate(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::de::IgnoredAny;

    use super::*;
    use crate::results::Limits;

    fn with_results(run: impl FnOnce(&Results, &Path)) {
        let folder = tempfile::tempdir().expect("a folder");
        let results = Results::new(folder.path().join("results"), Limits { reply: 40, ..Limits::default() }, false);
        for (command, reply) in [
            ("QueryZone name='a'", "{\"z\":1,\"inventories\":[{\"size\":1.0E3}]}"),
            ("QueryHost", "{\"inventories\":[{\"description\":\"long long long\"}]}"),
        ] {
            let mut recording = results.record(command);
            recording.write_all(reply.as_bytes()).expect("memory takes it");
            recording.finish(true, &crate::secret::KnownSecrets::default()).expect("the folder takes it");
        }
        run(&results, folder.path());
    }

    #[test]
    fn files_are_json_and_named_after_the_api() {
        with_results(|results, folder| {
            let files = save(results, "1,2", Some(folder), false).expect("saved");
            assert_eq!(files, [folder.join("QueryZone-1.json"), folder.join("QueryHost-2.json")]);
            for file in &files {
                let text = fs::read_to_string(file).expect("read");
                serde_json::from_str::<IgnoredAny>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            }
            let text = fs::read_to_string(&files[0]).expect("read");
            assert!(text.starts_with("{\n    \"command\": \"QueryZone name='a'\",\n"), "{text}");
            assert!(text.contains("1.0E3"), "{text}");
        });
    }

    #[test]
    fn the_reply_may_stand_alone() {
        with_results(|results, folder| {
            let file = folder.join("zones.json");
            save(results, "1", Some(&file), true).expect("saved");
            let text = fs::read_to_string(&file).expect("read");
            assert!(text.starts_with("{\n    \"inventories\": ["), "{text}");
        });
    }

    #[test]
    fn what_cannot_be_saved_is_told() {
        with_results(|results, folder| {
            let file = folder.join("zones.json");
            assert!(matches!(save(results, "1,2", Some(&file), true), Err(SaveError::NoFolder { .. })));
            assert!(matches!(save(results, "1,x", None, true), Err(SaveError::Number { .. })));
            assert!(matches!(save(results, "", None, true), Err(SaveError::Number { .. })));
            assert!(matches!(save(results, "7", Some(&file), true), Err(SaveError::Results(_))));
            assert!(!file.exists());
        });
        assert_eq!(parse_numbers("1-3,7").expect("numbers"), [1, 2, 3, 7]);
        assert!(parse_numbers("3-1").is_err() && parse_numbers("0-99999999999").is_err());
    }
}
