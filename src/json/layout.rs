//! Laying JSON text out again: indented, or on one line. Numbers, escapes and order stay as they are.

use super::lexis::{is_blank, string_end};

/// Blanks for one level.
const STEP: usize = 4;

/// A line feed and enough blanks for common depths.
const BREAK: [u8; 1 + 32 * STEP] = {
    let mut bytes = [b' '; 1 + 32 * STEP];
    bytes[0] = b'\n';
    bytes
};

/// Bytes that matter to the layout outside of strings.
pub(super) const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut index = 0;
    let bytes = b"\"{}[],: \n\r\t";
    while index < bytes.len() {
        table[bytes[index] as usize] = true;
        index += 1;
    }
    table
};

/// Appends a line feed and the blanks that a line of that level begins with.
pub fn line_break(out: &mut Vec<u8>, level: usize) {
    let mut blanks = level * STEP;
    let first = blanks.min(BREAK.len() - 1);
    out.extend_from_slice(&BREAK[..=first]);
    blanks -= first;
    while blanks > 0 {
        let more = blanks.min(BREAK.len() - 1);
        out.extend_from_slice(&BREAK[1..=more]);
        blanks -= more;
    }
}

/// Appends valid JSON text with four blanks a level and one member or item a line. `level` is that of the line
/// on which the value begins; empty lists and maps stay `[]` and `{}`.
pub fn indent(out: &mut Vec<u8>, text: &[u8], mut level: usize) {
    out.reserve(text.len() + text.len() / 2);
    // Text from `kept` on has not been copied yet.
    let mut kept = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => at = (string_end(text, at + 1) + 1).min(text.len()),
            b'{' | b'[' => {
                let inside = skip(text, at + 1);
                out.extend_from_slice(&text[kept..=at]);
                if matches!(text.get(inside), Some(b'}' | b']')) {
                    kept = inside;
                    at = inside + 1;
                } else {
                    level += 1;
                    line_break(out, level);
                    kept = inside;
                    at = inside;
                }
            }
            b'}' | b']' => {
                out.extend_from_slice(&text[kept..at]);
                level = level.saturating_sub(1);
                line_break(out, level);
                kept = at;
                at += 1;
            }
            b',' => {
                out.extend_from_slice(&text[kept..=at]);
                line_break(out, level);
                at = skip(text, at + 1);
                kept = at;
            }
            b':' => {
                out.extend_from_slice(&text[kept..=at]);
                out.push(b' ');
                at = skip(text, at + 1);
                kept = at;
            }
            b' ' | b'\n' | b'\r' | b'\t' => {
                out.extend_from_slice(&text[kept..at]);
                at = skip(text, at + 1);
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

fn skip(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|&byte| is_blank(byte)) {
        at += 1;
    }
    at
}

/// Appends valid JSON text without the blanks between its tokens.
pub fn compact(out: &mut Vec<u8>, text: &[u8]) {
    let mut kept = 0;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'"' {
            at = (string_end(text, at + 1) + 1).min(text.len());
        } else if is_blank(byte) {
            out.extend_from_slice(&text[kept..at]);
            at = skip(text, at + 1);
            kept = at;
        } else {
            at += 1;
        }
    }
    out.extend_from_slice(&text[kept.min(text.len())..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(text: &str, level: usize) -> String {
        let mut out = Vec::new();
        indent(&mut out, text.as_bytes(), level);
        String::from_utf8(out).expect("was UTF-8")
    }

    #[test]
    fn values_are_indented_with_their_own_text() {
        let text = r#" {"a" :1.073741824E9,"b":[ ],"c":{ },"d":[1 , {"e":"\u003c, :{\"é"}],"f":null } "#;
        let expected = r#"{
    "a": 1.073741824E9,
    "b": [],
    "c": {},
    "d": [
        1,
        {
            "e": "\u003c, :{\"é"
        }
    ],
    "f": null
}"#;
        assert_eq!(indented(text, 0), expected);
        // What is laid out already stays.
        assert_eq!(indented(expected, 0), expected);
        assert_eq!(indented("[1]", 2), "[\n            1\n        ]");
        assert_eq!(indented(" 12 ", 5), "12");
    }

    #[test]
    fn deep_values_are_indented_all_the_way() {
        let deep = 100;
        let text = indented(&format!("{}1{}", "[".repeat(deep), "]".repeat(deep)), 0);
        assert!(text.contains(&format!("\n{}1\n", " ".repeat(deep * STEP))));
    }

    #[test]
    fn compact_text_is_the_same_value_on_one_line() {
        let mut out = Vec::new();
        compact(&mut out, b" { \"a b\" : [ 1 ,\r\n\t2 ] , \"c\" : \" \\\" \" } ");
        assert_eq!(String::from_utf8_lossy(&out), r#"{"a b":[1,2],"c":" \" "}"#);
    }

    /// A stream of numbers that is the same in every run.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % limit
        }
    }

    /// Some JSON text, blanks in odd places included.
    fn some_json(numbers: &mut Numbers, depth: u64, out: &mut String) {
        const TEXTS: [&str; 7] =
            [r#""""#, r#""a""#, r#""\\""#, r#""\"{}[],:""#, r#""\u003c ü""#, r#""12345678""#, r#""日本\n""#];
        const SCALARS: [&str; 6] = ["null", "true", "false", "-0.5e+3", "12", "1.073741824E9"];
        let blank = |numbers: &mut Numbers, out: &mut String| {
            out.push_str(["", "", " ", "\n", "\t \r\n"][numbers.below(5) as usize]);
        };
        blank(numbers, out);
        match numbers.below(if depth == 0 { 2 } else { 4 }) {
            0 => out.push_str(TEXTS[numbers.below(7) as usize]),
            1 => out.push_str(SCALARS[numbers.below(6) as usize]),
            kind => {
                let is_map = kind == 2;
                out.push(if is_map { '{' } else { '[' });
                let count = numbers.below(4);
                for index in 0..count {
                    if index > 0 {
                        out.push(',');
                    }
                    if is_map {
                        blank(numbers, out);
                        out.push_str(&format!("\"m{index}\\\"\""));
                        blank(numbers, out);
                        out.push(':');
                    }
                    some_json(numbers, depth - 1, out);
                }
                blank(numbers, out);
                out.push(if is_map { '}' } else { ']' });
            }
        }
        blank(numbers, out);
    }

    #[test]
    fn layouts_of_any_value_are_the_same_value() {
        let mut numbers = Numbers(7);
        for _ in 0..2000 {
            let mut text = String::new();
            some_json(&mut numbers, 5, &mut text);
            let value: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
            let laid_out = indented(text.trim(), 0);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&laid_out).expect("is JSON"), value, "{text}");
            let mut line = Vec::new();
            compact(&mut line, text.as_bytes());
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&line).expect("is JSON"), value, "{text}");
            assert!(!line.contains(&b'\n'));
            // Both ways lead to the same text.
            assert_eq!(indented(&String::from_utf8_lossy(&line), 0), laid_out, "{text}");
            let tree = super::super::parse(text.as_bytes()).expect("is JSON").to_json(None);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&tree).expect("is JSON"), value, "{text}");
        }
    }

    #[test]
    fn nothing_panics_on_text_that_is_cut() {
        let text = br#"{"a":[1,"\""],"b":{}}"#;
        for length in 0..text.len() {
            indent(&mut Vec::new(), &text[..length], 0);
            compact(&mut Vec::new(), &text[..length]);
        }
    }
}
