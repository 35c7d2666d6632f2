//! `$NAME`, `${NAME}`, `$1` and `$*`: what stands for something else in a line.

use std::borrow::Cow;
use std::cell::RefCell;

use super::lexer::lex_with_values;

/// What the references of a line stand for. One without a value is ordinary text.
pub trait Values {
    /// What a reference stands for; all words are joined by spaces.
    fn value(&self, reference: &Reference<'_>) -> Option<Cow<'_, str>>;

    /// The words of the alias or script that the line belongs to.
    fn words(&self) -> Option<&[String]>;
}

/// No values: every `$` is ordinary text.
impl Values for () {
    fn value(&self, _: &Reference<'_>) -> Option<Cow<'_, str>> {
        None
    }

    fn words(&self) -> Option<&[String]> {
        None
    }
}

/// What a `$` refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference<'l> {
    /// `$NAME`
    Name(&'l str),
    /// `$1` to `$9`
    Word(usize),
    /// `$*`
    Words,
}

/// Reads the reference that a text starts with, and its length in bytes.
pub fn reference(text: &str) -> Option<(Reference<'_>, usize)> {
    let rest = text.strip_prefix('$')?;
    let (inner, around) = match rest.strip_prefix('{') {
        Some(rest) => (&rest[..rest.find('}')?], 3),
        None => (&rest[..name_length(rest)], 1),
    };
    let found = match inner.as_bytes() {
        [digit @ b'1'..=b'9'] => Reference::Word(usize::from(digit - b'0')),
        [b'*'] => Reference::Words,
        _ if is_name(inner) => Reference::Name(inner),
        _ => return None,
    };
    Some((found, inner.len() + around))
}

/// Whether a text can be the name of a variable: letters, digits and `_`, the first no digit.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of the longest reference without braces. A digit is one of its own: `$10` is `$1` and a zero.
fn name_length(text: &str) -> usize {
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'*') => 1,
        _ => text.bytes().take_while(|byte| is_name_byte(*byte)).count(),
    }
}

/// The references of a line outside `'…'`, in the order in which they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The names of variables.
    pub names: Vec<String>,
    /// The highest number among `$1` to `$9`; 0 where there is none.
    pub highest: usize,
    /// Whether `$*` is among them.
    pub has_all: bool,
}

/// Finds the references of a line.
pub fn references(line: &str) -> References {
    let finder = Finder::default();
    lex_with_values(line, &finder);
    finder.0.into_inner()
}

/// Records what is asked for.
#[derive(Default)]
struct Finder(RefCell<References>);

impl Values for Finder {
    fn value(&self, reference: &Reference<'_>) -> Option<Cow<'_, str>> {
        let mut found = self.0.borrow_mut();
        match reference {
            Reference::Name(name) => found.names.push((*name).to_owned()),
            Reference::Word(number) => found.highest = found.highest.max(*number),
            Reference::Words => found.has_all = true,
        }
        None
    }

    fn words(&self) -> Option<&[String]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex;
    use super::*;

    struct Given(Vec<String>);

    impl Values for Given {
        fn value(&self, reference: &Reference<'_>) -> Option<Cow<'_, str>> {
            match reference {
                Reference::Name("zone") => Some("a b; 'c'".into()),
                Reference::Name("empty") => Some("".into()),
                Reference::Name(_) => None,
                Reference::Word(number) => self.0.get(number - 1).map(|word| word.as_str().into()),
                Reference::Words => Some(self.0.join(" ").into()),
            }
        }

        fn words(&self) -> Option<&[String]> {
            Some(&self.0)
        }
    }

    fn words(line: &str) -> Vec<String> {
        let given = Given(vec!["x y".to_owned(), "z".to_owned()]);
        lex_with_values(line, &given).words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn values_stay_in_their_words_and_are_not_read_again() {
        for (line, expected) in [
            ("Q name=$zone", &["Q", "name=a b; 'c'"][..]),
            ("Q \"$zone\" '$zone' \\$zone \"\\$zone\"", &["Q", "a b; 'c'", "$zone", "$zone", "$zone"]),
            ("Q ${zone}s $zones $ $zone$", &["Q", "a b; 'c's", "$zones", "$", "a b; 'c'$"]),
            ("Q name=$empty", &["Q", "name="]),
            ("Q ${zone $(ls) `ls` $$ $0", &["Q", "${zone", "$(ls)", "`ls`", "$$", "$0"]),
            ("Q $1 n=$2 $*", &["Q", "x y", "n=z", "x y", "z"]),
            ("Q \"$*\" n=$* ${1}0 $10", &["Q", "x y z", "n=x y z", "x y0", "x y0"]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
        assert_eq!(lex("Q $1 $zone").words[2].text, "$zone");
    }

    #[test]
    fn a_missing_word_is_an_error_where_it_is_referred_to() {
        let lexed = lex_with_values("Q n=$2", &Given(vec!["a".to_owned()]));
        assert_eq!(lexed.into_words(6).expect_err("missing").span(), 4..6);
    }

    #[test]
    fn places_of_a_value_are_those_of_its_reference() {
        let line = "Q name=$zone s=1";
        let words = lex_with_values(line, &Given(Vec::new())).words;
        assert_eq!(&line[words[1].span_from(5)], "$zone");
        assert!(words[1].is_from_variable(5, line) && !words[1].is_from_variable(4, line));
        assert_eq!(&line[words[2].span.clone()], "s=1");
    }

    #[test]
    fn references_are_found_outside_single_quotes() {
        let found = references("Q $a \"${b}\" '$c' \\$d $3$* x=$1");
        let expected = References { names: vec!["a".to_owned(), "b".to_owned()], highest: 3, has_all: true };
        assert_eq!(found, expected);
    }
}
