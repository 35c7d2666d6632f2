//! The checks of any call before it runs: the catalog's constraints, and that uuids exist.

use serde_json::Value;

use super::answer::Failure;
use super::arguments::Arguments;
use super::formats;
use super::store::{Scalar, Store, StoreError, Transaction};
use crate::catalog::{Api, Catalog, Parameter};
use crate::pattern;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error {
            StoreError::Database(source) => source.into(),
            other => Failure::internal(other.to_string()),
        }
    }
}

/// Whether a text is a uuid without dashes, as the node writes them.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether a text is accepted as the uuid of a new resource (P9).
fn is_choosable_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    is_uuid(text) && (b'1'..=b'5').contains(&bytes[12]) && b"89ab".contains(&bytes[16])
}

/// Checks a call against the catalog, parameter by parameter.
///
/// # Errors
/// `SYS.1007` names the parameter that is missing or bad.
pub(super) fn check_values(api: &Api, arguments: &Arguments) -> Result<(), Failure> {
    for parameter in &api.parameters {
        check_value(parameter, arguments.get(parameter.name))?;
    }
    formats::check(api, arguments)?;
    // An API that requires `resourceUuid` refers to an existing resource, such as one to tag.
    let chooses = is_create(api.name) && api.parameter("resourceUuid").is_some_and(|parameter| !parameter.required);
    let chosen = arguments.text("resourceUuid").filter(|_| chooses);
    if chosen.is_some_and(|uuid| !is_choosable_uuid(uuid)) {
        return Err(bad(api.parameter("resourceUuid"), "is not a version-4 uuid without dashes"));
    }
    Ok(())
}

/// Checks that the uuids of a call are of existing resources of the right kind.
///
/// # Errors
/// `SYS.1003` names the parameter whose uuid does not exist.
pub(super) fn check_references(
    catalog: Catalog,
    store: &Store,
    api: &Api,
    arguments: &Arguments,
) -> Result<(), Failure> {
    // One transaction reads all resources.
    store.read(|tx| {
        for parameter in &api.parameters {
            for uuid in uuids(parameter, arguments) {
                check_reference(catalog, tx, api, parameter, uuid)?;
            }
        }
        Ok(())
    })
}

/// Whether an API creates a resource.
pub(super) fn is_create(api: &str) -> bool {
    api.starts_with("Create") || api.starts_with("Add") || api.starts_with("Clone") || api.starts_with("Submit")
}

/// Whether deleting what does not exist succeeds (J10).
pub(super) fn forgives_absence(api: &Api, parameter: &Parameter) -> bool {
    (api.name.starts_with("Delete") || api.name.starts_with("Destroy"))
        && parameter.name == "uuid"
        && parameter.resource.is_some()
        && api.source == Some("open")
}

fn bad(parameter: Option<&Parameter>, what: impl std::fmt::Display) -> Failure {
    Failure::argument(format!("field[{}] {what}", parameter.map_or("resourceUuid", |parameter| parameter.name)))
}

fn check_value(parameter: &Parameter, value: Option<&Value>) -> Result<(), Failure> {
    let bad = |what: String| Err(bad(Some(parameter), what));
    if let Some(Value::String(mode)) = value.filter(|_| parameter.name == "deleteMode") {
        // It is converted to an enum before any check (R13).
        if mode != "Permissive" && mode != "Enforcing" {
            return Err(Failure::internal(format!("No enum constant DeletionMode.{mode}")));
        }
    }
    let Some(value) = value else {
        return if parameter.required { bad("is mandatory, it cannot be null".to_owned()) } else { Ok(()) };
    };
    match value {
        Value::String(text) => check_text(parameter, text),
        Value::Array(items) if items.is_empty() && parameter.nonempty => bad("cannot be an empty list".to_owned()),
        Value::Array(items) => items.iter().filter_map(Value::as_str).try_for_each(|text| check_text(parameter, text)),
        Value::Number(number) => match (parameter.range, number.as_i64()) {
            (Some((least, most)), Some(number)) if !(least..=most).contains(&number) => {
                bad(format!("must be in the range of [{least}, {most}], {number} is not"))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_text(parameter: &Parameter, text: &str) -> Result<(), Failure> {
    let bad = |what: String| Err(bad(Some(parameter), what));
    // Java counts UTF-16 units.
    let length = text.encode_utf16().count();
    if let Some(most) = parameter.max_length.filter(|most| length > *most as usize) {
        return bad(format!("is too long: {length} characters, at most {most} are allowed"));
    }
    if let Some(least) = parameter.min_length.filter(|least| length < *least as usize) {
        return bad(format!("is too short: {length} characters, at least {least} are needed"));
    }
    if parameter.no_empty_string && text.is_empty() {
        return bad("cannot be an empty string".to_owned());
    }
    if !parameter.values.is_empty() && !parameter.values.iter().any(|allowed| allowed == text) {
        return bad(format!("has a value that is not one of [{}]", parameter.values.join(", ")));
    }
    if let Some(pattern) = &parameter.regex {
        // The patterns are Java's; one that cannot be read here holds nothing up.
        if pattern::matches(pattern, text) == Some(false) {
            return bad(format!("does not match the pattern {pattern}"));
        }
    }
    Ok(())
}

/// The uuids that a parameter holds, where it refers to resources.
fn uuids<'a>(parameter: &Parameter, arguments: &'a Arguments) -> Vec<&'a str> {
    if parameter.resource.is_none() && parameter.reference.is_none() {
        return Vec::new();
    }
    let one = arguments.text(parameter.name).into_iter();
    one.chain(arguments.texts(parameter.name)).filter(|uuid| !uuid.is_empty()).collect()
}

/// Checks that a uuid is of an existing resource of the parameter's kind.
fn check_reference(
    catalog: Catalog,
    tx: &Transaction<'_>,
    api: &Api,
    parameter: &Parameter,
    uuid: &str,
) -> Result<(), Failure> {
    let absent = |kind: &str| {
        Err(Failure::not_found(format!(
            "invalid field[{}], there is no resource[uuid:{uuid}, type:{kind}]",
            parameter.name
        )))
    };
    if let Some(kind) = parameter.resource {
        if !is_uuid(uuid) {
            return absent(kind);
        }
        if forgives_absence(api, parameter) || is_found(catalog, tx, kind, uuid)? {
            return Ok(());
        }
        return absent(kind);
    }
    // The kind is sometimes only guessed from the parameter's name; then any resource is accepted.
    let Some(kind) = parameter.reference.and_then(|query| query.strip_prefix("Query")) else { return Ok(()) };
    let inventory = format!("{kind}Inventory");
    let is_there = catalog.inventory(&inventory).is_some_and(|inventory| inventory.field("uuid").is_some())
        && tx.get(&inventory, uuid)?.is_some();
    if is_there || !is_uuid(uuid) || tx.kind_of(uuid)?.is_some() { Ok(()) } else { absent(kind) }
}

fn is_found(catalog: Catalog, tx: &Transaction<'_>, kind: &str, uuid: &str) -> Result<bool, Failure> {
    // Sessions are not in this store; the handler looks them up.
    if kind == "Session" {
        return Ok(true);
    }
    let inventory = format!("{kind}Inventory");
    match catalog.inventory(&inventory) {
        // `Resource` means any resource.
        Some(inventory) if kind != "Resource" && inventory.field("uuid").is_some() => {
            Ok(!tx.find(inventory.name, "uuid", &Scalar::from(uuid))?.is_empty())
        }
        _ => Ok(tx.kind_of(uuid)?.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ZONE: &str = "140ebc2fbdb74ae197323a69d432f25e";
    const NOTHING: &str = "00000000000040008000000000000000";

    fn failure(api: &str, values: Value) -> Option<(&'static str, String)> {
        let catalog = Catalog::newest();
        let store = Store::in_memory().expect("a store in memory");
        let api = catalog.api(api).expect("an API of the catalog");
        let values = values.as_object().cloned().unwrap_or_default();
        let arguments = Arguments::from_values(values);
        let result = check_values(&api, &arguments).and_then(|()| check_references(catalog, &store, &api, &arguments));
        result.err().map(|failure| (failure.code, failure.details))
    }

    fn code(api: &str, values: Value, field: &str) -> Option<&'static str> {
        let (code, details) = failure(api, values)?;
        assert!(details.contains(&format!("[{field}]")), "{details}");
        Some(code)
    }

    #[test]
    fn constraints_of_the_catalog_hold() {
        assert_eq!(failure("CreateZone", json!({"name": "lab"})), None);
        assert_eq!(failure("CreateZone", json!({"name": "机房 1"})), None);
        assert_eq!(code("CreateZone", json!({}), "name"), Some("SYS.1007"));
        assert_eq!(code("CreateZone", json!({"name": "x".repeat(256)}), "name"), Some("SYS.1007"));
        assert_eq!(code("CreateZone", json!({"name": "a/b"}), "name"), Some("SYS.1007"));
        let state = |event: &str| json!({"uuid": ZONE, "stateEvent": event});
        assert_eq!(failure("ChangeZoneState", state("enable")), None);
        assert_eq!(code("ChangeZoneState", state("explode"), "stateEvent"), Some("SYS.1007"));
        let image = json!({"name": "i", "url": "http://x/i", "backupStorageUuids": []});
        assert_eq!(code("AddImage", image, "backupStorageUuids"), Some("SYS.1007"));
        assert_eq!(code("RenewSession", json!({"sessionUuid": NOTHING, "duration": 1}), "duration"), Some("SYS.1007"));
        assert_eq!(code("CreateZone", json!({"name": "lab", "resourceUuid": "x"}), "resourceUuid"), Some("SYS.1007"));
        let tag = json!({"resourceType": "ZoneVO", "resourceUuid": "36c27e8ff05c8780bf6d2fa65700f22e", "tag": "lab"});
        assert_eq!(failure("CreateUserTag", tag).map(|(code, _)| code), Some("SYS.1003"));
    }

    #[test]
    fn uuids_name_what_their_parameter_means() {
        let (code, details) = failure("UpdateZone", json!({"uuid": NOTHING, "name": "x"})).expect("no such zone");
        assert_eq!(code, "SYS.1003");
        assert!(details.contains("[uuid]") && details.contains(NOTHING) && details.contains("Zone"), "{details}");
        assert!(failure("UpdateCluster", json!({"uuid": ZONE})).is_some(), "a zone is no cluster");
        assert_eq!(failure("UpdateZone", json!({"uuid": ZONE})), None);
    }

    #[test]
    fn deleting_what_is_not_there_is_forgiven_unless_it_is_no_uuid() {
        assert_eq!(failure("DeleteZone", json!({"uuid": NOTHING})), None);
        assert_eq!(code("DeleteZone", json!({"uuid": "zone-1"}), "uuid"), Some("SYS.1003"));
    }
}
