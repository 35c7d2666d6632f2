//! The transcripts in the README and the documents are true.
//!
//! In each document the blocks are run from top to bottom, in one folder, with one cloud of the sandbox:
//!
//! - a block `console` is a Unix shell: each `$ ` begins a command, `> ` continues it, and what follows is what it prints
//!   on standard output and standard error. One `sh` runs the whole document, so that variables stay, and `$ echo $?`
//!   shows the exit code of the command before it;
//! - a block `zstack` is the prompt, `admin@sandbox >>> `, on a terminal of 100 columns;
//! - a block with a file's name behind its kind, such as `text nightly.zs`, is written to that file.
//!
//! In what is printed, `…` stands for any text, and alone on a line for any lines. `UPDATE_DOCUMENTS=1 cargo test --test it
//! transcripts` writes what is printed now into the documents, for the reader to look over.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::Home;
use crate::terminal::{CTRL_L, ENTER, Terminal};

const PROMPT: &str = "admin@sandbox >>>";
/// The size of the terminal; nothing scrolls off it.
const SIZE: (u16, u16) = (100, 400);

/// The sandbox's jobs take no time that a reader of the documents would see.
const SPEED: (&str, &str) = ("ZSTACK_SANDBOX_SPEED", "50");

/// A piece of a document.
enum Piece {
    /// What is not run.
    Text(String),
    /// A command, as it stands in the document with its prompt, and what it prints.
    Step { at_prompt: bool, head: String, command: String, printed: String },
    /// A file that the reader writes.
    File { name: String, text: String },
}

/// Takes a document apart. The texts of all pieces in order are the document.
fn pieces(document: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut kind: Option<String> = None;
    for line in document.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        if let Some(rest) = bare.strip_prefix("```") {
            kind = if kind.is_some() { None } else { Some(rest.to_owned()) };
            push_text(&mut pieces, line);
            if let Some((_, name)) = kind.as_deref().and_then(|kind| kind.split_once(' ')) {
                pieces.push(Piece::File { name: name.to_owned(), text: String::new() });
            }
            continue;
        }
        let at_prompt = kind.as_deref() == Some("zstack");
        let command = match kind.as_deref() {
            Some("console") => bare.strip_prefix("$ "),
            Some("zstack") => bare.strip_prefix(PROMPT).and_then(|rest| rest.strip_prefix(' ')),
            _ => None,
        };
        match (command, pieces.last_mut()) {
            (Some(command), _) => pieces.push(Piece::Step {
                at_prompt,
                head: line.to_owned(),
                command: command.to_owned(),
                printed: String::new(),
            }),
            (None, Some(Piece::Step { head, command, printed, at_prompt: false }))
                if printed.is_empty() && bare.starts_with("> ") =>
            {
                head.push_str(line);
                command.push('\n');
                command.push_str(&bare[2..]);
            }
            (None, Some(Piece::Step { printed, .. })) => printed.push_str(line),
            (None, Some(Piece::File { text, .. })) if kind.is_some() => text.push_str(line),
            _ => push_text(&mut pieces, line),
        }
    }
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, line: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(text)) => text.push_str(line),
        _ => pieces.push(Piece::Text(line.to_owned())),
    }
}

/// Whether a text is what a pattern describes, in which `…` is any text within a line, and alone on a line any lines.
fn matches(pattern: &[&str], lines: &[&str]) -> bool {
    match pattern.split_first() {
        None => lines.is_empty(),
        Some((&"…", rest)) => (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..])),
        Some((first, rest)) => {
            lines.split_first().is_some_and(|(line, lines)| line_matches(first, line) && matches(rest, lines))
        }
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.trim_end().split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.trim_end().strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Runs the documents' commands and says what they print.
struct Reader {
    home: Home,
    /// The Unix shell that runs the document, and what it prints.
    shell: Option<(std::process::Child, std::io::BufReader<std::io::PipeReader>)>,
    prompt: Option<Terminal>,
}

impl Reader {
    fn new() -> Reader {
        Reader { home: Home::with_cloud(), shell: None, prompt: None }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("reader")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.folder()).expect("a folder");
        std::fs::write(self.folder().join(name), text).expect("a file of the document");
    }

    /// Runs a command of the Unix shell.
    fn run(&mut self, command: &str) -> String {
        use std::io::BufRead;

        const END: &str = "-- the end of the command --";
        if self.shell.is_none() {
            std::fs::create_dir_all(self.folder()).expect("a folder");
            let program = Path::new(env!("CARGO_BIN_EXE_zstack-cli")).parent().expect("the folder of the binary");
            let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
            let (read, write) = std::io::pipe().expect("a pipe");
            let shell = Command::new("sh")
                .env_clear()
                .env("PATH", path)
                .env("LANG", "en_US.UTF-8")
                .env(SPEED.0, SPEED.1)
                .env("ZSTACK_CLI_HOME", self.home.path())
                .current_dir(self.folder())
                .stdin(Stdio::piped())
                .stdout(write.try_clone().expect("the pipe"))
                .stderr(write)
                .spawn();
            self.shell = Some((shell.expect("there is a sh"), std::io::BufReader::new(read)));
        }
        let (shell, printed) = self.shell.as_mut().expect("a shell");
        let input = shell.stdin.as_mut().expect("a pipe");
        // The exit code is put back, so that the next command can show it.
        let end = format!("code=$?; echo; echo '{END}'; (exit $code)");
        writeln!(input, "{{ {command}\n}} </dev/null; {end}").expect("the shell reads");
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let count = printed.read_line(&mut line).expect("text");
            assert!(count > 0, "the shell ended: {command}\n{text}");
            if line.trim_end() == END {
                // The line end before the mark, which stands there for output without one.
                text.pop();
                return text;
            }
            text.push_str(&line);
        }
    }

    /// Types a line at the prompt.
    fn line(&mut self, line: &str) -> String {
        let home = &self.home;
        let terminal = self.prompt.get_or_insert_with(|| {
            let words = ["--sandbox", "--no-pager"];
            let program = env!("CARGO_BIN_EXE_zstack-cli");
            let terminal = Terminal::run_with(home, SIZE, program, &words, &[SPEED]);
            terminal.prompt(PROMPT);
            terminal
        });
        // Each line begins at the top of the screen.
        terminal.keys(CTRL_L);
        terminal.prompt_in(PROMPT, ..=0);
        terminal.keys(&format!("{line}{ENTER}"));
        terminal.prompt_in(PROMPT, 1..);
        let screen = terminal.screen();
        let typed = (PROMPT.len() + 1 + line.chars().count()) / usize::from(SIZE.0) + 1;
        let end = usize::from(screen.cursor_position().0);
        let rows = screen.rows(0, SIZE.0).take(end).skip(typed);
        rows.map(|row| format!("{}\n", row.trim_end())).collect()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some((shell, _)) = &mut self.shell {
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}

/// Runs a document and returns it with what is printed now, and what differs from what it says.
fn run(document: &str) -> (String, Vec<String>) {
    let mut reader = Reader::new();
    let (mut now, mut differences) = (String::new(), Vec::new());
    for piece in pieces(document) {
        match piece {
            Piece::Text(text) => now.push_str(&text),
            Piece::File { name, text } => {
                reader.write(&name, &text);
                now.push_str(&text);
            }
            Piece::Step { at_prompt, head, command, printed } => {
                let actual = if at_prompt { reader.line(&command) } else { reader.run(&command) };
                let (pattern, lines): (Vec<&str>, Vec<&str>) = (printed.lines().collect(), actual.lines().collect());
                now.push_str(&head);
                if matches(&pattern, &lines) {
                    now.push_str(&printed);
                } else {
                    differences.push(format!("{command}\n--- the document says\n{printed}--- it prints\n{actual}"));
                    now.push_str(&actual);
                }
            }
        }
    }
    (now, differences)
}

/// The README files and all documents of `doc` that have transcripts.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.to_owned(), root.join("doc")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("a folder of the tree"));
    let mut documents: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.sort();
    documents
}

#[test]
fn what_the_documents_show_is_what_is_printed() {
    let is_updated = std::env::var_os("UPDATE_DOCUMENTS").is_some();
    let checked = documents().into_iter().map(|path| {
        std::thread::spawn(move || {
            let text = std::fs::read_to_string(&path).expect("a document");
            let (now, differences) = run(&text);
            if is_updated && now != text {
                std::fs::write(&path, now).expect("a document is written");
            }
            differences.into_iter().map(|difference| format!("{}: {difference}", path.display())).collect::<Vec<_>>()
        })
    });
    let threads: Vec<_> = checked.collect();
    let differences: Vec<String> = threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect();
    assert!(is_updated || differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn an_ellipsis_stands_for_any_text() {
    assert!(line_matches("uuid: … -> ba1c…", "uuid: web-1 -> ba1ca804"));
    assert!(line_matches("…", "") && line_matches("", "") && !line_matches("a", "ab") && !line_matches("a…c", "ab"));
    assert!(matches(&["a", "…", "z"], &["a", "b", "c", "z"]) && matches(&["…"], &[]) && !matches(&["a"], &["a", "b"]));
}
