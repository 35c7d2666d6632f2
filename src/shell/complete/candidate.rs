//! The answer of completion: candidates, and the words that they would insert.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor;
use super::rank::{Class, Fit, Pattern};
use super::sources::LiveValue;
use crate::syntax::Quote;

/// The kind of a candidate. Its names are a stable output format: `complete LINE` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An API.
    Api,
    /// A parameter of an API or of a query, or an option.
    Param,
    /// A queryable field, which may begin a condition.
    Field,
    /// A relation: a field that leads to another inventory. The candidate ends in `.`.
    Expanded,
    /// A field followed by an operator.
    Operator,
    /// A value.
    Value,
    /// A command of the program, or a subcommand.
    Command,
}

impl CandidateKind {
    /// Returns the name of the kind, as `complete LINE` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            CandidateKind::Api => "api",
            CandidateKind::Param => "param",
            CandidateKind::Field => "field",
            CandidateKind::Expanded => "expanded",
            CandidateKind::Operator => "operator",
            CandidateKind::Value => "value",
            CandidateKind::Command => "command",
        }
    }
}

/// The heading under which a candidate is listed, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Group {
    Commands,
    Apis,
    Conditions,
    Operators,
    Expanded,
    Parameters,
    Values,
    Topics,
    Files,
    Options,
}

impl Group {
    /// Returns the heading.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Commands => "Commands",
            Group::Apis => "APIs",
            Group::Conditions => "Query conditions",
            Group::Operators => "Operators",
            Group::Expanded => "Expanded fields",
            Group::Parameters => "Parameters",
            Group::Values => "Values",
            Group::Topics => "Topics",
            Group::Files => "Files",
            Group::Options => "Options",
        }
    }
}

/// A completion for the word at the cursor.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The text that replaces the typed part of the word.
    pub label: Cow<'static, str>,
    /// What follows the label in the word: `=`, `.`, `,` or nothing.
    pub suffix: &'static str,
    /// Whether the word is complete with it, so that a space may follow.
    pub finished: bool,
    /// What kind of thing it is.
    pub kind: CandidateKind,
    /// The heading under which it is listed.
    pub group: Group,
    /// A short description: a type, a path, the name of a resource.
    pub description: Cow<'static, str>,
    /// Whether it is a required parameter.
    pub required: bool,
    /// How it matches what was typed.
    pub fit: Fit,
    /// The resource that it refers to; `None` for other values.
    pub resource: Option<LiveValue>,
}

impl Candidate {
    /// Returns a finished candidate without description or resource.
    pub(crate) fn new(label: impl Into<Cow<'static, str>>, kind: CandidateKind, group: Group) -> Candidate {
        Candidate {
            label: label.into(),
            suffix: "",
            finished: true,
            kind,
            group,
            description: Cow::Borrowed(""),
            required: false,
            fit: Fit::Prefix,
            resource: None,
        }
    }

    /// Sets the description.
    pub(crate) fn describe(mut self, description: impl Into<Cow<'static, str>>) -> Candidate {
        self.description = description.into();
        self
    }

    /// Sets the resource.
    pub(crate) fn of(mut self, resource: LiveValue) -> Candidate {
        self.resource = Some(resource);
        self
    }

    /// Marks the word as incomplete: more follows after `suffix`.
    pub(crate) fn open(mut self, suffix: &'static str) -> Candidate {
        self.suffix = suffix;
        self.finished = false;
        self
    }
}

/// A remark on the list of candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The node has not answered within the time that Tab may wait.
    Fetching,
    /// The node could not be asked, so live values are missing.
    NoLiveValues,
    /// The node has more values than are offered.
    More,
    /// Only what fits the parameter is listed.
    Fitting,
    /// Nothing that fits was found, so all is listed.
    NothingFits,
    /// The value is secret; nothing is ever offered for it.
    Secret,
}

impl Note {
    /// Returns the remark as shown to the user.
    pub fn message(self) -> &'static str {
        match self {
            Note::Fetching => "the node is being asked; press Tab again for its answer",
            Note::NoLiveValues => "the node cannot be asked for values now",
            Note::More => "there are more; type a part of the name to find them",
            Note::Fitting => "only what fits is listed; type part of another name to find it",
            Note::NothingFits => "nothing that fits was found, so all is listed",
            Note::Secret => "a secret: nothing is offered",
        }
    }
}

/// The candidates at the cursor position.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The byte range of the line that is replaced: from the start of the word to the cursor.
    pub span: Range<usize>,
    /// The text of the line between the cursor and the end of the word.
    pub rest: String,
    /// The text of the word before the part that candidates replace, quoted as in the line.
    pub head: String,
    /// The quote that is open at the end of `head`.
    pub(super) quote: Option<Quote>,
    /// The part of the word that candidates are matched with, unquoted.
    pub typed: String,
    /// The candidates, best first.
    pub candidates: Vec<Candidate>,
    /// A remark on the list, such as that values are missing.
    pub note: Option<Note>,
}

impl Completion {
    /// Returns the word with `candidate` inserted, quoted where needed, without a space after it.
    pub fn word(&self, candidate: &Candidate) -> String {
        let mut word = self.head.clone();
        cursor::quote(&mut word, &candidate.label, candidate.suffix, self.quote, candidate.finished);
        word
    }

    /// Returns the byte ranges of the candidate's label that match what was typed; none where the name of its resource
    /// matched instead.
    pub fn matched(&self, candidate: &Candidate) -> Vec<Range<usize>> {
        Pattern::new(&self.typed).matched(&candidate.label)
    }

    /// Returns the byte ranges of a resource's name that match what was typed.
    pub(crate) fn matched_name(&self, name: &str) -> Vec<Range<usize>> {
        Pattern::new(&self.typed).matched(name)
    }

    /// Returns the byte ranges of the description that match; none where the label matched.
    pub fn matched_description(&self, candidate: &Candidate) -> Vec<Range<usize>> {
        let pattern = Pattern::new(&self.typed);
        if candidate.kind != CandidateKind::Value || pattern.fits_at_all(&candidate.label) {
            return Vec::new();
        }
        pattern.matched(&candidate.description)
    }

    /// Returns what Tab inserts between the start of the word and the cursor: the only candidate, or the common part of
    /// all candidates. The flag says whether that completes the word. `None` where nothing would be added, and where
    /// more candidates exist or may exist than are known: the common part of some of them says nothing.
    pub fn extension(&self) -> Option<(String, bool)> {
        if matches!(self.note, Some(Note::More | Note::Fetching)) {
            return None;
        }
        let first = self.candidates.first()?;
        let best = first.fit.class();
        let of_class = || self.candidates.iter().filter(move |candidate| candidate.fit.class() == best);
        // `BackupStorage` is the start of one API, but part of many that may be meant, just as `web` is part of
        // `my-web`. Text typed from the middle of a name may also be the start of another one.
        let part_is_meant = first.kind == CandidateKind::Api || first.resource.is_some();
        let alone = self.candidates.len() == 1 || !part_is_meant && of_class().nth(1).is_none();
        if alone && best < Class::Middle {
            return Some((self.word(first), first.finished));
        }
        let shared = self.shared(self.candidates.iter()).or_else(|| match best {
            Class::Start if part_is_meant => None,
            Class::Start | Class::Humps => self.shared(of_class()),
            Class::Middle => None,
        })?;
        let mut word = self.head.clone();
        cursor::quote(&mut word, &shared, "", self.quote, false);
        Some((word, false))
    }

    /// Returns text that matches exactly these candidates and is longer than what was typed.
    fn shared<'c>(&self, candidates: impl Iterator<Item = &'c Candidate>) -> Option<String> {
        let pattern = Pattern::new(&self.typed);
        let names: Vec<&str> = candidates.map(|candidate| self.name(candidate)).collect();
        let places: Option<Vec<usize>> = names.iter().map(|name| pattern.place(name)).collect();
        if let Some(places) = places {
            let rests = names.iter().zip(&places).filter_map(|(name, at)| name.get(at + self.typed.len()..));
            let rest = common_start(rests)?;
            if rest.is_empty() {
                return None;
            }
            // Corrects the case of what was typed if all names start with it.
            let typed =
                if places.iter().all(|at| *at == 0) { names.first()?.get(..self.typed.len())? } else { &self.typed };
            return Some(format!("{typed}{rest}"));
        }
        let common = common_start(names.iter().copied())?;
        let covers = |name: &&str| pattern.matched(name).last().is_some_and(|last| last.end <= common.len());
        (common.len() > self.typed.len() && names.iter().all(covers)).then(|| common.to_owned())
    }

    /// Returns the name that is matched with what was typed: the label, or the name of the resource.
    fn name<'c>(&self, candidate: &'c Candidate) -> &'c str {
        let label = candidate.label.as_ref();
        match &candidate.resource {
            Some(resource) if Pattern::new(&self.typed).fit(label) != Some(candidate.fit) => &resource.name,
            _ => label,
        }
    }
}

/// Returns the common prefix of texts, ignoring case, as the first one writes it.
fn common_start<'t>(mut texts: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let first = texts.next()?;
    Some(texts.fold(first, |common, other| {
        let differs = common.char_indices().zip(other.chars()).find(|((_, a), b)| !a.eq_ignore_ascii_case(b));
        let end = differs.map_or_else(
            || common.char_indices().nth(other.chars().count()).map_or(common.len(), |(at, _)| at),
            |((at, _), _)| at,
        );
        &common[..end]
    }))
}
