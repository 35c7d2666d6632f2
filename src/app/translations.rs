//! Every English text that users read has a Chinese one, and every Chinese one has its English text still.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::catalog::QueryParameter;
use crate::cli::{self, Argument, Entry, Takes};
use crate::config::{Setting, VARIABLES};
use crate::language::Language;
use crate::shell::{TOPICS, dangerous_questions};

const FILE: &str = "src/language/zh.txt";

/// Files whose sentences are read by users, all of them, and those that are not.
const SENTENCES: [&str; 7] = [
    "src/error/hint.rs",
    "src/error/name.rs",
    "src/commands/help/api.rs",
    "src/commands/help/inventory.rs",
    "src/commands/help/mod.rs",
    "src/shell/danger.rs",
    "src/shell/complete/candidate.rs",
];
const NOT_SAID: [&str; 10] = [
    "there is no API, inventory, command or topic of that name",
    "API, command or topic",
    " fields=uuid,name sortBy=name",
    // As parts of questions, which are looked up as a whole.
    "clean up",
    "fail over",
    "power off",
    "shut down",
    "take apart",
    "not found on the node",
    "name unknown",
];

/// Lines of the question before something dangerous that are put together from parts.
const QUESTION: [&str; 6] = [
    "{}  not found on the node",
    "{}  name unknown",
    "{} belong to it.",
    "{} belongs to it.",
    "{} belong to them.",
    "{} belongs to them.",
];

/// Files whose messages stay English, with hints that quote a command.
const HINTS: [&str; 2] = ["src/cli/usage.rs", "src/plan/suggest.rs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts that are data: of commands, options, settings, topics, parameters of queries, variables and questions.
fn texts() -> BTreeSet<String> {
    fn of_argument(argument: Argument, texts: &mut BTreeSet<String>) {
        texts.insert(argument.summary());
        if let Takes::OneOf(values) = argument.takes() {
            texts.extend(values.into_iter().map(|(_, summary)| summary));
        }
        texts.extend(argument.heading().map(str::to_owned));
    }
    fn of_entry(entry: Entry, texts: &mut BTreeSet<String>) {
        texts.insert(entry.summary());
        entry.words().chain(entry.options()).for_each(|argument| of_argument(argument, texts));
        entry.commands().for_each(|command| of_entry(command, texts));
    }
    let mut texts = BTreeSet::new();
    let program = cli::program();
    program.options().for_each(|option| of_argument(option, &mut texts));
    program.commands().for_each(|command| of_entry(command, &mut texts));
    texts.extend(Setting::of_shell().chain(Setting::of_context()).map(|setting| setting.summary().to_owned()));
    texts.extend(TOPICS.iter().map(|topic| topic.summary.to_owned()));
    texts.extend(QueryParameter::ALL.map(|parameter| parameter.summary().to_owned()));
    texts.extend(VARIABLES.iter().map(|(_, purpose)| (*purpose).to_owned()));
    texts.extend(QUESTION.map(str::to_owned));
    texts.extend(dangerous_questions());
    texts.remove("");
    texts
}

/// The string literals of a source file before its tests, a line each, with `{}` for what is inserted.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let here = &rest[at..];
        rest = &here[1..];
        if here.starts_with("//") {
            rest = here.split_once('\n').map_or("", |(_, rest)| rest);
        } else if here.starts_with("'\"'") || here.starts_with("'\\") {
            rest = here.get(4..).unwrap_or_default();
        } else if here.starts_with('"') {
            let mut text = String::new();
            let mut chars = rest.char_indices();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' => {
                        rest = &rest[at + 1..];
                        break;
                    }
                    '\\' => match chars.next().map(|(_, c)| c) {
                        Some('n') => text.push('\n'),
                        // The next line continues the text.
                        Some('\n') => {
                            let behind = chars.as_str().trim_start();
                            rest = &rest[rest.len() - behind.len()..];
                            chars = rest.char_indices();
                        }
                        Some(c) => text.push(c),
                        None => {}
                    },
                    _ => text.push(c),
                }
            }
            found.extend(without_names(&text).split('\n').map(str::to_owned));
        }
    }
    found
}

/// A text of `format!` with `{}` for `{name}`, and single braces for double ones.
fn without_names(text: &str) -> String {
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let mut pieces = text.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    let whole = pieces.fold(first, |text, piece| match piece.split_once('}') {
        Some((_, behind)) => text + "{}" + behind,
        None => text + "{" + piece,
    });
    whole.replace('\u{1}', "{").replace('\u{2}', "}")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether a text has two words beside each other.
fn is_sentence(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(3).any(|three| three[1] == b' ' && three[0].is_ascii_alphabetic() && three[2].is_ascii_alphabetic())
}

#[test]
fn every_text_has_a_translation() {
    let mut texts = texts();
    for file in SENTENCES {
        let sentences = literals(&read(file)).into_iter().filter(|text| is_sentence(text));
        texts.extend(sentences.filter(|text| !NOT_SAID.contains(&text.as_str())));
    }
    for file in HINTS {
        texts.extend(literals(&read(file)).into_iter().filter(|text| is_sentence(text) && text.contains('`')));
    }
    let missing: Vec<String> = texts
        .into_iter()
        .filter(|text| Language::Chinese.say(text.trim()) == text.trim())
        .map(|text| format!("{}\t", text.trim()))
        .collect();
    assert!(
        missing.is_empty(),
        "add these lines to {FILE}, with the Chinese text at their end:\n\n{}\n",
        missing.join("\n")
    );
}

#[test]
fn every_translation_has_its_text() {
    fn sources(folder: PathBuf, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("a folder of the tree") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).expect("a source file");
                found.extend(source.lines().filter_map(|line| Some(line.split_once("/// ")?.1.to_owned())));
                found.extend(literals(&source));
            }
        }
    }
    let mut known = texts();
    sources(root().join("src"), &mut known);
    known.extend(known.clone().iter().map(|text| text.trim().to_owned()));
    let letters = |text: &&String| text.chars().filter(char::is_ascii_alphabetic).count() > 3;
    let patterns: Vec<&String> = known.iter().filter(|text| text.contains("{}")).filter(letters).collect();
    let table = read(FILE);
    let entries = table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'));
    let stale: Vec<&str> = entries
        .map(|(english, _)| english)
        .filter(|english| !known.contains(*english))
        .filter(|english| !patterns.iter().any(|pattern| fits(pattern, english) || fits(english, pattern)))
        .collect();
    assert!(stale.is_empty(), "nothing says this any more; remove the lines from {FILE}:\n\n{}\n", stale.join("\n"));
}

/// Whether a text is a pattern with something in the place of each `{}`.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split("{}");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        match (pieces.peek(), rest.split_once(piece)) {
            (None, _) => return rest.ends_with(piece),
            (Some(_), Some((_, behind))) => rest = behind,
            (Some(_), None) => return false,
        }
    }
    true
}

/// The options, assignments and variables that a page of help names.
fn names(text: &str) -> BTreeSet<&str> {
    let ends = |c: char| !c.is_ascii() || c.is_whitespace() || "`'\"(),;:.".contains(c);
    let words = text.split(ends);
    words.filter(|word| word.starts_with("--") || word.contains('=') || word.starts_with("ZSTACK_")).collect()
}

#[test]
fn topics_name_the_same_things_in_both_languages() {
    for topic in &TOPICS {
        let (english, chinese) = (topic.text, topic.text_in(Language::Chinese));
        assert!(english != chinese, "src/shell/topics/zh/{}.txt is to be translated", topic.name);
        assert_eq!(names(english), names(chinese), "src/shell/topics/zh/{}.txt", topic.name);
    }
}

#[test]
fn literals_are_read_as_the_compiler_does() {
    let source = r#"let a = "one \
              two {name}"; // "not this"
        let b = ('"', '\'', "{{x}} {}"); fn f<'a>() { "li\nnes" }
        #[cfg(test)]
mod tests { "nor this" }"#;
    assert_eq!(literals(source), ["one two {}", "{x} {}", "li", "nes"]);
}
