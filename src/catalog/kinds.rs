//! Kinds of resources as operators call them: `vm`, `host`, `l3network`.

use super::references::of_inventory;
use super::{Catalog, Inventory, zql_entity};

/// The short names; see the head of the file.
const SHORT: &str = include_str!("data/kinds.txt");

/// Words that are written in capitals in a sentence.
const CAPITALS: [&str; 18] = [
    "vm", "l2", "l3", "ip", "eip", "vip", "vpc", "nic", "cpu", "gpu", "usb", "pci", "ssh", "iso", "dns", "cdp", "cd",
    "rom",
];

/// A kind of resource: its rows, and the query that lists them.
#[derive(Clone, Debug)]
pub(crate) struct ResourceKind {
    /// The description of its rows.
    pub(crate) inventory: Inventory,
    /// The query that lists them.
    pub(crate) query: &'static str,
}

/// A line of the data file: the short name, the inventory without its ending, and what a sentence says.
fn short_names() -> impl Iterator<Item = (&'static str, &'static str, Option<&'static str>)> {
    SHORT.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()))
    })
}

/// The place of an inventory in the order in which kinds are shown.
pub(crate) fn place(inventory: &str) -> usize {
    let stem = inventory.strip_suffix("Inventory");
    short_names().position(|(_, name, _)| Some(name) == stem).unwrap_or(usize::MAX)
}

/// What a sentence calls so many rows of an inventory: `1 VM`, `3 L3 networks` without the number.
pub(crate) fn in_words(inventory: &str, count: u64) -> String {
    let stem = inventory.strip_suffix("Inventory").unwrap_or(inventory);
    let said = short_names().find(|(_, name, _)| *name == stem).and_then(|(.., said)| said);
    let words = said.map_or_else(|| words(stem), str::to_owned);
    match words.strip_suffix('y') {
        _ if count == 1 => words,
        Some(start) if !start.ends_with(['a', 'e', 'o', 'u']) => format!("{start}ies"),
        _ if words.ends_with(['s', 'x']) || words.ends_with("ch") => format!("{words}es"),
        _ => format!("{words}s"),
    }
}

/// The words of a CamelCase name, abbreviations in capitals: `L3 network`, `attach ISO to VM instance`.
pub(crate) fn words(name: &str) -> String {
    let bytes = name.as_bytes();
    let is_upper = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_uppercase);
    // A word begins at a capital after or before another letter: `KVM|Host`.
    let begins =
        |at: &usize| is_upper(*at) && (!is_upper(at - 1) || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
    let mut starts = vec![0];
    starts.extend((1..name.len()).filter(begins));
    starts.push(name.len());
    let words = starts.windows(2).map(|ends| {
        let word = &name[ends[0]..ends[1]];
        let lower = word.to_ascii_lowercase();
        let is_abbreviation = word.len() > 1 && !word.bytes().any(|byte| byte.is_ascii_lowercase());
        match is_abbreviation || CAPITALS.contains(&lower.as_str()) {
            true => word.to_ascii_uppercase(),
            false => lower,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

impl Catalog {
    /// The kind that a user calls so: by its short name or its name in ZQL, also in the plural.
    pub(crate) fn kind(self, name: &str) -> Option<ResourceKind> {
        let name = name.to_ascii_lowercase();
        let singular = name.strip_suffix('s').filter(|singular| !singular.is_empty());
        std::iter::once(name.as_str()).chain(singular).find_map(|name| {
            let short = short_names().find(|(short, ..)| *short == name);
            let inventory = match short {
                Some((_, stem, _)) => format!("{stem}Inventory"),
                None => self.zql_inventory(&name.replace('-', ""))?.to_owned(),
            };
            self.kind_of(&self.inventory(&inventory)?)
        })
    }

    /// The kind that a namespace of metrics is about (M6): `ZStack/VM`.
    pub(crate) fn kind_of_namespace(self, namespace: &str) -> Option<ResourceKind> {
        self.kind(namespace.rsplit('/').next()?)
    }

    /// The kind whose rows an inventory describes.
    pub(crate) fn kind_of(self, inventory: &Inventory) -> Option<ResourceKind> {
        inventory.field("uuid")?;
        let query = of_inventory(self, inventory)?;
        Some(ResourceKind { inventory: self.inventory(self.api(query)?.inventory?)?, query })
    }

    /// The names of all kinds, with the query that lists each: short names first, then those of ZQL.
    pub(crate) fn kind_names(self) -> impl Iterator<Item = (String, String)> {
        let short = short_names().map(|(short, stem, _)| (short.to_owned(), format!("Query{stem}")));
        let long = self
            .inventory_names()
            .map(|name| (zql_entity(name), format!("Query{}", name.strip_suffix("Inventory").unwrap_or(name))));
        let long = long.filter(|(name, _)| !short_names().any(|(short, ..)| short == name));
        short.chain(long).filter(move |(_, query)| self.api_name(query).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_called_in_many_ways() {
        let query = |name: &str| Catalog::newest().kind(name).map(|kind| kind.query);
        for name in ["vm", "VM", "vms", "vminstance", "VmInstance"] {
            assert_eq!(query(name), Some("QueryVmInstance"), "{name}");
        }
        assert_eq!(query("network"), Some("QueryL3Network"));
        assert_eq!(query("usedip"), Some("QueryIpAddress"));
        assert_eq!(query("kvmhost"), Some("QueryHost"));
        for name in ["", "s", "vmm", "sessions"] {
            assert_eq!(query(name), None, "{name}");
        }
    }

    #[test]
    fn each_short_name_has_a_query() {
        for (short, stem, _) in short_names() {
            assert_eq!(Catalog::newest().kind(short).map(|kind| kind.query), Some(&*format!("Query{stem}")), "{short}");
        }
    }

    #[test]
    fn a_sentence_says_how_many() {
        for (inventory, count, expected) in [
            ("VmInstanceInventory", 1, "VM"),
            ("VmInstanceInventory", 0, "VMs"),
            ("L3NetworkInventory", 2, "L3 networks"),
            ("PolicyInventory", 2, "policies"),
            ("UsedIpInventory", 2, "used IPs"),
            ("VolumeSnapshotInventory", 1, "volume snapshot"),
        ] {
            assert_eq!(in_words(inventory, count), expected);
        }
    }
}
