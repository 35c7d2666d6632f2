//! The topics that `help` has besides APIs.

use crate::language::Language;

/// A topic of `help`.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What the user types after `help`.
    pub name: &'static str,
    /// A summary of one line.
    pub summary: &'static str,
    /// The text of the page.
    pub text: &'static str,
    /// The text of the page in Chinese.
    chinese: &'static str,
}

impl Topic {
    /// Returns the text of the page in a language.
    pub fn text_in(&self, language: Language) -> &'static str {
        language.choose(self.text, self.chinese)
    }
}

macro_rules! topic {
    ($name:literal, $summary:literal) => {
        Topic {
            name: $name,
            summary: $summary,
            text: include_str!(concat!("topics/", $name, ".txt")),
            chinese: include_str!(concat!("topics/zh/", $name, ".txt")),
        }
    };
}

/// All topics, in the order of the overview.
pub const TOPICS: [Topic; 16] = [
    topic!("query", "Conditions, operators and query parameters"),
    topic!("values", "How to write values"),
    topic!("names", "Names in the place of uuids"),
    topic!("output", "Formats, columns, filters, redirection"),
    topic!("monitoring", "Metrics, events, alarms and audits"),
    topic!("scripts", "Several commands, variables, aliases, scripts"),
    topic!("each", "A line for each row of a file"),
    topic!("sql", "SELECT over the inventories"),
    topic!("inspect", "Checks of a cloud, and your own"),
    topic!("shell", "Keys, completion, history"),
    topic!("contexts", "Saved nodes, accounts, logging in"),
    topic!("catalog", "Versions of ZStack, and APIs that a node lacks"),
    topic!("sandbox", "The embedded management node"),
    topic!("secrets", "What is masked, and where"),
    topic!("exit-codes", "The exit codes of the program"),
    topic!("errors", "Errors as JSON, for programs"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::width::width;

    #[test]
    fn pages_fit_a_screen() {
        for topic in &TOPICS {
            assert!(!topic.summary.is_empty(), "{}", topic.name);
            for text in [topic.text, topic.chinese] {
                assert!(text.lines().count() <= 40, "{}", topic.name);
                for line in text.lines() {
                    assert!(width(line) < 80, "{}: {line}", topic.name);
                }
            }
        }
    }
}
