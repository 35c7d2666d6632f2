//! Values of structure: members and values inside JSON that is being typed.
//!
//! The text up to the cursor is read by the type of the parameter; what may follow is offered piece by piece, so that
//! repeated Tabs write the whole value.

use crate::catalog::{Catalog, Field, Type, references};

use super::candidate::{Candidate, CandidateKind, Group, Note};
use super::describe;
use super::engine::CandidateList;
use super::sources::{Live, Sources};

/// A list or a struct that is open at the cursor.
#[derive(Debug)]
struct Open {
    /// The type of the members of a list; of the member being written in a struct.
    inner: Type,
    /// The members of a struct; `None` for a list.
    members: Option<Vec<Field>>,
    /// The names of the members that are written.
    given: Vec<String>,
}

/// What may follow in a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Name,
    Colon,
    Value,
    Separator,
}

/// The end of a text as a place in a structure.
#[derive(Debug)]
pub(super) struct Place {
    open: Vec<Open>,
    next: Next,
    /// The type of the value that may follow.
    kind: Type,
    /// The byte offset of the part that is being typed.
    start: usize,
    /// Whether that part has its opening quote.
    quoted: bool,
}

/// Whether values of this type are structs, alone or in lists.
pub(super) fn is_structure(kind: &Type, catalog: Catalog) -> bool {
    match kind {
        Type::Named(name) => catalog.struct_fields(name).is_some(),
        Type::List(Some(element)) => is_structure(element, catalog),
        _ => false,
    }
}

/// Reads a text of this type; `None` where it is not JSON as far as it goes, or leads to what is not known.
pub(super) fn place(text: &str, kind: &Type, catalog: Catalog) -> Option<Place> {
    let mut place = Place { open: Vec::new(), next: Next::Value, kind: kind.clone(), start: 0, quoted: false };
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        if c.is_whitespace() {
            continue;
        }
        match (place.next, c) {
            (Next::Value, '[') => place.begin_list()?,
            (Next::Value, '{') => place.begin_struct(catalog)?,
            (Next::Value, ']') | (Next::Name, '}') | (Next::Separator, ']' | '}') => place.end(c)?,
            (Next::Separator, ',') => place.separate()?,
            (Next::Colon, ':') => place.next = Next::Value,
            (Next::Name | Next::Value, '"' | '\'') => {
                let mut escaped = false;
                let end = rest.by_ref().find(|(_, other)| {
                    let ends = *other == c && !escaped;
                    escaped = *other == '\\' && !escaped;
                    ends
                });
                match end {
                    Some((end, _)) => place.written(&text[at + 1..end])?,
                    None => return Some(Place { start: at + 1, quoted: true, ..place }),
                }
            }
            (Next::Name | Next::Value, _) => {
                let goes_on = |c: &char| c.is_ascii_alphanumeric() || "-+._".contains(*c);
                while rest.next_if(|(_, c)| goes_on(c)).is_some() {}
                match rest.peek() {
                    None if !c.is_ascii_digit() => return Some(Place { start: at, ..place }),
                    _ if place.next == Next::Value => place.next = Next::Separator,
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    Some(Place { start: text.len(), ..place })
}

impl Place {
    /// The byte offset in the text at which what is offered begins.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    fn begin_list(&mut self) -> Option<()> {
        let Type::List(Some(element)) = self.kind.clone() else { return None };
        self.open.push(Open { inner: (*element).clone(), members: None, given: Vec::new() });
        self.kind = *element;
        Some(())
    }

    fn begin_struct(&mut self, catalog: Catalog) -> Option<()> {
        // A struct is taken for a list of one.
        let kind = match &self.kind {
            Type::List(Some(element)) => (**element).clone(),
            kind => kind.clone(),
        };
        let Type::Named(name) = kind else { return None };
        let members = Some(catalog.struct_fields(name)?);
        self.open.push(Open { inner: Type::Any, members, given: Vec::new() });
        self.next = Next::Name;
        Some(())
    }

    fn end(&mut self, bracket: char) -> Option<()> {
        let ended = self.open.pop()?;
        self.next = Next::Separator;
        (ended.members.is_some() == (bracket == '}')).then_some(())
    }

    fn separate(&mut self) -> Option<()> {
        let open = self.open.last()?;
        self.next = if open.members.is_some() { Next::Name } else { Next::Value };
        self.kind = open.inner.clone();
        Some(())
    }

    /// Takes a text in quotes: the name of a member, or a value.
    fn written(&mut self, text: &str) -> Option<()> {
        if self.next == Next::Value {
            self.next = Next::Separator;
            return Some(());
        }
        let open = self.open.last_mut()?;
        let member = open.members.as_ref()?.iter().find(|member| member.name == text);
        open.inner = member.map_or(Type::Any, |member| member.kind.clone());
        open.given.push(text.to_owned());
        self.kind = open.inner.clone();
        self.next = Next::Colon;
        Some(())
    }

    /// The member whose value is written.
    fn member(&self) -> Option<&Field> {
        let open = self.open.last()?;
        open.members.as_ref()?.iter().find(|member| Some(&member.name.to_owned()) == open.given.last())
    }

    /// Adds what may follow.
    pub(super) fn fill(&self, sources: &Sources<'_>, found: &mut CandidateList<'_>) -> Option<Note> {
        match self.next {
            Next::Name => self.names("", sources.catalog, found),
            Next::Colon => found.put(":", CandidateKind::Operator, Group::Operators, ""),
            Next::Value => return self.values(sources, found),
            Next::Separator => {
                let is_struct = self.open.last().is_some_and(|open| open.members.is_some());
                if is_struct {
                    self.names(",", sources.catalog, found);
                }
                let ends: String =
                    self.open.iter().rev().map(|open| if open.members.is_some() { '}' } else { ']' }).collect();
                if !ends.is_empty() {
                    found.offer(&ends.clone(), || {
                        let candidate = Candidate::new(ends, CandidateKind::Value, Group::Values);
                        candidate.describe("the value is complete")
                    });
                }
                if let Some(open) = self.open.last().filter(|open| open.members.is_none()) {
                    let label = format!(",{}", opening(&open.inner, sources.catalog));
                    found.offer(&label.clone(), || {
                        Candidate::new(label, CandidateKind::Value, Group::Files).describe("one more").open("")
                    });
                }
            }
        }
        None
    }

    /// Offers the members that are not written yet, required ones first.
    fn names(&self, before: &str, catalog: Catalog, found: &mut CandidateList<'_>) {
        let Some(Open { members: Some(members), given, .. }) = self.open.last() else { return };
        let quote = if self.quoted { "" } else { "\"" };
        for member in members.iter().filter(|member| !given.iter().any(|name| name == member.name)) {
            let label = format!("{before}{quote}{}", member.name);
            let after = match &member.kind {
                Type::String => "\":\"",
                Type::List(_) => "\":[",
                Type::Named(name) if catalog.enum_values(name).is_some() => "\":\"",
                Type::Named(_) | Type::Map(_) => "\":{",
                _ => "\":",
            };
            let told = match member.values.is_empty() {
                true => describe::value(member.name, &member.kind, references::of_name(catalog, member.name)),
                false => member.values.join(" | ").into(),
            };
            found.offer_by(&label.clone(), Some(member.name), || {
                let mut candidate = Candidate::new(label, CandidateKind::Field, Group::Conditions);
                candidate.required = member.required;
                candidate.describe(told).open(after)
            });
        }
    }

    /// Offers the values of a member, or what a list or a struct begins with.
    fn values(&self, sources: &Sources<'_>, found: &mut CandidateList<'_>) -> Option<Note> {
        let catalog = sources.catalog;
        let member = self.member();
        let enumerated = match &self.kind {
            Type::Named(name) => catalog.enum_values(name).unwrap_or_default(),
            _ => Vec::new(),
        };
        let fixed = member.map(|member| member.values.clone()).unwrap_or_default().into_iter().chain(enumerated);
        let (open, close) = match (&self.kind, self.quoted) {
            (Type::Int | Type::Long | Type::Double | Type::Bool, _) => ("", ""),
            (_, true) => ("", "\""),
            (_, false) => ("\"", "\""),
        };
        let mut offer = |value: &str| {
            let label = format!("{open}{value}");
            found.offer_by(&label.clone(), Some(value), || {
                Candidate::new(label, CandidateKind::Value, Group::Values).open(close)
            });
        };
        fixed.for_each(&mut offer);
        if self.kind == Type::Bool {
            ["true", "false"].into_iter().for_each(offer);
            return None;
        }
        if is_structure(&self.kind, catalog) {
            let label = opening(&self.kind, catalog);
            found.offer(&label.clone(), || {
                Candidate::new(label, CandidateKind::Value, Group::Values)
                    .describe(describe::value("", &self.kind, None))
                    .open("")
            });
            return None;
        }
        let query = member.and_then(|member| references::of_name(catalog, member.name))?;
        let (resources, note) = match sources.live.lookup(query, found.typed()) {
            Live::Ready(resources) => (resources, None),
            Live::Part(resources) => (resources, Some(Note::More)),
            Live::Pending => return Some(Note::Fetching),
            Live::Unavailable => return Some(Note::NoLiveValues),
        };
        for resource in resources {
            let label = format!("{open}{}", resource.uuid);
            found.offer_by(&label.clone(), Some(&resource.name.clone()), || {
                let candidate = Candidate::new(label, CandidateKind::Value, Group::Values);
                candidate.describe(resource.name.clone()).of(resource).open(close)
            });
        }
        note
    }
}

/// What a value of structure begins with, up to the value of its first member: `[{"type":"`.
fn opening(kind: &Type, catalog: Catalog) -> String {
    match kind {
        Type::List(Some(element)) => format!("[{}", opening(element, catalog)),
        Type::String => "\"".to_owned(),
        Type::Named(name) => {
            let members = catalog.struct_fields(name).unwrap_or_default();
            let first = members.iter().find(|member| member.required).or(members.first());
            match first {
                Some(first) if first.kind == Type::String => format!("{{\"{}\":\"", first.name),
                Some(first) => format!("{{\"{}\":", first.name),
                None => "{".to_owned(),
            }
        }
        _ => String::new(),
    }
}
