//! The closest right name to a wrong one.

/// The candidate closest to `typed`, ignoring case, when one is close enough to be meant.
pub fn closest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().take(128).collect();
    let most = (typed.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let limit = best.map_or(most, |(distance, _)| distance.saturating_sub(1));
        if candidate.len().abs_diff(typed.len()) > limit + typed.len() {
            continue;
        }
        let name: Vec<char> = candidate.to_lowercase().chars().collect();
        if let Some(distance) = distance_within(&typed, &name, limit) {
            if distance == 0 {
                return Some(candidate);
            }
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
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
}
