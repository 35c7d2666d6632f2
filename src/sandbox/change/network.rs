//! Addresses, virtual IPs and their services, rules and name servers.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::super::answer::Failure;
use super::super::ledger::new_uuid;
use super::super::store::{Row, Scalar};
use super::{Change, Handler, scalar, sense};

/// The APIs of networks with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AddDnsToL3Network", add_dns),
    ("AddIpRangeByNetworkCidr", add_range_by_cidr),
    ("AddSecurityGroupRule", add_rules),
    ("AttachEip", attach_eip),
    ("AttachNetworkServiceToL3Network", attach_services),
    ("AttachPortForwardingRule", attach_port_forwarding),
    ("ChangeSecurityGroupRule", change_rule),
    ("DeleteSecurityGroupRule", delete_rules),
    ("DetachEip", detach_eip),
    ("DetachNetworkServiceFromL3Network", detach_services),
    ("DetachPortForwardingRule", detach_port_forwarding),
    ("RemoveDnsFromL3Network", remove_dns),
];

/// A free address of an L3 network.
#[derive(Clone, Debug)]
pub(in super::super) struct FreeAddress {
    pub(super) ip: String,
    /// Its IP range.
    pub(super) range: Row,
}

impl Change<'_> {
    /// The used addresses of an L3 network, sorted.
    pub(in super::super) fn taken_addresses(&self, l3_network: &str) -> Result<Vec<Ipv4Addr>, Failure> {
        let mut taken: Vec<Ipv4Addr> = Vec::new();
        for inventory in ["VmNicInventory", "VipInventory", "UsedIpInventory"] {
            // Only the addresses are read: a network can have very many nics.
            let texts = self.tx.texts(inventory, "ip", &[("l3NetworkUuid", Scalar::from(l3_network))])?;
            taken.extend(texts.iter().filter_map(|text| text.parse::<Ipv4Addr>().ok()));
        }
        taken.sort_unstable();
        Ok(taken)
    }

    /// The free addresses of a range, in order.
    pub(in super::super) fn free_in<'t>(
        &self,
        range: &Row,
        taken: &'t [Ipv4Addr],
    ) -> impl Iterator<Item = Ipv4Addr> + use<'t> {
        let bound = |field: &str| range.text(field).and_then(|text| text.parse::<Ipv4Addr>().ok()).map(u32::from);
        let (first, last, gateway) = (bound("startIp"), bound("endIp"), bound("gateway"));
        // IPv6 ranges are not supported and have no addresses here.
        let all = first.unwrap_or(1)..=last.filter(|_| first.is_some()).unwrap_or(0);
        all.filter(move |ip| Some(*ip) != gateway).map(Ipv4Addr::from).filter(|ip| taken.binary_search(ip).is_err())
    }

    /// Finds an address of an L3 network: the requested one, or the first free one.
    pub(in super::super) fn free_address(
        &self,
        l3_network: &str,
        wanted: Option<&str>,
    ) -> Result<FreeAddress, Failure> {
        let wanted_ip: Option<Ipv4Addr> = wanted
            .map(|text| text.parse().map_err(|_| Failure::argument(format!("[{text}] is no IPv4 address"))))
            .transpose()?;
        let taken = self.taken_addresses(l3_network)?;
        for range in self.find("IpRangeInventory", &[("l3NetworkUuid", l3_network)])? {
            let found = self.free_in(&range, &taken).find(|ip| wanted_ip.is_none_or(|wanted| wanted == *ip));
            if let Some(ip) = found {
                return Ok(FreeAddress { ip: ip.to_string(), range });
            }
        }
        Err(Failure::refused(format!("cannot allocate an address of the L3 network[uuid:{l3_network}]")).because(
            Failure::new(
                "L3.1001",
                match wanted {
                    Some(ip) => format!("the address {ip} is in use or in no range of the network"),
                    None => "no range of the network has a free address".to_owned(),
                },
            ),
        ))
    }

    /// Stores an address as used and returns the uuid of that record.
    pub(super) fn use_address(
        &self,
        address: &FreeAddress,
        l3_network: &str,
        nic: Option<&str>,
    ) -> Result<String, Failure> {
        let uuid = new_uuid();
        let number: i64 = address.ip.parse::<Ipv4Addr>().map_or(0, |ip| u32::from(ip).into());
        let mut row = Row::new()
            .with("uuid", uuid.as_str())
            .with("ipRangeUuid", address.range.get("uuid").clone())
            .with("l3NetworkUuid", l3_network)
            .with("ipVersion", 4)
            .with("ip", address.ip.as_str())
            .with("netmask", address.range.get("netmask").clone())
            .with("gateway", address.range.get("gateway").clone())
            .with("ipInLong", number)
            .with("createDate", self.now.to_stored())
            .with("lastOpDate", self.now.to_stored());
        if let Some(nic) = nic {
            row.set("vmNicUuid", nic);
        }
        self.tx.insert("UsedIpInventory", &row)?;
        Ok(uuid)
    }

    /// Attaches the service of a virtual IP to a nic.
    fn bind(&self, inventory: &str, uuid: &str, nic: &str) -> Result<String, Failure> {
        let row = self.get(inventory, uuid)?;
        if let Some(other) = row.text("vmNicUuid") {
            return Err(Failure::refused(format!("[uuid:{uuid}] is attached to the nic[uuid:{other}] already")));
        }
        let nic_row = self.get("VmNicInventory", nic)?;
        let changes = Row::new().with("vmNicUuid", nic).with("guestIp", nic_row.get("ip").clone());
        self.update(inventory, uuid, changes)?;
        self.reply(inventory, uuid)
    }

    fn unbind(&self, inventory: &str, uuid: &str) -> Result<String, Failure> {
        if self.get(inventory, uuid)?.get("vmNicUuid").is_null() {
            return Err(Failure::refused(format!("[uuid:{uuid}] is attached to no nic")));
        }
        self.update(inventory, uuid, Row::new().with("vmNicUuid", Scalar::Null).with("guestIp", Scalar::Null))?;
        self.reply(inventory, uuid)
    }

    /// The name servers of an L3 network.
    fn dns(&self, l3_network: &str) -> Result<Vec<String>, Failure> {
        let row = self.get("L3NetworkInventory", l3_network)?;
        Ok(row.text("dns").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
    }

    fn set_dns(&self, l3_network: &str, dns: &[String]) -> Result<String, Failure> {
        self.update("L3NetworkInventory", l3_network, Row::new().with("dns", Value::from(dns).to_string()))?;
        self.reply("L3NetworkInventory", l3_network)
    }
}

fn add_dns(change: &Change<'_>) -> Result<String, Failure> {
    let (network, server) = (change.text("l3NetworkUuid"), change.text("dns"));
    let mut dns = change.dns(network)?;
    if dns.iter().any(|other| other == server) {
        return Err(Failure::refused(format!("the L3 network[uuid:{network}] has the name server {server} already")));
    }
    dns.push(server.to_owned());
    change.set_dns(network, &dns)
}

fn remove_dns(change: &Change<'_>) -> Result<String, Failure> {
    let (network, server) = (change.text("l3NetworkUuid"), change.text("dns"));
    let mut dns = change.dns(network)?;
    dns.retain(|other| other != server);
    change.set_dns(network, &dns)
}

/// Adds the range of all addresses of a CIDR except those of network, gateway and broadcast.
fn add_range_by_cidr(change: &Change<'_>) -> Result<String, Failure> {
    let cidr = change.text("networkCidr");
    let bad = || Failure::argument(format!("field[networkCidr] is no IPv4 network: {cidr}"));
    let (address, length) = cidr.split_once('/').ok_or_else(bad)?;
    let address: Ipv4Addr = address.parse().map_err(|_| bad())?;
    let length: u32 = length.parse().ok().filter(|length| (8..=30).contains(length)).ok_or_else(bad)?;
    let mask = u32::MAX << (32 - length);
    let network = u32::from(address) & mask;
    let text = |number: u32| Ipv4Addr::from(number).to_string();
    let gateway = change.arguments.text("gateway").map_or_else(|| text(network + 1), str::to_owned);
    let row = change
        .new_row("IpRangeInventory")?
        .with("networkCidr", format!("{}/{length}", text(network)))
        .with("startIp", text(network + if gateway == text(network + 1) { 2 } else { 1 }))
        .with("endIp", text((network | !mask) - 1))
        .with("netmask", text(mask))
        .with("gateway", gateway);
    let uuid = change.create("IpRangeInventory", row)?;
    let json = change.tx.inventory_json("IpRangeInventory", &uuid)?.unwrap_or_default();
    Ok(format!("{{\"inventory\":{json},\"inventories\":[{json}]}}"))
}

const SERVICES: &str = "NetworkServiceL3NetworkRefInventory";

/// The services of a call, `{"<provider uuid>": ["DHCP", ..]}`, as rows of the L3 network.
fn services<'a>(change: &'a Change<'_>) -> impl Iterator<Item = [(&'static str, Scalar); 3]> + 'a {
    let network = change.text("l3NetworkUuid");
    let named = change.arguments.get("networkServices").and_then(Value::as_object);
    named.into_iter().flatten().flat_map(move |(provider, types)| {
        types.as_array().into_iter().flatten().filter_map(Value::as_str).map(move |kind| {
            [
                ("l3NetworkUuid", Scalar::from(network)),
                ("networkServiceProviderUuid", Scalar::from(provider.as_str())),
                ("networkServiceType", Scalar::from(kind)),
            ]
        })
    })
}

fn attach_services(change: &Change<'_>) -> Result<String, Failure> {
    for service in services(change) {
        let [_, (_, provider), _] = &service;
        change.get("NetworkServiceProviderInventory", provider.as_text().unwrap_or_default())?;
        if change.tx.find_where(SERVICES, &service)?.is_empty() {
            let row = service.into_iter().fold(Row::new(), |row, (field, value)| row.with(field, value));
            change.tx.insert(SERVICES, &row)?;
        }
    }
    change.reply("L3NetworkInventory", change.text("l3NetworkUuid"))
}

fn detach_services(change: &Change<'_>) -> Result<String, Failure> {
    for service in services(change) {
        change.tx.delete_where(SERVICES, &service)?;
    }
    if let Some(kind) = change.arguments.text("service") {
        let condition =
            [("l3NetworkUuid", Scalar::from(change.text("l3NetworkUuid"))), ("networkServiceType", Scalar::from(kind))];
        change.tx.delete_where(SERVICES, &condition)?;
    }
    change.reply("L3NetworkInventory", change.text("l3NetworkUuid"))
}

fn attach_eip(change: &Change<'_>) -> Result<String, Failure> {
    change.bind("EipInventory", change.text("eipUuid"), change.text("vmNicUuid"))
}

fn detach_eip(change: &Change<'_>) -> Result<String, Failure> {
    change.unbind("EipInventory", change.text("uuid"))
}

fn attach_port_forwarding(change: &Change<'_>) -> Result<String, Failure> {
    change.bind("PortForwardingRuleInventory", change.text("ruleUuid"), change.text("vmNicUuid"))
}

fn detach_port_forwarding(change: &Change<'_>) -> Result<String, Failure> {
    change.unbind("PortForwardingRuleInventory", change.text("uuid"))
}

fn add_rules(change: &Change<'_>) -> Result<String, Failure> {
    let group = change.text("securityGroupUuid");
    change.get("SecurityGroupInventory", group)?;
    let stored = change.tx.stored_fields("SecurityGroupRuleInventory")?;
    let mut place = change.arguments.integer("priority").filter(|priority| *priority > 0);
    for rule in change.arguments.get("rules").and_then(Value::as_array).into_iter().flatten() {
        let now = change.now.to_stored();
        let mut row = Row::new()
            .with("uuid", new_uuid())
            .with("securityGroupUuid", group)
            .with("state", "Enabled")
            .with("ipVersion", 4)
            .with("action", "ACCEPT")
            .with("createDate", now.as_str())
            .with("lastOpDate", now);
        let rule = rule.as_object().ok_or_else(|| Failure::argument("field[rules] has an entry that is no rule"))?;
        sense::check_rule(rule)?;
        for (name, value) in rule {
            if name != "uuid" && stored.contains(&name.as_str()) {
                row.set(name, scalar(value));
            }
        }
        change.order_rule(&mut row, place)?;
        // Those of one call keep their order.
        place = place.map(|place| place + 1);
        change.insert("SecurityGroupRuleInventory", &row)?;
    }
    change.reply("SecurityGroupInventory", group)
}

/// Changes a rule; a new priority moves the others.
fn change_rule(change: &Change<'_>) -> Result<String, Failure> {
    const RULE: &str = "SecurityGroupRuleInventory";
    let uuid = change.text("uuid");
    let mut row = change.get(RULE, uuid)?;
    if row.get("priority").as_integer() == Some(0) {
        return Err(Failure::argument(format!("the rule[uuid:{uuid}] is a default rule, it cannot be changed")));
    }
    let mut changes = change.members(RULE)?;
    if let Some(place) = change.arguments.integer("priority").filter(|place| *place > 0) {
        change.order_rule(&mut row, Some(place))?;
        changes.set("priority", row.get("priority").clone());
    }
    change.update(RULE, uuid, changes)?;
    change.reply(RULE, uuid)
}

impl Change<'_> {
    /// Gives a rule its priority among those of its group, direction and IP version: the wanted one, which moves the
    /// others, or the next. Default rules have the priority 0.
    fn order_rule(&self, row: &mut Row, wanted: Option<i64>) -> Result<(), Failure> {
        const RULE: &str = "SecurityGroupRuleInventory";
        let group = row.text("securityGroupUuid").unwrap_or_default().to_owned();
        let mut others = self.find(RULE, &[("securityGroupUuid", &group)])?;
        others.retain(|other| {
            let is_alike = ["type", "ipVersion"].iter().all(|field| other.get(field) == row.get(field));
            is_alike && other.get("uuid") != row.get("uuid") && other.get("priority").as_integer() > Some(0)
        });
        others.sort_by_key(|other| other.get("priority").as_integer());
        let last = i64::try_from(others.len()).unwrap_or_default() + 1;
        let place = wanted.unwrap_or(last).clamp(1, last);
        row.set("priority", place);
        for (at, other) in (1_i64..).zip(&others) {
            let priority = if at < place { at } else { at + 1 };
            if other.get("priority").as_integer() != Some(priority) {
                let uuid = other.text("uuid").unwrap_or_default();
                self.update(RULE, uuid, Row::new().with("priority", priority))?;
            }
        }
        Ok(())
    }

    /// Adds the default rules of a new security group: its members reach each other.
    pub(super) fn add_default_rules(&self, group: &str) -> Result<(), Failure> {
        for (kind, version) in [("Ingress", 4), ("Egress", 4), ("Ingress", 6), ("Egress", 6)] {
            let row = Row::new()
                .with("uuid", new_uuid())
                .with("securityGroupUuid", group)
                .with("remoteSecurityGroupUuid", group)
                .with("description", "default rule")
                .with("type", kind)
                .with("ipVersion", version)
                .with("protocol", "ALL")
                .with("state", "Enabled")
                .with("priority", 0)
                .with("action", "ACCEPT");
            self.insert("SecurityGroupRuleInventory", &row)?;
        }
        Ok(())
    }
}

fn delete_rules(change: &Change<'_>) -> Result<String, Failure> {
    let mut group = None;
    for uuid in change.arguments.texts("ruleUuids") {
        let rule = change.get("SecurityGroupRuleInventory", uuid)?;
        group = rule.text("securityGroupUuid").map(str::to_owned);
        change.delete_tree("SecurityGroupRuleInventory", uuid)?;
    }
    match group {
        Some(group) => change.reply("SecurityGroupInventory", &group),
        None => Ok("{}".to_owned()),
    }
}
