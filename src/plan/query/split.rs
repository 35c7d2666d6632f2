//! Splitting a query whose lists no URL could hold.

use crate::secret::Secrets;
use crate::syntax::Operator;

use super::requests::{Answer, Cursor, QueryPlan};
use crate::plan::condition::{Condition, ConditionValue, Scalar};
use crate::plan::error::{Error, ErrorKind};

/// The longest path and query that is safe everywhere, in bytes (T6).
const LONGEST: usize = 7000;
/// What a page's own condition, limit and offset may add to a request, in bytes.
const PAGE_ROOM: usize = 200;

impl QueryPlan {
    /// Splits the longest list of a request that no URL could hold (T6).
    pub(super) fn split_long_lists(&mut self) -> Result<(), Error> {
        let most = LONGEST - PAGE_ROOM;
        let mut done = Vec::new();
        let mut open = std::mem::take(&mut self.parts);
        while let Some(conditions) = open.pop() {
            self.parts = vec![conditions];
            let length = self.request(0, &Cursor::Start).target(Secrets::Shown).len();
            let Some(mut conditions) = self.parts.pop() else { break };
            if length <= most {
                done.push(conditions);
                continue;
            }
            let too_long = |reason| Error { kind: ErrorKind::RequestTooLong { length, most, reason }, span: None };
            if self.start > 0 || self.sort.is_some() || matches!(self.answer, Answer::Groups { .. }) {
                return Err(too_long("; it cannot be split together with start, sortBy or groupBy"));
            }
            let size = |condition: &Condition| match (condition.operator, &condition.value) {
                (Operator::In, ConditionValue::List(items)) if items.len() > 1 => {
                    items.iter().map(|item| item.text().len() + 1).sum::<usize>()
                }
                _ => 0,
            };
            let longest = (0..conditions.len()).max_by_key(|index| size(&conditions[*index]));
            let Some(index) = longest.filter(|index| size(&conditions[*index]) > 0) else {
                return Err(too_long(""));
            };
            // A row may have several related rows, and so belong to both halves of such a list.
            let related = conditions[index].field.contains('.') || conditions[index].field.starts_with("__");
            if related && self.answer != (Answer::Rows { with_total: false }) {
                return Err(too_long("; rows of a split list of related fields cannot be counted"));
            }
            let mut rest = conditions.clone();
            if let (ConditionValue::List(first), ConditionValue::List(second)) =
                (&mut conditions[index].value, &mut rest[index].value)
            {
                // In order and without doubles, the parts of a list of uuids hold different rows and follow
                // each other in the order of the whole. The node tells neither case nor trailing blanks (Q9).
                let key = |item: &Scalar| item.text().trim_end_matches(' ').to_lowercase();
                first.sort_by_cached_key(key);
                first.dedup_by_key(|item| key(item));
                *second = first.split_off(first.len() / 2);
            }
            open.push(rest);
            open.push(conditions);
        }
        self.parts = done;
        Ok(())
    }
}
