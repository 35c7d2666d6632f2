//! Checks of new resources against each other: ranges of addresses and ports, what a virtual IP is used for.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::answer::Failure;
use super::super::formats;
use super::super::store::Row;
use super::Change;

/// The protocols of rules of security groups.
const PROTOCOLS: [&str; 4] = ["TCP", "UDP", "ICMP", "ALL"];

/// Fails if a new resource makes no sense beside those that exist.
pub(super) fn check(change: &Change<'_>, root: &str, row: &Row) -> Result<(), Failure> {
    match root {
        "AutoScalingGroupInventory" => sizes(row),
        "IpRangeInventory" => range(change, row),
        "PortForwardingRuleInventory" => {
            unused(change, row, "PortForwarding")?;
            ports(change, row)
        }
        "EipInventory" => unused(change, row, "Eip"),
        "LoadBalancerListenerInventory" => listener(change, row),
        _ => Ok(()),
    }
}

/// The least size of an auto-scaling group is not more than its most.
fn sizes(row: &Row) -> Result<(), Failure> {
    let size = |field: &str| row.get(field).as_integer().unwrap_or_default();
    let (least, most) = (size("minResourceSize"), size("maxResourceSize"));
    if least > most {
        return Err(Failure::argument(format!(
            "field[minResourceSize] {least} is more than field[maxResourceSize] {most}"
        )));
    }
    Ok(())
}

/// A range of IPv4 addresses lies in its network, does not hold the gateway, and overlaps no other.
fn range(change: &Change<'_>, row: &Row) -> Result<(), Failure> {
    let Some((first, last)) = bounds(row, "startIp", "endIp") else { return Ok(()) };
    let text = |field: &str| row.text(field).unwrap_or_default();
    if first > last {
        return Err(Failure::argument(format!(
            "field[startIp] {} is behind field[endIp] {}",
            text("startIp"),
            text("endIp")
        )));
    }
    let number = |field: &str| row.text(field).and_then(|text| text.parse::<Ipv4Addr>().ok()).map(u32::from);
    if let (Some(mask), Some(gateway)) = (number("netmask"), number("gateway")) {
        if first & mask != last & mask || first & mask != gateway & mask {
            return Err(Failure::argument(format!(
                "field[startIp] {}, field[endIp] {} and field[gateway] {} are not in one network of the netmask {}",
                text("startIp"),
                text("endIp"),
                text("gateway"),
                text("netmask")
            )));
        }
        if (first..=last).contains(&gateway) {
            return Err(Failure::argument(format!("field[gateway] {} is part of the range", text("gateway"))));
        }
    }
    for other in change.find("IpRangeInventory", &[("l3NetworkUuid", text("l3NetworkUuid"))])? {
        let overlaps = bounds(&other, "startIp", "endIp").is_some_and(|(from, to)| first <= to && from <= last);
        if overlaps {
            return Err(Failure::argument(format!(
                "the range overlaps with the ip range[uuid:{}, start ip:{}, end ip:{}]",
                other.text("uuid").unwrap_or_default(),
                other.text("startIp").unwrap_or_default(),
                other.text("endIp").unwrap_or_default()
            )));
        }
    }
    Ok(())
}

fn bounds(row: &Row, first: &str, last: &str) -> Option<(u32, u32)> {
    let number = |field: &str| row.text(field).and_then(|text| text.parse::<Ipv4Addr>().ok()).map(u32::from);
    Some((number(first)?, number(last)?))
}

/// The ports of a rule are in order, as many on both sides, and free on the virtual IP.
fn ports(change: &Change<'_>, row: &Row) -> Result<(), Failure> {
    let range = |row: &Row, side: &str| {
        let first = row.get(&format!("{side}PortStart")).as_integer()?;
        Some((first, row.get(&format!("{side}PortEnd")).as_integer().unwrap_or(first)))
    };
    let Some((first, last)) = range(row, "vip") else { return Ok(()) };
    if first > last {
        return Err(Failure::argument(format!("field[vipPortStart] {first} is behind field[vipPortEnd] {last}")));
    }
    if range(row, "private").is_some_and(|(from, to)| to - from != last - first) {
        return Err(Failure::argument(
            "the ranges of field[vipPortStart] and field[privatePortStart] differ in length",
        ));
    }
    let vip = row.text("vipUuid").unwrap_or_default();
    for other in change.find("PortForwardingRuleInventory", &[("vipUuid", vip)])? {
        let same_protocol = other.text("protocolType") == row.text("protocolType");
        if same_protocol && range(&other, "vip").is_some_and(|(from, to)| first <= to && from <= last) {
            return Err(Failure::argument(format!(
                "the ports {first} to {last} of the vip[uuid:{vip}] are used by the port forwarding rule[uuid:{}]",
                other.text("uuid").unwrap_or_default()
            )));
        }
    }
    Ok(())
}

/// A virtual IP serves one purpose.
fn unused(change: &Change<'_>, row: &Row, purpose: &str) -> Result<(), Failure> {
    let vip = change.referred("VipInventory", row, "vipUuid")?.unwrap_or_default();
    match vip.text("useFor") {
        Some(used) if !used.is_empty() && (used != purpose || purpose == "Eip") => Err(Failure::refused(format!(
            "the vip[uuid:{}] is used for {used} already",
            vip.text("uuid").unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}

fn listener(change: &Change<'_>, row: &Row) -> Result<(), Failure> {
    let balancer = row.text("loadBalancerUuid").unwrap_or_default();
    let port = row.get("loadBalancerPort");
    let others = change.find("LoadBalancerListenerInventory", &[("loadBalancerUuid", balancer)])?;
    match others.iter().find(|other| other.get("loadBalancerPort") == port) {
        Some(other) => Err(Failure::argument(format!(
            "field[loadBalancerPort] {} of the load balancer[uuid:{balancer}] is used by the listener[uuid:{}]",
            port.as_integer().unwrap_or_default(),
            other.text("uuid").unwrap_or_default()
        ))),
        None => Ok(()),
    }
}

/// Fails for a rule of a security group that makes no sense.
pub(super) fn check_rule(rule: &Map<String, Value>) -> Result<(), Failure> {
    let text = |name: &str| rule.get(name).and_then(Value::as_str);
    let bad = |what: String| Err(Failure::argument(format!("field[rules] has a rule {what}")));
    if !text("type").is_some_and(|kind| kind == "Ingress" || kind == "Egress") {
        return bad(format!("of the unknown type {}", text("type").unwrap_or("null")));
    }
    if let Some(protocol) = text("protocol").filter(|protocol| !PROTOCOLS.contains(protocol)) {
        return bad(format!("of the unknown protocol {protocol}"));
    }
    let port = |name: &str| rule.get(name).and_then(Value::as_i64);
    for (name, number) in ["startPort", "endPort"].map(|name| (name, port(name))) {
        if let Some(number) = number.filter(|number| !(-1..=65535).contains(number)) {
            return bad(format!("whose {name} {number} is not in the range of [-1, 65535]"));
        }
    }
    if let (Some(first), Some(last)) = (port("startPort"), port("endPort"))
        && first > last
    {
        return bad(format!("whose startPort {first} is behind its endPort {last}"));
    }
    match text("allowedCidr").filter(|network| formats::cidr(network).is_none()) {
        Some(network) => bad(format!("whose allowedCidr {network} is no network in CIDR notation")),
        None => Ok(()),
    }
}
