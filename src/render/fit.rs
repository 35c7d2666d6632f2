//! Text truncated or wrapped to a width.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

use crate::width::{start, width};

use super::cell::is_uuid;

/// The separator between the values of a list in a cell.
pub(super) const LIST_SEPARATOR: &str = ", ";

/// Text truncated to `room` columns, with an ellipsis. A uuid is never truncated.
pub(super) fn cut<'t>(text: &'t str, room: usize, ellipsis: &str) -> Cow<'t, str> {
    if width(text) <= room || is_uuid(text) {
        return Cow::Borrowed(text);
    }
    let kept = start(text, room.saturating_sub(width(ellipsis)));
    Cow::Owned(format!("{}{ellipsis}", kept.trim_end()))
}

/// A list of values truncated to `room` columns: the first values in full, and the number of others.
pub(super) fn cut_list(text: &str, room: usize) -> Cow<'_, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let count = text.split(LIST_SEPARATOR).count();
    let mut best = None;
    for (index, (at, _)) in text.match_indices(LIST_SEPARATOR).enumerate() {
        let shown = format!("{} +{}", &text[..at], count - index - 1);
        if best.is_some() && width(&shown) > room {
            break;
        }
        best = Some(shown);
    }
    best.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The minimum width that [`cut_list`] needs for a list.
pub(super) fn shortest_list(text: &str) -> usize {
    width(&cut_list(text, 0))
}

/// Text wrapped to lines of `room` columns, at spaces if possible. A uuid is never broken.
pub(crate) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for word in text.split_inclusive(' ') {
        let bare = word.trim_end_matches(' ');
        if taken > 0 && taken + width(bare) > room {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        if width(bare) <= room || is_uuid(bare.trim_end_matches(',')) {
            line.push_str(word);
            taken += width(word);
            continue;
        }
        for cluster in word.graphemes(true) {
            if taken > 0 && taken + width(cluster) > room {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            line.push_str(cluster);
            taken += width(cluster);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    for line in &mut lines {
        line.truncate(line.trim_end_matches(' ').len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

    #[test]
    fn text_is_cut_and_wrapped_by_what_it_takes_on_screen() {
        assert_eq!(cut("ab cdef", 5, "…"), "ab c…");
        assert_eq!(cut("ab cdef", 4, "…"), "ab…");
        assert_eq!(cut("👩‍👩‍👧x", 2, "…"), "…");
        assert_eq!(cut(UUID, 5, "…"), UUID);
        assert_eq!(cut_list("10.0.0.1, 10.0.0.2, 10.0.0.3", 27), "10.0.0.1, 10.0.0.2 +1");
        assert_eq!(cut_list("10.0.0.1, 10.0.0.2, 10.0.0.3", 20), "10.0.0.1 +2");
        assert_eq!(cut_list("10.0.0.1, 10.0.0.2, 10.0.0.3", 3), "10.0.0.1 +2");
        assert_eq!(cut_list("10.0.0.1", 3), "10.0.0.1");
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
        assert_eq!(wrapped(&format!("{UUID}, {UUID}"), 20), [format!("{UUID},"), UUID.to_owned()]);
    }
}
