//! Runs the transcripts of README.md and of doc/*.md, and compares what they print.
//!
//! A block that begins with ```` ```console ```` is a transcript. Its rules:
//!
//! - `$ COMMAND` is a command of a Unix shell. All commands of a document run in one `sh`, in order, in an empty folder
//!   and with a sandbox of their own, so that variables, files and what was created remain. `$ echo $?` shows the exit
//!   code of the command before it. Lines that begin with `> ` continue a command.
//! - `admin@sandbox >>> LINE` is a line at the prompt. Those of a block are one run of the program, with the sandbox.
//! - All other lines are what the command before them prints, standard output and standard error as they come.
//! - A line `...` stands for any lines, or none; `…` in a line stands for any text.
//! - A uuid is as good as any other uuid.
//!
//! In other blocks (`sh`, `text`) nothing is run. `TRANSCRIPTS=write cargo test --test it transcripts` puts what is
//! printed into the documents where it differs; read the difference before you keep it.

use std::path::{Path, PathBuf};

use crate::harness::Home;

/// What the shell prints between the outputs of two commands, before the number of the step.
const MARK: &str = "=====transcript=====";

/// A command with what it prints.
#[derive(Debug)]
struct Step {
    /// The number of its line in the document, from 0.
    line: usize,
    command: Vec<String>,
    is_at_prompt: bool,
    /// Whether it is the first one of its block.
    begins: bool,
    printed: Vec<String>,
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::fs::read_dir(root.join("doc")).expect("the folder of the documents");
    let mut found: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found.push(root.join("README.md"));
    found.sort();
    found
}

/// The command of a line, and whether it is typed at the prompt.
fn command_of(line: &str) -> Option<(&str, bool)> {
    if let Some(command) = line.strip_prefix("$ ") {
        return Some((command, false));
    }
    let (prompt, command) = line.split_once(" >>> ").or_else(|| Some((line.strip_suffix(" >>>")?, "")))?;
    (!prompt.is_empty() && !prompt.contains(' ')).then_some((command, true))
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut begins = None;
    for (number, line) in text.lines().enumerate() {
        match (line, begins) {
            ("```console", None) => begins = Some(true),
            (_, None) => {}
            ("```", _) => begins = None,
            (line, Some(first)) => match command_of(line) {
                Some((command, is_at_prompt)) => {
                    let (command, printed) = (vec![command.to_owned()], Vec::new());
                    steps.push(Step { line: number, command, is_at_prompt, begins: first, printed });
                    begins = Some(false);
                }
                None => {
                    let step = steps.last_mut().filter(|_| !first).expect("a command before its output");
                    match line.strip_prefix("> ").filter(|_| step.printed.is_empty()) {
                        Some(more) => step.command.push(more.to_owned()),
                        None => step.printed.push(line.to_owned()),
                    }
                }
            },
        }
    }
    steps
}

/// A script of `sh` that runs the steps and prints a mark behind each.
fn script(steps: &[Step]) -> String {
    let mut script = String::new();
    let mut is_open = false;
    for (index, step) in steps.iter().enumerate() {
        if is_open && (step.begins || !step.is_at_prompt) {
            script.push_str("END_OF_LINES\n");
            is_open = false;
        }
        let command = step.command.join("\n");
        if step.is_at_prompt {
            if !is_open {
                script.push_str("zstack-cli --sandbox -k -o table <<'END_OF_LINES'\n");
                is_open = true;
            }
            script.push_str(&format!("{command}\nset output |! (echo; echo '{MARK}{index}')\n"));
        } else {
            script.push_str(&format!("{command}\ncode=$?; printf '\\n%s\\n' '{MARK}{index}'; (exit $code)\n"));
        }
    }
    if is_open {
        script.push_str("END_OF_LINES\n");
    }
    script
}

/// What each step printed.
fn printed(home: &Home, steps: &[Step]) -> Vec<Vec<String>> {
    let folder = home.path().join("work");
    std::fs::create_dir(&folder).expect("a new folder");
    let file = home.path().join("script");
    std::fs::write(&file, script(steps)).expect("a new file");
    let programs = Path::new(env!("CARGO_BIN_EXE_zstack-cli")).parent().expect("a folder").to_owned();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg("exec sh \"$0\" 2>&1 < /dev/null").arg(&file).current_dir(&folder);
    shell.env_clear().env("PATH", path).env("ZSTACK_CLI_HOME", home.path()).env("LANG", "en_US.UTF-8");
    let output = shell.output().expect("a Unix shell");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut rest = text.as_str();
    let mut all = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let mark = format!("{MARK}{index}\n");
        let (before, after) =
            rest.split_once(&mark).unwrap_or_else(|| panic!("{:?} did not end:\n{rest}", step.command));
        let before = before.strip_suffix('\n').unwrap_or(before);
        let mut lines: Vec<String> = before.lines().map(str::to_owned).collect();
        if step.is_at_prompt {
            lines.iter_mut().for_each(|line| *line = without_place(line));
        }
        all.push(lines);
        rest = after;
    }
    all
}

/// An error at the prompt does not say in which line it is.
fn without_place(line: &str) -> String {
    let place = line.strip_prefix("error: line ").and_then(|rest| rest.split_once(": "));
    match place.filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit())) {
        Some((_, rest)) => format!("error: {rest}"),
        None => line.to_owned(),
    }
}

/// The line with the same text in the place of each uuid.
fn without_uuids(line: &str) -> String {
    let mut out = String::new();
    for piece in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_uuid = word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        out.push_str(if is_uuid { "UUID" } else { word });
        out.push_str(&piece[word.len()..]);
    }
    out
}

fn line_fits(expected: &str, line: &str) -> bool {
    let (expected, line) = (without_uuids(expected), without_uuids(line));
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn fits(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => (0..=lines.len()).any(|from| fits(rest, &lines[from..])),
        Some((first, rest)) => lines.first().is_some_and(|line| line_fits(first, line)) && fits(rest, &lines[1..]),
    }
}

/// The document with what the steps printed where that differs.
fn rewritten(text: &str, steps: &[Step], printed: &[Vec<String>]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for (step, printed) in steps.iter().zip(printed).rev().filter(|(step, printed)| !fits(&step.printed, printed)) {
        let from = step.line + step.command.len();
        lines.splice(from..from + step.printed.len(), printed.iter().map(String::as_str));
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_transcripts_of_the_documents_are_true() {
    let writes = std::env::var_os("TRANSCRIPTS").is_some_and(|value| value == "write");
    let mut wrong = String::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document");
        let steps = steps(&text);
        if steps.is_empty() {
            continue;
        }
        let printed = printed(&Home::with_cloud(), &steps);
        if writes {
            std::fs::write(&path, rewritten(&text, &steps, &printed)).expect("a writable document");
        }
        for (step, printed) in steps.iter().zip(&printed).filter(|(step, printed)| !fits(&step.printed, printed)) {
            let (place, command) = (format!("{}:{}", path.display(), step.line + 1), step.command.join("\n"));
            let (expected, printed) = (step.printed.join("\n"), printed.join("\n"));
            wrong.push_str(&format!("{place}: {command}\n--- expected\n{expected}\n--- printed\n{printed}\n\n"));
        }
    }
    assert!(wrong.is_empty() || writes, "{wrong}");
}

#[test]
fn transcripts_are_compared_line_by_line() {
    let text = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let uuids = ["1ab3b836a88342e1bbc1b1a17d092f0f", "eed424abee694bcda5a5e414a61ea3d3"];
    for (expected, lines, is_fit) in [
        ("a\nb", "a\nb", true),
        ("a", "a\nb", false),
        ("a\n...", "a\nb\nc", true),
        ("...\nc", "a\nb", false),
        ("took … s", "took 0.3 s", true),
        ("took … s", "took 0.3 m", false),
        ("a … b … c", "a 1 b 2 c", true),
        (uuids[0], uuids[1], true),
        (uuids[0], "1ab3b836", false),
    ] {
        assert_eq!(fits(&text(expected), &text(lines)), is_fit, "{expected:?} {lines:?}");
    }
    let one = steps("```console\n$ a\nx\n```");
    assert_eq!(rewritten("```console\n$ a\nx\n```", &one, &[text("y\nz")]), "```console\n$ a\ny\nz\n```\n");
    let steps = steps("```console\n$ a \\\n> b\nx\nadmin@sandbox >>> c\n```\n```sh\n$ d\n```\n");
    let commands: Vec<_> = steps.iter().map(|step| (step.command.join(" "), step.is_at_prompt)).collect();
    assert_eq!(commands, [("a \\ b".to_owned(), false), ("c".to_owned(), true)]);
}
