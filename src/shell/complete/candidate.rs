//! What completion answers: candidates, and the words that they would leave.

use std::borrow::Cow;
use std::ops::Range;

use super::cursor;
use super::rank::{Class, Fit, Pattern};
use super::sources::LiveValue;
use crate::syntax::Quote;

/// What a candidate is. The names are part of the program's surface: `complete LINE` prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CandidateKind {
    /// An API of the catalog.
    Api,
    /// A parameter of an API, of a query, or an option.
    Param,
    /// A queryable field, which a condition may name.
    Field,
    /// A field that leads to another inventory, and ends in `.`.
    Expanded,
    /// A field with an operator.
    Operator,
    /// A value.
    Value,
    /// An own command, or a part of one.
    Command,
}

impl CandidateKind {
    /// The kind's name, as `complete LINE` prints it.
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

/// Under which heading a candidate is listed, in the order of the list.
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
    /// The heading.
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

/// One thing that could stand at the cursor.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What it is called; the part of the word that is new.
    pub label: Cow<'static, str>,
    /// What follows the label in the word: `=`, `.`, `,` or nothing.
    pub suffix: &'static str,
    /// Whether the word is finished with it, so that a blank may follow.
    pub finished: bool,
    /// What it is.
    pub kind: CandidateKind,
    /// Where it is listed.
    pub group: Group,
    /// A few words on it: a type, a path, the name of a resource.
    pub description: Cow<'static, str>,
    /// Whether it is a parameter that must be given.
    pub required: bool,
    /// How it fits what was typed.
    pub fit: Fit,
    /// The resource that it stands for.
    pub resource: Option<LiveValue>,
}

impl Candidate {
    /// A finished candidate, of which only the essentials are known.
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

    /// The same, described.
    pub(crate) fn describe(mut self, description: impl Into<Cow<'static, str>>) -> Candidate {
        self.description = description.into();
        self
    }

    /// The same, standing for a resource.
    pub(crate) fn of(mut self, resource: LiveValue) -> Candidate {
        self.resource = Some(resource);
        self
    }

    /// The same, with more to come in its word after `suffix`.
    pub(crate) fn open(mut self, suffix: &'static str) -> Candidate {
        self.suffix = suffix;
        self.finished = false;
        self
    }
}

/// What a list of candidates cannot say by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// The node was asked and has not answered within the time that the prompt may wait.
    Fetching,
    /// The node could not be asked, so that live values are missing.
    NoLiveValues,
    /// The node holds more values than are offered.
    More,
    /// The value is secret; nothing is ever offered for it.
    Secret,
}

impl Note {
    /// The sentence for people.
    pub fn message(self) -> &'static str {
        match self {
            Note::Fetching => "the node is being asked; press Tab again for its answer",
            Note::NoLiveValues => "the node cannot be asked for values now",
            Note::More => "there are more; type a part of the name to find them",
            Note::Secret => "a secret: nothing is offered",
        }
    }
}

/// The answer to "what could stand at the cursor?".
#[derive(Clone, Debug)]
pub struct Completion {
    /// The bytes of the line that the word replaces: from the word's start to the cursor.
    pub span: Range<usize>,
    /// The line's own text between the cursor and the end of the word.
    pub rest: String,
    /// The text of the word before the part that candidates stand for, as the line has it.
    pub head: String,
    /// The quote that is open at the end of `head`.
    pub(super) quote: Option<Quote>,
    /// The part that candidates are compared with, unquoted.
    pub typed: String,
    /// The candidates, best first.
    pub candidates: Vec<Candidate>,
    /// What there is to say beside them.
    pub note: Option<Note>,
}

impl Completion {
    /// The word that `candidate` would leave, quoted where needed, without a blank behind.
    pub fn word(&self, candidate: &Candidate) -> String {
        let mut word = self.head.clone();
        cursor::quote(&mut word, &candidate.label, candidate.suffix, self.quote, candidate.finished);
        word
    }

    /// The byte ranges of the candidate's label that match what was typed; none where it was found by its
    /// description, the name of a resource.
    pub fn matched(&self, candidate: &Candidate) -> Vec<Range<usize>> {
        Pattern::new(&self.typed).matched(&candidate.label)
    }

    /// The byte ranges of a resource's name that match what was typed.
    pub(crate) fn matched_name(&self, name: &str) -> Vec<Range<usize>> {
        Pattern::new(&self.typed).matched(name)
    }

    /// The byte ranges of the description that match, where the candidate was found by it.
    pub fn matched_description(&self, candidate: &Candidate) -> Vec<Range<usize>> {
        let pattern = Pattern::new(&self.typed);
        if candidate.kind != CandidateKind::Value || pattern.fits_at_all(&candidate.label) {
            return Vec::new();
        }
        pattern.matched(&candidate.description)
    }

    /// What pressing Tab puts between the word's start and the cursor: the only candidate, or as much as the
    /// candidates have in common. The flag says whether that finishes the word. `None` where nothing is gained, and where
    /// there are or may be more candidates than are known: what some of them have in common says nothing.
    pub fn extension(&self) -> Option<(String, bool)> {
        if matches!(self.note, Some(Note::More | Note::Fetching)) {
            return None;
        }
        let first = self.candidates.first()?;
        let best = first.fit.class();
        let of_class = || self.candidates.iter().filter(move |candidate| candidate.fit.class() == best);
        // `BackupStorage` begins one API, but is part of many that may be meant; as is `web` of `my-web`. What was typed in
        // the middle of a name may be the beginning of another that was meant.
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

    /// What could be typed to mean all these candidates and no others, where that is more than was typed.
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
            // Letters are put right where all names begin with them.
            let typed =
                if places.iter().all(|at| *at == 0) { names.first()?.get(..self.typed.len())? } else { &self.typed };
            return Some(format!("{typed}{rest}"));
        }
        let common = common_start(names.iter().copied())?;
        let covers = |name: &&str| pattern.matched(name).last().is_some_and(|last| last.end <= common.len());
        (common.len() > self.typed.len() && names.iter().all(covers)).then(|| common.to_owned())
    }

    /// The name of a candidate that is compared with what was typed: its label, or that of its resource.
    fn name<'c>(&self, candidate: &'c Candidate) -> &'c str {
        let label = candidate.label.as_ref();
        match &candidate.resource {
            Some(resource) if Pattern::new(&self.typed).fit(label) != Some(candidate.fit) => &resource.name,
            _ => label,
        }
    }
}

/// What texts begin with in common, whatever the case of letters, as the first one writes it.
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
