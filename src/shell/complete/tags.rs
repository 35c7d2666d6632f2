//! System tags, by the patterns of the catalog: `bootMode::{bootMode}`.

use crate::catalog::{Api, Catalog, references};

use super::candidate::{Candidate, CandidateKind, Group, Note};
use super::cursor::{Argument, CursorPlace};
use super::engine::CandidateList;
use super::sources::{Live, Sources};
use crate::secret::member_is_secret;

/// What separates the parts of a tag.
const SEPARATOR: &str = "::";

/// Returns the patterns of the tags that an API takes: its own, those of the resource that it returns, and common ones.
pub(super) fn of_api(api: &Api, catalog: Catalog) -> Vec<&'static str> {
    let mut patterns = catalog.api_tags(api.name);
    let resource = api.result.iter().find_map(|member| member.type_name.strip_suffix("Inventory"));
    patterns.extend(resource.into_iter().chain(["any"]).flat_map(|kind| catalog.resource_tags(kind)));
    patterns.retain(|pattern| pattern.matches('{').count() == pattern.matches('}').count());
    patterns.sort_unstable();
    patterns.dedup();
    patterns
}

/// Returns the byte offset of the last part of the tag that starts at `start`, and the patterns that fit what is before
/// it.
pub(super) fn at(text: &str, start: usize, patterns: Vec<&'static str>) -> (usize, Vec<&'static str>) {
    let tag = &text[start..];
    let last = tag.rfind(SEPARATOR).map_or(0, |at| at + SEPARATOR.len());
    let before: Vec<&str> = tag[..last].split_terminator(SEPARATOR).collect();
    let fits = |pattern: &&'static str| {
        let parts: Vec<&str> = pattern.split(SEPARATOR).collect();
        parts.len() > before.len() && parts.iter().zip(&before).all(|(part, typed)| is_value(part) || part == typed)
    };
    (start + last, patterns.into_iter().filter(fits).collect())
}

/// Offers the next part of the tag by each pattern.
pub(super) fn fill(
    patterns: &[&'static str],
    place: &CursorPlace,
    sources: &Sources<'_>,
    found: &mut CandidateList<'_>,
) -> Option<Note> {
    let typed = Argument::split(&place.word.text).map_or("", |argument| argument.value);
    let tag = typed.rsplit(',').next().unwrap_or_default();
    let before = &tag[..tag.rfind(SEPARATOR).map_or(0, |at| at + SEPARATOR.len())];
    let index = before.matches(SEPARATOR).count();
    let (mut offered, mut note): (Vec<(String, bool)>, Option<Note>) = Default::default();
    let mut asked = Vec::new();
    for pattern in patterns {
        let parts: Vec<&'static str> = pattern.split(SEPARATOR).collect();
        let Some(part) = parts.get(index) else { continue };
        if !is_value(part) {
            // Parts without values follow at once.
            let end = (index..parts.len()).find(|at| is_value(parts[*at])).unwrap_or(parts.len());
            let literal = (parts[index..end].join(SEPARATOR), end < parts.len());
            if !offered.contains(&literal) {
                found.offer(&literal.0, || {
                    let told = if literal.0 == *pattern { "" } else { *pattern };
                    part_of_tag(literal.0.clone(), literal.1).describe(told)
                });
                offered.push(literal);
            }
            continue;
        }
        let goes_on = index + 1 < parts.len();
        let name = part.trim_matches(['{', '}']).trim();
        let query = references::of_name(sources.catalog, name);
        let source = query.unwrap_or(if name.contains('|') { name } else { "QuerySystemTag" });
        if asked.contains(&source) {
            continue;
        }
        asked.push(source);
        if member_is_secret(name) {
            note = Some(Note::Secret);
        } else if name.contains('|') {
            for value in name.split('|') {
                found.offer(value, || part_of_tag(value.to_owned(), goes_on));
            }
        } else if let Some(query) = query {
            match sources.live.lookup(query, found.typed()) {
                Live::Ready(values) | Live::Part(values) => {
                    for value in values {
                        found.offer_by(&value.uuid.clone(), Some(&value.name.clone()), || {
                            part_of_tag(value.uuid.clone(), goes_on).describe(value.name.clone()).of(value)
                        });
                    }
                }
                Live::Pending => note = Some(Note::Fetching),
                Live::Unavailable => note = Some(Note::NoLiveValues),
            }
        } else {
            note = note.or(used(before, goes_on, sources, found));
        }
    }
    note
}

/// Offers the values that tags on the node have in this place.
fn used(before: &str, goes_on: bool, sources: &Sources<'_>, found: &mut CandidateList<'_>) -> Option<Note> {
    let tags = match sources.live.values("QuerySystemTag", "tag") {
        Live::Ready(tags) | Live::Part(tags) => tags,
        Live::Pending => return Some(Note::Fetching),
        Live::Unavailable => return Some(Note::NoLiveValues),
    };
    let value = |tag: &str| Some(tag.strip_prefix(before)?.split(SEPARATOR).next()?.to_owned());
    let mut values: Vec<String> = tags.iter().filter_map(|tag| value(&tag.name)).filter(|it| !it.is_empty()).collect();
    values.sort_unstable();
    values.dedup();
    for value in values {
        found.offer(&value.clone(), || part_of_tag(value, goes_on).describe("in use"));
    }
    None
}

fn part_of_tag(text: String, goes_on: bool) -> Candidate {
    Candidate::new(text, CandidateKind::Value, Group::Values).open(if goes_on { SEPARATOR } else { "" })
}

/// Whether a part of a pattern stands for a value.
fn is_value(part: &str) -> bool {
    part.starts_with('{') && part.ends_with('}')
}
