//! The README's transcripts are true, and generated files are those that the program generates.

use std::path::Path;

use crate::harness::Home;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of the README's transcripts, each with what it prints.
fn transcripts() -> Vec<(String, String)> {
    let text = read("README.md");
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        for line in block.split("```").next().expect("a closed block").lines() {
            match line.strip_prefix("$ zstack-cli ") {
                Some(command) => commands.push((command.to_owned(), String::new())),
                None => {
                    let (_, printed) = commands.last_mut().expect("a command before its output");
                    printed.push_str(line);
                    printed.push('\n');
                }
            }
        }
    }
    commands
}

/// Splits as a shell does; the transcripts use single quotes only.
fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for (index, piece) in command.split('\'').enumerate() {
        if index % 2 == 1 {
            words.last_mut().expect("a word before the quote").push_str(piece);
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_transcripts_of_the_readme_are_true() {
    let home = Home::with_cloud();
    let transcripts = transcripts();
    assert!(transcripts.len() >= 4);
    for (command, printed) in transcripts {
        let done = home.run(words(&command)).done();
        assert_eq!(format!("{}{}", done.out(), done.err()), printed, "{command}");
    }
}

#[test]
fn the_manual_page_is_the_generated_one() {
    let made = Home::new().run_once(["man"]).succeeds().out();
    assert!(read("doc/zstack-cli.1") == made, "run: zstack-cli man > doc/zstack-cli.1");
}

#[test]
fn the_completion_scripts_are_those_of_the_folder() {
    for (shell, file) in [("bash", "zstack-cli.bash"), ("zsh", "_zstack-cli"), ("fish", "zstack-cli.fish")] {
        let made = Home::new().run_once(["completions", shell]).succeeds().out();
        assert!(read(&format!("completions/{file}")) == made, "completions/{file}");
    }
}
