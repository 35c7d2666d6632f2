//! Suggestions for names that do not exist.

use strsim::osa_distance;

/// The candidate closest to `typed`, ignoring case, when it is close enough to be suggested.
pub(crate) fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = folded(typed);
    let most = max_distance(&typed);
    let distances = candidates.into_iter().map(|candidate| (distance(&typed, &folded(candidate), most), candidate));
    let best = distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance);
    best.map(|(_, candidate)| candidate)
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
    found.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
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
