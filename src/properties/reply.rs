//! Replies: whatever arrives is printed in every format or refused, and nothing of it acts on a terminal.

use std::io::Read;

use crate::json::{self, Piece, Pieces, ReadError, Scanner};
use crate::render::{self, Error, Field, FieldKind, Filter, Format, Selection, Shape, SortKey, View, render};
use crate::secret::{mask_json, member_is_secret};

/// Checks one reply. The first byte chooses in what chunks it arrives.
pub fn check(input: &[u8]) {
    let Some((&chunk, reply)) = input.split_first() else { return };
    let chunk = usize::from(chunk).max(1);
    let _ = mask_json(reply);

    let whole = pieces(reply, reply.len().max(1));
    let parts = pieces(reply, chunk);
    match (&whole, &parts) {
        (Ok(whole), Ok(parts)) => assert_eq!(whole, parts, "the chunks of a reply change what is read"),
        (Err(whole), Err(parts)) => assert_eq!(whole.to_string(), parts.to_string()),
        (whole, parts) => panic!("{} in one chunk, {} in chunks of {chunk}", whole.is_ok(), parts.is_ok()),
    }
    let foreign = serde_json::from_slice::<serde_json::Value>(reply);
    match (&foreign, &whole) {
        // Nesting is judged by each as it likes.
        (Ok(serde_json::Value::Object(_)), Err(ReadError::TooDeep { .. })) => {}
        (Ok(serde_json::Value::Object(_)), Err(error)) => panic!("another reader takes it, but {error}"),
        (Ok(serde_json::Value::Object(_)), Ok(_)) => {}
        (Ok(_), read) => assert!(read.is_err(), "no object, and yet a reply"),
        (Err(_), _) => {}
    }
    if let Ok(serde_json::Value::Object(_)) = &foreign
        && whole.is_ok()
    {
        check_layout(reply);
    }
    for format in Format::ALL {
        print(reply, chunk, &View::new(format), whole.is_ok());
        print(reply, chunk, &terminal(format), whole.is_ok());
    }
    let _ = print_with(reply, chunk, |view| view.summary = true);
    let _ = print_with(reply, chunk, |view| view.sort_by = SortKey::parse("-name").ok());
    let _ = print_with(reply, chunk, |view| view.columns = Selection::parse("name,vmNics.ip,+uuid").ok());
    let _ = print_with(reply, chunk, |view| view.filter = Filter::compile(".inventories[]?.name").ok());
}

/// The pieces of a reply as text, those before an error left out.
fn pieces(reply: &[u8], chunk: usize) -> Result<Vec<String>, ReadError> {
    let mut scanner = Scanner::new(Chunks { text: reply, chunk });
    let mut seen = Vec::new();
    while let Some(piece) = scanner.next_piece()? {
        seen.push(match piece {
            Piece::Member { name, text } => format!("{name}={}", String::from_utf8_lossy(text)),
            Piece::Rows { name } => format!("{name}["),
            Piece::Row(text) => String::from_utf8_lossy(text).into_owned(),
            Piece::EndRows => "]".to_owned(),
        });
    }
    Ok(seen)
}

/// Laid out again, JSON is the same JSON.
fn check_layout(reply: &[u8]) {
    let (mut compact, mut indented, mut again) = (Vec::new(), Vec::new(), Vec::new());
    json::compact(&mut compact, reply);
    json::indent(&mut indented, reply, 0);
    json::compact(&mut again, &indented);
    assert_eq!(text(&compact), text(&again));
    // Also with sorted members, which stay sorted.
    let (mut sorted, mut twice, mut sorter) = (Vec::new(), Vec::new(), json::Sorter::default());
    sorter.indent(&mut sorted, reply, 0);
    sorter.indent(&mut twice, &sorted, 0);
    assert_eq!(text(&sorted), text(&twice));
    let before: serde_json::Value = serde_json::from_slice(reply).expect("it was read before");
    let after: serde_json::Value = serde_json::from_slice(&indented).expect("it is still JSON");
    assert_eq!(before, after);
    let after: serde_json::Value = serde_json::from_slice(&sorted).expect("it is still JSON");
    assert_eq!(before, after);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How a reply looks on a narrow terminal.
fn terminal(format: Format) -> View {
    View { width: Some(40), terminal: true, is_secret: member_is_secret, ..View::new(format) }
}

/// What is known of virtual machines, as far as it matters here.
fn shape() -> Shape {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind, secret: false };
    Shape {
        inventory: Some("VmInstanceInventory".to_owned()),
        fields: vec![
            field("uuid", FieldKind::Text),
            field("name", FieldKind::Text),
            field("memorySize", FieldKind::Long),
            field("cpuNum", FieldKind::Integer),
            field("createDate", FieldKind::Time),
            field("vmNics", FieldKind::Nested),
        ],
    }
}

fn print(reply: &[u8], chunk: usize, view: &View, is_reply: bool) {
    for shape in [Shape::default(), shape()] {
        let mut out = Vec::new();
        let printed = render(&mut Scanner::new(Chunks { text: reply, chunk }), &shape, view, &mut out);
        match printed {
            Ok(_) => assert!(is_reply, "printed, though it is no reply"),
            Err(Error::Read(error)) => assert!(!is_reply, "{}: {error}", view.format.name()),
            Err(error) => panic!("{}: {error}", view.format.name()),
        }
        if view.terminal {
            let shown = String::from_utf8(out).expect("a terminal gets UTF-8");
            // What separates is not what the node sent.
            let separates = |c: char| c == '\n' || (c == '\t' && view.format == Format::Tsv);
            let acts = shown.chars().find(|c| json::is_unprintable(*c) && !separates(*c));
            assert_eq!(acts, None, "{} shows a character that acts", view.format.name());
        } else if view.format == Format::Json && is_reply {
            pieces(&out, 64).expect("what is printed as JSON is JSON");
        }
    }
}

fn print_with(reply: &[u8], chunk: usize, change: impl Fn(&mut View)) -> Result<(), render::Error> {
    for format in [Format::Table, Format::Json, Format::Csv] {
        let mut view = terminal(format);
        change(&mut view);
        render(&mut Scanner::new(Chunks { text: reply, chunk }), &shape(), &view, &mut Vec::new())?;
    }
    Ok(())
}

/// Hands out its text in chunks of one size, as a slow connection does.
struct Chunks<'a> {
    text: &'a [u8],
    chunk: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.chunk.min(self.text.len()).min(buffer.len());
        let (now, later) = self.text.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.text = later;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,3})?(E[0-9])?",
            "[a-zA-Z0-9é ]{0,8}".prop_map(|text| format!("\"{text}\"")),
            "(\\\\[nrtbf\"/\\\\]|\\\\u001b|\\\\u202e|\\\\ud83d\\\\ude00){0,3}".prop_map(|text| format!("\"{text}\"")),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let name = "[a-z]{1,3}|name|uuid|sshPassword|vmNics|inventories|error|total";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
                proptest::collection::vec((name, inner), 0..4).prop_map(|members| {
                    let members: Vec<String> =
                        members.into_iter().map(|(name, value)| format!("\"{name}\" :{value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(crate::properties::config(48))]

        #[test]
        fn replies_of_any_shape_are_printed(rows in proptest::collection::vec(json(), 0..4), chunk in 1..40u8) {
            let mut input = vec![chunk];
            input.extend(format!("{{\"inventories\":[{}],\"total\":3}}", rows.join(",")).bytes());
            check(&input);
        }

        #[test]
        fn replies_that_are_damaged_are_refused_or_printed(
            value in json(), cut in 0..60usize, byte in any::<u8>(), chunk in 1..40u8,
        ) {
            let mut input = format!("{{\"inventories\":[{value}]}}").into_bytes();
            let at = cut.min(input.len() - 1);
            input[at] = byte;
            input.insert(0, chunk);
            check(&input);
            input.truncate(cut);
            check(&input);
        }
    }
}
