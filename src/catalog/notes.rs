//! Short notes on the parameters of common APIs: the unit, what is meant, what happens without it.

use std::sync::LazyLock;

/// One note per line; what the columns are stands in the file.
const NOTES: &str = include_str!("data/notes.txt");

/// A note on a parameter, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// In English.
    pub english: &'static str,
    /// In Chinese.
    pub chinese: &'static str,
}

/// A line of the file.
struct Line {
    api: &'static str,
    parameter: &'static str,
    note: Note,
}

/// The lines of the file, taken apart when the first note is wanted.
static LINES: LazyLock<Vec<Line>> = LazyLock::new(|| {
    let lines = NOTES.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split('\t');
        let (api, parameter) = columns.next()?.split_once(' ')?;
        Some(Line { api, parameter, note: Note { english: columns.next()?, chinese: columns.next()? } })
    });
    lines.collect()
});

impl Line {
    fn is_for(&self, api: &str) -> bool {
        match self.api.split_once('*') {
            Some((start, end)) => api.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
            None => api == self.api,
        }
    }
}

/// The note on a parameter of an API: the first one that is for it.
pub(super) fn of_parameter(api: &str, parameter: &str) -> Option<Note> {
    LINES.iter().find(|line| line.parameter == parameter && line.is_for(api)).map(|line| line.note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::width::width;

    #[test]
    fn notes_are_on_parameters_that_exist_and_none_is_hidden() {
        let catalog = Catalog::newest();
        let all = &*LINES;
        for (at, line) in all.iter().enumerate() {
            let told = format!("{} {}", line.api, line.parameter);
            let mut apis = catalog.api_names().filter(|api| line.is_for(api.as_str()));
            let is_counted = apis.any(|api| {
                let is_taken = catalog.api(api.as_str()).is_some_and(|api| api.parameter(line.parameter).is_some());
                let earlier =
                    all[..at].iter().any(|other| other.parameter == line.parameter && other.is_for(api.as_str()));
                is_taken && !earlier
            });
            assert!(is_counted, "{told}: no parameter, or an earlier line is for it");
            assert!(width(line.note.english) <= 72 && width(line.note.chinese) <= 72, "{told}: a few words are enough");
        }
    }

    #[test]
    fn parameters_of_common_apis_have_notes() {
        // Those whose name, type and reference say all.
        let plain = |parameter: &str| ["uuid", "name", "description"].contains(&parameter);
        let catalog = Catalog::newest();
        let mut missing = Vec::new();
        for name in include_str!("../shell/complete/common.txt").lines() {
            let api = catalog.api(name).expect(name);
            for parameter in api.parameters.iter().filter(|parameter| !plain(parameter.name)) {
                if of_parameter(name, parameter.name).is_none() {
                    missing.push(format!("{name} {}", parameter.name));
                }
            }
        }
        assert!(missing.is_empty(), "to be added to src/catalog/data/notes.txt:\n{}", missing.join("\n"));
    }
}
