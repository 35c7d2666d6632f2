//! Values of arguments: parsed by the parameter's type and checked against the node's constraints.

use std::borrow::Cow;

use crate::catalog::{Catalog, Parameter, Type};
use crate::json::Value;
use crate::nearness::{closest, nearest};
use crate::pattern;
use crate::syntax::{Argument, LiteralError, byte_count, integer, is_number, parse_literal, split_list};

use super::error::{Error, ErrorKind};

/// Whether a member or parameter counts bytes, so that `10G` is accepted.
pub(super) fn is_byte_count(name: &str, kind: &Type) -> bool {
    const BYTES_PER_SECOND: [&str; 6] = [
        "volumeBandwidth",
        "volumeReadBandwidth",
        "volumeWriteBandwidth",
        "readBandwidth",
        "writeBandwidth",
        "totalBandwidth",
    ];
    let long = match kind {
        Type::Long => true,
        Type::List(Some(element)) => **element == Type::Long,
        _ => false,
    };
    let lower = name.to_ascii_lowercase();
    let named = ["size", "capacity", "memory"].iter().any(|word| lower.contains(word));
    let other = lower.contains("cpu") || name.contains("GB") || lower.contains("shares");
    long && ((named && !other) || BYTES_PER_SECOND.contains(&name))
}

/// The uuid in double quotes, as `jq` prints it without `-r`.
pub(super) fn quoted_uuid(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    is_uuid(inner).then_some(inner)
}

/// Whether a text is a uuid as nodes write them: 32 hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a parameter or field of that name holds uuids.
pub(super) fn names_uuids(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("uuid") || name.ends_with("uuids")
}

/// Reads and checks the value of an argument for a parameter. Secret values are wrapped in `Value::Secret`.
pub(super) fn read(
    argument: &Argument,
    parameter: &Parameter,
    catalog: Catalog,
    no_check: bool,
) -> Result<Value, Error> {
    let reader = ValueReader { argument, parameter, catalog, no_check };
    let value = reader.typed(&argument.value, &parameter.kind)?;
    if !no_check {
        reader.check(&value)?;
    }
    Ok(if parameter.secret { Value::Secret(Box::new(value)) } else { value })
}

struct ValueReader<'a> {
    argument: &'a Argument,
    parameter: &'a Parameter,
    catalog: Catalog,
    no_check: bool,
}

impl ValueReader<'_> {
    fn name(&self) -> String {
        self.parameter.name.to_owned()
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error::at(kind, self.argument.value_span.clone())
    }

    fn wrong_type(&self, expected: &'static str) -> Error {
        self.error(ErrorKind::WrongType { name: self.name(), expected })
    }

    fn typed(&self, text: &str, kind: &Type) -> Result<Value, Error> {
        match kind {
            Type::String | Type::Timestamp => Ok(Value::text(self.without_quotes(text))),
            Type::Int | Type::Long => self.integer(text, kind),
            Type::Double if is_number(text) => Ok(Value::Number(text.to_owned())),
            Type::Double => Err(self.wrong_type("a number")),
            Type::Bool => match text {
                "true" | "True" => Ok(Value::Bool(true)),
                "false" | "False" => Ok(Value::Bool(false)),
                _ => Err(self.wrong_type("true or false")),
            },
            Type::List(element) => self.list(text, element.as_deref()),
            Type::Map(inner) => {
                let value = self.literal(text)?;
                let Value::Map(_) = value else { return Err(self.wrong_type("a map, such as {\"key\": \"value\"}")) };
                self.coerce(value, &Type::Map(inner.clone()))
            }
            Type::Any => Ok(match self.literal(text) {
                Ok(value) => value,
                Err(_) => Value::text(text),
            }),
            Type::Named(name) => match self.catalog.enum_values(name) {
                Some(values) => {
                    self.one_of(text, values.iter().copied())?;
                    Ok(Value::text(text))
                }
                None => {
                    let value = self.literal(text)?;
                    self.coerce(value, kind)
                }
            },
        }
    }

    /// Strips double quotes from a uuid where a uuid is expected.
    fn without_quotes<'t>(&self, text: &'t str) -> &'t str {
        let parameter = self.parameter;
        let takes_uuids = parameter.reference.is_some() || parameter.resource.is_some() || names_uuids(parameter.name);
        quoted_uuid(text).filter(|_| takes_uuids && !self.no_check).unwrap_or(text)
    }

    fn integer(&self, text: &str, kind: &Type) -> Result<Value, Error> {
        let bytes = is_byte_count(self.parameter.name, kind)
            || (*kind == Type::Long && is_byte_count(self.parameter.name, &self.parameter.kind));
        let number = integer(text).or_else(|| byte_count(text).filter(|_| bytes));
        let fits = |number: &i64| *kind == Type::Long || i32::try_from(*number).is_ok();
        match number.filter(fits) {
            Some(number) => Ok(Value::Number(number.to_string())),
            None if bytes => Err(self.wrong_type("a number of bytes, such as 10737418240 or 10G")),
            None if *kind == Type::Int => Err(self.wrong_type("a whole number of 32 bits")),
            None => Err(self.wrong_type("a whole number")),
        }
    }

    fn list(&self, text: &str, element: Option<&Type>) -> Result<Value, Error> {
        let trimmed = text.trim_start();
        let scalars = element.is_none_or(|element| element.is_scalar() || self.is_enum(element));
        if trimmed.starts_with('[') || trimmed.starts_with('(') || (!scalars && !trimmed.is_empty()) {
            let value = match self.literal(text)? {
                Value::List(items) => Value::List(items),
                // A single struct where a list is expected is read as a list of one.
                value @ Value::Map(_) => Value::List(vec![value]),
                _ => return Err(self.wrong_type("a list")),
            };
            return self.coerce(value, &Type::List(element.cloned().map(Box::new)));
        }
        if element.is_none() && trimmed.starts_with('{') {
            return self.literal(text).map(|value| Value::List(vec![value]));
        }
        // A file may have one item per line as well as items separated by commas.
        let text =
            if self.argument.from_file { Cow::Owned(text.replace(['\r', '\n'], ",")) } else { Cow::Borrowed(text) };
        let mut items = split_list(&text).map_err(|error| self.error(ErrorKind::List { name: self.name(), error }))?;
        if self.argument.from_file {
            items.retain(|item| !item.is_empty());
        }
        let items = items
            .into_iter()
            .map(|item| match element {
                Some(kind) => self.typed(&item, kind),
                None => Ok(Value::Text(item)),
            })
            .collect::<Result<_, _>>()?;
        Ok(Value::List(items))
    }

    fn is_enum(&self, kind: &Type) -> bool {
        matches!(kind, Type::Named(name) if self.catalog.enum_values(name).is_some())
    }

    fn literal(&self, text: &str) -> Result<Value, Error> {
        parse_literal(text).map_err(|error: LiteralError| self.error(ErrorKind::Literal { name: self.name(), error }))
    }

    /// Converts a literal to a type: a number to text where text is expected, and text to a number where a number is.
    fn coerce(&self, value: Value, kind: &Type) -> Result<Value, Error> {
        match (kind, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Type::List(Some(element)), Value::List(items)) => {
                items.into_iter().map(|item| self.coerce(item, element)).collect::<Result<_, _>>().map(Value::List)
            }
            (Type::Map(Some(inner)), Value::Map(members)) => members
                .into_iter()
                .map(|(name, value)| Ok((name, self.coerce(value, inner)?)))
                .collect::<Result<_, _>>()
                .map(Value::Map),
            (Type::String | Type::Timestamp, Value::Number(text)) => Ok(Value::Text(text)),
            (Type::String | Type::Timestamp, Value::Bool(value)) => Ok(Value::text(value.to_string())),
            (Type::Int | Type::Long | Type::Double | Type::Bool, Value::Text(text)) => self.typed(&text, kind),
            (Type::Int | Type::Long, Value::Number(text)) => self.integer(&text, kind),
            (Type::Named(name), value) => match (self.catalog.struct_fields(name), value) {
                (Some(fields), Value::Map(members)) => self.structure(name, &fields, members),
                (Some(_), _) => Err(self.wrong_type("a structure, such as {\"name\": \"value\"}")),
                (None, Value::Text(text)) => self.typed(&text, kind),
                (None, value) => Ok(value),
            },
            (Type::String | Type::Timestamp, Value::Text(text)) => Ok(Value::Text(text)),
            (Type::Double, value @ Value::Number(_)) | (Type::Bool, value @ Value::Bool(_)) => Ok(value),
            (Type::String | Type::Timestamp, _) => Err(self.wrong_type("text in this place")),
            (Type::Int | Type::Long | Type::Double, _) => Err(self.wrong_type("a number in this place")),
            (Type::Bool, _) => Err(self.wrong_type("true or false in this place")),
            (Type::List(_), value @ Value::List(_)) | (Type::Map(_), value @ Value::Map(_)) => Ok(value),
            (Type::List(_), _) => Err(self.wrong_type("a list in this place")),
            (Type::Map(_), _) => Err(self.wrong_type("a map in this place")),
            (Type::Any, value) => Ok(value),
        }
    }

    fn structure(
        &self,
        name: &str,
        fields: &[crate::catalog::Field],
        members: Vec<(String, Value)>,
    ) -> Result<Value, Error> {
        let mut out = Vec::with_capacity(members.len());
        for (member, value) in members {
            let value = match fields.iter().find(|field| field.name == member) {
                Some(field) => self.coerce(value, &field.kind)?,
                None if self.no_check => value,
                None => {
                    let near = nearest(&member, fields.iter().map(|field| field.name));
                    let near = near.into_iter().map(str::to_owned).collect();
                    let kind = ErrorKind::UnknownMember { name: format!("{} ({name})", self.name()), member, near };
                    return Err(self.error(kind));
                }
            };
            let secret = crate::secret::member_is_secret(&member);
            out.push((member, if secret { Value::Secret(Box::new(value)) } else { value }));
        }
        Ok(Value::Map(out))
    }

    /// Checks a value, or each item of a list, against the parameter's constraints.
    fn check(&self, value: &Value) -> Result<(), Error> {
        match value {
            Value::List(items) => {
                if self.parameter.nonempty && items.is_empty() {
                    return Err(self.error(ErrorKind::Empty { name: self.name() }));
                }
                items.iter().try_for_each(|item| self.check(item))
            }
            Value::Text(text) => self.check_text(text),
            Value::Number(text) => match (self.parameter.range, text.parse::<f64>()) {
                (Some((least, greatest)), Ok(number)) => {
                    let inside = match text.parse::<i64>() {
                        Ok(number) => (least..=greatest).contains(&number),
                        Err(_) => number >= least as f64 && number <= greatest as f64,
                    };
                    if inside {
                        self.check_listed(text)
                    } else {
                        Err(self.error(ErrorKind::OutOfRange { name: self.name(), least, greatest }))
                    }
                }
                _ => self.check_listed(text),
            },
            Value::Null | Value::Bool(_) | Value::Map(_) | Value::Secret(_) => Ok(()),
        }
    }

    fn check_text(&self, text: &str) -> Result<(), Error> {
        let parameter = self.parameter;
        // The node trims before it checks, unless the parameter says otherwise.
        let text = if parameter.no_trim { text } else { text.trim() };
        // Java counts UTF-16 units.
        let length = text.encode_utf16().count();
        if parameter.no_empty_string && text.is_empty() {
            return Err(self.error(ErrorKind::Empty { name: self.name() }));
        }
        if let Some(most) = parameter.max_length.filter(|most| length > *most as usize) {
            return Err(self.error(ErrorKind::TooLong { name: self.name(), length, most }));
        }
        if let Some(least) = parameter.min_length.filter(|least| length < *least as usize) {
            return Err(self.error(ErrorKind::TooShort { name: self.name(), length, least }));
        }
        self.check_listed(text)?;
        if let Some(pattern) = &parameter.regex {
            // A pattern that the regex engine does not support is left to the node.
            if pattern::matches(pattern, text) == Some(false) {
                return Err(self.error(ErrorKind::Pattern { name: self.name(), pattern: pattern.to_string() }));
            }
        }
        Ok(())
    }

    fn check_listed(&self, text: &str) -> Result<(), Error> {
        if self.parameter.values.is_empty() {
            return Ok(());
        }
        self.one_of(text, self.parameter.values.iter().map(AsRef::as_ref))
    }

    fn one_of<'v>(&self, text: &str, allowed: impl Iterator<Item = &'v str> + Clone) -> Result<(), Error> {
        if self.no_check || allowed.clone().any(|value| value == text) {
            return Ok(());
        }
        let shown = if self.parameter.secret { "the value" } else { text };
        Err(self.error(ErrorKind::NotAllowed {
            name: self.name(),
            value: if shown.is_empty() { "the empty text".to_owned() } else { shown.to_owned() },
            closest: closest(text, allowed.clone()).map(str::to_owned),
            allowed: allowed.map(str::to_owned).collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_counts_are_told_by_name_and_type() {
        for name in ["memorySize", "rootDiskSize", "size", "totalCapacity", "volumeBandwidth"] {
            assert!(is_byte_count(name, &Type::Long), "{name}");
        }
        assert!(is_byte_count("dataDiskSizes", &Type::List(Some(Box::new(Type::Long)))));
        for name in ["cpuCapacity", "ecsRootVolumeGBSize", "timeout", "outboundBandwidth"] {
            assert!(!is_byte_count(name, &Type::Long), "{name}");
        }
        assert!(!is_byte_count("maxResourceSize", &Type::Int));
    }
}
