//! A line put right, where what was meant by it is told.

use super::error::{Error, ErrorKind};

/// The line in which `error` was found, with what was meant in the place of what was typed.
pub fn corrected(line: &str, error: &Error) -> Option<String> {
    let (typed, meant) = match &error.kind {
        ErrorKind::UnknownApi { name, near, .. }
        | ErrorKind::UnknownParameter { name, near, .. }
        | ErrorKind::UnknownField { name, near, .. }
        | ErrorKind::UnknownMember { member: name, near, .. } => (name.as_str(), near.first()?.as_str()),
        ErrorKind::FieldNeedsMember { name, hint, .. } => (name.as_str(), hint.as_deref()?.trim_end_matches('=')),
        ErrorKind::NotAllowed { name, value, closest, .. } => {
            let closest = closest.as_deref()?;
            match closest.strip_prefix(name.as_str()) {
                // Another operator was meant.
                Some(_) if closest.ends_with(value) => {
                    let wrote = ["=", "!="].map(|operator| format!("{name}{operator}{value}"));
                    return wrote.iter().find_map(|wrote| replaced(line, 0, wrote, closest));
                }
                _ => (value.as_str(), closest),
            }
        }
        _ => return None,
    };
    replaced(line, error.span.as_ref()?.start, typed, meant)
}

/// The line with the first `typed` from byte `start` on replaced.
fn replaced(line: &str, start: usize, typed: &str, meant: &str) -> Option<String> {
    let at = start + line.get(start..)?.find(typed)?;
    Some(format!("{}{meant}{}", &line[..at], &line[at + typed.len()..]))
}

#[cfg(test)]
mod tests {
    use super::super::{Options, plan};
    use super::*;
    use crate::catalog::Catalog;
    use crate::syntax::Command;

    #[test]
    fn lines_are_put_right() {
        for (line, expected) in [
            ("QueryZoen name=a", Some("QueryZone name=a")),
            ("QueryVmInstance ip=10.0.0.3 limit=3", Some("QueryVmInstance vmNics.ip=10.0.0.3 limit=3")),
            ("QueryVmInstance memory>1", Some("QueryVmInstance memorySize>1")),
            ("QueryVmInstance sort=name", Some("QueryVmInstance sortBy=name")),
            ("QueryVmInstance host=kvm-1", Some("QueryVmInstance host.name=kvm-1")),
            ("QueryVmInstance vmInstanceUuid=x", Some("QueryVmInstance uuid=x")),
            ("QueryVmInstance state=Running,Stopped", Some("QueryVmInstance state?=Running,Stopped")),
            ("QueryVmInstance state!=Running,Stopped", Some("QueryVmInstance state!?=Running,Stopped")),
            ("QueryVmInstance state=Runing", Some("QueryVmInstance state=Running")),
            ("CreateZone nmae=a", Some("CreateZone name=a")),
            ("QueryVmInstance state=Running,Nowhere", None),
            ("QueryVmInstance frobnicate=1", None),
        ] {
            let command = Command::parse(line).ok().flatten().expect(line);
            let error = plan(&command, Catalog::newest(), &Options::default()).expect_err(line);
            assert_eq!(corrected(line, &error).as_deref(), expected, "{line}: {error}");
        }
    }
}
