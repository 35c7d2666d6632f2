//! Variables: results that `let` keeps while the program lives.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::nearness::closest;
use crate::secret::{Secrecy, name_secrecy};
use crate::syntax::{Reference, Values, Word, reference, references};

/// The value of a variable.
#[derive(Clone)]
pub(crate) struct Variable {
    pub(crate) text: String,
    /// Whether it must not be shown.
    pub(crate) is_secret: bool,
}

/// The variables, by name.
pub(crate) type Variables = BTreeMap<String, Variable>;

/// What the references of a command stand for.
pub(crate) struct Scope<'a> {
    pub(crate) variables: &'a Variables,
    /// The words of the alias or script that the command belongs to.
    pub(crate) words: Option<&'a [String]>,
}

impl Values for Scope<'_> {
    fn value(&self, reference: &Reference<'_>) -> Option<Cow<'_, str>> {
        match reference {
            Reference::Name(name) => self.variables.get(*name).map(|variable| variable.text.as_str().into()),
            Reference::Word(number) => self.words?.get(number - 1).map(|word| word.as_str().into()),
            Reference::Words => Some(self.words?.join(" ").into()),
        }
    }

    fn words(&self) -> Option<&[String]> {
        self.words
    }
}

impl Scope<'_> {
    /// The names in a command that are probably meant as variables, and are none: those that are a value by themselves,
    /// and those that are close to the name of a variable.
    pub(crate) fn probably_meant<'w>(&self, words: &'w [Word], line: &str) -> Vec<(&'w str, Option<&str>)> {
        let mut found = Vec::new();
        let names = references(line).names;
        for word in words {
            let text = word.text.as_str();
            let raw = line.get(word.span.clone()).unwrap_or_default();
            let (name, value) = text.split_once('=').unwrap_or(("", text));
            // A password may contain anything, and is not told.
            if name_secrecy(name) == Secrecy::Whole || raw.contains(['\'', '\\']) {
                continue;
            }
            for (at, _) in text.match_indices('$').filter(|(at, _)| !word.is_from_variable(*at, line)) {
                let Some((Reference::Name(name), length)) = reference(&text[at..]) else { continue };
                // Short names are close to all others.
                let near = closest(name, self.variables.keys().map(String::as_str)).filter(|_| name.len() > 2);
                let is_whole = value.len() == length && value.starts_with('$');
                let is_unknown = names.iter().any(|known| known == name) && !self.variables.contains_key(name);
                if is_unknown && (is_whole || near.is_some()) {
                    found.push((&text[at..at + length], near));
                }
            }
        }
        found
    }
}
