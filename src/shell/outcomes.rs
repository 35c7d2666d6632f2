//! Whether earlier lines succeeded, and where they ran. Failed lines are not suggested; those run in this place come
//! first.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use crate::private;

use super::history::{decode, encode};

/// The number of outcomes kept in the file. It is shortened when it holds twice as many.
const MOST: usize = 5000;

/// Whether the last run of a line failed, and the places where it was run.
#[derive(Clone, Debug, Default)]
struct Outcome {
    failed: bool,
    places: Vec<String>,
}

/// The outcomes of lines. The file has one line for each: `ok` or `failed`, the place, and the line, separated by tabs.
///
/// All shells append to the file and read it when they start. It only affects the order of suggestions, so errors of
/// reading and writing it are ignored.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    path: Option<PathBuf>,
    known: HashMap<String, Outcome>,
}

impl Outcomes {
    /// Reads the outcomes of a file; without a path they are kept in memory only.
    pub(super) fn read(path: Option<PathBuf>) -> Outcomes {
        let text = path.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let mut outcomes = Outcomes { path, known: HashMap::new() };
        for entry in text.lines() {
            let mut parts = entry.splitn(3, '\t');
            if let (Some(outcome), Some(place), Some(line)) = (parts.next(), parts.next(), parts.next()) {
                outcomes.note(&decode(line), place, outcome == "ok");
            }
        }
        let count = text.lines().count();
        if let Some(path) = outcomes.path.as_ref().filter(|_| count > 2 * MOST) {
            let kept: String = text.lines().skip(count - MOST).flat_map(|entry| [entry, "\n"]).collect();
            let _ = private::replace(path, kept.as_bytes());
        }
        outcomes
    }

    /// Records the outcome of a line, which the history stores as `kept`.
    pub(super) fn add(&mut self, line: &str, kept: &str, place: &str, succeeded: bool) {
        let line = line.trim();
        self.note(line, place, succeeded);
        let outcome = if succeeded { "ok" } else { "failed" };
        let place = place.replace(|c: char| c.is_control(), " ");
        let entry = format!("{outcome}\t{place}\t{}\n", encode(kept.trim()));
        let _ = self.append(&entry);
    }

    fn append(&self, entry: &str) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut options = private::options();
        let mut file: File = options.append(true).create(true).open(path)?;
        file.write_all(entry.as_bytes())
    }

    fn note(&mut self, line: &str, place: &str, succeeded: bool) {
        let outcome = self.known.entry(line.to_owned()).or_default();
        outcome.failed = !succeeded;
        if !outcome.places.iter().any(|known| known == place) {
            outcome.places.push(place.to_owned());
        }
    }

    /// Whether the last run of a line failed.
    pub(super) fn failed(&self, line: &str) -> bool {
        self.known.get(line).is_some_and(|outcome| outcome.failed)
    }

    /// Whether a line was run in that place.
    pub(super) fn was_at(&self, line: &str, place: &str) -> bool {
        self.known.get(line).is_some_and(|outcome| outcome.places.iter().any(|known| known == place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_kept_by_line_and_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outcomes");
        let mut outcomes = Outcomes::read(Some(path.clone()));
        outcomes.add("QueryZone", "QueryZone", "prod", true);
        outcomes.add("QueryZoen", "QueryZoen", "prod", false);
        outcomes.add("LogIn password=x", "LogIn password=******", "lab", true);
        outcomes.add("QueryZone", "QueryZone", "lab", false);
        for outcomes in [&outcomes, &Outcomes::read(Some(path.clone()))] {
            assert!(outcomes.failed("QueryZone") && outcomes.failed("QueryZoen") && !outcomes.failed("QueryHost"));
            assert!(outcomes.was_at("QueryZone", "prod") && outcomes.was_at("QueryZone", "lab"));
            assert!(!outcomes.was_at("QueryZoen", "lab"));
        }
        assert!(!fs::read_to_string(path).expect("it was written").contains("password=x"));
    }

    #[test]
    fn a_long_file_is_shortened_and_a_broken_one_is_no_trouble() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("outcomes");
        fs::write(&path, format!("x\n\t\n{}", "ok\tlab\tQueryZone\n".repeat(2 * MOST))).expect("it is written");
        assert!(Outcomes::read(Some(path.clone())).was_at("QueryZone", "lab"));
        assert_eq!(fs::read_to_string(path).expect("it is there").lines().count(), MOST);
    }
}
