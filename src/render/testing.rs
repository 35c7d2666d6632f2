//! Printing in tests.

use crate::json::Scanner;

use super::view::{Field, FieldKind};
use super::{Error, Rendered, Shape, View, render};

/// A reply with numbers, a nested list and rows that differ.
pub(super) const REPLY: &str = concat!(
    r#"{"inventories":[{"name":"a","size":1.073741824E9,"nics":[{"ip":"1"},{"ip":"2"}]},{"name":"b","state":"Running"}],"#,
    r#""schema":{"inventories[0]":"C"}}"#
);

/// Renders a reply that must print.
pub(super) fn print(reply: &str, view: &View) -> String {
    print_with(reply, &Shape::default(), view)
}

/// Renders a reply of known shape that must print.
pub(super) fn print_with(reply: &str, shape: &Shape, view: &View) -> String {
    try_print(reply, shape, view).expect("prints").0
}

/// Renders a reply.
pub(super) fn try_print(reply: &str, shape: &Shape, view: &View) -> Result<(String, Rendered), Error> {
    let mut out = Vec::new();
    let rendered = render(&mut Scanner::new(reply.as_bytes()), shape, view, &mut out)?;
    Ok((String::from_utf8(out).expect("UTF-8"), rendered))
}

/// A small known inventory.
pub(super) fn zone_shape() -> Shape {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind, secret: false };
    Shape {
        inventory: Some("SmallInventory".to_owned()),
        fields: vec![
            field("uuid", FieldKind::Text),
            field("name", FieldKind::Text),
            field("state", FieldKind::Text),
            field("size", FieldKind::Long),
            field("nics", FieldKind::Nested),
        ],
        ..Shape::default()
    }
}
