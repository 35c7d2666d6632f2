//! The columns that a user selects: `name,ip=vmNics.ip` or `+hostUuid`.

/// One selected column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column heading.
    pub title: String,
    /// The members that lead to its values, outermost first; empty for the row itself.
    pub path: Vec<String>,
    /// The byte offset of the path in the text of the selection.
    pub at: usize,
}

/// The selected columns, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Whether they are added to the default ones.
    pub added: bool,
    /// Whether they are a saved preference for all kinds of rows: columns that the rows do not have are left out then.
    pub saved: bool,
    /// The columns.
    pub columns: Vec<Column>,
}

/// Why the text of a selection is wrong. `at` is a byte offset in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A name is missing between two commas, or between two dots of a path.
    #[error("a column name is missing")]
    NameMissing {
        /// The byte offset.
        at: usize,
    },
    /// The title before `=` is missing.
    #[error("the title before = is missing")]
    TitleMissing {
        /// The byte offset.
        at: usize,
    },
}

impl Selection {
    /// Reads `COLUMN,COLUMN,...`: each a name, a dotted path, or `title=path`. A `+` before the first means that
    /// all are added to the default columns. A comma at the end is allowed.
    ///
    /// # Errors
    /// [`SelectionError`] with the position of the missing name.
    pub fn parse(text: &str) -> Result<Selection, SelectionError> {
        let mut selection = Selection { added: false, saved: false, columns: Vec::new() };
        let body = text.trim_end().strip_suffix(',').unwrap_or(text);
        let mut at = 0;
        for (index, part) in body.split(',').enumerate() {
            let begin = at;
            at += part.len() + 1;
            let mut word = part.trim_start();
            let mut place = begin + part.len() - word.len();
            word = word.trim_end();
            if let Some(rest) = word.strip_prefix('+') {
                if index == 0 {
                    selection.added = true;
                }
                word = rest;
                place += 1;
            }
            let (title, path) = match word.split_once('=') {
                Some((title, path)) => {
                    if title.is_empty() {
                        return Err(SelectionError::TitleMissing { at: place });
                    }
                    place += title.len() + 1;
                    (title, path)
                }
                None => (word, word),
            };
            let mut segment_at = place;
            for segment in path.split('.') {
                if segment.is_empty() {
                    return Err(SelectionError::NameMissing { at: segment_at });
                }
                segment_at += segment.len() + 1;
            }
            selection.columns.push(Column {
                title: title.to_owned(),
                path: path.split('.').map(str::to_owned).collect(),
                at: place,
            });
        }
        Ok(selection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (bool, Vec<(String, String, usize)>) {
        let selection = Selection::parse(text).expect("is a selection");
        let columns = selection.columns.into_iter().map(|column| (column.title, column.path.join("."), column.at));
        (selection.added, columns.collect())
    }

    #[test]
    fn selections_are_read() {
        let column = |title: &str, path: &str, at| (title.to_owned(), path.to_owned(), at);
        assert_eq!(
            shown("name, vmNics.ip,ip=vmNics.ip"),
            (
                false,
                vec![column("name", "name", 0), column("vmNics.ip", "vmNics.ip", 6), column("ip", "vmNics.ip", 19)]
            )
        );
        assert_eq!(shown("+a,+b,c"), (true, vec![column("a", "a", 1), column("b", "b", 4), column("c", "c", 6)]));
        assert_eq!(shown("a,"), (false, vec![column("a", "a", 0)]));
    }

    #[test]
    fn what_is_missing_is_pointed_at() {
        assert_eq!(Selection::parse(""), Err(SelectionError::NameMissing { at: 0 }));
        assert_eq!(Selection::parse("a,,b"), Err(SelectionError::NameMissing { at: 2 }));
        assert_eq!(Selection::parse("a..b"), Err(SelectionError::NameMissing { at: 2 }));
        assert_eq!(Selection::parse("a,b."), Err(SelectionError::NameMissing { at: 4 }));
        assert_eq!(Selection::parse("x="), Err(SelectionError::NameMissing { at: 2 }));
        assert_eq!(Selection::parse("=x"), Err(SelectionError::TitleMissing { at: 0 }));
        assert_eq!(Selection::parse("+"), Err(SelectionError::NameMissing { at: 1 }));
    }
}
