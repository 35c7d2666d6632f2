//! Parameters and fields of a command that are newer than the node.

use crate::catalog::{Api, Catalog, Inventory, QueryParameter, QueryValue};
use crate::syntax::Command;

/// The parameters and fields of a command that the catalog's version lacks, as `API.name` or a field's path, each with
/// the version that introduced it.
pub fn newer(command: &Command, catalog: Catalog) -> Vec<(String, &'static str)> {
    let Some(api) = catalog.api_ignoring_case(&command.name) else { return Vec::new() };
    let mut found = Vec::new();
    for argument in &command.arguments {
        let parameter = QueryParameter::from_name(&argument.name).filter(|_| api.is_query);
        let paths: Vec<&str> = match parameter.map(QueryParameter::value) {
            Some(QueryValue::Field | QueryValue::Fields) => argument.value.split(',').collect(),
            Some(_) => continue,
            None => vec![argument.name.as_str()],
        };
        for path in paths {
            let since = if api.is_query { since_of_path(&api, path.trim(), catalog) } else { since_of(&api, path) };
            if let Some(since) = since.filter(|since| catalog.lacks(Some(since)))
                && !found.iter().any(|(known, _)| known == path)
            {
                found.push((path.to_owned(), since));
            }
        }
    }
    found
}

fn since_of(api: &Api, parameter: &str) -> Option<&'static str> {
    api.parameter(parameter)?.since
}

/// The version since which all of a path exists.
fn since_of_path(api: &Api, path: &str, catalog: Catalog) -> Option<&'static str> {
    let mut inventory: Inventory = catalog.inventory(api.inventory?)?;
    let mut rest = path;
    while let Some((name, next)) = rest.split_once('.') {
        let since = inventory.expanded.get(name).and_then(|relation| relation.since);
        if catalog.lacks(since) {
            return since;
        }
        inventory = catalog.follow(&inventory, name)??;
        rest = next;
    }
    inventory.field(rest)?.since
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_newer_than_the_version_is_named() {
        let newer_than = |version: &str, line: &str| {
            let command = Command::parse(line).expect("it parses").expect("a command");
            newer(&command, Catalog::of_version(version).expect("a version"))
        };
        let line = "AddImage name=a url=b architecture=x86_64 virtio=true";
        assert_eq!(newer_than("3.10.0", line), [("architecture".to_owned(), "4.0.0"), ("virtio".to_owned(), "4.1.0")]);
        assert_eq!(newer_than("4.0.0", line), [("virtio".to_owned(), "4.1.0")]);
        assert_eq!(newer_than("5.5.6", line), []);
        let query = "queryaffinitygroup zoneUuid=a fields=uuid,zoneUuid limit=2";
        assert_eq!(newer_than("4.4.0", query), [("zoneUuid".to_owned(), "4.5.0")]);
        assert_eq!(newer_than("4.5.0", query), []);
        assert_eq!(newer_than("4.4.0", "NoSuchApi zoneUuid=a"), []);
    }
}
