//! The manual page: options and commands from the parser, the language and the rest from the topics of `help`.

use crate::cli;
use crate::config::VARIABLES;
use crate::error::Error;
use crate::language::Language;
use crate::session::Invocation;
use crate::shell::{Flow, TOPICS};

use super::help::{WIDTH, settings};

/// What each does, and indented below it the commands.
const EXAMPLES: &str = include_str!("examples.txt");

/// Shows the page on a terminal; elsewhere writes it in roff.
pub(super) fn run(cx: &mut Invocation<'_>) -> Result<Flow, Error> {
    let page = page();
    if cx.out.screen(&cx.settings.ui).terminal {
        cx.write(|out| Ok(out.write_all(readable(&page).as_bytes())?))?;
    } else {
        cx.out.write_text(&page)?;
    }
    Ok(Flow::Continue)
}

/// The manual page in roff.
pub(crate) fn page() -> String {
    let mut page = cli::manual();
    for text in std::iter::once(&settings(Language::English, WIDTH)[..]).chain(TOPICS.iter().map(|topic| topic.text)) {
        let (title, text) = text.split_once('\n').unwrap_or((text, ""));
        page.push_str(&format!(".SH {}\n", escape(title)));
        preformatted(&mut page, text.trim_matches('\n'));
    }
    page.push_str(".SH FILES\n");
    preformatted(
        &mut page,
        "In the user's configuration folder (~/.config/zstack-cli on Linux):\n  \
           config.toml    contexts and preferences; never a password\n\
         In the folder for state (~/.local/state/zstack-cli):\n  \
           credentials/   sessions and access keys, readable by their owner only\n  \
           jobs/          the jobs that this machine submitted\n  \
           results/       earlier results, for more and save, secrets masked\n  \
           history        the commands typed at the prompt, without secrets\n\
         In the folder for data (~/.local/share/zstack-cli):\n  \
           sandbox/       the cloud of the sandbox; `sandbox path` names its file\n\n\
         On macOS all three are in ~/Library/Application Support/zstack-cli. With\n\
         ZSTACK_CLI_HOME=DIR they are DIR, DIR/state and DIR/data.",
    );
    page.push_str(".SH ENVIRONMENT\n");
    let lines = VARIABLES.iter().map(|(names, purpose)| format!("{:<58}  {purpose}\n", names.join(", ")));
    preformatted(&mut page, &lines.collect::<String>());
    page.push_str(".SH EXAMPLES\n");
    preformatted(&mut page, EXAMPLES);
    page.push_str(".SH SEE ALSO\n");
    preformatted(&mut page, "curl(1), jq(1), less(1)");
    page
}

/// A page in roff as text: headings, and below them what they head.
fn readable(page: &str) -> String {
    let mut text = String::new();
    let mut is_term = false;
    let mut indent = "    ";
    for line in page.lines() {
        let Some(request) = line.strip_prefix('.') else {
            let shown = unescape(line);
            text.push_str(if is_term { "    " } else { indent });
            text.push_str(&shown);
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
            if std::mem::take(&mut is_term) {
                indent = "        ";
            }
            continue;
        };
        match request.split_once(' ').unwrap_or((request, "")) {
            ("SH", title) => {
                text.push_str(&format!("{}{}\n", if text.is_empty() { "" } else { "\n" }, unescape(title)));
                indent = "    ";
            }
            ("SS", title) => text.push_str(&format!("\n  {}\n", unescape(title))),
            ("TP", _) => is_term = true,
            ("PP", _) => {
                text.push('\n');
                indent = "    ";
            }
            _ => {}
        }
    }
    text
}

/// A line of roff as it is read.
fn unescape(line: &str) -> String {
    let line = line.replace("\\*(Aq", "'").replace("\\-", "-").replace("\\&", "");
    let line = ["\\fB", "\\fI", "\\fR"].iter().fold(line, |line, font| line.replace(font, ""));
    line.replace("\\e", "\\")
}

/// Adds text as it stands.
fn preformatted(page: &mut String, text: &str) {
    page.push_str(".nf\n");
    for line in text.trim_end().lines() {
        page.push_str(&escape(line));
        page.push('\n');
    }
    page.push_str(".fi\n");
}

/// Escapes text for roff.
fn escape(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_options_commands_and_topics_once() {
        let page = page();
        for part in
            ["\\-\\-fail\\-empty", "sandbox serve", "\\-\\-iam2\\-ldap", ".SH QUERIES", ".SH EXIT CODES", ".SH FILES"]
        {
            assert!(page.contains(part), "{part}");
        }
        assert_eq!(page.matches(".SH NAME").count(), 1);
        // The date stands where the date belongs, and the version behind it.
        let title = page.lines().find(|line| line.starts_with(".TH ")).expect("a title");
        assert!(title.split(' ').nth(3).is_some_and(|date| date.starts_with("20")), "{title}");
    }

    #[test]
    fn a_terminal_shows_text() {
        let page = ".TH x 1\n.SH NAME\nzstack\\-cli \\- it\\*(Aqs\n.SH OPTIONS\n.SS Node\n.TP\n\\fB\\-h\\fR\nHelp\n.nf\n  a\\eb\n";
        assert_eq!(
            readable(page),
            "NAME\n    zstack-cli - it's\n\nOPTIONS\n\n  Node\n    -h\n        Help\n          a\\b\n"
        );
        let shown = readable(&super::page());
        assert!(!shown.contains("\\f") && !shown.contains("\n.") && shown.contains("\nEXIT CODES\n"));
    }

    #[test]
    fn nothing_in_a_text_is_taken_for_roff() {
        assert_eq!(escape(".SH a\\b-c"), "\\&.SH a\\eb\\-c");
        assert_eq!(escape("'x'"), "\\&'x'");
    }
}
