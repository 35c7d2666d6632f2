//! Generated files are those that the program generates, and documents agree with the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::harness::Home;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Splits as a shell does; the examples use single quotes only.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (index, piece) in command.split('\'').enumerate() {
        let pieces: Vec<&str> = if index % 2 == 1 { vec![piece] } else { piece.split(' ').collect() };
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("a word").push_str(piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_manual_page_is_the_generated_one() {
    let made = Home::new().run_once(["man"]).succeeds().out();
    assert!(read("doc/zstack-cli.1") == made, "run: zstack-cli man > doc/zstack-cli.1");
}

#[test]
fn the_examples_of_the_manual_page_work() {
    let home = Home::with_cloud();
    let examples = read("src/commands/examples.txt");
    let calls = examples.lines().filter_map(|line| line.trim().strip_prefix("zstack-cli "));
    // The others need a node of the reader, or a file.
    let calls = calls.filter(|call| !["context ", "login ", "run "].iter().any(|word| call.starts_with(word)));
    let mut count = 0;
    for call in calls {
        let call = call.split(" && ").next().expect("a command");
        home.run(["--sandbox"].into_iter().map(str::to_owned).chain(words(call))).succeeds();
        count += 1;
    }
    assert_eq!(count, 8);
}

#[test]
fn the_completion_scripts_are_those_of_the_folder() {
    for (shell, file) in [("bash", "zstack-cli.bash"), ("zsh", "_zstack-cli"), ("fish", "zstack-cli.fish")] {
        let made = Home::new().run_once(["completions", shell]).succeeds().out();
        assert!(read(&format!("completions/{file}")) == made, "completions/{file}");
    }
}

/// All Rust files below a folder.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the tree") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The text of each comment of the tree, with the file that it stands in.
fn comments() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(&root.join(folder), &mut files);
    }
    files.sort();
    let comments = files.into_iter().map(|path| {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let text: Vec<&str> = text.lines().filter_map(|line| line.split_once("//").map(|(_, text)| text)).collect();
        (path, text.join("\n"))
    });
    comments.collect()
}

/// A letter and its number, where a word is a code of the protocol's description.
fn code(word: &str) -> Option<(char, u8)> {
    let letter = word.chars().next().filter(|letter| "TDAPJEQZNRMW".contains(*letter))?;
    let digits = &word[1..];
    let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((letter, digits.parse().ok().filter(|_| plain)?))
}

/// The codes in a text; `Q1 to Q5` and `Q1-Q5` name those between as well.
fn codes(text: &str) -> BTreeSet<(char, u8)> {
    let mut found = BTreeSet::new();
    let mut previous: Option<((char, u8), usize)> = None;
    let mut start = 0;
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        if let Some(here) = code(word) {
            let from = previous.filter(|((letter, _), end)| {
                *letter == here.0 && matches!(text[*end..start].trim_matches(['`', '/', '\n']), " to " | "-")
            });
            let first = from.map_or(here.1, |((_, number), _)| number);
            found.extend((first..=here.1).map(|number| (here.0, number)));
            previous = Some((here, start + word.len()));
        }
        start += word.len() + text[start + word.len()..].chars().next().map_or(0, char::len_utf8);
    }
    found
}

#[test]
fn the_protocol_is_described_as_far_as_the_code_cites_it() {
    assert_eq!(codes("(`A1`, P7) and Q1 to Q3, Z4-Z5, A12b, SHA512"), codes("A1 P7 Q1 Q2 Q3 Z4 Z5"));
    let text = read("doc/protocol.md");
    let mut entries = BTreeSet::new();
    for line in text.lines() {
        if let Some((name, _)) = line.strip_prefix("- **").and_then(|rest| rest.split_once("**")) {
            let entry = code(name).unwrap_or_else(|| panic!("{line}"));
            assert!(entries.insert(entry), "{name} is there twice");
        }
    }
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();

    let mut cited = BTreeSet::new();
    for (path, comment) in comments() {
        let here = codes(&comment);
        // Where a range is named, one of its numbers may be a gap.
        let unknown: Vec<_> = here.difference(&entries).filter(|(l, n)| comment.contains(&format!("{l}{n}"))).collect();
        assert!(unknown.is_empty(), "{}: doc/protocol.md has no {unknown:?}", path.display());
        cited.extend(here);
        for line in comment.lines().filter_map(|line| line.split_once("doc/protocol.md, ")) {
            for heading in line.1.split('"').skip(1).step_by(2) {
                assert!(headings.contains(&heading), "{}: doc/protocol.md has no {heading}", path.display());
            }
        }
    }
    let rotten: Vec<_> = entries.difference(&cited).collect();
    assert!(rotten.is_empty(), "nothing cites {rotten:?} of doc/protocol.md");
    assert!(codes(&text).is_subset(&entries), "doc/protocol.md cites what it lacks");
}

/// The outline of a document and what its reader copies: the depths of its headings, its blocks of commands, and the code
/// in its sentences, which another language has in another order.
fn outline(text: &str) -> (Vec<usize>, Vec<String>, BTreeSet<String>) {
    let (mut headings, mut blocks) = (Vec::new(), Vec::<String>::new());
    let (mut is_fenced, mut was_code) = (false, false);
    for line in text.lines() {
        let is_fence = line.starts_with("```");
        let is_code = is_fenced || is_fence || line.starts_with("    ");
        is_fenced ^= is_fence;
        match blocks.last_mut() {
            Some(block) if is_code && was_code => block.push_str(&format!("\n{line}")),
            _ if is_code => blocks.push(line.to_owned()),
            _ => {}
        }
        was_code = is_code && (is_fenced || !is_fence);
        if !is_code && line.starts_with('#') {
            headings.push(line.find(' ').unwrap_or_default());
        }
    }
    let mut code = BTreeSet::new();
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.starts_with("```")) {
        let quoted = paragraph.split('`').skip(1).step_by(2);
        code.extend(quoted.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    (headings, blocks, code)
}

#[test]
fn the_readme_in_chinese_keeps_step() {
    let (english, chinese) = (read("README.md"), read("README.zh-CN.md"));
    assert!(english.lines().take(4).any(|line| line.contains("(README.zh-CN.md)")), "a link to the Chinese README");
    assert!(chinese.lines().take(4).any(|line| line.contains("(README.md)")), "a link to the English README");
    let (ours, theirs) = (outline(&english), outline(&chinese));
    assert_eq!(ours.0, theirs.0, "the headings of README.md and README.zh-CN.md");
    for (ours, theirs) in ours.1.iter().zip(&theirs.1) {
        assert_eq!(ours, theirs, "the blocks of README.md and README.zh-CN.md");
    }
    assert_eq!(ours.1.len(), theirs.1.len(), "the blocks of README.md and README.zh-CN.md");
    assert_eq!(ours.2, theirs.2, "the commands in the sentences of README.md and README.zh-CN.md");
    let rows = |text: &str| text.lines().filter(|line| line.starts_with('|') || line.starts_with("- ")).count();
    assert_eq!(rows(&english), rows(&chinese), "the rows of tables and lists of README.md and README.zh-CN.md");
}
