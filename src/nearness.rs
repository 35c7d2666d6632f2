//! Suggestions for names that do not exist.

use strsim::osa_distance;

/// How many names are proposed at most.
pub(crate) const MOST_PROPOSED: usize = 3;

/// The candidate closest to `typed`, ignoring case, when it is close enough to be suggested.
pub(crate) fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let best = within(typed, candidates).min_by_key(|(distance, _)| *distance);
    best.map(|(_, candidate)| candidate)
}

/// Up to three candidates that may be meant, best first: as close to `typed` as the closest one, or one edit further
/// where that is more than one edit away. One that only goes on or has letters besides is clearer than others.
pub(crate) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let found = within(typed, candidates).map(|(distance, name)| (distance, unlikeness(typed, name), name));
    let mut found: Vec<(usize, u8, &str)> = found.collect();
    found.sort_by_key(|(distance, unlike, _)| (*distance, *unlike));
    let (least, most_unlike) = found.first().map_or((0, 0), |(distance, unlike, _)| (*distance, *unlike));
    found.retain(|(distance, unlike, _)| *distance <= least + usize::from(least > 1) && *unlike <= most_unlike);
    let mut names = Vec::new();
    for (_, _, name) in found {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(MOST_PROPOSED);
    names
}

/// 0 for a name that begins with what was typed, 1 for one that has its letters in that order, 2 for another.
fn unlikeness(typed: &str, name: &str) -> u8 {
    let (typed, name) = (folded(typed), folded(name));
    let mut letters = name.chars();
    match typed.chars().all(|letter| letters.any(|other| other == letter)) {
        _ if name.starts_with(&typed) => 0,
        true => 1,
        false => 2,
    }
}

/// The question for the names that may be meant, best first; `None` without any.
pub(crate) fn did_you_mean(names: &[impl AsRef<str>]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    let (last, others) = quoted.split_last()?;
    let or = if others.is_empty() { "" } else { " or " };
    Some(format!("did you mean {}{or}{last}?", others.join(", ")))
}

/// The candidates that are close enough to be suggested, with how many edits away they are.
fn within<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let typed = folded(typed);
    let most = max_distance(&typed);
    let distances =
        candidates.into_iter().map(move |candidate| (distance(&typed, &folded(candidate), most), candidate));
    distances.filter(move |(distance, _)| *distance <= most)
}

/// Up to three candidates that are close to `typed`, contain it or are contained in it, ignoring case, best first.
pub(crate) fn near<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let typed = folded(typed);
    let most = max_distance(&typed);
    let has = |whole: &str, part: &str| part.chars().count() >= 3 && whole.contains(part);
    let mut found: Vec<(usize, &str)> = candidates
        .filter_map(|candidate| {
            let name = folded(candidate);
            let distance = distance(&typed, &name, most);
            (distance <= most || has(&name, &typed) || has(&typed, &name)).then_some((distance.min(most), candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(_, candidate)| *candidate);
    found.into_iter().take(MOST_PROPOSED).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// The text in lower case, and no more of it than a name may have: comparing takes the product of two lengths.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).take(128).collect()
}

/// How many edits make another name: one in a name of four letters, two in one of five.
fn max_distance(typed: &str) -> usize {
    ((typed.chars().count() + 1) / 3).max(1)
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two texts; too many where their
/// lengths alone differ by more than `most`.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let lengths = a.chars().count().abs_diff(b.chars().count());
    if lengths > most { lengths } else { osa_distance(a, b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["QueryZone", "QueryHost", "CreateZone", "QueryVmInstance"];
        assert_eq!(closest("QueryZoen", names), Some("QueryZone"));
        assert_eq!(closest("queryhost", names), Some("QueryHost"));
        assert_eq!(closest("CreatZone", names), Some("CreateZone"));
        assert_eq!(closest("Frobnicate", names), None);
        assert_eq!(closest("nmae", ["name", "uuid"]), Some("name"));
        assert_eq!(closest("x", ["name", "uuid"]), None);
        assert_eq!(closest("", names), None);
    }

    #[test]
    fn what_is_as_near_as_the_nearest_is_proposed_too() {
        assert_eq!(nearest("cat", ["cut", "hat", "dog", "car", "cap"]), ["cut", "hat", "car"]);
        assert_eq!(nearest("stat", ["start", "state"]), ["state"]);
        assert_eq!(nearest("__sysTag__", ["__userTag__", "__systemTag__"]), ["__systemTag__"]);
        assert_eq!(nearest("zoneUuids", ["zoneUuid", "hostUuid"]), ["zoneUuid"]);
        assert_eq!(nearest("vmInstance", ["vmInstaxxe", "vmInstence"]), ["vmInstence"]);
        assert_eq!(nearest("hostname", ["hostxxxe", "hostnxxe"]), ["hostnxxe", "hostxxxe"]);
        assert_eq!(nearest("nmae", ["name", "uuid", "name"]), ["name"]);
        assert_eq!(did_you_mean(&["a", "b", "c"]).as_deref(), Some("did you mean `a`, `b` or `c`?"));
        assert_eq!(did_you_mean(&["a", "b"]).as_deref(), Some("did you mean `a` or `b`?"));
        assert_eq!(did_you_mean(&["a"]).as_deref(), Some("did you mean `a`?"));
        assert_eq!(did_you_mean(&[""; 0]), None);
    }

    #[test]
    fn several_names_are_near() {
        let known = ["name", "uuid", "state", "status", "zoneUuid", "vmNics", "totalCapacity"];
        assert_eq!(near("nmae", known.into_iter()), ["name"]);
        assert_eq!(near("vmnics", known.into_iter()), ["vmNics"]);
        assert_eq!(near("stat", known.into_iter()), ["state", "status"]);
        assert_eq!(near("capacity", known.into_iter()), ["totalCapacity"]);
        assert!(near("description", known.into_iter()).is_empty());
        assert!(near("", known.into_iter()).is_empty());
    }
}
