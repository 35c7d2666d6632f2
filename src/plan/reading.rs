//! How a node reads the text of a `q` parameter, to detect conditions that it would misread (Q1-Q5).

/// The operators in the order in which the node looks for them, anywhere in the text (Q1).
const ORDER: [&str; 12] = ["!=", ">=", "<=", "!?=", "!~=", "~=", "?=", "=", ">", "<", "is null", "not null"];

/// Field, operator and value as the node reads them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading<'a> {
    pub(crate) field: &'a str,
    pub(crate) operator: &'static str,
    pub(crate) value: &'a str,
}

/// Reads a `q` text as the node does; `None` if the node rejects it.
pub(crate) fn read(text: &str) -> Option<Reading<'_>> {
    let operator = ORDER.into_iter().find(|operator| text.contains(operator))?;
    let (field, mut value) = text.split_once(operator)?;
    // Operator texts repeated at the split collapse into one (Q2).
    while let Some(rest) = value.strip_prefix(operator) {
        value = rest;
    }
    let field = field.trim();
    (!field.is_empty()).then_some(Reading { field, operator, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_readings() {
        for (text, field, operator, value) in [
            ("name=a=b", "name", "=", "a=b"),
            ("name=a!=b", "name=a", "!=", "b"),
            ("name=x>=1", "name=x", ">=", "1"),
            ("name=a~=b", "name=a", "~=", "b"),
            ("url=http://h/?=1", "url=http://h/", "?=", "1"),
            ("url=http://h/p?x=1", "url", "=", "http://h/p?x=1"),
            ("description=<b>", "description", "=", "<b>"),
            ("size>1>2", "size", ">", "1>2"),
            ("cpuNum>a=b", "cpuNum>a", "=", "b"),
            ("name!=a=b", "name", "!=", "a=b"),
            ("name?=a?=b", "name", "?=", "a?=b"),
            ("name=not null", "name", "=", "not null"),
            ("name== a", "name", "=", " a"),
            ("name===a", "name", "=", "a"),
            ("hostUuid is null", "hostUuid", "is null", ""),
            ("hostUuid not null", "hostUuid", "not null", ""),
            ("uuid!?=", "uuid", "!?=", ""),
            ("name!~=%a", "name", "!~=", "%a"),
        ] {
            assert_eq!(read(text), Some(Reading { field, operator, value }), "{text}");
        }
        assert_eq!(read("=a"), None);
        assert_eq!(read("name"), None);
    }
}
