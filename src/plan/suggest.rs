//! Suggestions for unknown names and for words that are not arguments.

use std::ops::Range;

use crate::catalog::{Api, Catalog, Inventory};
use crate::nearness::{MOST_PROPOSED, nearest};
use crate::syntax::{Argument, Command, CommandError, Operator, quote_word};

/// Synonymous verbs. The first of a group is preferred if several APIs exist.
const VERBS: [&[&str]; 8] = [
    &["Destroy", "Delete", "Remove", "Detach", "Expunge", "Drop"],
    &["Create", "Add", "New", "Make"],
    &["Query", "Get", "List", "Show", "Describe", "Find"],
    &["Start", "Boot", "PowerOn", "Launch"],
    &["Stop", "Shutdown", "PowerOff", "Halt"],
    &["Reboot", "Restart", "Reset"],
    &["Update", "Change", "Set", "Modify", "Edit"],
    &["Attach", "Add", "Connect"],
];

/// The most common resources, most common first, with their informal names.
const NOUNS: [(&str, &[&str]); 14] = [
    ("VmInstance", &["Vm", "Instance", "Machine"]),
    ("Host", &["KvmHost", "Hypervisor"]),
    ("Volume", &["Disk", "DataVolume"]),
    ("Image", &["Template"]),
    ("L3Network", &["Network", "Net", "L3"]),
    ("L2Network", &["L2"]),
    ("PrimaryStorage", &["Storage", "Ps"]),
    ("BackupStorage", &["Bs"]),
    ("VolumeSnapshot", &["Snapshot"]),
    ("VmNic", &["Nic"]),
    ("Zone", &[]),
    ("Cluster", &[]),
    ("InstanceOffering", &["Offering", "Flavor"]),
    ("SecurityGroup", &["SecGroup"]),
];

/// The minimum length of a prefix that is completed.
const LEAST: usize = 4;

/// The suggestions for an unknown name, best first: APIs, or some of `others`, such as own commands and topics. A
/// complete verb is only replaced by a synonym, so that an API with another effect is never suggested.
pub fn near_names(typed: &str, catalog: Catalog, others: &[&str]) -> Vec<String> {
    let all = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let own = || nearest(typed, others.iter().copied().filter(|name| name.len() > 2));
    if typed.len() < 2 || !typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.?".contains(&byte)) {
        return Vec::new();
    }
    if typed.len() >= 3 && !typed.starts_with(|c: char| c.is_ascii_uppercase()) {
        let unfinished = others.iter().copied().filter(|name| typed.len() >= LEAST && name.starts_with(typed));
        let unfinished: Vec<&str> = unfinished.take(MOST_PROPOSED).collect();
        let found = if unfinished.is_empty() { own() } else { unfinished };
        if !found.is_empty() {
            return all(found);
        }
    }
    let bare = typed.strip_prefix("API").unwrap_or(typed);
    let bare = bare.strip_suffix("Msg").unwrap_or(bare);
    let (verbs, noun) = verb_and_noun(bare);
    let found = match verbs.is_empty() {
        // A noun without a verb: a query is harmless.
        true => first_of([&|| same_noun(&["Query"], bare, catalog).into_iter().collect(), &|| {
            misspelt(&[""], bare, catalog)
        }]),
        false if noun.is_empty() => Vec::new(),
        false => first_of([
            &|| same_noun(&verbs, noun, catalog).into_iter().collect(),
            &|| unfinished(bare, &verbs, noun, catalog),
            &|| misspelt(&verbs, noun, catalog),
            &|| shorter(bare, &verbs, noun, catalog).into_iter().collect(),
        ]),
    };
    all(if found.is_empty() && typed.len() >= 3 { own() } else { found })
}

/// What the first way finds that finds anything.
fn first_of<'n, const N: usize>(ways: [&dyn Fn() -> Vec<&'n str>; N]) -> Vec<&'n str> {
    ways.into_iter().map(|way| way()).find(|found| !found.is_empty()).unwrap_or_default()
}

/// The verb at the start of a name followed by its synonyms, and the rest of the name.
fn verb_and_noun(name: &str) -> (Vec<&'static str>, &str) {
    // `Settings` does not start with the verb `Set`, but `setvm` may.
    let lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
    let begins = |verb: &&&str| {
        let ends_there = || lower || !name[verb.len()..].starts_with(|c: char| c.is_ascii_lowercase());
        name.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb)) && ends_there()
    };
    let Some(typed) = VERBS.into_iter().flatten().filter(begins).max_by_key(|verb| verb.len()) else {
        return (Vec::new(), name);
    };
    let mut verbs = vec![*typed];
    for group in VERBS.iter().filter(|group| group.contains(typed)) {
        verbs.extend(group.iter().copied().filter(|verb| verb != typed));
    }
    (verbs, &name[typed.len()..])
}

/// The nouns that a word may stand for: itself, its singular, and the full name of an informal one.
fn nouns(noun: &str) -> Vec<String> {
    let mut all = vec![noun.to_owned()];
    let single = noun.strip_suffix('s').filter(|single| single.len() > 1);
    all.extend(single.map(str::to_owned));
    for short in [Some(noun), single].into_iter().flatten() {
        let known = NOUNS.iter().find(|(_, shorts)| shorts.iter().any(|known| known.eq_ignore_ascii_case(short)));
        all.extend(known.map(|(name, _)| (*name).to_owned()));
    }
    all
}

/// The API with one of these verbs and exactly this noun.
fn same_noun(verbs: &[&str], noun: &str, catalog: Catalog) -> Option<&'static str> {
    let nouns = nouns(noun);
    let names = verbs.iter().flat_map(|verb| nouns.iter().map(move |noun| format!("{verb}{noun}")));
    names.into_iter().find_map(|name| catalog.api_ignoring_case(&name)).map(|api| api.name)
}

/// The most common APIs whose names start with a prefix, or else the shortest ones.
fn unfinished(name: &str, verbs: &[&str], noun: &str, catalog: Catalog) -> Vec<&'static str> {
    if name.len() < LEAST {
        return Vec::new();
    }
    let common = NOUNS.iter().map(|(noun, _)| *noun).filter(|known| begins(known, noun));
    // Of the verbs that mean the same, the first one that an API has.
    let common = common.filter_map(|noun| verbs.iter().find_map(|verb| catalog.api(&format!("{verb}{noun}"))));
    let mut found: Vec<&str> = common.map(|api| api.name).collect();
    if found.is_empty() {
        found = catalog.api_names().map(|api| api.as_str()).filter(|api| begins(api, name)).collect();
        found.sort_by_key(|api| api.len());
    }
    found.truncate(MOST_PROPOSED);
    found
}

fn begins(name: &str, typed: &str) -> bool {
    name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

/// The APIs with a similar noun and one of these verbs, the typed verb first. Only nouns are compared, so that a long
/// verb does not hide their difference.
fn misspelt(verbs: &[&str], noun: &str, catalog: Catalog) -> Vec<&'static str> {
    let found = verbs.iter().filter(|verb| verb.len() + noun.len() >= LEAST).map(|verb| {
        let nouns = catalog.api_names().filter_map(|api| api.as_str().strip_prefix(verb));
        let names = nearest(noun, nouns).into_iter().map(|near| format!("{verb}{near}"));
        names.filter_map(|name| catalog.api(&name)).map(|api| api.name).collect::<Vec<_>>()
    });
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// The API whose name is a prefix of the typed one, as older versions had longer names. Not for APIs that destroy
/// something.
fn shorter(name: &str, verbs: &[&str], noun: &str, catalog: Catalog) -> Option<&'static str> {
    if VERBS[0].contains(verbs.first()?) {
        return None;
    }
    let verb = name.len() - noun.len();
    let goes_on = |at: &usize| name.as_bytes().get(*at).is_some_and(u8::is_ascii_uppercase);
    let ends = (verb + 1..name.len()).rev().filter(goes_on);
    ends.filter_map(|end| name.get(..end)).find_map(|start| catalog.api(start)).map(|api| api.name)
}

/// The suggestions for an unknown parameter, best first: the same resource is `uuid` in one API and `vmInstanceUuid` in
/// another.
pub(super) fn near_parameters(typed: &str, api: &Api) -> Vec<&'static str> {
    let names = || api.parameters.iter().map(|parameter| parameter.name);
    let about = || {
        let about = typed.strip_suffix("Uuid").filter(|about| ends_in_noun(api.name, about));
        about.and(api.parameter("uuid")).map(|parameter| parameter.name)
    };
    first_of([&|| nearest(typed, names().chain(["timeout"])), &|| about().into_iter().collect(), &|| {
        only_one(names(), typed).into_iter().collect()
    }])
}

/// The fields that may be meant by one that the rows of `owner`, a query or an inventory, have not, best first: those
/// that look like it, `uuid` for `vmInstanceUuid`, `memorySize` for `memory`, or one behind a relation.
pub(super) fn near_fields<'n>(
    typed: &str,
    names: impl Iterator<Item = &'n str>,
    owner: &str,
    inventory: &Inventory,
    catalog: Catalog,
) -> Vec<String> {
    let names: Vec<&str> = names.collect();
    let about = || {
        let about = typed.strip_suffix("Uuid").or_else(|| typed.strip_suffix("Name"))?;
        let field = if typed.ends_with("Uuid") { "uuid" } else { "name" };
        let owner = owner.strip_suffix("Inventory").unwrap_or(owner);
        (ends_in_noun(owner, about) && inventory.field(field).is_some()).then_some(field)
    };
    let longer = || {
        let mut known: Vec<&str> =
            names.iter().copied().filter(|name| typed.len() >= LEAST && begins(name, typed)).collect();
        known.sort_by_key(|name| name.len());
        known.dedup();
        known.truncate(MOST_PROPOSED);
        known
    };
    let found = first_of([&|| about().into_iter().collect(), &|| nearest(typed, names.iter().copied()), &longer]);
    if !found.is_empty() {
        return found.into_iter().map(str::to_owned).collect();
    }
    let related = catalog.related_fields(inventory, |name| name.eq_ignore_ascii_case(typed));
    related.into_iter().map(|(path, _)| path).take(1).collect()
}

/// The condition that was meant by one value with commas, all of whose parts are allowed.
pub(super) fn one_of(argument: &Argument, text: &str, allowed: &[&str]) -> Option<String> {
    let operator = match argument.operator {
        Operator::Equal => Operator::In,
        Operator::NotEqual => Operator::NotIn,
        _ => return None,
    };
    let is_allowed = |part: &str| allowed.iter().any(|value| value.eq_ignore_ascii_case(part));
    (text.contains(',') && text.split(',').all(is_allowed)).then(|| format!("{}{operator}{text}", argument.name))
}

/// The only name that contains what was typed: `diskSize` for `size`.
fn only_one(names: impl Iterator<Item = &'static str>, typed: &str) -> Option<&'static str> {
    let first = typed.chars().next().filter(|_| typed.len() >= LEAST)?;
    let end = typed.replacen(first, &first.to_uppercase().to_string(), 1);
    let mut longer = names.filter(|name| name.ends_with(&end));
    longer.next().filter(|_| longer.next().is_none())
}

/// Whether the name of an API ends in the noun of a parameter: `StartVmInstance` and `vmInstance`.
fn ends_in_noun(api: &str, noun: &str) -> bool {
    let start = api.len().checked_sub(noun.len()).filter(|_| !noun.is_empty());
    start.and_then(|start| api.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(noun))
}

/// The hint for a word that is not an argument: it lacks a name or a value, or has extra spaces.
pub fn argument_hint(error: &CommandError, line: &str, name: &str, catalog: Catalog) -> Option<String> {
    let CommandError::NotAnArgument { text, span } = error else { return None };
    let api = catalog.api_ignoring_case(name)?;
    let inventory = api.inventory.and_then(|name| catalog.inventory(name));
    let has_field = |name: &str| inventory.as_ref().is_some_and(|inventory| inventory.field(name).is_some());
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    let rest = line.get(span.end..).unwrap_or_default().trim_start();
    if is_name && rest.starts_with(['=', '!', '<', '>', '~', '?']) {
        let operator = rest.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let value = rest.get(operator.len()..).unwrap_or_default().split_whitespace().next().unwrap_or_default();
        let value = if operator.ends_with('=') || operator.len() == 1 { value } else { "" };
        return Some(format!("a condition is written without blanks: {text}{operator}{value}"));
    }
    // ZQL notation.
    let mut words = rest.split_whitespace();
    let spelled = [("in", "?="), ("like", "~="), ("is", "=")];
    let spelled = words.next().and_then(|word| spelled.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)));
    if let Some((_, operator)) = spelled.filter(|_| is_name && api.is_query) {
        let (operator, value) = match words.next() {
            Some(not) if not.eq_ignore_ascii_case("not") => ("!=", words.next()),
            value => (*operator, value),
        };
        return Some(format!("a condition is written without blanks: {text}{operator}{}", value.unwrap_or("VALUE")));
    }
    let before = line.get(..span.start).unwrap_or_default().trim_end();
    if before.ends_with(',') {
        let list =
            before.rsplit(char::is_whitespace).find_map(|word| word.split_once('=')).map_or("NAME", |(name, _)| name);
        return Some(format!("a list is written without blanks: {list}=A,B"));
    }
    let joins = ["and", "or"].iter().any(|word| text.eq_ignore_ascii_case(word)) || text.starts_with('(');
    if api.is_query && joins {
        return Some("all conditions of a query must hold; `zql` takes and, or and parentheses".to_owned());
    }
    let first = !before.contains('=');
    if api.parameter(text).is_some() || api.is_query && has_field(text) {
        return Some(format!("a value is missing: {text}=VALUE"));
    }
    if !first {
        return None;
    }
    if api.is_query {
        return has_field("name").then(|| format!("a condition names its field: name={}", quoted(text)));
    }
    let parameter = subject(&api)?;
    Some(format!("a parameter has a name: {parameter}={}", quoted(text)))
}

/// Why a query may have found nothing: a condition that is probably a mistake, with its place in the line in bytes.
pub fn why_none(query: &Command) -> Option<(Range<usize>, String)> {
    query.arguments.iter().find_map(|condition| {
        let (name, value) = (&condition.name, &condition.value);
        if name.rsplit('.').next().is_some_and(crate::secret::member_is_secret) {
            return None;
        }
        let typed = format!("{name}{}{value}", condition.operator);
        let reason = match condition.operator {
            Operator::Equal if value.starts_with(['=', '~']) => {
                let (sign, rest) = value.split_at(1);
                let meant = if sign == "~" { "~=" } else { "=" };
                let meant = quote_word(&format!("{name}{meant}{rest}"));
                Some(format!("{typed} looks for the text {value}; {meant} looks for {rest}"))
            }
            Operator::Like if value.contains('_') && !value.contains('%') => {
                let inside = quote_word(&format!("{name}~=%{}%", value.replace('_', "\\_")));
                Some(format!(
                    "{typed}: _ is any one character, and then the whole value counts; {inside} finds part of it"
                ))
            }
            _ => None,
        };
        reason.map(|reason| (condition.span.clone(), reason))
    })
}

/// The parameter that names the resource of an API: the uuid in its path, or the first required one.
fn subject(api: &Api) -> Option<&'static str> {
    let required = || api.parameters.iter().filter(|parameter| parameter.required).map(|parameter| parameter.name);
    required().find(|name| *name == "uuid").or_else(|| required().next())
}

fn quoted(text: &str) -> String {
    if text.contains(char::is_whitespace) { format!("'{text}'") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proposed_does_what_was_typed() {
        let others = ["capacity", "context", "help", "job", "zql", "login"];
        for (typed, expected) in [
            ("QueryZoen", Some("QueryZone")),
            ("APIQueryZoneMsg", Some("QueryZone")),
            ("DeleteVmInstance", Some("DestroyVmInstance")),
            ("DeleteVmInst", Some("DestroyVmInstance")),
            ("DeleteVm", Some("DestroyVmInstance")),
            ("deletevm", Some("DestroyVmInstance")),
            ("RemoveZone", Some("DeleteZone")),
            ("ListVms", Some("QueryVmInstance")),
            ("ShowHosts", Some("QueryHost")),
            ("GetVmInstance", Some("QueryVmInstance")),
            ("AddZone", Some("CreateZone")),
            ("QueryVm", Some("QueryVmInstance")),
            ("QueryVmI", Some("QueryVmInstance")),
            ("createvm", Some("CreateVmInstance")),
            ("StopVm", Some("StopVmInstance")),
            ("RestartVmInstance", Some("RebootVmInstance")),
            ("QueryBackupStor", Some("QueryBackupStorage")),
            ("vms", Some("QueryVmInstance")),
            ("StopVmInstence", Some("StopVmInstance")),
            ("StopVmInstanceFromTimerSchedule", Some("StopVmInstance")),
            ("DestroyVmInstanceFromTimerSchedule", None),
            ("capacty", Some("capacity")),
            ("contxt", Some("context")),
            ("capa", Some("capacity")),
            ("d", None),
            ("Del", None),
            ("Delete", None),
            ("Query", None),
            ("Frobnicate", None),
            ("DeleteLogSever", None),
            ("RemoveVmInstence", Some("DestroyVmInstance")),
            ("\u{1b}[2J", None),
            ("", None),
        ] {
            let found = near_names(typed, Catalog::newest(), &others);
            assert_eq!(found.first().map(String::as_str), expected, "{typed}");
        }
    }

    #[test]
    fn the_uuid_of_what_an_api_is_about_has_two_names() {
        let parameter = |typed: &str, api: &str| {
            near_parameters(typed, &Catalog::newest().api(api).expect("a known API")).first().copied()
        };
        assert_eq!(parameter("vmInstanceUuid", "StartVmInstance"), Some("uuid"));
        assert_eq!(parameter("hostUuid", "DeleteDataVolume"), None);
        assert_eq!(parameter("nmae", "CreateZone"), Some("name"));
        assert_eq!(parameter("Uuid", "DeleteZone"), Some("uuid"));
        assert_eq!(parameter("size", "CreateDataVolume"), Some("diskSize"));
        assert_eq!(parameter("uuid", "AttachEip"), None);
    }

    #[test]
    fn conditions_that_find_nothing_are_explained() {
        for (line, expected) in [
            ("QueryZone name==x", Some("name==x looks for the text =x; name=x looks for x")),
            ("QueryZone name=~x", Some("name=~x looks for the text ~x; name~=x looks for x")),
            (
                "QueryZone name~=b_1",
                Some(
                    "name~=b_1: _ is any one character, and then the whole value counts; name~='%b\\_1%' finds part of it",
                ),
            ),
            ("QueryZone name~=b_% name=x", None),
            ("QueryHost password==x", None),
        ] {
            let command = Command::parse(line).expect(line).expect("a command");
            assert_eq!(why_none(&command).map(|(_, reason)| reason).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn words_that_are_no_arguments_are_explained() {
        for (line, expected) in [
            ("StopVmInstance web-1", Some("a parameter has a name: uuid=web-1")),
            (
                "StopVmInstance 1ab3b836a88342e1bbc1b1a17d092f0f",
                Some("a parameter has a name: uuid=1ab3b836a88342e1bbc1b1a17d092f0f"),
            ),
            ("CreateZone 'my lab'", Some("a parameter has a name: name='my lab'")),
            ("QueryZone name", Some("a value is missing: name=VALUE")),
            ("QueryZone name = zone-1", Some("a condition is written without blanks: name=zone-1")),
            ("QueryZone name =zone-1", Some("a condition is written without blanks: name=zone-1")),
            ("QueryVmInstance cpuNum > 4", Some("a condition is written without blanks: cpuNum>4")),
            ("QueryZone name like zone%", Some("a condition is written without blanks: name~=zone%")),
            ("QueryZone description is not null", Some("a condition is written without blanks: description!=null")),
            ("QueryZone uuid in a,b", Some("a condition is written without blanks: uuid?=a,b")),
            ("QueryZone zone-1", Some("a condition names its field: name=zone-1")),
            ("CreateZone name=two words", None),
            ("AddVmNicToSecurityGroup vmNicUuids=a, b, c", Some("a list is written without blanks: vmNicUuids=A,B")),
            (
                "QueryZone name=a AND state=Enabled",
                Some("all conditions of a query must hold; `zql` takes and, or and parentheses"),
            ),
            ("Frobnicate x", None),
        ] {
            let error = Command::parse(line).expect_err(line);
            let name = line.split(' ').next().unwrap_or_default();
            assert_eq!(argument_hint(&error, line, name, Catalog::newest()).as_deref(), expected, "{line}");
        }
    }
}
