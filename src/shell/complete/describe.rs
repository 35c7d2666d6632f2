//! Short descriptions of candidates.

use std::borrow::Cow;

use crate::catalog::{Api, Type, in_words};

/// Describes what an API does, derived from its name and its parameters.
pub(super) fn api(api: &Api) -> Cow<'static, str> {
    let text = match api.name.strip_prefix("Query").filter(|_| api.is_query) {
        Some(noun) => format!("lists {}", in_words(noun, 2)),
        None => {
            let needed = api.parameters.iter().filter(|parameter| parameter.required).map(|parameter| parameter.name);
            match needed.collect::<Vec<_>>() {
                needed if needed.is_empty() => "needs nothing".to_owned(),
                needed => format!("needs {}", needed.join(", ")),
            }
        }
    };
    if api.deprecated { format!("{text}; deprecated").into() } else { text.into() }
}

/// Describes the values of a parameter or a field: the type and the subject. `query` lists the resources that the
/// values refer to.
pub(super) fn value(name: &str, kind: &Type, query: Option<&str>) -> Cow<'static, str> {
    let noun = || query.and_then(|query| query.strip_prefix("Query"));
    let is_uuid = name == "uuid" || name.ends_with("Uuid") || name.ends_with("Uuids");
    match kind {
        Type::List(_) if is_uuid => match noun() {
            Some(noun) => format!("list of uuids of {}", in_words(noun, 2)).into(),
            None => "list of uuids".into(),
        },
        Type::String if is_uuid => match noun() {
            Some(noun) => format!("uuid of {}", one(noun)).into(),
            None => "uuid".into(),
        },
        Type::Int | Type::Long if BYTES.iter().any(|end| name == *end || ends_in_hump(name, end)) => {
            "number of bytes".into()
        }
        Type::String => "text".into(),
        Type::Int | Type::Long => "number".into(),
        Type::Double => "number with a fraction".into(),
        Type::Bool => "true or false".into(),
        Type::Timestamp => "date and time".into(),
        Type::Any => "any value".into(),
        Type::List(Some(element)) => match &**element {
            Type::String => "list of texts".into(),
            Type::Int | Type::Long if name.ends_with("Sizes") => "list of numbers of bytes".into(),
            Type::Int | Type::Long => "list of numbers".into(),
            Type::Named(name) => format!("list of {name}").into(),
            _ => "list".into(),
        },
        Type::List(None) => "list".into(),
        Type::Map(_) => "map".into(),
        Type::Named(name) => (*name).into(),
    }
}

/// Describes the inventory that a relation leads to.
pub(super) fn relation(inventory: &str) -> Cow<'static, str> {
    format!("leads to {}", in_words(inventory, 2)).into()
}

/// The last words in the names of numeric fields that hold a size in bytes.
const BYTES: [&str; 4] = ["size", "capacity", "memory", "actualSize"];

/// Whether the last CamelCase word of a name is this one, ignoring case.
fn ends_in_hump(name: &str, word: &str) -> bool {
    let start = name.len().checked_sub(word.len()).filter(|start| *start > 0);
    start
        .and_then(|start| name.get(start..))
        .is_some_and(|end| end.starts_with(|c: char| c.is_ascii_uppercase()) && end.eq_ignore_ascii_case(word))
}

fn one(inventory: &str) -> String {
    let noun = in_words(inventory, 1);
    let sounds_as_vowel = noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O', 'L']) || noun.starts_with("SSH");
    format!("{} {noun}", if sounds_as_vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn values_are_told_by_type_and_name() {
        let list = || Type::List(Some(Box::new(Type::String)));
        for (name, kind, query, expected) in [
            ("hostUuid", Type::String, Some("QueryHost"), "uuid of a host"),
            ("l3NetworkUuids", list(), Some("QueryL3Network"), "list of uuids of L3 networks"),
            ("xUuids", list(), None, "list of uuids"),
            ("memorySize", Type::Long, None, "number of bytes"),
            ("size", Type::Long, None, "number of bytes"),
            ("resize", Type::Long, None, "number"),
            ("cpuNum", Type::Int, None, "number"),
            ("name", Type::String, None, "text"),
            ("tags", list(), None, "list of texts"),
            ("dataDiskSizes", Type::List(Some(Box::new(Type::Long))), None, "list of numbers of bytes"),
        ] {
            assert_eq!(value(name, &kind, query), expected, "{name}");
        }
    }

    #[test]
    fn apis_tell_what_they_need() {
        let told = |name: &str| api(&Catalog::newest().api(name).expect("it is known"));
        assert_eq!(told("QueryZone"), "lists zones");
        assert_eq!(told("StartVmInstance"), "needs uuid");
        assert_eq!(told("GetVersion"), "needs nothing");
    }
}
