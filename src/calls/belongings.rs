//! What a resource belongs to and what belongs to it, asked of the node in one round of queries that run at the same
//! time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::catalog::references::query_of_field;
use crate::catalog::{Belonging, Catalog, Inventory, ResourceKind, in_words, kind_place};
use crate::json::{self, Kind};
use crate::plan::{self, QueryPlan, Wanted};
use crate::session::Lookup;
use crate::syntax::{Operator, join_list};

use super::relations;

/// Rows per request.
const PAGE_SIZE: u32 = 1000;

/// How many queries run at the same time.
const LANES: usize = 8;

/// How long a count may take before the question is asked without it.
const COUNT_PATIENCE: Duration = Duration::from_secs(3);

/// The queries for the tags of a resource, and the member of it that holds them here.
const TAGS: [(&str, &str); 2] = [("QueryUserTag", "userTags"), ("QuerySystemTag", "systemTags")];

/// What a member of a resource refers to by uuid.
pub(crate) struct Reference {
    /// The member.
    pub(crate) key: &'static str,
    /// The query that finds it.
    query: &'static str,
    inventory: &'static str,
    /// The uuids.
    pub(crate) uuids: Vec<String>,
    /// Whether a relation of the catalog says that the resource belongs to it.
    pub(crate) is_owner: bool,
    /// The names, as far as the node gave them.
    pub(crate) names: Vec<Option<String>>,
}

impl Reference {
    /// What it is called: the member without its ending.
    pub(crate) fn member(&self) -> &'static str {
        self.key.strip_suffix("Uuid").or_else(|| self.key.strip_suffix("Uuids")).unwrap_or(self.key)
    }
}

/// Resources of one kind that belong to another.
pub(crate) struct Section {
    /// How they are found.
    pub(crate) of: Belonging,
    /// The first ones.
    pub(crate) rows: Vec<Vec<u8>>,
    /// How many there are; `None` where the node did not say.
    pub(crate) total: Option<u64>,
    /// The members of the rows that refer to something, and those that hold it.
    pub(crate) named: Vec<(String, String)>,
}

/// What stands around a resource.
#[derive(Default)]
pub(crate) struct Surroundings {
    /// What it refers to.
    pub(crate) references: Vec<Reference>,
    /// What belongs to it, without kinds of which there is none.
    pub(crate) sections: Vec<Section>,
    /// Its tags, as members that it could have.
    pub(crate) tags: Vec<(&'static str, Vec<String>)>,
    /// The queries that the node did not answer.
    pub(crate) unanswered: Vec<&'static str>,
}

/// How much to ask for.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    /// At most so many of each kind.
    pub(crate) most: usize,
    /// Whether they are completed with the names of what they refer to, for people.
    pub(crate) names: bool,
}

/// A question of the round.
enum Question<'a> {
    Reference(Reference),
    Belonging(&'a Belonging),
    Tags(&'static str, &'static str),
}

/// The conditions that find what belongs to one of these resources.
fn condition<'b>(belonging: &'b Belonging, uuids: &[String]) -> [(&'b str, Operator, String); 1] {
    match uuids {
        [uuid] => [(&belonging.field, Operator::Equal, uuid.clone())],
        uuids => [(&belonging.field, Operator::In, join_list(uuids))],
    }
}

/// The first `most` rows that match, and how many do.
fn first_rows<'a>(conditions: &'a [(&'a str, Operator, String)], most: usize) -> Wanted<'a> {
    Wanted { conditions, limit: Some(most), with_total: true, ..Wanted::default() }
}

/// The condition for the tags of a resource.
fn tagged(uuid: &str) -> [(&'static str, Operator, String); 1] {
    [("resourceUuid", Operator::Equal, uuid.to_owned())]
}

/// The tags that match.
fn tags<'a>(conditions: &'a [(&'a str, Operator, String)]) -> Wanted<'a> {
    Wanted { conditions, fields: &["tag"], ..Wanted::default() }
}

/// The queries that [`surroundings`] sends whatever the resource refers to.
///
/// # Errors
/// As [`plan::rows`].
pub(crate) fn queries(
    catalog: Catalog,
    kind: &ResourceKind,
    uuid: &str,
    most: usize,
) -> Result<Vec<QueryPlan>, plan::Error> {
    let belongings = catalog.belongings(&kind.inventory).into_iter().filter(|belonging| belonging.member.is_none());
    let rows = belongings.map(|belonging| {
        let conditions = condition(&belonging, &[uuid.to_owned()]);
        plan::rows(belonging.query, &first_rows(&conditions, most), PAGE_SIZE, catalog)
    });
    let tags = TAGS.iter().map(|(query, _)| plan::rows(query, &tags(&tagged(uuid)), PAGE_SIZE, catalog));
    rows.chain(tags).collect()
}

/// What stands around the resource of a row, as `how` says.
pub(crate) fn surroundings(
    lookup: &Lookup,
    catalog: Catalog,
    kind: &ResourceKind,
    row: &[u8],
    how: Extent,
) -> Surroundings {
    let Some(uuid) = text_of(row, "uuid") else { return Surroundings::default() };
    let belongings = catalog.belongings(&kind.inventory);
    let references = references(catalog, &kind.inventory, row, &belongings).into_iter().map(Question::Reference);
    let tags = TAGS.map(|(query, member)| Question::Tags(query, member));
    let questions: Vec<Question<'_>> =
        references.chain(belongings.iter().map(Question::Belonging)).chain(tags).collect();
    let answers = at_once(lookup, &questions, |lookup, question| question.ask(lookup, catalog, row, &uuid, how));
    let mut found = Surroundings::default();
    for (question, answer) in questions.into_iter().zip(answers) {
        match answer {
            None => found.unanswered.push(question.query()),
            Some(Answer::Names(names)) => {
                if let Question::Reference(reference) = question {
                    found.references.push(Reference { names, ..reference });
                }
            }
            Some(Answer::Section(section)) if section.rows.is_empty() => {}
            Some(Answer::Section(section)) => found.sections.push(section),
            Some(Answer::Tags(member, tags)) => found.tags.push((member, tags)),
        }
    }
    found
}

/// An answer of the round.
enum Answer {
    Names(Vec<Option<String>>),
    Section(Section),
    Tags(&'static str, Vec<String>),
}

impl Question<'_> {
    fn query(&self) -> &'static str {
        match self {
            Question::Reference(reference) => reference.query,
            Question::Belonging(belonging) => belonging.query,
            Question::Tags(query, _) => query,
        }
    }

    fn ask(&self, lookup: &mut Lookup, catalog: Catalog, row: &[u8], uuid: &str, how: Extent) -> Option<Answer> {
        match self {
            Question::Reference(reference) => {
                let conditions = [("uuid", Operator::In, join_list(&reference.uuids))];
                let wanted = Wanted { conditions: &conditions, fields: &["uuid", "name"], ..Wanted::default() };
                let mut known = Vec::new();
                let each = &mut |row: &[u8]| known.extend(text_of(row, "uuid").zip(text_of(row, "name")));
                lookup.each_row(reference.query, &wanted, each)?;
                let name = |uuid: &String| known.iter().find(|(known, _)| known == uuid).map(|(_, name)| name.clone());
                Some(Answer::Names(reference.uuids.iter().map(name).collect()))
            }
            Question::Belonging(belonging) => {
                let inside = belonging.member.and_then(|member| json::member(row, member));
                let (mut rows, total) = match inside.filter(|inside| json::kind(inside) == Kind::List) {
                    Some(inside) => {
                        let rows: Vec<Vec<u8>> = json::items(inside).map(<[u8]>::to_vec).collect();
                        let total = rows.len() as u64;
                        (rows, Some(total))
                    }
                    None => {
                        let conditions = condition(belonging, &[uuid.to_owned()]);
                        let wanted = first_rows(&conditions, how.most);
                        let mut rows = Vec::new();
                        let total = lookup.each_row(belonging.query, &wanted, &mut |row| rows.push(row.to_vec()))?;
                        (rows, total)
                    }
                };
                let mut named = Vec::new();
                if how.names {
                    rows.truncate(how.most);
                    let inventory = catalog.inventory(belonging.inventory)?;
                    named = relations::with_names(catalog, &inventory, &mut rows, lookup);
                }
                Some(Answer::Section(Section { of: (*belonging).clone(), rows, total, named }))
            }
            Question::Tags(query, member) => {
                let mut found = Vec::new();
                lookup.each_row(query, &tags(&tagged(uuid)), &mut |row| found.extend(text_of(row, "tag")))?;
                Some(Answer::Tags(member, found))
            }
        }
    }
}

/// What the members of a resource refer to.
fn references(catalog: Catalog, inventory: &Inventory, row: &[u8], belongings: &[Belonging]) -> Vec<Reference> {
    let mut references = Vec::new();
    for field in inventory.fields.iter().filter(|field| field.name != "uuid") {
        let uuids = json::member(row, field.name).map(texts).unwrap_or_default();
        let Some(query) = query_of_field(catalog, inventory, field).filter(|_| !uuids.is_empty()) else { continue };
        let rows = catalog.api(query).and_then(|api| catalog.inventory(api.inventory?));
        let Some(rows) = rows.filter(|rows| rows.field("name").is_some() && rows.field("uuid").is_some()) else {
            continue;
        };
        let is_relation = inventory.expanded.values().any(|expanded| expanded.key == Some(field.name));
        // The root volume of a VM belongs to it, not the other way round.
        let is_owner = is_relation && !belongings.iter().any(|belonging| belonging.inventory == rows.name);
        references.push(Reference { key: field.name, query, inventory: rows.name, uuids, is_owner, names: Vec::new() });
    }
    references.sort_by_key(|reference| kind_place(reference.inventory));
    references
}

/// What belongs to resources, as a sentence: `8 VMs and 2 volumes belong to it`. Nothing where nothing does, or where
/// the node does not say so in time; `at least` where it left some counts out. What the resources hold themselves is not counted.
pub(crate) fn counted(lookup: &Lookup, catalog: Catalog, kind: &ResourceKind, uuids: &[String]) -> Option<String> {
    let belongings: Vec<Belonging> =
        catalog.belongings(&kind.inventory).into_iter().filter(|belonging| belonging.member.is_none()).collect();
    let lookup = lookup.fork().within(COUNT_PATIENCE);
    let counts = at_once(&lookup, &belongings, |lookup, belonging| {
        let conditions = condition(belonging, uuids);
        let wanted = Wanted { conditions: &conditions, count: true, ..Wanted::default() };
        lookup.each_row(belonging.query, &wanted, &mut |_| {}).flatten()
    });
    let is_all = counts.iter().all(Option::is_some);
    let of_kind = |(belonging, count): (&Belonging, Option<u64>)| Some((belonging.inventory, count?));
    let counts: Vec<(&str, u64)> = belongings.iter().zip(counts).filter_map(of_kind).collect();
    let sentence = in_sentence(&counts, uuids.len())?;
    Some(if is_all { sentence } else { format!("at least {sentence}") })
}

fn in_sentence(counts: &[(&str, u64)], owners: usize) -> Option<String> {
    let counts: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
    let parts: Vec<String> =
        counts.iter().map(|(inventory, count)| format!("{count} {}", in_words(inventory, *count))).collect();
    let verb = if counts.iter().map(|(_, count)| count).sum::<u64>() == 1 { "belongs" } else { "belong" };
    let whom = if owners == 1 { "it" } else { "them" };
    let listed = match parts.split_last()? {
        (one, []) => one.clone(),
        (last, others) => format!("{} and {last}", others.join(", ")),
    };
    Some(format!("{listed} {verb} to {whom}"))
}

/// Asks about all items at the same time; the answers are in their order.
fn at_once<T: Sync, R: Send>(lookup: &Lookup, items: &[T], ask: impl Fn(&mut Lookup, &T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (next, ask) = (&next, &ask);
    let lane = |mut lookup: Lookup| {
        move || {
            let mut answers = Vec::new();
            while let Some((at, item)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
            {
                answers.push((at, ask(&mut lookup, item)));
            }
            answers
        }
    };
    let mut answers: Vec<(usize, R)> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..items.len().min(LANES)).map(|_| scope.spawn(lane(lookup.fork()))).collect();
        let ends = lanes.into_iter().map(|lane| lane.join());
        ends.flat_map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// The text of a member.
pub(crate) fn text_of(row: &[u8], member: &str) -> Option<String> {
    let text = json::member(row, member).filter(|text| json::kind(text) == Kind::Text)?;
    Some(json::unescape(text).into_owned())
}

/// The text of a value, or the texts of a list.
fn texts(value: &[u8]) -> Vec<String> {
    let text = |value: &[u8]| (json::kind(value) == Kind::Text).then(|| json::unescape(value).into_owned());
    let texts: Vec<String> = match json::kind(value) {
        Kind::List => json::items(value).filter_map(text).collect(),
        _ => text(value).into_iter().collect(),
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_said_in_a_sentence() {
        let said = |counts: &[(&str, u64)], owners| in_sentence(counts, owners).unwrap_or_default();
        assert_eq!(said(&[("VmInstanceInventory", 8), ("HostInventory", 0)], 1), "8 VMs belong to it");
        assert_eq!(said(&[("VmInstanceInventory", 1)], 2), "1 VM belongs to them");
        let zone = [("ClusterInventory", 2), ("HostInventory", 6), ("VmInstanceInventory", 25)];
        assert_eq!(said(&zone, 1), "2 clusters, 6 hosts and 25 VMs belong to it");
        assert_eq!(said(&[("HostInventory", 0)], 1), "");
    }
}
