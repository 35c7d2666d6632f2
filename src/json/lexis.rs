//! Finding the end of tokens in JSON text: the inner loops of this module.
//!
//! Strings are searched eight bytes at a time: most are short (a name, a uuid), so the set-up of a wider search would
//! not pay off.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks the bytes of `word` that are zero. Bytes above the lowest zero may be marked wrongly, so only the
/// lowest mark counts.
#[inline(always)]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// The offset, at or after `at`, of the first `"`, `\` or control character, or the length of `bytes`.
#[inline(always)]
pub(super) fn string_stop(bytes: &[u8], mut at: usize) -> usize {
    while let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let backslash = zeros(word ^ (ONES * b'\\' as u64));
        // A byte is a control character when its upper three bits are zero.
        let control = zeros(word & (ONES * 0xe0));
        let found = quote | backslash | control;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < b' ' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

/// The offset of the quote that closes the string whose text begins at `at`, or the length of `bytes`.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = string_stop(bytes, at);
        match bytes.get(at) {
            None | Some(b'"') => return at.min(bytes.len()),
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// Whether a byte is JSON whitespace.
#[inline(always)]
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// The offset of the first byte at or after `at` that is not whitespace, or the length of `bytes`.
#[inline(always)]
pub(super) fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|&byte| is_blank(byte)) {
        at += 1;
    }
    at
}

/// Bytes that are examined when a list or map is skipped: quotes and brackets.
const NESTING: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

/// The offset after the value that starts at `at`, in valid JSON. For other text, some offset from `at` to the length
/// of `bytes`.
#[inline(always)]
pub(super) fn value_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        None => bytes.len(),
        Some(b'"') => (string_end(bytes, at + 1) + 1).min(bytes.len()),
        Some(b'{' | b'[') => nested_end(bytes, at),
        Some(_) => {
            let mut end = at;
            while bytes.get(end).is_some_and(|&byte| !matches!(byte, b',' | b']' | b'}') && !is_blank(byte)) {
                end += 1;
            }
            end
        }
    }
}

fn nested_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0usize;
    loop {
        while bytes.get(at).is_some_and(|&byte| !NESTING[usize::from(byte)]) {
            at += 1;
        }
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => at = string_end(bytes, at + 1),
            Some(b'{' | b'[') => depth += 1,
            Some(_) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stop_at_the_first_special_byte_wherever_it_lies() {
        for length in 0..40 {
            for stop in [b'"', b'\\', b'\n', 0, 0x1f] {
                let mut bytes = vec![b'a'; length];
                bytes.push(stop);
                bytes.extend_from_slice(b"\"\\\x01 rest of the text");
                assert_eq!(string_stop(&bytes, 0), length, "{stop} behind {length}");
            }
        }
        // Bytes that differ from a special one by one bit, and bytes of other alphabets, are ordinary.
        let ordinary: Vec<u8> = (0x20..=0xff).filter(|byte| !b"\"\\".contains(byte)).collect();
        assert_eq!(string_stop(&ordinary, 0), ordinary.len());
    }

    #[test]
    fn values_end_where_they_end() {
        let cases: &[(&str, &str)] = &[
            (r#""a\"b",1"#, r#""a\"b""#),
            (r#"{"a":"}","b":[1,{}]},2"#, r#"{"a":"}","b":[1,{}]}"#),
            ("12 ,", "12"),
            ("true]", "true"),
            ("[] ]", "[]"),
            (r#""never closed"#, r#""never closed"#),
            (r#""\"#, r#""\"#),
            ("[[", "[["),
        ];
        for (text, value) in cases {
            assert_eq!(&text[..value_end(text.as_bytes(), 0)], *value, "{text}");
        }
    }
}
