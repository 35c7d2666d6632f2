//! The program's own commands, as far as completing and describing them needs to know them.

/// What may stand in one place of an own command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// One of these words, each with what may follow it.
    Choice(&'static [Choice]),
    /// The name of an API.
    Api,
    /// The name of an API or of a help topic.
    ApiOrTopic,
    /// The name of a context.
    Context,
    /// The name of a setting of the shell, then its value.
    Setting,
    /// A file.
    File,
    /// The value of the setting before it.
    Value,
    /// Something that cannot be guessed, and how usage calls it.
    Free(&'static str),
}

/// A word of an own command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The word.
    pub(crate) word: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// What may follow it, place by place.
    pub(crate) then: &'static [Takes],
}

const fn choice(word: &'static str, summary: &'static str, then: &'static [Takes]) -> Choice {
    Choice { word, summary, then }
}

/// The own commands, sorted by name.
pub(crate) const COMMANDS: [Choice; 19] = [
    choice("capacity", "how full hosts and storages are", &[]),
    choice(
        "catalog",
        "what is known of the node's APIs",
        &[Takes::Choice(&[
            choice("list", "all APIs", &[]),
            choice("show", "one API, as the catalog has it", &[Takes::Api]),
            choice("version", "the ZStack version it describes", &[]),
        ])],
    ),
    choice("complete", "what Tab would offer at the end of a line", &[Takes::Free("LINE")]),
    choice(
        "completions",
        "the completion script of a shell",
        &[Takes::Choice(&[choice("bash", "", &[]), choice("fish", "", &[]), choice("zsh", "", &[])])],
    ),
    choice(
        "context",
        "saved nodes, accounts and preferences",
        &[Takes::Choice(&[
            choice("delete", "forget a context", &[Takes::Context]),
            choice("list", "all contexts", &[]),
            choice("set", "create or change a context", &[Takes::Context]),
            choice("show", "one context", &[Takes::Context]),
            choice("use", "make it the current one", &[Takes::Context]),
        ])],
    ),
    choice("exit", "leave", &[]),
    choice("help", "on an API or a topic", &[Takes::ApiOrTopic]),
    choice("history", "the commands typed before", &[Takes::Free("[COUNT]")]),
    choice(
        "job",
        "asynchronous actions in progress",
        &[Takes::Choice(&[
            choice("list", "the jobs started from here", &[]),
            choice("show", "the state of one", &[Takes::Free("UUID")]),
            choice("wait", "wait for one to end", &[Takes::Free("UUID")]),
        ])],
    ),
    choice("login", "open a session", &[]),
    choice("logout", "close the session", &[]),
    choice("man", "the manual page", &[]),
    choice("more", "list the last results, or show one again", &[Takes::Free("[N]")]),
    choice("quit", "leave", &[]),
    choice("run", "the commands of a file", &[Takes::File]),
    choice(
        "sandbox",
        "the embedded management node",
        &[Takes::Choice(&[
            choice("path", "where its state is kept", &[]),
            choice("reset", "back to the seed", &[]),
            choice("seed", "print the seed", &[]),
            choice("serve", "listen for other clients", &[]),
        ])],
    ),
    choice("save", "write results to files", &[Takes::Free("N[,N...]"), Takes::File, Takes::Free("[json_only]")]),
    choice("set", "change a setting of this shell", &[Takes::Setting, Takes::Value]),
    choice("zql", "a query in ZQL", &[Takes::Free("QUERY")]),
];

/// A setting of the shell and the values it may have; none means that any may do.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name, as `set` takes it.
    pub name: &'static str,
    /// What it decides, in a few words.
    pub summary: &'static str,
    /// Its values, where they can be told.
    pub values: &'static [&'static str],
}

/// The settings of the shell, sorted by name.
pub const SETTINGS: [Setting; 9] = [
    Setting { name: "color", summary: "when to colour", values: &["auto", "always", "never"] },
    Setting { name: "columns", summary: "columns of tables", values: &[] },
    Setting { name: "confirm", summary: "ask before destroying", values: &["on", "off", "strict"] },
    Setting { name: "live", summary: "ask the node for values on Tab", values: &["on", "off"] },
    Setting {
        name: "output",
        summary: "output format",
        values: &["table", "wide", "vertical", "json", "jsonl", "yaml", "csv", "tsv", "value"],
    },
    Setting { name: "page-size", summary: "rows per request", values: &[] },
    Setting { name: "pager", summary: "page long output", values: &["on", "off"] },
    Setting { name: "secure", summary: "mask secrets", values: &["on", "off"] },
    Setting { name: "timeout", summary: "seconds to wait for a job", values: &[] },
];

/// The own command of that name.
pub(crate) fn find(name: &str) -> Option<&'static Choice> {
    COMMANDS.iter().find(|command| command.word == name)
}

/// What may stand behind `words`, the own command's name and its words so far.
pub(crate) fn wanted_after<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Takes> {
    let mut words = words.into_iter();
    let mut places = find(words.next()?)?.then.iter();
    for word in words {
        if let Takes::Choice(choices) = places.next()?
            && let Some(choice) = choices.iter().find(|choice| choice.word == word)
        {
            places = choice.then.iter();
        }
    }
    places.next().copied()
}

/// The own commands and what they do.
pub fn command_summaries() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.iter().map(|command| (command.word, command.summary))
}

/// How an own command is written: a line for each of its forms.
pub fn command_usage(name: &str) -> Option<String> {
    let command = find(name)?;
    let mut out = format!("{}: {}\n\n", command.word, command.summary);
    usage(&mut out, command.word, command);
    if name == "set" {
        out.push_str("\nSETTINGS\n");
        for Setting { name, summary, values } in &SETTINGS {
            out.push_str(&format!("  {name:<10} {summary:<30} {}\n", values.join(" | ")));
        }
    }
    Some(out)
}

fn usage(out: &mut String, before: &str, choice: &Choice) {
    let mut line = format!("  {before}");
    for place in choice.then {
        let shown = match place {
            Takes::Choice(choices) => {
                for inner in *choices {
                    usage(out, &format!("{before} {}", inner.word), inner);
                }
                return;
            }
            Takes::Api => "API",
            Takes::ApiOrTopic => "[API|TOPIC]",
            Takes::Context => "NAME",
            Takes::Setting => "[NAME",
            Takes::File => "[FILE]",
            Takes::Value => "VALUE]",
            Takes::Free(shown) => shown,
        };
        line.push(' ');
        line.push_str(shown);
    }
    out.push_str(&format!("{line:<36} {}\n", choice.summary));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_described() {
        assert!(COMMANDS.is_sorted_by_key(|command| command.word));
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
        for command in &COMMANDS {
            assert!(!command.summary.is_empty() && command.word == command.word.to_lowercase(), "{}", command.word);
        }
    }

    #[test]
    fn they_are_those_of_the_program() {
        let known = crate::cli::OwnCommand::NAMES.iter().filter(|name| **name != "?");
        let ours: Vec<&str> = COMMANDS.iter().map(|command| command.word).collect();
        assert!(known.clone().all(|name| ours.contains(name)), "{ours:?}");
        assert_eq!(known.count(), ours.len());
    }

    #[test]
    fn places_follow_the_words_before() {
        assert!(matches!(wanted_after(["context"]), Some(Takes::Choice(_))));
        assert!(matches!(wanted_after(["context", "use"]), Some(Takes::Context)));
        assert!(wanted_after(["context", "use", "lab"]).is_none());
        assert!(wanted_after(["context", "bogus"]).is_none());
        assert!(matches!(wanted_after(["save", "1"]), Some(Takes::File)));
        assert!(wanted_after(["nothing"]).is_none());
    }
}
