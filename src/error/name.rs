//! A name that was given instead of a uuid and does not identify one resource.

use std::ops::Range;

use crate::syntax::quote_word;

/// Why a name leads to no uuid. Nothing was done.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{argument}: {query} finds {} called {name}", .problem.count())]
pub struct NameError {
    /// The parameter or field that it was given for.
    pub argument: String,
    /// The name.
    pub name: String,
    /// The query that was asked.
    pub query: &'static str,
    /// Where the name stands in the line.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: NameProblem,
}

/// What is wrong with a name.
#[derive(Clone, Debug)]
pub enum NameProblem {
    /// Nothing has it.
    Unknown {
        /// The name and the uuid of the resource with the closest name.
        closest: Option<(String, String)>,
    },
    /// Several resources have it.
    Ambiguous {
        /// How many.
        count: usize,
        /// What tells them apart, a line each; the first ones where there are many.
        candidates: Vec<String>,
    },
}

impl NameProblem {
    fn count(&self) -> String {
        match self {
            NameProblem::Unknown { .. } => "nothing".to_owned(),
            NameProblem::Ambiguous { count, .. } => count.to_string(),
        }
    }
}

impl NameError {
    /// The resources that may be meant, a line each.
    pub(crate) fn candidates(&self) -> Vec<String> {
        let NameProblem::Ambiguous { count, candidates } = &self.problem else { return Vec::new() };
        let more = (*count > candidates.len()).then(|| format!("and {} more", count - candidates.len()));
        candidates.iter().cloned().chain(more).collect()
    }

    /// The line in which the name stands, with the closest one in its place.
    pub(crate) fn corrected(&self, line: &str) -> Option<String> {
        let NameProblem::Unknown { closest: Some((near, _)) } = &self.problem else { return None };
        let typed = line.get(self.span.clone()).filter(|typed| typed.contains(&self.name))?;
        // Quotes of one name need not do for the other.
        let is_word = quote_word(near) == *near && !near.contains(',');
        let (before, after) = (line.get(..self.span.start)?, line.get(self.span.end..)?);
        is_word.then(|| format!("{before}{}{after}", typed.replacen(&self.name, near, 1)))
    }

    pub(super) fn hint(&self) -> String {
        match &self.problem {
            NameProblem::Unknown { closest: Some((name, uuid)) } => format!("did you mean `{name}` ({uuid})?"),
            NameProblem::Unknown { closest: None } => {
                format!("`zstack-cli {} fields=uuid,name` lists them; --no-check sends the value as typed", self.query)
            }
            NameProblem::Ambiguous { .. } => "the uuid says which is meant".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_takes_the_place_of_the_wrong_one() {
        let corrected = |line: &str, name: &str, near: &str| {
            let start = line.find(name).expect("it is there");
            let error = NameError {
                argument: "uuid".to_owned(),
                name: name.to_owned(),
                query: "QueryVmInstance",
                span: start..start + name.len(),
                problem: NameProblem::Unknown { closest: Some((near.to_owned(), String::new())) },
            };
            error.corrected(line)
        };
        let line = "StopVmInstance uuid=wbe-1 type=cold";
        assert_eq!(corrected(line, "wbe-1", "web-1").as_deref(), Some("StopVmInstance uuid=web-1 type=cold"));
        assert_eq!(corrected(line, "wbe-1", "web 1"), None);
    }
}
