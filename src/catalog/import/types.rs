//! Converts Java types to the type names of the catalog.

use super::sdk::Classes;

/// The maximum depth of nested types; a deeper type becomes `any`.
const MAX_DEPTH: usize = 8;

/// Returns the catalog's name for a descriptor such as `Ljava/lang/String;` or a signature such as
/// `Ljava/util/List<Lorg/zstack/sdk/ZoneInventory;>;`; `any` where it has none.
pub(super) fn in_words(signature: &str, classes: &Classes<'_>) -> String {
    let mut rest = signature;
    read(&mut rest, classes, MAX_DEPTH).unwrap_or_else(|| "any".to_owned())
}

/// Returns the class of a descriptor or signature without type arguments; for a list, the class of its elements.
pub(super) fn class_of(signature: &str) -> Option<&str> {
    let inner = signature.trim_start_matches('[').strip_prefix('L')?;
    Some(&inner[..inner.find(['<', ';'])?])
}

/// Returns the full names of all classes in a signature.
pub(super) fn mentioned(signature: &str) -> impl Iterator<Item = &str> {
    signature.split(['<', '>', ';', '[', '*', '+', '-']).filter_map(|part| part.strip_prefix('L'))
}

fn read(rest: &mut &str, classes: &Classes<'_>, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let mut chars = rest.chars();
    let first = chars.next()?;
    *rest = chars.as_str();
    Some(match first {
        'B' | 'S' | 'I' => "int".to_owned(),
        'J' => "long".to_owned(),
        'F' | 'D' => "double".to_owned(),
        'Z' => "bool".to_owned(),
        'C' => "string".to_owned(),
        '*' => "any".to_owned(),
        // A wildcard: a class that extends this one, or is extended by it.
        '+' | '-' => read(rest, classes, depth)?,
        '[' => list(read(rest, classes, depth)?),
        'T' => {
            *rest = rest.split_once(';')?.1;
            "any".to_owned()
        }
        'L' => {
            let end = rest.find(['<', ';'])?;
            let mut name = rest[..end].to_owned();
            *rest = &rest[end..];
            let mut arguments = Vec::new();
            loop {
                let mut chars = rest.chars();
                let sign = chars.next()?;
                *rest = chars.as_str();
                match sign {
                    ';' => break,
                    '<' => {
                        while !rest.starts_with('>') {
                            arguments.push(read(rest, classes, depth)?);
                        }
                        *rest = &rest[1..];
                    }
                    // An inner class of a class with type arguments.
                    '.' => {
                        let end = rest.find(['<', ';', '.'])?;
                        name = format!("{name}${}", &rest[..end]);
                        *rest = &rest[end..];
                    }
                    _ => return None,
                }
            }
            named(&name, arguments, classes)
        }
        _ => return None,
    })
}

fn list(element: String) -> String {
    if element == "any" { "list".to_owned() } else { format!("list<{element}>") }
}

fn named(name: &str, mut arguments: Vec<String>, classes: &Classes<'_>) -> String {
    let word = match name {
        "java/lang/String" | "java/lang/Character" | "java/lang/CharSequence" | "java/util/UUID" => "string",
        "java/lang/Integer" | "java/lang/Short" | "java/lang/Byte" => "int",
        "java/lang/Long" | "java/math/BigInteger" => "long",
        "java/lang/Double" | "java/lang/Float" | "java/math/BigDecimal" | "java/lang/Number" => "double",
        "java/lang/Boolean" => "bool",
        "java/sql/Timestamp" | "java/util/Date" | "java/sql/Date" => "timestamp",
        _ if name.starts_with("java/util/") => {
            let last = name.rsplit('/').next().unwrap_or_default();
            return if last.ends_with("Map") {
                match arguments.pop() {
                    Some(value) if value != "any" => format!("map<string,{value}>"),
                    _ => "map".to_owned(),
                }
            } else if ["List", "Set", "Collection", "Queue", "Deque", "Vector"].iter().any(|end| last.ends_with(end)) {
                list(arguments.pop().unwrap_or_else(|| "any".to_owned()))
            } else {
                "any".to_owned()
            };
        }
        "java/lang/Iterable" => return list(arguments.pop().unwrap_or_else(|| "any".to_owned())),
        _ => return classes.described(name).map_or("any", |simple| simple).to_owned(),
    };
    word.to_owned()
}
