//! VPC routers: virtual machines of the node's own, which route private networks.

use super::super::answer::Failure;
use super::super::store::{Row, Scalar};
use super::network::FreeAddress;
use super::vm::Parts;
use super::{Change, Handler};

/// The APIs of VPC routers with a handler of their own.
pub(super) const WORK: &[(&str, Handler)] = &[
    ("AddDnsToVpcRouter", add_dns),
    ("CreateVpcVRouter", create),
    ("GetAttachableVpcL3Network", attachable),
    ("RemoveDnsFromVpcRouter", remove_dns),
];

const ROUTER: &str = "VpcRouterVmInventory";
const DNS: &str = "VpcRouterDnsInventory";

/// Makes a router from its offering, with nics on the management network and the public one.
fn create(change: &Change<'_>) -> Result<String, Failure> {
    let offering = change.get("VirtualRouterOfferingInventory", change.text("virtualRouterOfferingUuid"))?;
    if offering.text("state") != Some("Enabled") {
        return Err(Failure::refused("the virtual router offering is disabled"));
    }
    let management = offering.text("managementNetworkUuid").unwrap_or_default();
    let public = offering.text("publicNetworkUuid").unwrap_or(management);
    let mut row = change
        .new_row(ROUTER)?
        .with("instanceOfferingUuid", offering.get("uuid").clone())
        .with("imageUuid", offering.get("imageUuid").clone())
        .with("managementNetworkUuid", management)
        .with("publicNetworkUuid", public)
        .with("defaultRouteL3NetworkUuid", public)
        .with("defaultL3NetworkUuid", public)
        .with("type", "ApplianceVm")
        .with("applianceVmType", "vpcvrouter")
        .with("status", "Connected")
        .with("haStatus", "NoHa")
        .with("agentPort", 7272);
    for field in ["cpuNum", "cpuSpeed", "memorySize", "allocatorStrategy"] {
        row.set(field, offering.get(field).clone());
    }
    let image = change.usable_image(offering.text("imageUuid").unwrap_or_default())?;
    let mut networks = vec![management, public];
    networks.dedup();
    change.make_vm(ROUTER, row, &Parts { image: Some(image), origin: None, networks })
}

/// The networks that a router can be attached to.
fn attachable(change: &Change<'_>) -> Result<String, Failure> {
    change.get(ROUTER, change.text("uuid"))?;
    let mut texts = Vec::new();
    for network in change.find("L3NetworkInventory", &[("type", "L3VpcNetwork")])? {
        let uuid = network.text("uuid").unwrap_or_default();
        if change.gateway_of(uuid).is_ok() {
            texts.extend(change.tx.inventory_json("L3NetworkInventory", uuid)?);
        }
    }
    Ok(format!("{{\"inventories\":[{}]}}", texts.join(",")))
}

fn add_dns(change: &Change<'_>) -> Result<String, Failure> {
    let (router, server) = (change.text("uuid"), change.text("dns"));
    change.get(ROUTER, router)?;
    if !change.find(DNS, &[("vpcRouterUuid", router), ("dns", server)])?.is_empty() {
        return Err(Failure::refused(format!("the VPC router[uuid:{router}] has the name server {server} already")));
    }
    change.tx.insert(DNS, &Row::new().with("vpcRouterUuid", router).with("dns", server))?;
    change.reply(ROUTER, router)
}

fn remove_dns(change: &Change<'_>) -> Result<String, Failure> {
    let (router, server) = (change.text("uuid"), change.text("dns"));
    change.get(ROUTER, router)?;
    change.tx.delete_where(DNS, &[("vpcRouterUuid", Scalar::from(router)), ("dns", Scalar::from(server))])?;
    change.reply(ROUTER, router)
}

impl Change<'_> {
    /// Whether a virtual machine is a VPC router and an L3 network is one that such a router has the gateway of.
    pub(super) fn routes(&self, vm: &str, network: &str) -> Result<bool, Failure> {
        let is_router = self.tx.get(ROUTER, vm)?.is_some();
        Ok(is_router && self.get("L3NetworkInventory", network)?.text("type") == Some("L3VpcNetwork"))
    }

    /// The gateway of a VPC network, which is the address of its only router there.
    pub(super) fn gateway_of(&self, network: &str) -> Result<FreeAddress, Failure> {
        let range = self.find("IpRangeInventory", &[("l3NetworkUuid", network)])?.into_iter().next();
        let range = range
            .ok_or_else(|| Failure::refused(format!("the L3 network[uuid:{network}] has no range of addresses")))?;
        let ip = range.text("gateway").unwrap_or_default().to_owned();
        let others = self.find("VmNicInventory", &[("l3NetworkUuid", network), ("ip", &ip)])?;
        match others.first().and_then(|nic| nic.text("vmInstanceUuid")) {
            Some(router) => Err(Failure::refused(format!(
                "the L3 network[uuid:{network}] is attached to the VPC router[uuid:{router}] already"
            ))),
            None => Ok(FreeAddress { ip, range }),
        }
    }
}
