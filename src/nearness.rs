//! The right names that look like a wrong one: one measure for all that is suggested.

/// The candidate closest to `typed`, ignoring case, when one is close enough to be meant.
pub(crate) fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = letters(typed);
    let most = most(&typed);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(most, |(distance, _)| distance.saturating_sub(1));
        if candidate.len().abs_diff(typed.len()) > limit + typed.len() {
            continue;
        }
        if let Some(distance) = distance_within(&typed, &letters(candidate), limit) {
            if distance == 0 {
                return Some(candidate);
            }
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Candidates that look like `typed`, ignoring case, or have it in them, best first, three at most.
pub(crate) fn near<'a>(typed: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = letters(typed);
    let most = most(&wanted);
    let has = |whole: &[char], part: &[char]| part.len() >= 3 && whole.windows(part.len()).any(|run| run == part);
    let mut found: Vec<(usize, &str)> = candidates
        .filter_map(|candidate| {
            let name = letters(candidate);
            let distance = distance_within(&wanted, &name, most);
            let distance = distance.or_else(|| (has(&name, &wanted) || has(&wanted, &name)).then_some(most))?;
            Some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup_by_key(|(_, candidate)| *candidate);
    found.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}

/// The text in small letters; nobody means a longer name.
fn letters(text: &str) -> Vec<char> {
    text.to_lowercase().chars().take(128).collect()
}

/// How far a name may be from what was typed: of four letters one may be wrong, of five two.
fn most(typed: &[char]) -> usize {
    ((typed.len() + 1) / 3).max(1)
}

/// The number of insertions, deletions, replacements and swaps of neighbours between two texts, when it is at
/// most `limit`.
fn distance_within(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        if row.iter().min().is_some_and(|least| *least > limit) {
            return None;
        }
        std::mem::swap(&mut before, &mut above);
        std::mem::swap(&mut above, &mut row);
    }
    Some(above[b.len()]).filter(|distance| *distance <= limit)
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
