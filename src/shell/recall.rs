//! The history as the line editor walks and searches it.

use std::borrow::Cow;
use std::path::Path;

use rustyline::history::{History, SearchDirection, SearchResult};

use crate::json::is_unprintable;
use crate::secret::MASK;

use super::history::latest;

/// Commands in the order of their last use, each only once.
#[derive(Debug, Default)]
pub(super) struct Recall {
    lines: Vec<String>,
}

impl Recall {
    /// Adds a command and removes an equal older one.
    fn push(&mut self, line: String) {
        if let Some(at) = self.lines.iter().rposition(|known| *known == line) {
            self.lines.remove(at);
        }
        self.lines.push(line);
    }

    /// Adds many commands at once, each as far as it can be recalled.
    pub(super) fn extend(&mut self, lines: Vec<String>) {
        let lines: Vec<String> = lines.into_iter().filter_map(recallable).collect();
        if let [_] = lines.as_slice() {
            lines.into_iter().for_each(|line| self.push(line));
        } else {
            let mut all = std::mem::take(&mut self.lines);
            all.extend(lines);
            self.lines = latest(all);
        }
    }

    fn find(
        &self,
        start: usize,
        direction: SearchDirection,
        test: impl Fn(&str) -> Option<usize>,
    ) -> Option<SearchResult<'_>> {
        let found = |index: usize| {
            let line = self.lines.get(index)?;
            let pos = test(line)?;
            Some(SearchResult { entry: Cow::Borrowed(line.as_str()), idx: index, pos })
        };
        match direction {
            _ if start >= self.lines.len() => None,
            SearchDirection::Forward => (start..self.lines.len()).find_map(found),
            SearchDirection::Reverse => (0..=start).rev().find_map(found),
        }
    }
}

/// Returns the part of a command that can be recalled. It ends before a masked secret, as the mask would be sent in
/// place of the value. A command with unprintable characters is not recalled at all.
fn recallable(mut line: String) -> Option<String> {
    if let Some(at) = line.find(MASK) {
        line.truncate(at);
    }
    let acts = line.chars().any(|c| is_unprintable(c) && !matches!(c, '\n' | '\t'));
    (!acts && !line.trim().is_empty()).then_some(line)
}

impl History for Recall {
    fn get(&self, index: usize, _: SearchDirection) -> rustyline::Result<Option<SearchResult<'_>>> {
        let line = self.lines.get(index);
        Ok(line.map(|line| SearchResult { entry: Cow::Borrowed(line.as_str()), idx: index, pos: 0 }))
    }

    fn add(&mut self, line: &str) -> rustyline::Result<bool> {
        self.push(line.to_owned());
        Ok(true)
    }

    fn add_owned(&mut self, line: String) -> rustyline::Result<bool> {
        self.push(line);
        Ok(true)
    }

    fn len(&self) -> usize {
        self.lines.len()
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn set_max_len(&mut self, _: usize) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_dups(&mut self, _: bool) -> rustyline::Result<()> {
        Ok(())
    }

    fn ignore_space(&mut self, _: bool) {}

    // The shell reads and appends the file between commands, so the editor does not save it.
    fn save(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn append(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn load(&mut self, _: &Path) -> rustyline::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> rustyline::Result<()> {
        self.lines.clear();
        Ok(())
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        // Nobody types the capital letters of CamelCase names to search for them, so case counts only when the term has
        // one.
        let has_capital = term.bytes().any(|byte| byte.is_ascii_uppercase());
        let found = |line: &str| {
            let found = if has_capital { line.find(term) } else { line.to_ascii_lowercase().find(term) };
            found.filter(|_| !term.is_empty())
        };
        Ok(self.find(start, direction, found))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        direction: SearchDirection,
    ) -> rustyline::Result<Option<SearchResult<'_>>> {
        Ok(self.find(start, direction, |line| line.starts_with(term).then_some(term.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall() -> Recall {
        let mut recall = Recall::default();
        recall.extend(["QueryZone", "QueryHost", "QueryZone", "QueryZone name=a"].map(str::to_owned).to_vec());
        recall
    }

    #[test]
    fn commands_stand_once_at_their_last_use() {
        let mut recall = recall();
        assert_eq!(recall.lines, ["QueryHost", "QueryZone", "QueryZone name=a"]);
        recall.push("QueryHost".to_owned());
        assert_eq!(recall.lines, ["QueryZone", "QueryZone name=a", "QueryHost"]);
    }

    #[test]
    fn masks_and_controls_do_not_come_back() {
        let mut recall = Recall::default();
        let lines =
            ["LogIn name=a password=****** x=1", "QueryZone name=\u{1b}]52;c;eA==\u{7}", "****** x", "QueryZone"];
        recall.extend(lines.map(str::to_owned).to_vec());
        assert_eq!(recall.lines, ["LogIn name=a password=", "QueryZone"]);
    }

    #[test]
    fn searching_goes_both_ways() {
        let recall = recall();
        let index = |found: rustyline::Result<Option<SearchResult<'_>>>| found.expect("no error").map(|it| it.idx);
        assert_eq!(index(recall.search("Zone", 2, SearchDirection::Reverse)), Some(2));
        assert_eq!(index(recall.search("zone n", 2, SearchDirection::Reverse)), Some(2));
        assert_eq!(index(recall.search("ZONE", 2, SearchDirection::Reverse)), None);
        assert_eq!(index(recall.search("Zone", 0, SearchDirection::Forward)), Some(1));
        assert_eq!(index(recall.search("Zone", 0, SearchDirection::Reverse)), None);
        assert_eq!(index(recall.starts_with("QueryH", 2, SearchDirection::Reverse)), Some(0));
        assert_eq!(index(recall.search("x", 9, SearchDirection::Reverse)), None);
    }
}
