//! The size of the terminal, the width of text on it, and text cut to a width.

use std::borrow::Cow;
use std::io;

use rustix::termios::tcgetwinsize;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The columns and lines of the terminal that the process writes to, or else reads from.
pub(crate) fn terminal_size() -> Option<(usize, usize)> {
    let asked =
        tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stderr())).or_else(|_| tcgetwinsize(io::stdin()));
    let size = asked.ok().filter(|size| size.ws_col > 0 && size.ws_row > 0)?;
    Some((usize::from(size.ws_col), usize::from(size.ws_row)))
}

/// How many columns of a terminal a text takes.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The beginning of a text that takes at most `room` columns.
pub(crate) fn start(text: &str, room: usize) -> &str {
    if text.is_ascii() {
        return &text[..room.min(text.len())];
    }
    let mut taken = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        taken += width(cluster);
        if taken > room {
            return &text[..at];
        }
    }
    text
}

/// Text within `room` columns: where it is longer, its beginning and the ellipsis.
pub(crate) fn cut<'t>(text: &'t str, room: usize, ellipsis: &str) -> Cow<'t, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let kept = start(text, room.saturating_sub(width(ellipsis)));
    Cow::Owned(format!("{kept}{}", start(ellipsis, room)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_what_it_takes_on_the_screen() {
        assert_eq!((width("abc"), width("日本👍")), (3, 6));
        assert_eq!(
            (start("abc", 2), start("abc", 9), start("日本", 3), start("👩\u{200d}👩\u{200d}👧x", 1)),
            ("ab", "abc", "日", "")
        );
        assert_eq!(cut("存储存储", 5, "…"), "存储…");
        assert_eq!(cut("abc", 3, "…"), "abc");
        assert_eq!(cut("abcd", 3, "…"), "ab…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("abcd", 0, "…"), "");
        assert_eq!(cut("abcdef", 5, "..."), "ab...");
        assert_eq!(cut("abcdef", 2, "..."), "..");
    }
}
