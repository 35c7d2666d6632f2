//! The arguments of the program's own commands.

use crate::cli::{self, Entry, Takes};

/// Returns the own command of that name.
pub(crate) fn find(name: &str) -> Option<Entry> {
    // Names of APIs begin with a capital; for them the parser's tree is not needed.
    if name.starts_with(|c: char| c.is_ascii_uppercase()) { None } else { cli::command_called([name]) }
}

/// What may come next in an own command.
#[derive(Clone, Debug)]
pub(super) struct Next {
    /// The command that the words so far name.
    pub(super) command: Entry,
    /// Whether a subcommand of it may follow.
    pub(super) is_group: bool,
    /// The kind of argument that may follow.
    pub(super) takes: Takes,
}

/// Returns what may follow `words`, which start with the name of an own command.
pub(super) fn next_after<'w>(words: impl IntoIterator<Item = &'w str>) -> Option<Next> {
    let mut words = words.into_iter();
    let mut command = find(words.next()?)?;
    let mut given = 0;
    for word in words {
        match command.command(word).filter(|_| given == 0) {
            Some(inner) => command = inner,
            None => given += 1,
        }
    }
    let place = command.words().nth(given).or_else(|| command.words().last().filter(|last| last.is_several()));
    let takes = place.map_or(Takes::Any, |word| word.takes());
    Some(Next { command, is_group: given == 0, takes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Lookup;

    #[test]
    fn places_follow_the_words_before() {
        let next = |words: &[&str]| {
            let next = next_after(words.iter().copied())?;
            Some((next.command.name(), next.is_group, next.takes))
        };
        assert_eq!(next(&["context"]), Some(("context", true, Takes::Any)));
        assert_eq!(next(&["context", "use"]), Some(("use", true, Takes::Lookup(Lookup::Context))));
        assert_eq!(next(&["context", "use", "lab"]), Some(("use", false, Takes::Any)));
        assert_eq!(next(&["context", "set", "a", "b=c"]), Some(("set", false, Takes::Lookup(Lookup::ContextKeys))));
        assert_eq!(next(&["save", "1"]), Some(("save", false, Takes::File)));
        assert_eq!(next(&["set", "output", "json"]), Some(("set", false, Takes::Lookup(Lookup::SettingValue))));
        assert_eq!(next(&["nothing"]), None);
    }
}
