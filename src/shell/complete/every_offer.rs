//! Checks that the planner accepts whatever Tab offers for the APIs of the catalog.

use std::collections::BTreeSet;

use super::*;
use crate::catalog::{Catalog, condition_fields};
use crate::plan::every_api::sample;
use crate::plan::{self, ErrorKind};
use crate::syntax::{Command, lex, quote_word};

const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

struct NoFiles;

impl Files for NoFiles {
    fn list(&self, _: &str) -> Vec<FileEntry> {
        Vec::new()
    }
}

fn offers(line: &str) -> Vec<(String, CandidateKind)> {
    let catalog = Catalog::newest();
    let sources = Sources { files: &NoFiles, ..Sources::of_catalog(catalog) };
    let completion = complete(line, line.len(), &sources);
    completion.candidates.iter().map(|candidate| (completion.word(candidate), candidate.kind)).collect()
}

/// Returns why the planner refuses a line. A missing parameter is no reason: it says nothing about the words that are
/// there.
fn refusal(line: &str) -> Option<String> {
    let command = Command::parse(line).expect("it parses").expect("a command");
    match plan::plan(&command, Catalog::newest(), &plan::Options::default()) {
        Err(error) if !matches!(error.kind, ErrorKind::MissingParameters { .. } | ErrorKind::NoCondition { .. }) => {
            Some(error.to_string())
        }
        _ => None,
    }
}

/// Returns why a word that expects a value is refused: with each value that is offered, or, without offers, with every
/// sample value.
fn refusals(line: &str, sample: Option<String>) -> Vec<String> {
    let (api, _) = line.split_once(' ').expect("an API and a word");
    let offered = offers(line);
    if !offered.is_empty() {
        // The beginning of a structure goes on in its quotes.
        let closed = offered.iter().filter(|(word, _)| lex(word).open_quote.is_none());
        let whole = closed.map(|(word, _)| format!("{api} {}", word.trim_end_matches(',')));
        return whole.filter_map(|line| refusal(&line)).collect();
    }
    let samples =
        ["1", "a", UUID, "true", "name", "uuid", "a:b", "__userTag__=a", "2025-03-04 10:00:00"].map(str::to_owned);
    let tried = sample.map_or(samples.to_vec(), |sample| vec![sample]).into_iter();
    let refusals: Option<Vec<String>> = tried.map(|value| refusal(&format!("{line}{}", quote_word(&value)))).collect();
    refusals.into_iter().flatten().take(1).collect()
}

#[test]
fn words_that_follow_an_api_are_taken() {
    let catalog = Catalog::newest();
    let mut refused = BTreeSet::new();
    for known in catalog.api_names() {
        let api = catalog.api(known.as_str()).expect("an indexed API is found");
        for (word, kind) in offers(&format!("{} ", api.name)) {
            let line = format!("{} {word}", api.name);
            let sample = api.parameter(word.trim_end_matches('=')).map(|parameter| sample(catalog, parameter));
            if word.ends_with('=') && matches!(kind, CandidateKind::Param | CandidateKind::Field) {
                refused.extend(refusals(&line, sample).into_iter().map(|refusal| format!("{line}: {refusal}")));
            }
        }
    }
    assert!(refused.is_empty(), "{} refused: {refused:#?}", refused.len());
}

#[test]
fn operators_that_follow_a_field_are_taken() {
    let catalog = Catalog::newest();
    let mut refused = BTreeSet::new();
    // Operators depend only on the type of the field.
    let mut types = BTreeSet::new();
    for api in catalog.api_names().filter(|api| api.is_query()).filter_map(|api| catalog.api(api.as_str())) {
        let Some(inventory) = api.inventory.and_then(|name| catalog.inventory(name)) else { continue };
        for field in condition_fields(&inventory).filter(|field| types.insert(field.kind.to_string())) {
            let offered = offers(&format!("{} {}", api.name, field.name)).into_iter();
            for (operator, _) in
                offered.filter(|(_, kind)| matches!(kind, CandidateKind::Field | CandidateKind::Operator))
            {
                let line = format!("{} {operator}", api.name);
                let refused_here = match operator.ends_with("null") {
                    true => refusal(&line).into_iter().collect(),
                    false => refusals(&line, None),
                };
                refused.extend(refused_here.into_iter().map(|refusal| format!("{line}: {refusal}")));
            }
        }
    }
    assert!(types.len() > 5, "{types:?}");
    assert!(refused.is_empty(), "{} refused: {refused:#?}", refused.len());
}
