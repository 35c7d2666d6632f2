//! Planning actions and reads.

use std::time::Duration;

use crate::catalog::{Api, Catalog, Method};
use crate::json::Value;
use crate::syntax::{Argument, Command, Operator, integer};

use super::error::{Error, ErrorKind};
use super::password;
use super::request::{Effect, PathPart, Request, SecretText};
use super::suggest::near_parameters;
use super::{Options, names, value};

/// Plans a call: every argument is checked before anything is built.
pub(super) fn plan(command: &Command, api: &Api, catalog: Catalog, options: &Options) -> Result<Request, Error> {
    let mut values: Vec<(&'static str, Value)> = Vec::new();
    let mut unchecked: Vec<(String, Value)> = Vec::new();
    let mut timeout = options.timeout;
    for (index, argument) in command.arguments.iter().enumerate() {
        if argument.operator != Operator::Equal {
            let kind = match api.parameter(&argument.name) {
                Some(_) => ErrorKind::NotACondition { name: argument.name.clone(), operator: argument.operator },
                None => unknown_parameter(api, argument),
            };
            return Err(Error::at(kind, argument.span.clone()));
        }
        if command.arguments[..index].iter().any(|before| before.name == argument.name) {
            let kind = ErrorKind::GivenTwice { name: argument.name.clone() };
            return Err(Error::at(kind, argument.name_span.clone()));
        }
        match api.parameter(&argument.name) {
            Some(parameter) => {
                if !options.no_check {
                    names::check(api, parameter, argument, catalog)?;
                }
                values.push((parameter.name, value::read(argument, parameter, catalog, options.no_check)?));
            }
            None if argument.name == "timeout" => timeout = Some(milliseconds(argument)?),
            None if options.no_check => unchecked.push((argument.name.clone(), untyped(&argument.value))),
            None => return Err(Error::at(unknown_parameter(api, argument), argument.name_span.clone())),
        }
    }
    fill_session(api, options, &mut values);
    check_missing(api, &values, options)?;
    hash_passwords(api, &mut values);
    let path = take_path(api, command, &mut values, options)?;

    let mut request = Request {
        api: api.name,
        method: api.method,
        path,
        query: Vec::new(),
        body: None,
        needs_session: api.session,
        effect: if api.is_action() { Effect::Action } else { Effect::Read },
        is_async: api.is_async,
        timeout,
    };
    let rest = values.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(unchecked);
    match api.method {
        Method::Post | Method::Put => {
            let parameters = rest.collect();
            request.body = Some(Value::Map(vec![(api.body.to_owned(), Value::Map(parameters))]));
        }
        Method::Get | Method::Delete => {
            for (name, value) in rest {
                let span = command.arguments.iter().find(|argument| argument.name == name);
                flatten(&name, value, &mut request.query)
                    .map_err(|kind| Error { kind, span: span.map(|argument| argument.value_span.clone()) })?;
            }
        }
    }
    Ok(request)
}

fn unknown_parameter(api: &Api, argument: &Argument) -> ErrorKind {
    ErrorKind::UnknownParameter {
        api: api.name,
        name: argument.name.clone(),
        near: near_parameters(&argument.name, api).into_iter().map(str::to_owned).collect(),
        version: Catalog::newest().version(),
    }
}

/// Reads `timeout=`, which counts milliseconds. One of more than about thirty years is rejected.
pub(super) fn milliseconds(argument: &Argument) -> Result<Duration, Error> {
    let number = integer(&argument.value).filter(|number| (1..=1_000_000_000_000).contains(number));
    number.map(|number| Duration::from_millis(number.unsigned_abs())).ok_or_else(|| {
        let kind =
            ErrorKind::WrongType { name: argument.name.clone(), expected: "a whole number of milliseconds above zero" };
        Error::at(kind, argument.value_span.clone())
    })
}

/// A value of a parameter that the catalog does not have: JSON if it looks like JSON, else text. The node accepts
/// numbers and booleans as text (P7).
fn untyped(text: &str) -> Value {
    match text.as_bytes().first() {
        Some(b'[' | b'{') => crate::syntax::parse_literal(text).unwrap_or_else(|_| Value::text(text)),
        _ => Value::text(text),
    }
}

/// `LogOut` and similar APIs apply to the open session by default.
fn fill_session(api: &Api, options: &Options, values: &mut Vec<(&'static str, Value)>) {
    const NAME: &str = "sessionUuid";
    // A session uuid is a credential, whatever the catalog says of the parameter.
    for (_, value) in values.iter_mut().filter(|(name, _)| *name == NAME) {
        if !matches!(value, Value::Secret(_)) {
            *value = Value::Secret(Box::new(value.clone()));
        }
    }
    let in_path = api.path_variables().any(|variable| variable == NAME);
    if let Some(session) = options.session.as_ref().filter(|_| in_path)
        && !values.iter().any(|(name, _)| *name == NAME)
    {
        values.push((NAME, Value::Secret(Box::new(Value::text(session.clone())))));
    }
}

fn check_missing(api: &Api, values: &[(&'static str, Value)], options: &Options) -> Result<(), Error> {
    let given = |name: &str| values.iter().any(|(known, _)| *known == name);
    let in_path: Vec<&str> = api.path_variables().collect();
    let names: Vec<&'static str> = api
        .parameters
        .iter()
        // A path without its variable is another path, which is never sent, not even with `--no-check`.
        .filter(|parameter| (parameter.required && !options.no_check) || in_path.contains(&parameter.name))
        .map(|parameter| parameter.name)
        .filter(|name| !given(name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Error { kind: ErrorKind::MissingParameters { api: api.name, names }, span: None })
}

fn hash_passwords(api: &Api, values: &mut [(&'static str, Value)]) {
    let login_type = values.iter().find_map(|(name, value)| match value {
        Value::Text(text) if *name == "loginType" => Some(text.clone()),
        _ => None,
    });
    for (name, value) in values {
        if password::is_hashed(api.name, name, login_type.as_deref())
            && let Value::Text(text) = plain(value)
        {
            // The node accepts the hash as a password, so the hash is secret too.
            *value = Value::Secret(Box::new(Value::text(crate::secret::sha512(text))));
        }
    }
}

fn plain(value: &Value) -> &Value {
    match value {
        Value::Secret(inner) => plain(inner),
        other => other,
    }
}

/// Builds the path from the catalog's, taking the variables' values out of `values`.
fn take_path(
    api: &Api,
    command: &Command,
    values: &mut Vec<(&'static str, Value)>,
    options: &Options,
) -> Result<Vec<PathPart>, Error> {
    let mut parts = Vec::new();
    let mut rest = api.path;
    while let Some((fixed, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        parts.push(PathPart::Fixed(fixed));
        rest = after;
        // A path contains a variable once; missing values were reported before.
        if let Some(at) = values.iter().position(|(known, _)| *known == name) {
            let (_, value) = values.remove(at);
            let span = command.arguments.iter().find(|argument| argument.name == name);
            let text = match plain(&value) {
                Value::Text(text) if options.holds_names && !text.trim().is_empty() => Ok(SecretText::plain(text)),
                _ => path_value(name, &value),
            };
            let text = text.map_err(|kind| Error { kind, span: span.map(|argument| argument.value_span.clone()) })?;
            parts.push(PathPart::Variable(text));
        }
    }
    if !rest.is_empty() {
        parts.push(PathPart::Fixed(rest));
    }
    Ok(parts)
}

/// The text of a path variable: one segment, since a slash would lead to another API, which may delete something.
pub(super) fn path_value(name: &str, value: &Value) -> Result<SecretText, ErrorKind> {
    let secret = matches!(value, Value::Secret(_));
    let text = match plain(value) {
        Value::Text(text) | Value::Number(text) => text.trim().to_owned(),
        Value::Bool(value) => value.to_string(),
        _ => return Err(ErrorKind::Nested { name: name.to_owned() }),
    };
    let bad = |problem| Err(ErrorKind::BadPathValue { name: name.to_owned(), problem });
    if text.is_empty() {
        return bad("empty");
    }
    if text == "." || text == ".." {
        return bad("`.` or `..`");
    }
    if text.contains(['/', '\\']) {
        return bad("a text with a slash");
    }
    if text.chars().any(char::is_control) {
        return bad("a text with control characters");
    }
    let is_uuid = name == "uuid" || name.ends_with("Uuid");
    if is_uuid && !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return bad("a text like this: a uuid is made of letters and digits");
    }
    Ok(SecretText { text, secret })
}

/// Writes a value into the query string of GET and DELETE (P4): lists repeat the key, maps append theirs to it.
fn flatten(name: &str, value: Value, query: &mut Vec<(String, SecretText)>) -> Result<(), ErrorKind> {
    let (secret, value) = match value {
        Value::Secret(inner) => (true, *inner),
        value => (false, value),
    };
    match value {
        Value::Null => Ok(()),
        Value::List(items) => items.into_iter().try_for_each(|item| {
            let text = scalar(&item).ok_or_else(|| ErrorKind::Nested { name: name.to_owned() })?;
            query.push((name.to_owned(), SecretText { text, secret }));
            Ok(())
        }),
        Value::Map(members) => members.into_iter().try_for_each(|(key, value)| {
            if key.is_empty() || key.contains('.') || key.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ErrorKind::BadMapKey { name: name.to_owned(), key });
            }
            let path = format!("{name}.{key}");
            match value {
                Value::Map(_) => Err(ErrorKind::Nested { name: name.to_owned() }),
                value => flatten(&path, if secret { Value::Secret(Box::new(value)) } else { value }, query),
            }
        }),
        value => {
            let text = scalar(&value).unwrap_or_default();
            query.push((name.to_owned(), SecretText { text, secret }));
            Ok(())
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Secret(inner) => scalar(inner),
        Value::List(_) | Value::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Plan, plan};
    use super::*;
    use crate::secret::Secrets;

    fn request(line: &str) -> Result<Request, Error> {
        let command = Command::parse(line).expect("it parses").expect("a command");
        let options = Options { session: Some("5e55".to_owned()), ..Options::default() };
        match plan(&command, Catalog::newest(), &options)? {
            Plan::Call(request) => Ok(request),
            Plan::Query(_) => panic!("{line} is a query"),
        }
    }

    fn sent(line: &str) -> String {
        let request = request(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let body = request.body_text(Secrets::Shown).unwrap_or_default();
        format!("{} {} {body}", request.method, request.target(Secrets::Shown)).trim_end().to_owned()
    }

    fn refused(line: &str) -> (String, Option<&str>) {
        let error = request(line).expect_err(line);
        (error.to_string(), error.span.map(|span| &line[span]))
    }

    const UUID: &str = "1ab3b836a88342e1bbc1b1a17d092f0f";

    #[test]
    fn requests_have_the_catalogs_verb_path_and_body_key() {
        for (line, expected) in [
            (
                "CreateZone name=lab description='rack 7'",
                r#"POST /zones {"params":{"name":"lab","description":"rack 7"}}"#,
            ),
            ("DeleteZone uuid=$", "DELETE /zones/$"),
            ("DeleteZone uuid=$ deleteMode=Enforcing", "DELETE /zones/$?deleteMode=Enforcing"),
            ("StopVmInstance uuid=$ type=cold", r#"PUT /vm-instances/$/actions {"stopVmInstance":{"type":"cold"}}"#),
            ("ReconnectBackupStorage uuid=$", r#"PUT /backup-storage/$/actions {"reconnectBackupStorage":{}}"#),
            ("AttachL2NetworkToCluster l2NetworkUuid=A clusterUuid=B", r#"POST /l2-networks/A/clusters/B {"null":{}}"#),
            ("GetVersion", r#"PUT /management-nodes/actions {"getVersion":{}}"#),
            ("createzone name=a", r#"POST /zones {"params":{"name":"a"}}"#),
            (
                "CreateZone name=a systemTags=a::b,c userTags='[\"x,y\"]'",
                r#"POST /zones {"params":{"name":"a","systemTags":["a::b","c"],"userTags":["x,y"]}}"#,
            ),
            ("DeleteZone uuid=$ systemTags=a,b", "DELETE /zones/$?systemTags=a&systemTags=b"),
            ("GetTaskProgress apiId=J all=true", "GET /task-progresses/J?all=true"),
            // As `jq` prints a uuid without `-r`.
            ("DeleteZone uuid='\"$\"'", "DELETE /zones/$"),
            (
                r#"CreateCluster name='"$"' zoneUuid='"$"' hypervisorType=KVM"#,
                r#"POST /clusters {"params":{"name":"\"$\"","zoneUuid":"$","hypervisorType":"KVM"}}"#,
            ),
            (
                r#"ShareResource resourceUuids='"$","$"' accountUuids='["$"]'"#,
                r#"PUT /accounts/resources/actions {"shareResource":{"resourceUuids":["$","$"],"accountUuids":["$"]}}"#,
            ),
            (
                r#"CreateCluster name=a zoneUuid='"lab"' hypervisorType=KVM"#,
                r#"POST /clusters {"params":{"name":"a","zoneUuid":"\"lab\"","hypervisorType":"KVM"}}"#,
            ),
            (
                "SetVmMonitorNumber uuid=$ monitorNumber=2.0",
                r#"PUT /vm-instances/$/actions {"setVmMonitorNumber":{"monitorNumber":2}}"#,
            ),
            (
                "DetachNetworkServiceFromL3Network l3NetworkUuid=$ networkServices=\"{'a':['x','y'],'b':['z']}\"",
                "DELETE /l3-networks/$/network-services?networkServices.a=x&networkServices.a=y&networkServices.b=z",
            ),
        ] {
            assert_eq!(sent(&line.replace('$', UUID)), expected.replace('$', UUID), "{line}");
        }
    }

    #[test]
    fn values_are_sent_by_the_parameters_type() {
        let line = "CreateVmInstance name=a cpuNum=2 memorySize=2G dataDiskSizes=1G,512 virtio=false l3NetworkUuids=a,b \
                    diskAOs=\"[{'size': 10, 'boot': True}]\" dataVolumeSystemTagsOnIndex=\"{'0':['a']}\"";
        assert_eq!(
            sent(line),
            "POST /vm-instances {\"params\":{\"name\":\"a\",\"cpuNum\":2,\"memorySize\":2147483648,\
             \"dataDiskSizes\":[1073741824,512],\"virtio\":false,\"l3NetworkUuids\":[\"a\",\"b\"],\
             \"diskAOs\":[{\"size\":10,\"boot\":true}],\"dataVolumeSystemTagsOnIndex\":{\"0\":[\"a\"]}}}"
        );
    }

    #[test]
    fn passwords_are_hashed_where_the_node_wants_it_and_masked_everywhere() {
        let request = request("LogInByAccount accountName=admin password=password").expect("it plans");
        let body = request.body_text(Secrets::Shown).expect("a body");
        assert!(body.contains("\"b109f3bbbc244eb82441917ed06d618b"), "{body}");
        let masked = request.body_text(Secrets::Masked).expect("a body");
        assert_eq!(masked, r#"{"logInByAccount":{"accountName":"admin","password":"******"}}"#);
        assert!(!format!("{request:?}").contains("b109f3"));
        assert!(sent("LogInByLdap uid=a password=secret").contains("\"password\":\"secret\""));
    }

    #[test]
    fn log_out_means_the_open_session() {
        let request = request("LogOut").expect("it plans");
        assert_eq!(request.target(Secrets::Shown), "/accounts/sessions/5e55");
        assert_eq!(request.target(Secrets::Masked), "/accounts/sessions/******");
    }

    #[test]
    fn the_timeout_is_no_parameter_but_a_wait() {
        let request = request("CreateZone name=a timeout=1500").expect("it plans");
        assert_eq!(request.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(request.body_text(Secrets::Shown).expect("a body"), r#"{"params":{"name":"a"}}"#);
    }

    #[test]
    fn what_is_wrong_is_said_at_the_word() {
        for (line, message, word) in [
            ("CreateZoen name=a", "there is no API called CreateZoen in ZStack (up to ", Some("CreateZoen")),
            ("CreateZone nmae=a", "CreateZone has no parameter nmae", Some("nmae")),
            ("CreateZone", "CreateZone needs name", None),
            ("AddImage name=x", "AddImage needs url and backupStorageUuids", None),
            ("CreateZone name=a name=b", "name is given twice", Some("name")),
            ("SetVmMonitorNumber uuid=x monitorNumber=2.5", "monitorNumber must be a whole number", Some("2.5")),
            ("CreateZone name!=a", "name is a parameter and takes `=`, not `!=`", Some("name!=a")),
            ("CreateZone name=a isDefault=yes", "isDefault must be true or false", Some("yes")),
            ("CreateZone name=' a'x/", "name does not match the pattern", Some(" a'x/")),
            ("DeleteZone uuid=a/b", "uuid is part of the path and cannot be a text with a slash", Some("a/b")),
            ("DeleteZone uuid=..", "uuid is part of the path and cannot be `.` or `..`", Some("..")),
            ("DeleteZone uuid=", "uuid is part of the path and cannot be empty", Some("")),
            ("DeleteZone uuid=a deleteMode=Force", "deleteMode: Force is not allowed", Some("Force")),
            ("CreateVmInstance name=a cpuNum=two", "cpuNum must be a whole number of 32 bits", Some("two")),
            (
                "CreateVmInstance name=a cpuNum=3000000000",
                "cpuNum must be a whole number of 32 bits",
                Some("3000000000"),
            ),
            ("CreateVmInstance name=a memorySize=2X", "memorySize must be a number of bytes", Some("2X")),
            ("CreateVmInstance name=a diskAOs=[1", "diskAOs: `,` or `]` expected at character 3", Some("[1")),
            (
                "CreateZone name=a timeout=18446744073709551615",
                "timeout must be a whole number of milliseconds above zero",
                Some("18446744073709551615"),
            ),
            ("CreateZone name=a timeout=soon", "timeout must be a whole number of milliseconds", Some("soon")),
            ("AddImage name=x url=u backupStorageUuids=", "backupStorageUuids must not be empty", Some("")),
        ] {
            let (said, at) = refused(line);
            assert!(said.starts_with(message), "{line}: {said}");
            assert_eq!(at, word, "{line}");
        }
        let long = format!("CreateZone name={}", "x".repeat(256));
        assert_eq!(refused(&long).0, "name is 256 characters long; at most 255 are allowed");
    }

    #[test]
    fn an_unknown_name_leads_to_the_closest_one() {
        for (typed, hint) in [
            ("CreateZoen", "did you mean `CreateZone`?"),
            ("APIQueryZoneMsg", "did you mean `QueryZone`?"),
            ("QueryVmI", "did you mean `QueryVmInstance`?"),
            ("Frobnicate", "`zstack-cli catalog list`, or Tab at the prompt, lists the APIs"),
            ("UpdateSharedBlockDiskUuid uuid=x", "versions up to 3.10.0 had it; did you mean `UpdateSharedBlock`?"),
            ("DeleteZone zoneUuid=x", "did you mean `uuid`?"),
            ("QueryVol", "did you mean `QueryVolume` or `QueryVolumeSnapshot`?"),
            (
                "DeleteZone colour=blue",
                "`help DeleteZone` lists those of ZStack 5.5.6; --no-check sends it all the same",
            ),
        ] {
            assert_eq!(request(typed).expect_err(typed).hint().as_deref(), Some(hint), "{typed}");
        }
    }

    #[test]
    fn unknown_names_are_sent_only_when_asked() {
        let command = Command::parse("CreateZone name=a colour=blue tint=[1]").expect("it parses").expect("a command");
        let options = Options { no_check: true, ..Options::default() };
        let Ok(Plan::Call(request)) = plan(&command, Catalog::newest(), &options) else { panic!("it plans") };
        assert_eq!(
            request.body_text(Secrets::Shown).expect("a body"),
            r#"{"params":{"name":"a","colour":"blue","tint":[1]}}"#
        );
    }
}
