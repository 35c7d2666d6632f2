//! The manual page: the options from the parser, the language and the rest from the topics of `help`.

use crate::cli;
use crate::shell::TOPICS;
use crate::shell::complete::{command_summaries, command_usage};

/// The manual page in roff.
pub(crate) fn page() -> String {
    let mut page = cli::options_page();
    page.push_str(".SH COMMANDS\n");
    for (name, _) in command_summaries() {
        preformatted(&mut page, &command_usage(name).unwrap_or_default());
        page.push_str(".PP\n");
    }
    for topic in &TOPICS {
        let (title, text) = topic.text.split_once('\n').unwrap_or((topic.name, topic.text));
        page.push_str(&format!(".SH {}\n", escape(title)));
        preformatted(&mut page, text.trim_matches('\n'));
    }
    page.push_str(".SH FILES\n");
    preformatted(
        &mut page,
        "config.toml    contexts and preferences, in the platform's configuration folder\n\
         credentials    sessions and access keys, readable by their owner only\n\
         history        the commands typed at the prompt, without secrets\n\
         ZSTACK_CLI_HOME puts all of it under one folder.",
    );
    page.push_str(".SH ENVIRONMENT\n");
    preformatted(
        &mut page,
        "ZSTACK_HOST, ZSTACK_PORT, ZSTACK_URL, ZSTACK_CONTEXT    which node\n\
         ZSTACK_PASSWORD, ZSTACK_SESSION_UUID                    how to log in\n\
         ZSTACK_ACCESS_KEY_ID, ZSTACK_ACCESS_KEY_SECRET          or how to sign\n\
         ZSTACK_OUTPUT                                           the format\n\
         NO_COLOR, PAGER, http_proxy, https_proxy, no_proxy      as usual",
    );
    page
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

/// Text without meaning for roff.
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
        for part in ["\\-\\-fail\\-empty", "sandbox serve", ".SH QUERIES", ".SH EXIT CODES", ".SH FILES"] {
            assert!(page.contains(part), "{part}");
        }
        assert_eq!(page.matches(".SH NAME").count(), 1);
    }

    #[test]
    fn nothing_in_a_text_is_taken_for_roff() {
        assert_eq!(escape(".SH a\\b-c"), "\\&.SH a\\eb\\-c");
        assert_eq!(escape("'x'"), "\\&'x'");
    }
}
