//! The reply of a batch API: `results`, with an entry for each part, which may fail on its own (M2).

use crate::json::{self, Kind};

/// The name of the list.
pub(crate) const LIST: &str = "results";

/// The entry of a part: `{"uuid", "success", "error": {..}}`, or with an `inventory` instead of the uuid.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a> {
    entry: &'a [u8],
    inventory: &'a [u8],
}

impl<'a> Part<'a> {
    /// Returns the part that an entry describes; `None` for other lists called `results`, such as those of ZQL.
    pub(crate) fn of(entry: &'a [u8]) -> Option<Part<'a>> {
        json::member(entry, "success").filter(|value| json::kind(value) == Kind::Bool)?;
        let inventory = json::member(entry, "inventory").filter(|value| json::kind(value) == Kind::Map);
        Some(Part { entry, inventory: inventory.unwrap_or_default() })
    }

    /// Returns the JSON text of the whole entry.
    pub(crate) fn entry(&self) -> &'a [u8] {
        self.entry
    }

    /// Whether the part failed.
    pub(crate) fn has_failed(&self) -> bool {
        json::member(self.entry, "success") == Some(b"false")
    }

    /// Returns the JSON text of the uuid: the entry's own, that of its inventory, or the first one that it refers to.
    pub(crate) fn uuid(&self) -> Option<&'a [u8]> {
        let refers = || json::members(self.entry).find(|(name, value)| name.ends_with(b"Uuid") && is_text(value));
        self.text("uuid").or_else(|| refers().map(|(_, value)| value))
    }

    /// Returns the JSON text of the name.
    pub(crate) fn name(&self) -> Option<&'a [u8]> {
        self.text("name")
    }

    /// Returns the JSON text of the error, an object or a string.
    pub(crate) fn error(&self) -> Option<&'a [u8]> {
        let told = |name| json::member(self.entry, name).filter(|value| json::kind(value) != Kind::Null);
        told("error").or_else(|| told("reason").filter(|_| self.has_failed()))
    }

    fn text(&self, name: &str) -> Option<&'a [u8]> {
        let of = |map| json::member(map, name).filter(|value| is_text(value));
        of(self.entry).or_else(|| of(self.inventory))
    }
}

fn is_text(value: &[u8]) -> bool {
    json::kind(value) == Kind::Text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_in_several_ways() {
        let told = |entry: &'static str| {
            let part = Part::of(entry.as_bytes())?;
            let text = |value: Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
            Some((text(part.uuid()), text(part.name()), part.has_failed(), text(part.error())))
        };
        let some = |text: &str| Some(text.to_owned());
        for (entry, expected) in [
            (r#"{"uuid":"a","success":true}"#, Some((some("\"a\""), None, false, None))),
            (
                r#"{"volumeSize":1,"snapshotUuid":"s","error":{"code":"X"},"success":false}"#,
                Some((some("\"s\""), None, true, some(r#"{"code":"X"}"#))),
            ),
            (
                r#"{"inventory":{"name":"n","uuid":"u"},"success":true,"error":null}"#,
                Some((some("\"u\""), some("\"n\""), false, None)),
            ),
            (r#"{"ip":"1","success":false,"reason":"no route"}"#, Some((None, None, true, some("\"no route\"")))),
            (r#"{"inventories":[],"total":1}"#, None),
            (r#"{"uuid":"a","success":"no"}"#, None),
            ("7", None),
        ] {
            assert_eq!(told(entry), expected, "{entry}");
        }
    }
}
