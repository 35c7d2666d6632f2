//! Formatting JSON text with the members of every map sorted by name. Numbers are unchanged. So are texts, except that
//! needless escapes of the node (N5) are removed: scripts search for `=` and `'`, which no other JSON writer escapes.
//!
//! The text is formatted in one pass in its own order, and the members of a map are sorted in the output when the map
//! ends. Rows of one query have their members in mostly the same order, so the last permutation is kept: checking it
//! takes one comparison per member.

use std::cmp::Ordering;

use super::layout::line_break;
use super::lexis::{skip_blanks, string_end, string_stop};
use super::text::unescape;

/// Bytes outside of strings that the formatter handles.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut index = 0;
    let bytes = b"\"{}[],: \n\r\t";
    while index < bytes.len() {
        table[bytes[index] as usize] = true;
        index += 1;
    }
    table
};

/// Appends valid JSON text with four spaces a level and one member or item a line. `level` is that of the line on which
/// the value begins. Order and escapes are unchanged; empty lists and maps are `[]` and `{}`.
pub fn indent(out: &mut Vec<u8>, text: &[u8], level: usize) {
    Sorter::default().lay_out::<true, false>(out, text, level);
}

/// The permutation is kept for maps with up to this many members.
const REMEMBERED: usize = 128;

/// Formats values with sorted members, one after the other. The last of several members with the same name wins.
#[derive(Debug, Default)]
pub struct Sorter {
    /// The members of the open maps, those of inner ones last.
    members: Vec<Member>,
    /// The open maps and lists.
    levels: Vec<Level>,
    /// By the number of members: the permutation that sorted the last unsorted map.
    orders: Vec<Vec<usize>>,
    /// A copy of the output of a map while its members are reordered.
    scratch: Vec<u8>,
}

/// A member of a map.
#[derive(Clone, Copy, Debug)]
struct Member {
    /// Its range in the output.
    start: usize,
    end: usize,
    /// The range of its name in the text, without quotes.
    name: (usize, usize),
    /// The first bytes of the name, which suffice to compare most names.
    prefix: u64,
    /// Whether the name has escapes.
    escaped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    is_map: bool,
    /// The index of its first member.
    first: usize,
}

impl Sorter {
    /// Appends valid JSON text as [`indent`] does, sorted.
    pub fn indent(&mut self, out: &mut Vec<u8>, text: &[u8], level: usize) {
        self.lay_out::<true, true>(out, text, level);
    }

    /// Appends valid JSON text as [`super::compact`] does, sorted.
    pub fn compact(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        self.lay_out::<false, true>(out, text, 0);
    }

    /// Formats `text`: indented if `LINES`, else on one line; if `SORTED`, with sorted members and without needless
    /// escapes.
    fn lay_out<const LINES: bool, const SORTED: bool>(&mut self, out: &mut Vec<u8>, text: &[u8], base: usize) {
        out.reserve(if LINES { text.len() + text.len() / 2 } else { text.len() });
        self.members.clear();
        self.levels.clear();
        // Text from `kept` on has not been copied yet.
        let mut kept = 0;
        let mut at = 0;
        let mut name_due = false;
        while let Some(&byte) = text.get(at) {
            match byte {
                b'"' => {
                    let stop = string_stop(text, at + 1);
                    let escaped = text.get(stop) == Some(&b'\\');
                    let close = if escaped { string_end(text, stop) } else { stop };
                    if name_due {
                        name_due = false;
                        let name = (at + 1, close);
                        let prefix = if escaped { 0 } else { prefix(text, name) };
                        self.members.push(Member { start: out.len(), end: out.len(), name, prefix, escaped });
                    } else if SORTED && escaped {
                        out.extend_from_slice(&text[kept..stop]);
                        push_plain(out, text.get(stop..close).unwrap_or_default());
                        kept = close.min(text.len());
                    }
                    at = (close + 1).min(text.len());
                }
                b'{' | b'[' => {
                    let inside = skip_blanks(text, at + 1);
                    out.extend_from_slice(&text[kept..=at]);
                    kept = inside;
                    if matches!(text.get(inside), Some(b'}' | b']')) {
                        at = inside + 1;
                    } else {
                        name_due = SORTED && byte == b'{';
                        self.levels.push(Level { is_map: name_due, first: self.members.len() });
                        self.separate::<LINES>(out, base);
                        at = inside;
                    }
                }
                b'}' | b']' => {
                    out.extend_from_slice(&text[kept..at]);
                    self.close::<LINES>(out, text, base);
                    kept = at;
                    at += 1;
                }
                b',' => {
                    out.extend_from_slice(&text[kept..at]);
                    name_due = self.end_member(out.len());
                    out.push(b',');
                    self.separate::<LINES>(out, base);
                    at = skip_blanks(text, at + 1);
                    kept = at;
                }
                b':' => {
                    out.extend_from_slice(&text[kept..=at]);
                    if LINES {
                        out.push(b' ');
                    }
                    at = skip_blanks(text, at + 1);
                    kept = at;
                }
                b' ' | b'\n' | b'\r' | b'\t' => {
                    out.extend_from_slice(&text[kept..at]);
                    at = skip_blanks(text, at + 1);
                    kept = at;
                }
                _ => {
                    at += 1;
                    while text.get(at).is_some_and(|&byte| !SPECIAL[usize::from(byte)]) {
                        at += 1;
                    }
                }
            }
        }
        out.extend_from_slice(&text[kept.min(text.len())..]);
    }

    /// Writes the line break before a member or item, if there is one.
    #[inline(always)]
    fn separate<const LINES: bool>(&self, out: &mut Vec<u8>, base: usize) {
        if LINES {
            line_break(out, base + self.levels.len());
        }
    }

    /// Ends the current member at `end`. Returns whether the current value is a member.
    #[inline(always)]
    fn end_member(&mut self, end: usize) -> bool {
        let Some(level) = self.levels.last().filter(|level| level.is_map) else { return false };
        if let Some(member) = self.members.get_mut(level.first..).and_then(<[Member]>::last_mut) {
            member.end = end;
        }
        true
    }

    /// Ends the innermost map or list.
    #[inline(always)]
    fn close<const LINES: bool>(&mut self, out: &mut Vec<u8>, text: &[u8], base: usize) {
        if self.end_member(out.len()) {
            self.sort::<LINES>(out, text, base);
        }
        if let Some(level) = self.levels.pop() {
            self.members.truncate(level.first);
        }
        self.separate::<LINES>(out, base);
    }

    /// Sorts the members of the innermost map in the output.
    fn sort<const LINES: bool>(&mut self, out: &mut Vec<u8>, text: &[u8], base: usize) {
        let first = self.levels.last().map_or(0, |level| level.first);
        let members = &self.members[first..];
        let in_order = |a: &Member, b: &Member| compare(text, a, b) == Ordering::Less;
        if members.is_sorted_by(in_order) {
            return;
        }
        let count = members.len();
        if self.orders.len() <= count.min(REMEMBERED) {
            self.orders.resize(count.min(REMEMBERED) + 1, Vec::new());
        }
        // Longer maps share one entry, whose permutation is not reused.
        let order = &mut self.orders[count.min(REMEMBERED)];
        let is_known = order.len() == count && order.is_sorted_by(|&a, &b| in_order(&members[a], &members[b]));
        if !is_known {
            order.clear();
            order.extend(0..count);
            order.sort_unstable_by(|&a, &b| compare(text, &members[a], &members[b]).then(a.cmp(&b)));
        }
        let (Some(begin), Some(end)) = (members.first(), members.last()) else { return };
        let start = begin.start;
        self.scratch.clear();
        self.scratch.extend_from_slice(&out[start..end.end]);
        out.truncate(start);
        let mut is_first = true;
        for (place, &index) in order.iter().enumerate() {
            let member = &members[index];
            let next = order.get(place + 1).map(|&next| &members[next]);
            if !is_known && next.is_some_and(|next| compare(text, member, next) == Ordering::Equal) {
                continue;
            }
            if !std::mem::replace(&mut is_first, false) {
                out.push(b',');
                if LINES {
                    line_break(out, base + self.levels.len());
                }
            }
            out.extend_from_slice(&self.scratch[member.start - start..member.end - start]);
        }
    }
}

/// Appends the inside of a text without the escapes that JSON does not need, those of `< > & = '`.
fn push_plain(out: &mut Vec<u8>, mut inside: &[u8]) {
    while let Some(at) = memchr::memchr(b'\\', inside) {
        out.extend_from_slice(&inside[..at]);
        let escape = &inside[at..];
        let plain = match escape.get(..6).map(<[u8]>::to_ascii_lowercase).as_deref() {
            Some(b"\\u003c") => Some(b'<'),
            Some(b"\\u003e") => Some(b'>'),
            Some(b"\\u0026") => Some(b'&'),
            Some(b"\\u003d") => Some(b'='),
            Some(b"\\u0027") => Some(b'\''),
            _ => None,
        };
        let length = if plain.is_some() { 6 } else { escape.len().min(2) };
        match plain {
            Some(plain) => out.push(plain),
            None => out.extend_from_slice(&escape[..length]),
        }
        inside = &escape[length..];
    }
    out.extend_from_slice(inside);
}

/// By code points, which is how UTF-8 compares.
#[inline(always)]
fn compare(text: &[u8], a: &Member, b: &Member) -> Ordering {
    if a.escaped || b.escaped {
        return compare_names(&text[a.name.0..a.name.1], &text[b.name.0..b.name.1]);
    }
    a.prefix.cmp(&b.prefix).then_with(|| text[a.name.0..a.name.1].cmp(&text[b.name.0..b.name.1]))
}

/// Compares escaped names by the code points that they stand for.
pub fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    unescape(a).as_bytes().cmp(unescape(b).as_bytes())
}

/// The first eight bytes of a name, as a number that compares as they do.
#[inline(always)]
fn prefix(text: &[u8], (start, end): (usize, usize)) -> u64 {
    let length = end.saturating_sub(start);
    match text.get(start..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(eight) if length >= 8 => u64::from_be_bytes(*eight),
        Some(eight) if length > 0 => u64::from_be_bytes(*eight) & (u64::MAX << (8 * (8 - length))),
        Some(_) => 0,
        None => text
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .take(8)
            .zip(0..)
            .fold(0, |prefix, (&byte, place)| prefix | u64::from(byte) << (56 - 8 * place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str) -> String {
        let mut out = Vec::new();
        Sorter::default().compact(&mut out, text.as_bytes());
        String::from_utf8(out).expect("was UTF-8")
    }

    #[test]
    fn members_are_sorted_all_the_way_down() {
        let cases: &[(&str, &str)] = &[
            (r#" { "b" : 1 , "a" : [ { "d" : {} , "c" : [ ] } , 2 ] } "#, r#"{"a":[{"c":[],"d":{}},2],"b":1}"#),
            (
                r#"{"b":{"z":{"y":1,"x":2},"a":1.073741824E9},"a":"{\"b\":1,\"a\":2}"}"#,
                r#"{"a":"{\"b\":1,\"a\":2}","b":{"a":1.073741824E9,"z":{"x":2,"y":1}}}"#,
            ),
            // By code points: capitals first, and a shorter name before what goes on.
            (
                r#"{"ab":1,"a":2,"B":3,"":4,"日":5,"é":6,"\ud83d\ude00":7,"～":8}"#,
                r#"{"":4,"B":3,"a":2,"ab":1,"é":6,"日":5,"～":8,"\ud83d\ude00":7}"#,
            ),
            // What an escape means counts.
            (r#"{"c":1,"\u0062":2,"a\"":3,"a":4}"#, r#"{"a":4,"a\"":3,"\u0062":2,"c":1}"#),
            (
                r#"{"lastOpDate":1,"lastHostUuid":2,"lastOpData":3}"#,
                r#"{"lastHostUuid":2,"lastOpData":3,"lastOpDate":1}"#,
            ),
            // As Python's reader: the last one counts.
            (r#"{"b":1,"a":{"x":1},"b":[2],"a":3,"\u0061":4}"#, r#"{"\u0061":4,"b":[2]}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            // What a node escapes without need is plain; all else is as it was.
            (
                r#"{"b":"a\u003d\u003C1\u003e \u0026\u0027","a":"\\u003d\n\u00e9\""}"#,
                r#"{"a":"\\u003d\n\u00e9\"","b":"a=<1> &'"}"#,
            ),
            (r#"["\u003d","\\\u003d"]"#, r#"["=","\\="]"#),
            ("[]", "[]"),
            ("{}", "{}"),
            (" 12 ", "12"),
            (r#""x""#, r#""x""#),
            ("[[],{}]", "[[],{}]"),
        ];
        for (text, expected) in cases {
            assert_eq!(sorted(text), *expected, "{text}");
        }
        let mut out = Vec::new();
        Sorter::default().indent(&mut out, br#"{"b":[{"d":1,"c":{}}],"a":2}"#, 1);
        let expected = "{\n        \"a\": 2,\n        \"b\": [\n            {\n                \"c\": {},\n                \"d\": 1\n            }\n        ]\n    }";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    /// One sorter lays out many rows; what it remembers of one must not harm the next.
    #[test]
    fn rows_of_any_order_are_sorted_by_one_sorter() {
        let mut sorter = Sorter::default();
        let mut number = 11_usize;
        for _ in 0..3000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let count = (number >> 33) % 7;
            let shift = (number >> 40) % 3;
            let names: Vec<usize> = (0..count).map(|index| (index * 5 + shift * 3) % 7).collect();
            let inner = |name: &usize| format!(r#""n{name}":{{"b":{name},"a":[{{"d":1,"c":2}}]}}"#);
            let row = format!("{{{}}}", names.iter().map(inner).collect::<Vec<_>>().join(","));
            let value: serde_json::Value = serde_json::from_str(&row).expect("is JSON");
            let mut out = Vec::new();
            sorter.compact(&mut out, row.as_bytes());
            // Its maps are sorted.
            assert_eq!(String::from_utf8_lossy(&out), value.to_string(), "{row}");
            out.clear();
            sorter.indent(&mut out, row.as_bytes(), 0);
            let mut expected = Vec::new();
            super::super::indent(&mut expected, value.to_string().as_bytes(), 0);
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected), "{row}");
        }
        // More members than orders are remembered for.
        for _ in 0..2 {
            let members: Vec<String> = (0..500).rev().map(|index| format!("\"{index:03}\":{index}")).collect();
            let mut out = Vec::new();
            sorter.compact(&mut out, format!("{{{}}}", members.join(",")).as_bytes());
            let value: Vec<String> = members.into_iter().rev().collect();
            assert_eq!(String::from_utf8_lossy(&out), format!("{{{}}}", value.join(",")));
        }
    }

    #[test]
    fn nothing_panics_on_text_that_is_cut_or_wrong() {
        let text = br#"{"b":[1,"\""],"a":{},"b":{"y":1,"x":2}}"#;
        let mut sorter = Sorter::default();
        for length in 0..text.len() {
            sorter.indent(&mut Vec::new(), &text[..length], 0);
            sorter.compact(&mut Vec::new(), &text[length..]);
        }
        for wrong in ["{1:2,\"a\":3}", "[}{]", "}}", "{\"b\":1]", ",,{,\"a\",\"b\"}", "{\"b\" \"a\":1,\"\\"] {
            sorter.compact(&mut Vec::new(), wrong.as_bytes());
        }
    }
}
