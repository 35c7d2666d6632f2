//! The program's own commands, as far as completing and describing them needs to know them.
//!
//! The parser of the command line has the same words; a test below holds the two together.

use super::options::{OptionSpec, OptionValue, option};

/// What may stand in one place of an own command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// One of these words, each with what may follow it.
    Choice(&'static [Choice]),
    /// One of these words, which say themselves what they mean.
    OneOf(&'static [&'static str]),
    /// The name of an API.
    Api,
    /// The name of an API or of a help topic.
    ApiOrTopic,
    /// The name of a context.
    Context,
    /// Keys of a context with their values, as often as one likes.
    Preferences,
    /// The name of a setting of the shell, then its value.
    Setting,
    /// A path that the catalog has with the verb before it.
    Path,
    /// A file.
    File,
    /// A version of ZStack.
    Version,
    /// The value of the setting before it.
    Value,
    /// Something that cannot be guessed.
    Free,
}

/// A word of an own command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The word.
    pub(crate) word: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// What stands behind it other than one of its own words.
    usage: &'static str,
    /// What may follow it, place by place.
    then: &'static [Takes],
    /// The options that are its own.
    options: &'static [OptionSpec],
}

const fn choice(word: &'static str, summary: &'static str, usage: &'static str, then: &'static [Takes]) -> Choice {
    Choice { word, summary, usage, then, options: &[] }
}

impl Choice {
    const fn with(self, options: &'static [OptionSpec]) -> Choice {
        Choice { options, ..self }
    }
}

/// The own commands, sorted by name.
pub(crate) const COMMANDS: [Choice; 20] = [
    choice("capacity", "how full hosts, primary and backup storages are", "", &[]),
    choice(
        "catalog",
        "what the program knows of the APIs",
        "",
        &[Takes::Choice(&[
            choice(
                "diff",
                "list what is new, gone or changed between two ZStack versions",
                "VERSION OTHER",
                &[Takes::Version, Takes::Version],
            ),
            choice("import", "read the APIs of a node from its Java SDK, sdk-VERSION.jar", "FILE", &[Takes::File])
                .with(&[option(
                    "",
                    "--version",
                    OptionValue::Any("VERSION"),
                    "its ZStack version, where neither its name nor its manifest says it",
                )]),
            choice("list", "list the APIs", "[PART]", &[]).with(&[option(
                "",
                "--since",
                OptionValue::Any("VERSION"),
                "only APIs that are new in this ZStack version or a later one",
            )]),
            choice("show", "show an API or inventory as JSON", "NAME", &[Takes::Api]),
            choice("sync", "ask the node what it offers, and list the APIs that it lacks", "", &[]),
            choice(
                "use",
                "use the catalog of one ZStack version; auto asks the node",
                "VERSION|auto",
                &[Takes::Version],
            ),
            choice("version", "the ZStack versions that the program knows", "", &[]),
        ])],
    ),
    choice("complete", "what Tab would offer at the end of LINE", "[LINE ...]", &[Takes::Free]),
    choice("completions", "print a completion script", "bash|zsh|fish", &[Takes::OneOf(&["bash", "fish", "zsh"])]),
    choice(
        "context",
        "saved nodes, accounts and preferences",
        "",
        &[Takes::Choice(&[
            choice("delete", "delete a context", "NAME", &[Takes::Context]),
            choice("list", "list the contexts", "", &[]),
            choice(
                "set",
                "create or change a context; --url names its node",
                "NAME [KEY=VALUE ...]",
                &[Takes::Context, Takes::Preferences],
            ),
            choice("show", "show a context", "[NAME]", &[Takes::Context]),
            choice("use", "use a context from now on", "NAME", &[Takes::Context]),
        ])],
    ),
    choice("exit", "leave the shell", "", &[]),
    choice("help", "what an API takes and returns, or a topic", "[API|TOPIC ...]", &[Takes::ApiOrTopic]),
    choice("history", "show the commands typed before", "[COUNT]", &[Takes::Free]),
    choice(
        "job",
        "asynchronous jobs that this machine submitted; a uuid shows one",
        "[UUID]",
        &[Takes::Choice(&[
            choice("list", "list the jobs that this machine submitted", "", &[]),
            choice("show", "show how far a job is, or what came of it", "UUID", &[Takes::Free]),
            choice(
                "wait",
                "wait for the end of jobs, and print the result where it is one",
                "UUID ...",
                &[Takes::Free],
            ),
        ])],
    ),
    choice("login", "open a session; the password is asked for", "[ACCOUNT]", &[Takes::Free]).with(&[
        option("", "--user", OptionValue::Any("USER"), "log in as a user of the account"),
        option("", "--ldap", OptionValue::Any("UID"), "log in through LDAP with this uid"),
        option("", "--iam2", OptionValue::Any("NAME"), "log in as an IAM2 virtual id"),
        option("", "--iam2-ldap", OptionValue::Any("UID"), "log in as an IAM2 virtual id that LDAP knows by this uid"),
        option(
            "",
            "--cas",
            OptionValue::Any("NAME"),
            "log in by a CAS server with this name; --type says of which kind",
        ),
        option("", "--type", OptionValue::Any("TYPE"), "the type of log-in, for the account or for --cas"),
        option("", "--project", OptionValue::Any("NAME"), "then work in an IAM2 project of this name"),
        option("", "--platform", OptionValue::None, "then work on the whole IAM2 platform"),
        option(
            "",
            "--code",
            OptionValue::Any("DIGITS"),
            "the code of the second factor, where one is due; on a terminal it is asked for",
        ),
        option(
            "",
            "--access-key",
            OptionValue::Any("ID"),
            "use an access key instead of a session: its id; the secret is asked for",
        ),
    ]),
    choice("logout", "close the session", "", &[]),
    choice("man", "print the manual page", "", &[]),
    choice("more", "show an earlier result again, or list them", "[N]", &[Takes::Free]),
    choice("quit", "leave the shell", "", &[]),
    choice(
        "raw",
        "send any request to the node, and wait for its job",
        "METHOD PATH [BODY]",
        &[Takes::OneOf(&["DELETE", "GET", "POST", "PUT"]), Takes::Path, Takes::Free],
    ),
    choice("run", "run the commands of a file", "FILE", &[Takes::File]),
    choice(
        "sandbox",
        "a management node of your own, for trying and testing",
        "",
        &[Takes::Choice(&[
            choice("path", "where its state lies", "", &[]),
            choice("reset", "throw its state away and begin anew", "", &[]),
            choice("seed", "fill it with the small cloud again, or a large one", "", &[]).with(&[option(
                "",
                "--vms",
                OptionValue::Any("N"),
                "how many VMs",
            )]),
            choice("serve", "serve the sandbox to other clients; --port tells where (8080)", "", &[]).with(&[
                option("", "--bind", OptionValue::Any("ADDRESS"), "the address to listen on"),
                option(
                    "",
                    "--edition",
                    OptionValue::OneOf("EDITION", &["full", "open"]),
                    "the edition to simulate: full, or open, which lacks the premium APIs",
                ),
                option(
                    "",
                    "--version",
                    OptionValue::Any("VERSION"),
                    "the ZStack version to simulate, such as 4.8.0, without what is newer",
                ),
                option("", "--speed", OptionValue::Any("N"), "how much faster than in life jobs run"),
                option(
                    "",
                    "--fault",
                    OptionValue::OneOf(
                        "KIND[:API][:RATE]",
                        &[
                            "slow",
                            "cut-before",
                            "cut-after",
                            "empty-500",
                            "html",
                            "truncated",
                            "job-lost",
                            "starting",
                            "location",
                            "clock-off",
                        ],
                    ),
                    "trouble on demand, for one API, at a rate of 0 to 1",
                ),
                option("", "--seed", OptionValue::Any("N"), "seed of the faults' chance"),
            ]),
        ])],
    ),
    choice(
        "save",
        "write earlier results to files",
        "N[,N...] [FILE|DIR] [json_only]",
        &[Takes::Free, Takes::File, Takes::OneOf(&["json_only"])],
    ),
    choice("set", "show or change a setting of the shell", "[NAME] [VALUE ...]", &[Takes::Setting, Takes::Value]),
    choice("zql", "send a statement of the node's query language ZQL", "QUERY ...", &[Takes::Free]),
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
pub const SETTINGS: [Setting; 14] = [
    Setting { name: "border", summary: "lines of a table", values: &["ascii", "unicode", "markdown", "none"] },
    Setting { name: "color", summary: "when to colour", values: &["auto", "always", "never"] },
    Setting { name: "columns", summary: "columns of tables", values: &[] },
    Setting { name: "confirm", summary: "ask before destroying", values: &["on", "off", "strict"] },
    Setting { name: "errors", summary: "how errors are written", values: &["text", "json"] },
    Setting { name: "live", summary: "ask the node for values on Tab", values: &["on", "off"] },
    Setting { name: "max-width", summary: "widest table, in columns", values: &[] },
    Setting {
        name: "output",
        summary: "output format",
        values: &["table", "wide", "vertical", "json", "jsonl", "yaml", "csv", "tsv", "value"],
    },
    Setting { name: "page-size", summary: "rows per request", values: &[] },
    Setting { name: "pager", summary: "page long output", values: &["on", "off"] },
    Setting { name: "secure", summary: "mask secrets", values: &["on", "off"] },
    Setting { name: "sort-by", summary: "column to sort by, or -column", values: &[] },
    Setting { name: "timeout", summary: "seconds to wait for a job", values: &[] },
    Setting { name: "wrap", summary: "wrap wide cells", values: &["on", "off"] },
];

/// The keys of a context, sorted by name.
pub(super) const PREFERENCES: [Setting; 18] = [
    Setting { name: "account", summary: "who logs in", values: &[] },
    Setting { name: "cacert", summary: "certificates to trust", values: &[] },
    Setting { name: "catalog", summary: "the ZStack version whose catalog is used", values: &[] },
    Setting { name: "color", summary: "when to colour", values: &["auto", "always", "never"] },
    Setting { name: "columns", summary: "columns of tables", values: &[] },
    Setting { name: "confirm", summary: "ask before destroying", values: &["true", "false", "strict"] },
    Setting { name: "credentials", summary: "where sessions are kept", values: &["file", "keyring"] },
    Setting { name: "errors", summary: "how errors are written", values: &["text", "json"] },
    Setting { name: "insecure", summary: "trust any certificate", values: &["true", "false"] },
    Setting { name: "login", summary: "how to log in", values: &["account", "user", "ldap", "iam2", "iam2-ldap"] },
    Setting {
        name: "output",
        summary: "output format",
        values: &["table", "wide", "vertical", "json", "jsonl", "yaml", "csv", "tsv", "value"],
    },
    Setting { name: "page-size", summary: "rows per request", values: &[] },
    Setting { name: "pager", summary: "the program for long output, or off", values: &[] },
    Setting {
        name: "prompt-color",
        summary: "colour of the prompt",
        values: &["red", "green", "yellow", "blue", "magenta", "cyan"],
    },
    Setting { name: "time-zone", summary: "the node's, for access keys", values: &[] },
    Setting { name: "timeout", summary: "seconds to wait for a job", values: &[] },
    Setting { name: "url", summary: "whole base URL of the node", values: &[] },
    Setting { name: "user", summary: "the user of the account", values: &[] },
];

/// The own command of that name.
pub(crate) fn find(name: &str) -> Option<&'static Choice> {
    COMMANDS.iter().find(|command| command.word == name)
}

/// The word that `words` lead to, the own command's name first, and what may stand behind it.
fn reached<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<(&'static Choice, Option<Takes>)> {
    let mut words = words.into_iter();
    let mut here = find(words.next()?)?;
    let mut places = here.then.iter();
    for word in words {
        if let Some(Takes::Choice(choices)) = places.next()
            && let Some(choice) = choices.iter().find(|choice| choice.word == word)
        {
            here = choice;
            places = choice.then.iter();
        }
    }
    let last = here.then.last().filter(|last| matches!(last, Takes::Preferences));
    Some((here, places.next().or(last).copied()))
}

/// What may stand behind `words`, the own command's name and its words so far.
pub(crate) fn wanted_after<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Takes> {
    reached(words)?.1
}

/// The options that may stand behind `words` besides the program's.
pub(super) fn options_after<'w>(words: impl IntoIterator<Item = &'w str>) -> &'static [OptionSpec] {
    reached(words).map_or(&[], |(choice, _)| choice.options)
}

/// The own commands and what they do.
pub fn command_summaries() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.iter().map(|command| (command.word, command.summary))
}

/// How an own command is written: a line for each of its forms and options.
pub fn command_usage(name: &str) -> Option<String> {
    let command = find(name)?;
    let mut rows = Vec::new();
    usage(&mut rows, command.word, command);
    if !matches!(command.then, [Takes::Choice(_)]) {
        // The summary stands above already.
        rows[0].1 = "";
        if rows.len() == 1 && rows[0].0 == command.word {
            rows.clear();
        }
    }
    let width = rows.iter().map(|(form, _)| form.len()).max().unwrap_or_default();
    let mut out = format!("{}: {}\n", command.word, command.summary);
    for (index, (form, summary)) in rows.iter().enumerate() {
        out.push_str(if index == 0 { "\n" } else { "" });
        out.push_str(format!("  {form:<width$}  {summary}").trim_end());
        out.push('\n');
    }
    if name == "set" {
        out.push('\n');
        out.push_str(&settings());
    }
    Some(out)
}

/// The settings of the shell, a line each.
pub fn settings() -> String {
    let mut out = String::from("SETTINGS (VALUE `default` undoes one)\n");
    for Setting { name, summary, values } in &SETTINGS {
        out.push_str(format!("  {name:<10} {summary:<30}  {}", values.join(" | ")).trim_end());
        out.push('\n');
    }
    out
}

fn usage(rows: &mut Vec<(String, &'static str)>, before: &str, choice: &'static Choice) {
    if let [Takes::Choice(choices)] = choice.then {
        if !choice.usage.is_empty() {
            rows.push((format!("{before} {}", choice.usage), ""));
        }
        for inner in *choices {
            usage(rows, &format!("{before} {}", inner.word), inner);
        }
        return;
    }
    rows.push((format!("{before} {}", choice.usage).trim_end().to_owned(), choice.summary));
    for option in choice.options {
        let value = option.value.shown().map(|value| format!(" {value}")).unwrap_or_default();
        rows.push((format!("    {}{value}", option.long), option.summary));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(COMMANDS.is_sorted_by_key(|command| command.word));
        assert!(SETTINGS.is_sorted_by_key(|setting| setting.name));
        assert!(PREFERENCES.is_sorted_by_key(|setting| setting.name));
    }

    #[test]
    fn preferences_are_those_of_a_context() {
        use crate::config;
        assert_eq!(config::Setting::names().count(), PREFERENCES.len());
        for Setting { name, values, .. } in PREFERENCES {
            let setting = config::Setting::of_name(name).unwrap_or_else(|| panic!("{name} is none"));
            assert_eq!(setting.values(), values, "{name}");
        }
    }

    /// How the parser's positional words are written.
    fn positionals(command: &clap::Command) -> String {
        let shown = command.get_positionals().map(|argument| {
            let name = argument.get_value_names().expect("a name")[0].as_str();
            let several = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
            let name = if several { format!("{name} ...") } else { name.to_owned() };
            if argument.is_required_set() { name } else { format!("[{name}]") }
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    /// The first paragraph of a help text, as it stands in a list.
    fn summary(text: &clap::builder::StyledStr) -> String {
        let text = text.to_string();
        let capital = text.chars().nth(1).is_some_and(char::is_uppercase);
        if capital { text } else { text[..1].to_lowercase() + &text[1..] }
    }

    fn assert_same(choices: &[Choice], parser: &clap::Command) {
        let mut words: Vec<&str> = parser.get_subcommands().map(clap::Command::get_name).collect();
        words.sort_unstable();
        assert_eq!(choices.iter().map(|choice| choice.word).collect::<Vec<_>>(), words, "{}", parser.get_name());
        for choice in choices {
            let command = parser.find_subcommand(choice.word).expect("it is one of them");
            assert_eq!(choice.summary, summary(command.get_about().expect("a summary")), "{}", choice.word);
            assert_eq!(choice.usage, positionals(command), "{}", choice.word);
            let ours: Vec<_> = choice
                .options
                .iter()
                .map(|option| {
                    (option.long.to_owned(), option.value.shown().map(str::to_owned), option.summary.to_owned())
                })
                .collect();
            let parsed = command.get_opts().filter(|option| !option.is_global_set() && option.get_id() != "help");
            let parsed: Vec<_> = parsed
                .map(|option| {
                    let value = option.get_action().takes_values();
                    let value = value.then(|| option.get_value_names().expect("a name")[0].to_string());
                    let help = summary(option.get_help().expect("a help"));
                    let help = help.split(": slow,").next().unwrap_or_default().to_owned();
                    (format!("--{}", option.get_long().expect("a long name")), value, help)
                })
                .collect();
            assert_eq!(ours, parsed, "{}", choice.word);
            match choice.then {
                [Takes::Choice(inner)] => assert_same(inner, command),
                _ => assert_eq!(command.get_subcommands().count(), 0, "{}", choice.word),
            }
        }
    }

    #[test]
    fn they_are_those_of_the_parser() {
        let parser = <crate::cli::OwnCommand as clap::Subcommand>::augment_subcommands(clap::Command::new("x"));
        assert_same(&COMMANDS, &parser);
    }

    #[test]
    fn usage_does_not_say_the_same_twice() {
        assert_eq!(command_usage("exit").as_deref(), Some("exit: leave the shell\n"));
        assert_eq!(
            command_usage("history").as_deref(),
            Some("history: show the commands typed before\n\n  history [COUNT]\n")
        );
        let sandbox = command_usage("sandbox").expect("a command");
        assert!(sandbox.contains("\n  sandbox seed "), "{sandbox}");
        assert!(sandbox.contains("\n      --fault KIND[:API][:RATE]  trouble on demand"), "{sandbox}");
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

    #[test]
    fn options_belong_to_the_word_before() {
        let names =
            |words: &[&str]| options_after(words.iter().copied()).iter().map(|option| option.long).collect::<Vec<_>>();
        assert!(names(&["login"]).contains(&"--access-key"));
        assert_eq!(names(&["sandbox", "seed"]), ["--vms"]);
        assert!(names(&["sandbox"]).is_empty() && names(&["QueryZone"]).is_empty());
    }
}
