//! Ranks candidates that were used before ahead of equally good ones.

use rustyline::history::{History, SearchDirection};

use crate::syntax::{Word, last_command, lex};

use super::complete::{Candidate, Completion, Fit};

/// The largest number of history lines that are searched.
const MOST_LINES: usize = 2000;

/// The largest number of different words taken from them.
const MOST_WORDS: usize = 200;

/// Puts candidates that were used lately in the same command before others that match equally well. `counts` says
/// whether a history line is considered.
pub(super) fn prefer(completion: &mut Completion, line: &str, history: &dyn History, counts: impl Fn(&str) -> bool) {
    let before = line.get(..completion.span.start).unwrap_or_default();
    let before = lex(&before[last_command(before)]).words;
    let used = words(command(&before), history, counts);
    if used.is_empty() {
        return;
    }
    let nothing_typed = completion.typed.is_empty();
    let rank = |candidate: &Candidate| {
        let word = completion.word(candidate);
        let open = !candidate.finished;
        let place = used.iter().position(|used| *used == word || open && used.starts_with(&word));
        // When nothing is typed, all candidates match equally well.
        let fit = if nothing_typed { Fit::Prefix } else { candidate.fit };
        (fit, !candidate.required, place.unwrap_or(usize::MAX))
    };
    let mut ranked: Vec<_> =
        completion.candidates.iter().map(|candidate| (rank(candidate), candidate.clone())).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    completion.candidates = ranked.into_iter().map(|(_, candidate)| candidate).collect();
}

/// Returns the name of the command that words belong to.
fn command(words: &[Word]) -> Option<&str> {
    words.iter().map(|word| word.text.as_str()).find(|word| !word.starts_with('-'))
}

/// Returns words of the history, newest first: the arguments of the command `of`, or without it the command names.
fn words(of: Option<&str>, history: &dyn History, counts: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for index in (0..history.len()).rev().take(MOST_LINES) {
        let Some(line) = history.get(index, SearchDirection::Reverse).ok().flatten() else { continue };
        let line = line.entry;
        // Most lines are of other commands; this check rules them out quickly.
        if of.is_some_and(|name| !line.contains(name)) || !counts(&line) {
            continue;
        }
        let words = lex(&line).words;
        let arguments = match (of, command(&words)) {
            (None, Some(name)) => words.iter().filter(|word| word.text == name).take(1).collect(),
            (Some(of), Some(name)) if of == name => words.iter().filter(|word| word.text != name).collect(),
            _ => Vec::new(),
        };
        for word in arguments {
            let written = line.get(word.span.clone()).unwrap_or_default();
            if !found.iter().any(|known| known == written) {
                found.push(written.to_owned());
            }
        }
        if found.len() >= MOST_WORDS {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::complete::{Sources, complete};
    use super::super::recall::Recall;
    use super::*;
    use crate::catalog::Catalog;

    fn first(line: &str) -> String {
        let mut history = Recall::default();
        let lines = ["QueryHost state=Disabled", "QueryZone count=true", "QueryVmNic ip=1", "QueryVmInstanc x=1"];
        history.extend(lines.map(str::to_owned).to_vec());
        let mut completion = complete(line, line.len(), &Sources::of_catalog(Catalog::newest()));
        prefer(&mut completion, line, &history, |line| !line.contains("x=1"));
        completion.candidates[0].label.to_string()
    }

    #[test]
    fn what_was_used_stands_first_among_what_fits_as_well() {
        for (line, expected) in [
            ("", "QueryVmNic"),
            ("Query", "QueryVmNic"),
            ("QueryVmInstance", "QueryVmInstance"),
            ("QueryH", "QueryHost"),
            ("QueryZone ", "count"),
            ("QueryZone st", "state"),
            ("QueryHost ", "state"),
            ("QueryHost state=", "Disabled"),
            ("QueryHost state=E", "Enabled"),
            ("CreateZone ", "name"),
        ] {
            assert_eq!(first(line), expected, "{line}");
        }
    }
}
