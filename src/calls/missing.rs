//! Suggestions for a uuid that does not exist.

use crate::catalog::references::query_of_parameter;
use crate::client::ApiFailure;
use crate::nearness::closest;
use crate::plan::Request;
use crate::shell::complete::LiveValue;
use crate::syntax::{Command, Operator, split_list};

use crate::session::{Invocation, lookup};

/// The code for a uuid that does not exist.
const NOT_FOUND: &str = "SYS.1003";

/// The maximum number of resources that are searched for a similar one.
const MOST: usize = 1000;

/// The resource with the name or uuid that is equal or similar to the one that does not exist.
pub(super) fn meant_instead(
    cx: &mut Invocation<'_>,
    command: &Command,
    request: &Request,
    failure: &ApiFailure,
) -> Option<String> {
    let catalog = cx.session.catalog;
    let api = catalog.api(request.api).filter(|_| failure.code() == NOT_FOUND)?;
    let mut lookup = lookup(cx.session, cx.settings).ok()?;
    for argument in &command.arguments {
        let parameter = api.parameters.iter().find(|parameter| parameter.name == argument.name);
        let Some(query) = parameter.and_then(|parameter| query_of_parameter(catalog, &api, parameter)) else {
            continue;
        };
        for value in split_list(&argument.value).unwrap_or_default() {
            // A name is used as a condition only if it cannot be misread as several.
            if value.chars().any(|c| c.is_control() || "'\"\\%,".contains(c)) {
                continue;
            }
            let by_name = [("name", Operator::Equal, value.clone())];
            if let Some(named) = lookup.resources(query, &by_name, MOST).filter(|named| !named.is_empty()) {
                return Some(of_that_name(&argument.name, &value, &named));
            }
            let all = lookup.resources(query, &[], MOST)?;
            if let Some(hint) = similar(&argument.name, &value, &all) {
                return Some(hint);
            }
        }
    }
    None
}

fn of_that_name(parameter: &str, name: &str, found: &[LiveValue]) -> String {
    match found {
        [one] => format!("`{name}` is a name; its uuid is meant: {parameter}={}", one.uuid),
        several => {
            let uuids: Vec<&str> = several.iter().take(3).map(|one| one.uuid.as_str()).collect();
            let more = if several.len() > uuids.len() { ", ..." } else { "" };
            format!("`{name}` is the name of {}: {}{more}", several.len(), uuids.join(", "))
        }
    }
}

fn similar(parameter: &str, value: &str, all: &[LiveValue]) -> Option<String> {
    // This resource exists, so another parameter is wrong.
    if all.iter().any(|one| one.uuid == value) {
        return None;
    }
    let names = all.iter().flat_map(|one| [one.uuid.as_str(), one.name.as_str()]);
    let near = closest(value, names.filter(|name| !name.is_empty()))?;
    let one = all.iter().find(|one| one.uuid == near || one.name == near)?;
    Some(format!("did you mean {parameter}={} ({})?", one.uuid, one.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(uuid: &str, name: &str) -> LiveValue {
        LiveValue { uuid: uuid.to_owned(), name: name.to_owned(), ..LiveValue::default() }
    }

    #[test]
    fn similar_names_and_uuids_are_found() {
        let all =
            [value("ba1ca804bb964cc8ad701e65a947d44c", "web-1"), value("fedf2b4be40646a89205b7d64410fccc", "db-1")];
        let web = "did you mean uuid=ba1ca804bb964cc8ad701e65a947d44c (web-1)?";
        assert_eq!(similar("uuid", "ba1ca804bb964cc8ad701e65a947d44d", &all).as_deref(), Some(web));
        assert_eq!(similar("uuid", "wbe-1", &all).as_deref(), Some(web));
        assert_eq!(similar("uuid", "something-else", &all), None);
        assert_eq!(similar("uuid", "fedf2b4be40646a89205b7d64410fccc", &all), None);
    }

    #[test]
    fn names_lead_to_their_uuids() {
        assert_eq!(of_that_name("uuid", "a", &[value("1", "a")]), "`a` is a name; its uuid is meant: uuid=1");
        let many: Vec<LiveValue> = (0..5).map(|number| value(&number.to_string(), "a")).collect();
        assert_eq!(of_that_name("uuid", "a", &many), "`a` is the name of 5: 0, 1, 2, ...");
    }
}
