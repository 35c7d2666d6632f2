//! Command lines: they split, print, plan, complete and are masked without harm, whatever they hold.

use std::ops::Range;

use crate::catalog::Catalog;
use crate::json;
use crate::plan::{self, Cursor, Options, PathPart, Plan, Request};
use crate::secret::{Secrets, mask_command};
use crate::shell::complete::{FileEntry, Files, Sources, complete};
use crate::syntax::{Command, lex, split};

/// The longest target that a plan may come to, in bytes: a container's 8 KiB for request line and headers less
/// what the headers take (T6).
const LONGEST_TARGET: usize = 7200;

/// Checks one line of a command.
pub fn check(line: &str) {
    let lexed = lex(line);
    for word in &lexed.words {
        holds(line, &word.span);
        for (at, c) in word.text.char_indices() {
            holds(line, &word.span_of(at..at + c.len_utf8()));
            holds(line, &word.span_from(at));
        }
    }
    let _ = mask_command(line);
    check_completion(line, line.len());
    check_completion(line, (0..=line.len() / 2).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0));
    match split(line) {
        Ok(words) => {
            let texts: Vec<String> = words.into_iter().map(|word| word.text).collect();
            assert_eq!(texts, print_and_split(&texts), "words change when they are printed");
        }
        Err(error) => holds(line, &error.span()),
    }
    match Command::parse(line) {
        Ok(Some(command)) => check_command(&command),
        Ok(None) => {}
        Err(error) => holds(line, &error.span()),
    }
}

/// Knows one folder, so that completion does not depend on the machine.
struct OneFolder;

impl Files for OneFolder {
    fn list(&self, _: &str) -> Vec<FileEntry> {
        ["a b.json", "é"].map(|name| FileEntry { name: name.to_owned(), is_folder: name == "é" }).into()
    }
}

fn check_completion(line: &str, cursor: usize) {
    let contexts = ["prod".to_owned()];
    let sources = Sources { files: &OneFolder, contexts: &contexts, ..Sources::of_catalog(Catalog::newest()) };
    let completion = complete(line, cursor, &sources);
    for candidate in completion.candidates.iter().take(20) {
        let _ = (completion.word(candidate), completion.matched(candidate));
    }
    let _ = completion.extension();
}

fn print_and_split(texts: &[String]) -> Vec<String> {
    let (printed, words) = Command::words_from_args(texts);
    let split = split(&printed).expect("printed words are closed");
    assert_eq!(split, words, "places in printed words differ");
    split.into_iter().map(|word| word.text).collect()
}

fn check_command(command: &Command) {
    for argument in &command.arguments {
        holds(&command.line, &argument.span);
        holds(&command.line, &argument.name_span);
        holds(&command.line, &argument.value_span);
    }
    let texts: Vec<String> = std::iter::once(command.name.clone())
        .chain(
            command
                .arguments
                .iter()
                .map(|argument| format!("{}{}{}", argument.name, argument.operator, argument.value)),
        )
        .collect();
    let (line, words) = Command::words_from_args(&texts);
    let again = Command::from_words(&line, &words).expect("it was a command").expect("it had a name");
    assert_eq!(command.name, again.name);
    for (one, other) in command.arguments.iter().zip(&again.arguments) {
        assert_eq!((&one.name, one.operator, &one.value), (&other.name, other.operator, &other.value));
    }
    assert_eq!(command.arguments.len(), again.arguments.len());

    for no_check in [false, true] {
        let options = Options { no_check, ..Options::default() };
        match plan::plan(command, Catalog::newest(), &options) {
            Ok(Plan::Call(request)) => check_request(&request),
            Ok(Plan::Query(query)) => {
                for part in 0..query.parts() {
                    let request = query.request(part, &Cursor::Start);
                    check_request(&request);
                    assert!(request.target(Secrets::Shown).len() <= LONGEST_TARGET, "a target that is too long");
                }
            }
            Err(error) => {
                let _ = (error.to_string(), error.hint());
                if let Some(span) = &error.span {
                    holds(&command.line, span);
                }
            }
        }
    }
}

/// A request has the verb and path of the catalog, and nothing is ever appended to a path (D3, D4).
fn check_request(request: &Request) {
    let api = Catalog::newest().api(request.api).expect("a planned API is one of the catalog's");
    assert_eq!(request.method, api.method);
    let mut pattern = String::new();
    for part in &request.path {
        match part {
            PathPart::Fixed(text) => pattern.push_str(text),
            PathPart::Variable(value) => {
                assert!(!value.text.is_empty() && !matches!(&*value.text, "." | ".."), "{:?}", value.text);
                assert!(!value.text.contains(['/', '\\']), "{:?}", value.text);
                pattern.push_str("{}");
            }
        }
    }
    let mut wanted = String::new();
    let mut rest = api.path;
    while let Some((fixed, after)) = rest.split_once('{') {
        wanted.push_str(fixed);
        wanted.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    wanted.push_str(rest);
    assert_eq!(pattern, wanted);

    let target = request.target(Secrets::Shown);
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target}");
    assert!(!target.contains(['<', '>', '{', '}', '|', '\\', '^', '[', ']', '"', '`', '+']), "{target}");
    let _ = request.target(Secrets::Masked);
    if let Some(body) = request.body_text(Secrets::Shown) {
        assert!(body.is_ascii(), "a body that is not ASCII");
        let again = json::parse(body.as_bytes()).expect("a body is JSON");
        assert_eq!(Some(again.to_json(None)), Some(body));
    }
    if let Some(masked) = request.body_text(Secrets::Masked) {
        json::parse(masked.as_bytes()).expect("a masked body is JSON");
    }
}

/// A place must be one that a caret can be put under.
fn holds(line: &str, span: &Range<usize>) {
    assert!(line.get(span.clone()).is_some(), "{span:?} is no part of {line:?}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words such as operators type: names of APIs and parameters, operators, values with everything that matters.
    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "(name|uuid|vmNics\\.ip|systemTags|limit|memorySize|conditions)(=|!=|>=|~=|\\?=|!\\?=)[^\\x00]{0,12}",
            "[a-z#'\"\\\\ =,@%]{0,8}",
            "\\PC{0,8}",
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("QueryVmInstance".to_owned()),
            Just("CreateVmInstance".to_owned()),
            Just("DeleteZone".to_owned()),
            "[A-Za-z]{0,9}",
        ]
    }

    proptest! {
        #![proptest_config(crate::properties::config(96))]

        #[test]
        fn any_line_is_harmless(line in "\\PC{0,40}") {
            check(&line);
        }

        #[test]
        fn commands_are_printed_and_read_back(name in name(), words in proptest::collection::vec(word(), 0..4)) {
            let texts: Vec<String> = std::iter::once(name).chain(words).collect();
            prop_assert_eq!(&print_and_split(&texts), &texts);
            check(&Command::words_from_args(&texts).0);
            check(&texts.join(" "));
        }
    }
}
