//! The program's options, as far as completing them needs to know them.

/// What an option's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionValue {
    /// It takes none.
    None,
    /// It takes one that cannot be guessed; how usage calls it.
    Any(&'static str),
    /// An output format.
    Output,
    /// The name of a context.
    Context,
    /// One of these, behind how usage calls it.
    OneOf(&'static str, &'static [&'static str]),
    /// A file.
    File,
    /// Columns of the rows, comma by comma.
    Columns,
    /// The column to sort rows by.
    Column,
}

impl OptionValue {
    /// How usage calls it; nothing where there is none.
    pub(crate) fn shown(self) -> Option<&'static str> {
        match self {
            OptionValue::None => None,
            OptionValue::Any(name) | OptionValue::OneOf(name, _) => Some(name),
            OptionValue::Output => Some("FORMAT"),
            OptionValue::Context => Some("NAME"),
            OptionValue::File => Some("FILE"),
            OptionValue::Columns => Some("A,B.C"),
            OptionValue::Column => Some("COLUMN"),
        }
    }
}

/// One option of the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OptionSpec {
    /// The short name with its dash; empty where there is none.
    pub(crate) short: &'static str,
    /// The long name with its dashes.
    pub(crate) long: &'static str,
    /// What it takes.
    pub(crate) value: OptionValue,
    /// What it means, in a few words.
    pub(crate) summary: &'static str,
}

impl OptionSpec {
    pub(crate) fn takes_value(&self) -> bool {
        self.value != OptionValue::None
    }
}

pub(super) const fn option(
    short: &'static str,
    long: &'static str,
    value: OptionValue,
    summary: &'static str,
) -> OptionSpec {
    OptionSpec { short, long, value, summary }
}

/// The output formats, with what each is.
pub(crate) const OUTPUTS: [(&str, &str); 9] = [
    ("table", "aligned columns, the important ones"),
    ("wide", "aligned columns, every scalar one"),
    ("vertical", "one block per row"),
    ("json", "the reply, indented"),
    ("jsonl", "one inventory per line"),
    ("yaml", "YAML"),
    ("csv", "comma-separated, with a header"),
    ("tsv", "tab-separated, with a header"),
    ("value", "the bare first column"),
];

/// All options, in the order in which help shows them.
pub(crate) const OPTIONS: [OptionSpec; 38] = [
    option("-H", "--host", OptionValue::Any("HOST"), "management node"),
    option("-p", "--port", OptionValue::Any("PORT"), "port of the management node"),
    option("", "--url", OptionValue::Any("URL"), "whole base URL"),
    option("", "--context", OptionValue::Context, "use a named context"),
    option("", "--sandbox", OptionValue::None, "talk to the embedded sandbox"),
    option("", "--insecure", OptionValue::None, "do not check the server's certificate"),
    option("", "--cacert", OptionValue::File, "certificates to trust"),
    option("-o", "--output", OptionValue::Output, "output format"),
    option("", "--columns", OptionValue::Columns, "columns, in that order"),
    option("", "--sort-by", OptionValue::Column, "sort the received rows by a column"),
    option("", "--summary", OptionValue::None, "totals instead of the rows"),
    option("", "--watch", OptionValue::None, "repeat a query and show what changes"),
    option("", "--jq", OptionValue::Any("EXPR"), "filter the reply with a jq expression"),
    option("-r", "--raw", OptionValue::None, "with --jq: texts without quotes"),
    option("", "--no-header", OptionValue::None, "leave out the column names"),
    option("", "--max-width", OptionValue::Any("COLUMNS"), "widest table, in columns"),
    option("", "--wrap", OptionValue::None, "wrap wide cells instead of cutting them"),
    option("", "--border", OptionValue::OneOf("STYLE", &["ascii", "unicode", "markdown", "none"]), "lines of a table"),
    option("", "--errors", OptionValue::OneOf("FORMAT", &["text", "json"]), "how errors are written"),
    option("", "--color", OptionValue::OneOf("WHEN", &["auto", "always", "never"]), "when to colour"),
    option("", "--no-pager", OptionValue::None, "do not page long output"),
    option("-s", "--no-secure", OptionValue::None, "do not mask secrets"),
    option("-q", "--quiet", OptionValue::None, "no progress and no notices"),
    option("-v", "--verbose", OptionValue::None, "trace HTTP"),
    option("-c", "--curl-example", OptionValue::None, "also print the request as curl"),
    option("", "--curl", OptionValue::None, "also print the request as curl"),
    option("", "--dry-run", OptionValue::None, "print the request and send nothing"),
    option("", "--validate", OptionValue::None, "let the node check an action, and do nothing"),
    option("", "--no-wait", OptionValue::None, "do not wait for a job"),
    option("", "--follow", OptionValue::None, "follow a long job to its end"),
    option("", "--timeout", OptionValue::Any("SECONDS"), "seconds to wait for a job"),
    option("", "--no-check", OptionValue::None, "send what the catalog does not know"),
    option("", "--page-size", OptionValue::Any("N"), "rows per request"),
    option("", "--fail-empty", OptionValue::None, "exit with 7 when a query finds no row"),
    option("-k", "--keep-going", OptionValue::None, "go on after a failed command"),
    option("-h", "--help", OptionValue::None, "help"),
    option("-V", "--version", OptionValue::None, "the program's version"),
    option("", "--", OptionValue::None, "ends the options"),
];

/// The option of that name, short or long.
pub(crate) fn find(word: &str) -> Option<&'static OptionSpec> {
    OPTIONS.iter().find(|option| option.long == word || (option.short == word && !word.is_empty()))
}

/// Whether the word after this option is its value.
pub(crate) fn takes_value(word: &str) -> bool {
    find(word).is_some_and(OptionSpec::takes_value)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_well_formed_and_unique() {
        let mut seen = HashSet::new();
        for option in &OPTIONS {
            assert!(option.long.starts_with("--") && seen.insert(option.long), "{}", option.long);
            assert!(option.short.is_empty() || (option.short.len() == 2 && seen.insert(option.short)));
            assert!(!option.summary.is_empty(), "{}", option.long);
        }
    }

    #[test]
    fn they_are_those_of_the_program() {
        use clap::Args;
        let parser = crate::cli::Options::augment_args(clap::Command::new("x"));
        for argument in parser.get_arguments() {
            let longs = argument.get_long().into_iter().chain(argument.get_visible_aliases().unwrap_or_default());
            for long in longs {
                let known = find(&format!("--{long}")).unwrap_or_else(|| panic!("--{long} is not offered"));
                // A value that may be left out is not waited for.
                let takes_value = argument.get_action().takes_values() && !argument.is_require_equals_set();
                let name = argument.get_value_names().filter(|_| takes_value).map(|names| names[0].as_str());
                assert_eq!(known.value.shown(), name, "--{long}");
            }
            if let Some(short) = argument.get_short() {
                assert!(find(&format!("-{short}")).is_some(), "-{short}");
            }
        }
        let parsed = parser.get_arguments().flat_map(|it| it.get_long_and_visible_aliases().unwrap_or_default());
        let parsed: Vec<String> = parsed.map(|long| format!("--{long}")).collect();
        for option in OPTIONS.iter().filter(|option| !["--help", "--version", "--"].contains(&option.long)) {
            assert!(parsed.iter().any(|long| long == option.long), "{} is no option", option.long);
        }
    }

    #[test]
    fn options_are_found_by_either_name() {
        assert_eq!(find("-o").map(|option| option.long), Some("--output"));
        assert_eq!(find("--sandbox").map(OptionSpec::takes_value), Some(false));
        assert_eq!(find(""), None);
        assert_eq!(find("--output=json"), None);
    }
}
