//! What a query typed comes to.

use super::requests::{Cursor, QueryPlan};
use crate::catalog::Catalog;
use crate::plan::error::Error;
use crate::plan::{Options, Plan, plan};
use crate::secret::Secrets;
use crate::syntax::Command;

fn planned(line: &str) -> Result<QueryPlan, Error> {
    let command = Command::parse(line).expect("it parses").expect("a command");
    match plan(&command, Catalog::newest(), &Options::default())? {
        Plan::Query(query) => Ok(*query),
        Plan::Call(_) => panic!("{line} is no query"),
    }
}

/// The pairs of the first request, decoded.
fn asked(line: &str) -> String {
    let query = planned(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let request = query.request(0, &Cursor::Start);
    request.query.iter().map(|(name, value)| format!("{name}={}", value.text)).collect::<Vec<_>>().join("&")
}

fn refused(line: &str) -> (String, Option<&str>) {
    let error = planned(line).expect_err(line);
    (error.to_string(), error.span.map(|span| &line[span]))
}

#[test]
fn conditions_are_sent_as_q() {
    for (conditions, expected) in [
        ("name=lab", "q=name=lab"),
        ("name~=web uuid!=1", "q=name~=%web%&q=uuid!=1"),
        ("name~=web_1", "q=name~=web_1"),
        ("name!~=a%", "q=name!~=a%"),
        ("name?=a,b name!?=c", "q=name?=a,b&q=name!?=c"),
        ("hostUuid=null zoneUuid!=null", "q=hostUuid is null&q=zoneUuid not null"),
        ("cpuNum>=4 memorySize<8G", "q=cpuNum>=4&q=memorySize<8589934592"),
        ("hostUuid='\"1ab3b836a88342e1bbc1b1a17d092f0f\"'", "q=hostUuid=1ab3b836a88342e1bbc1b1a17d092f0f"),
        ("uuid?='\"1ab3b836a88342e1bbc1b1a17d092f0f\",b'", "q=uuid?=1ab3b836a88342e1bbc1b1a17d092f0f,b"),
        (
            "uuid='\"web\"' name='\"1ab3b836a88342e1bbc1b1a17d092f0f\"'",
            "q=uuid=\"web\"&q=name=\"1ab3b836a88342e1bbc1b1a17d092f0f\"",
        ),
        ("conditions='name~=a;b'", "q=name~=%a;b%"),
        ("createDate>2020", "q=createDate>2020-01-01 00:00:00"),
        ("createDate<'Mar 4, 2025 2:12:01 PM'", "q=createDate<2025-03-04 14:12:01"),
        ("state=running", "q=state=running"),
        ("vmNics.l3Network.name=x vmNics.ip~=10.%", "q=vmNics.l3Network.name=x&q=vmNics.ip~=10.%"),
        ("__systemTag__=a::b host.__userTag__!=c", "q=__systemTag__=a::b&q=host.__userTag__!=c"),
        ("name=a=b", "q=name=a=b"),
        ("name=", "q=name="),
        (
            "conditions=\"[{'name':'state','op':'=','value':'Running'},{'name':'hostUuid','op':'is null'}]\"",
            "q=state=Running&q=hostUuid is null",
        ),
        ("conditions='[\"name~=a\",\"uuid?=b,c\"]'", "q=name~=%a%&q=uuid?=b,c"),
    ] {
        let line = format!("QueryVmInstance {conditions} limit=5");
        assert_eq!(asked(&line), format!("{expected}&limit=5"), "{line}");
    }
}

#[test]
fn what_the_node_would_misread_goes_through_zql() {
    for (condition, expected) in [
        ("name='a!=b'", "(name = 'a!=b')"),
        ("name='x>=1'", "(name = 'x>=1')"),
        ("name='it'\\''s'", "(name = 'it''s')"),
        ("name==a", "(name = '=a')"),
        ("name='a\\b!=c'", "(name = 'a\\\\b!=c')"),
        ("name?='\"a,b\",c'", "(name in ('a,b', 'c'))"),
        ("'cpuNum>1' name='a~=b'", "(cpuNum > 1) and (name = 'a~=b')"),
        ("name='a!=b' hostUuid=null", "(name = 'a!=b') and (hostUuid is null)"),
        ("name~='a!=b'", "(name like '%a!=b%')"),
    ] {
        let line = format!("QueryVmInstance {condition}");
        let expected = format!("zql=query vminstance where {expected} order by uuid asc limit 1000");
        assert_eq!(asked(&line), expected, "{line}");
    }
    assert_eq!(
        asked("QueryHost hypervisorType=KVM name='a!=b' count=true"),
        "zql=count kvmhost where (hypervisorType = 'KVM') and (name = 'a!=b')"
    );
    assert_eq!(
        asked("QueryVmInstance groupBy=state state!=Stopped"),
        "zql=count vminstance where (state != 'Stopped') group by state"
    );
    assert_eq!(refused("QueryBuildApp name='a!=b'").1, Some("name='a!=b'"));
}

#[test]
fn without_a_limit_all_rows_are_paged_by_uuid() {
    let query = planned("QueryZone name!=x").expect("it plans");
    let pages: Vec<String> = [Cursor::Start, Cursor::After("5f".into()), Cursor::Offset(2000)]
        .iter()
        .map(|cursor| query.request(0, cursor))
        .map(|request| request.target(Secrets::Shown))
        .collect();
    assert_eq!(
        pages,
        [
            "/zones?q=name%21%3Dx&limit=1000&sort=%2Buuid",
            "/zones?q=name%21%3Dx&q=uuid%3E5f&limit=1000&sort=%2Buuid",
            "/zones?q=name%21%3Dx&limit=1000&start=2000&sort=%2Buuid",
        ]
    );
}

#[test]
fn the_shape_of_the_answer_is_asked_for() {
    for (typed, expected) in [
        ("", "limit=1000&sort=+uuid"),
        ("limit=10", "limit=10"),
        ("limit=5000 start=5", "limit=5000&start=5&sort=+uuid"),
        ("limit=2 sortBy=name", "limit=2&sort=+name"),
        ("limit=2 sortBy=name sortDirection=desc", "limit=2&sort=-name"),
        ("limit=2 sortBy=-name", "limit=2&sort=-name"),
        ("count=true limit=3 fields=name", "count=true"),
        ("limit=2 fields=name,uuid,", "limit=2&fields=name,uuid"),
        ("fields=name", "limit=1000&sort=+uuid&fields=uuid,name"),
        ("limit=2 fields=name replyWithCount=true", "limit=2&fields=uuid,name&replyWithCount=true"),
        ("limit=2 fields=name,vmNics", "limit=2"),
        ("limit=2 fields=vmNics.ip", "limit=2"),
        ("limit=1 filterName=a:b", "filterName=a:b&limit=1"),
    ] {
        assert_eq!(asked(&format!("QueryVmInstance {typed}")), expected, "{typed}");
    }
    let select = |typed: &str| {
        let query = planned(&format!("QueryVmInstance {typed}")).expect("it plans");
        query.select.unwrap_or_default().join(",")
    };
    assert_eq!(select("fields=name"), "name");
    assert_eq!(select("fields=name,uuid"), "name,uuid");
    assert_eq!(select("fields=name,vmNics.ip"), "name,vmNics.ip");
    assert_eq!(select("count=true fields=vmNics"), "");
    let keyed = planned("QueryVmInstance fields=name").expect("it plans").with_key().select;
    assert_eq!(keyed.unwrap_or_default().join(","), "name,uuid");
    assert_eq!(select(""), "");
    assert_eq!(asked("QueryHost limit=1 fields=name,totalCpuCapacity"), "limit=1");
}

#[test]
fn what_nodes_fail_on_is_not_asked_of_them() {
    for (line, expected) in [
        ("QueryZone limit=1 fields=uuid,isDefault", "limit=1"),
        ("QueryZone limit=1 sortBy=isDefault", "limit=1&sort=+isDefault"),
        ("QueryHost hypervisorType=KVM limit=1 fields=ipmiPort", "q=hypervisorType=KVM&limit=1"),
        ("QueryHost limit=5 start=2 sortBy=cpuStatus fields=name", "limit=1000&sort=+uuid"),
        ("QueryHost sortBy=totalCpuCapacity replyWithCount=true", "limit=1000&sort=+uuid&replyWithCount=true"),
        (
            "QueryHost name='a!=b' limit=1 sortBy=cpuNum",
            "zql=query host where (name = 'a!=b') order by uuid asc limit 1000",
        ),
        ("QueryL3Network limit=1 ipRanges.name=x", "q=ipRanges.name=x&limit=1"),
    ] {
        assert_eq!(asked(line), expected, "{line}");
    }
    let order = planned("QueryHost limit=5 start=2 sortBy=-cpuStatus").expect("it plans").order_here.expect("an order");
    assert_eq!((order.sort.field.as_str(), order.sort.descending), ("cpuStatus", true));
    assert_eq!((order.start, order.limit), (2, Some(5)));
    for (line, message, hint) in [
        (
            "QueryL3Network ipRanges=x",
            "ipRanges leads to IpRangeInventory",
            "name one of their fields: `ipRanges.name=`",
        ),
        ("QueryVmNic usedIps=x", "usedIps leads to UsedIpInventory", "name one of their fields: `usedIp.uuid=`"),
        (
            "QueryVmInstance vmNics.usedIps=x",
            "vmNics.usedIps leads to",
            "name one of their fields: `vmNics.usedIp.uuid=`",
        ),
        (
            "QueryVolumeSnapshot group.name=x",
            "the node fails on every query by group of",
            "--no-check sends it all the same",
        ),
        ("QueryVolume snapshot.group.name=x", "the node fails on every query by group of", "--no-check"),
        (
            "QueryLocalStorageResourceRef __systemTag__=x",
            "the node fails on every query by __systemTag__ of",
            "--no-check",
        ),
        ("QueryZone groupBy=isDefault", "the node cannot group by isDefault", ""),
    ] {
        let error = planned(line).expect_err(line);
        assert!(error.to_string().starts_with(message), "{line}: {error}");
        assert!(error.hint().unwrap_or_default().starts_with(hint), "{line}: {:?}", error.hint());
    }
}

#[test]
fn rows_without_a_tag_are_asked_for_by_a_denial() {
    for (typed, expected) in [
        ("__userTag__=null", "q=__userTag__!~=%"),
        ("__systemTag__!=null", "q=__systemTag__ not null"),
        ("host.__systemTag__=null", "q=host.__systemTag__!~=%"),
        ("conditions=__userTag__=null,state=null", "q=__userTag__!~=%&q=state is null"),
        ("conditions=\"[{'name':'__userTag__','op':'is null'}]\"", "q=__userTag__!~=%"),
    ] {
        assert_eq!(asked(&format!("QueryVmInstance {typed} limit=1")), format!("{expected}&limit=1"), "{typed}");
    }
}

#[test]
fn long_lists_are_split_without_losing_a_member() {
    let uuids: Vec<String> = (0..1000).map(|number| format!("{number:032x}")).collect();
    let query = planned(&format!("QueryVmInstance uuid?={}", uuids.join(","))).expect("it plans");
    let mut seen = Vec::new();
    for part in 0..query.parts() {
        let request = query.request(part, &Cursor::Start);
        assert!(request.target(Secrets::Shown).len() < 7000);
        let (_, list) = request.query.iter().find(|(name, _)| name == "q").expect("a condition");
        seen.extend(list.text["uuid?=".len()..].split(',').map(str::to_owned));
    }
    assert!(query.parts() > 1);
    assert_eq!(seen, uuids);
    let long = format!("QueryVmInstance name={}", "x".repeat(8000));
    assert!(refused(&long).0.starts_with("the request is too long"));
}

#[test]
fn two_queries_take_their_path_from_a_condition() {
    let query = planned("QueryVmInstancePciDeviceSpecRef vmInstanceUuid=abc limit=1").expect("it plans");
    let target = query.request(0, &Cursor::Start).target(Secrets::Shown);
    assert!(target.starts_with("/vm-instances/abc/pci-device-specs?"), "{target}");
    assert_eq!(
        refused("QueryVmInstancePciDeviceSpecRef").0,
        "the path of QueryVmInstancePciDeviceSpecRef names vmInstanceUuid, so a condition must give it"
    );
}

#[test]
fn a_condition_on_the_type_opens_the_special_fields() {
    assert_eq!(
        asked("QueryHost hypervisorType=KVM username=root limit=1"),
        "q=hypervisorType=KVM&q=username=root&limit=1"
    );
    assert_eq!(refused("QueryHost username=root").1, Some("username"));
}

#[test]
fn what_is_wrong_is_said_at_the_word() {
    for (typed, message, word) in [
        ("nmae=a", "QueryVmInstance has no queryable field nmae", Some("nmae")),
        ("vmNics.pi=a", "VmNicInventory has no queryable field pi", Some("pi")),
        ("vmNics.l3Netwrok.name=x", "VmNicInventory has no queryable field l3Netwrok", Some("l3Netwrok")),
        ("vmNics=a", "vmNics leads to VmNicInventory", Some("vmNics")),
        ("cpuNum>two", "cpuNum must be a number", Some("two")),
        ("createDate>soon", "createDate must be a date", Some("soon")),
        ("state=Runing", "state: Runing is not allowed", Some("Runing")),
        ("conditions='name~=x;cpuNum>2'", "conditions: several conditions", Some("name~=x;cpuNum>2'")),
        ("limit=2.5", "limit must be a whole number", Some("2.5")),
        ("limit=-1", "limit must be a whole number", Some("-1")),
        ("limit=1 limit=2", "limit is given twice", Some("limit")),
        ("limt=1", "QueryVmInstance has no queryable field limt", Some("limt")),
        ("count=yes", "count must be true or false", Some("yes")),
        ("sortBy=vmNics", "the node cannot sort by vmNics", Some("vmNics")),
        ("sortDirection=up sortBy=name", "sortDirection: up is not allowed", Some("up")),
        ("fields=", "fields names no field", Some("")),
        ("fields=nmae", "QueryVmInstance has no queryable field nmae", Some("nmae")),
        ("fields=host.name", "host.name cannot be selected", Some("host.name")),
        ("systemTags=a", "a query takes no systemTags", Some("systemTags=a")),
        ("filterName=x", "filterName has the form", Some("x")),
        ("groupBy=state fields=name", "groupBy cannot be combined with fields", Some("groupBy=state")),
        ("vmNics..ip=1", "vmNics..ip is no field name", Some("vmNics..ip")),
        ("conditions=[", "conditions: ", Some("[")),
    ] {
        let line = format!("QueryVmInstance {typed}");
        let error = planned(&line).expect_err(&line);
        assert!(error.to_string().starts_with(message), "{line}: {error}");
        assert_eq!(error.span.map(|span| &line[span]), word, "{line}");
    }
    let error = planned("QueryVmInstance limt=1").expect_err("unknown");
    assert_eq!(error.hint().as_deref(), Some("did you mean `limit`?"));
    let error = planned("QueryVmInstance conditions='name~=x;cpuNum>2'").expect_err("one text");
    assert_eq!(error.hint().as_deref(), Some("each condition is a word of its own: name~=x 'cpuNum>2'"));
    assert_eq!(asked("QueryZone limit=5.0"), "limit=5");
}
