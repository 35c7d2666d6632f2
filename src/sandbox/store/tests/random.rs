//! Random conditions, compared with an evaluator of its own over the same rows.

use std::collections::{BTreeSet, HashMap};

use super::super::{QueryRequest, Row, Scalar, Store, StoreError};
use super::{column, reply, store};

/// Relations, written down here rather than taken from the catalog.
const RELATIONS: [(&str, &str, &str, &str, &str); 20] = [
    ("VmInstance", "vmNics", "VmNic", "uuid", "vmInstanceUuid"),
    ("VmInstance", "allVolumes", "Volume", "uuid", "vmInstanceUuid"),
    ("VmInstance", "host", "Host", "hostUuid", "uuid"),
    ("VmInstance", "cluster", "Cluster", "clusterUuid", "uuid"),
    ("VmInstance", "image", "Image", "imageUuid", "uuid"),
    ("VmInstance", "rootVolume", "Volume", "rootVolumeUuid", "uuid"),
    ("VmNic", "l3Network", "L3Network", "l3NetworkUuid", "uuid"),
    ("VmNic", "eip", "Eip", "uuid", "vmNicUuid"),
    ("VmNic", "vmInstance", "VmInstance", "vmInstanceUuid", "uuid"),
    ("Volume", "vmInstance", "VmInstance", "vmInstanceUuid", "uuid"),
    ("Volume", "snapshot", "VolumeSnapshot", "uuid", "volumeUuid"),
    ("Volume", "primaryStorage", "PrimaryStorage", "primaryStorageUuid", "uuid"),
    ("Volume", "image", "Image", "rootImageUuid", "uuid"),
    ("VolumeSnapshot", "volume", "Volume", "volumeUuid", "uuid"),
    ("Host", "cluster", "Cluster", "clusterUuid", "uuid"),
    ("Host", "vmInstance", "VmInstance", "uuid", "hostUuid"),
    ("Cluster", "host", "Host", "uuid", "clusterUuid"),
    ("Cluster", "zone", "Zone", "zoneUuid", "uuid"),
    ("L3Network", "vmNic", "VmNic", "uuid", "l3NetworkUuid"),
    ("Zone", "host", "Host", "uuid", "zoneUuid"),
];

const NUMBERS: [&str; 8] =
    ["cpuNum", "memorySize", "deviceId", "size", "actualSize", "distance", "ipVersion", "availableCpuCapacity"];
const BOOLEANS: [&str; 4] = ["isShareable", "isDefault", "latest", "system"];
const TEXTS: [&str; 9] =
    ["name", "description", "state", "status", "type", "ip", "platform", "managementIp", "hostUuid"];
const OPERATORS: [&str; 12] = ["=", "!=", ">", "<", ">=", "<=", "?=", "!?=", "~=", "!~=", " is null", " not null"];

struct World {
    tables: HashMap<&'static str, Vec<Row>>,
    tags: Vec<Row>,
}

fn world(store: &Store) -> World {
    store
        .transaction(|tx| -> Result<World, StoreError> {
            let mut tables = HashMap::new();
            for (from, _, to, _, _) in RELATIONS {
                for table in [from, to] {
                    tables.insert(table, tx.find_where(&format!("{table}Inventory"), &[])?);
                }
            }
            Ok(World { tables, tags: tx.find_where("UserTagInventory", &[])? })
        })
        .expect("the store can be read")
}

/// A small generator of numbers that differ in each run of the loop and never between runs of the test.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }
}

impl World {
    /// Whether a row meets a condition: path, operator, value.
    fn meets(&self, table: &str, row: &Row, path: &[&str], operator: &str, value: &str) -> bool {
        if let [field] = path {
            if *field == "__userTag__" {
                return self.tag(row, operator, value);
            }
            return compare(field, row.get(field), operator, value);
        }
        let (_, _, to, key, foreign) =
            RELATIONS.iter().find(|relation| relation.0 == table && relation.1 == path[0]).expect("a known relation");
        let Some(own) = row.text(key) else { return false };
        self.tables[to]
            .iter()
            .filter(|other| other.text(foreign) == Some(own))
            .any(|other| self.meets(to, other, &path[1..], operator, value))
    }

    fn tag(&self, row: &Row, operator: &str, value: &str) -> bool {
        let has = |operator: &str| {
            self.tags
                .iter()
                .filter(|tag| tag.text("resourceUuid") == row.text("uuid"))
                .any(|tag| compare("tag", tag.get("tag"), operator, value))
        };
        match operator {
            " is null" => false,
            "!=" => !has("="),
            "!?=" => !has("?="),
            "!~=" => !has("~="),
            other => has(other),
        }
    }
}

fn compare(field: &str, stored: &Scalar, operator: &str, value: &str) -> bool {
    match (operator, stored) {
        (" is null", stored) => return stored.is_null(),
        (" not null", stored) => return !stored.is_null(),
        (_, Scalar::Null) => return false,
        _ => {}
    }
    match operator {
        "?=" => return value.split(',').any(|member| equal(field, stored, member, true)),
        "!?=" => return !value.split(',').any(|member| equal(field, stored, member, true)),
        "~=" => return fits(&printed(stored).to_lowercase(), &value.to_lowercase()),
        "!~=" => return !fits(&printed(stored).to_lowercase(), &value.to_lowercase()),
        "=" => return equal(field, stored, value, false),
        "!=" => return !equal(field, stored, value, false),
        _ => {}
    }
    let order = match stored {
        Scalar::Text(text) => folded(text).cmp(&folded(value)),
        Scalar::Integer(number) => (*number as f64).total_cmp(&leading_number(value)),
        Scalar::Bool(truth) => f64::from(u8::from(*truth)).total_cmp(&leading_number(value)),
        other => panic!("{field} is {other:?}"),
    };
    match operator {
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        other => panic!("{other}"),
    }
}

fn equal(field: &str, stored: &Scalar, value: &str, in_list: bool) -> bool {
    match stored {
        Scalar::Text(text) => folded(text) == folded(value),
        Scalar::Integer(number) => *number as f64 == leading_number(value),
        Scalar::Bool(truth) => match value {
            "true" | "false" if !in_list => *truth == (value == "true"),
            _ => f64::from(u8::from(*truth)) == leading_number(value),
        },
        other => panic!("{field} is {other:?}"),
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

fn printed(stored: &Scalar) -> String {
    match stored {
        Scalar::Text(text) => text.clone(),
        Scalar::Integer(number) => number.to_string(),
        Scalar::Bool(truth) => u8::from(*truth).to_string(),
        other => panic!("{other:?}"),
    }
}

/// The longest beginning that reads as a number.
fn leading_number(text: &str) -> f64 {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b" .-+eExyzGBtruefals".contains(&byte));
    assert!(plain, "the generator makes no such number: {text}");
    (0..=text.len()).rev().find_map(|end| text[..end].trim_start().parse::<f64>().ok()).unwrap_or(0.0)
}

/// LIKE by the book: try everything.
fn fits(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| fits(&text[at..], rest.as_str()))
        }
        Some('_') => text.chars().next().is_some_and(|first| fits(&text[first.len_utf8()..], rest.as_str())),
        Some(wanted) => text.strip_prefix(wanted).is_some_and(|text| fits(text, rest.as_str())),
    }
}

/// A random path from a table to a field that it has, and the type's operators.
fn path(dice: &mut Dice, world: &World, table: &'static str) -> (Vec<&'static str>, &'static str) {
    let mut path = Vec::new();
    let mut here = table;
    for _ in 0..dice.roll(4) {
        let onward: Vec<_> = RELATIONS.iter().filter(|relation| relation.0 == here).collect();
        if onward.is_empty() {
            break;
        }
        let relation = dice.pick(&onward);
        path.push(relation.1);
        here = relation.2;
    }
    let fields: Vec<&'static str> = TEXTS
        .iter()
        .chain(&NUMBERS)
        .chain(&BOOLEANS)
        .copied()
        .filter(|field| world.tables[here].iter().any(|row| row.contains(field)))
        // What only some special rows have is unknown to the general inventory.
        .filter(|field| (here, *field) != ("VmInstance", "status"))
        .collect();
    path.push(if dice.roll(12) == 0 { "__userTag__" } else { *dice.pick(&fields) });
    (path, here)
}

fn value(dice: &mut Dice, world: &World, table: &str, field: &str, operator: &str) -> String {
    let rows = &world.tables[table];
    let sample = |dice: &mut Dice| -> String {
        if field == "__userTag__" {
            return (*dice.pick(&["production", "nightly", "team::payments", "none"])).to_owned();
        }
        match dice.pick(rows).get(field) {
            Scalar::Null => "nothing".to_owned(),
            other => printed(other),
        }
    };
    let number = NUMBERS.contains(&field) || BOOLEANS.contains(&field);
    let mut text = sample(dice);
    if number && text == "nothing" {
        text = "0".to_owned();
    }
    match operator {
        "?=" | "!?=" => {
            for _ in 0..dice.roll(4) {
                let another = sample(dice);
                text.push(',');
                text.push_str(if number && another == "nothing" { "1" } else { &another });
            }
        }
        "~=" | "!~=" => {
            let at = dice.roll(text.len() + 1);
            match dice.roll(4) {
                0 => text = format!("{}%", &text[..at]),
                1 => text = format!("%{}", &text[at..]),
                2 if at < text.len() => text.replace_range(at..=at, "_"),
                _ => {}
            }
        }
        _ if BOOLEANS.contains(&field) && matches!(operator, "=" | "!=") => {
            text = (*dice.pick(&["true", "false", "1", "0"])).to_owned();
        }
        _ if number => {
            let tail = *dice.pick(&["", "", " GB", ".5", "e1", "x"]);
            text.push_str(tail);
        }
        _ => {}
    }
    if !number && dice.roll(3) == 0 {
        text = text.to_uppercase();
    }
    if dice.roll(8) == 0 && !matches!(operator, "~=" | "!~=") {
        text.push(' ');
    }
    text
}

#[test]
fn random_conditions_find_what_the_evaluator_finds() {
    let store = store();
    let world = world(&store);
    let tables = ["VmInstance", "Volume", "Host", "VmNic", "L3Network", "VolumeSnapshot", "Cluster", "Zone"];
    let mut dice = Dice(20_250_304);
    let (mut some, mut none) = (0, 0);
    for _ in 0..1000 {
        let table = *dice.pick(&tables);
        let mut asked = Vec::new();
        for _ in 0..=dice.roll(3) {
            let (path, last) = path(&mut dice, &world, table);
            let field = path[path.len() - 1];
            let operator = *dice.pick(&OPERATORS);
            let null = operator.ends_with("null");
            let value = if null { String::new() } else { value(&mut dice, &world, last, field, operator) };
            asked.push((path, operator, value));
        }
        let texts: Vec<String> =
            asked.iter().map(|(path, operator, value)| format!("{}{operator}{value}", path.join("."))).collect();
        let wanted: BTreeSet<String> = world.tables[table]
            .iter()
            .filter(|row| asked.iter().all(|(path, operator, value)| world.meets(table, row, path, operator, value)))
            .filter_map(|row| row.text("uuid").map(str::to_owned))
            .collect();
        let request = QueryRequest { conditions: texts, ..QueryRequest::default() };
        let found: BTreeSet<String> =
            column(&reply(&store, &format!("{table}Inventory"), &request), "uuid").into_iter().collect();
        assert_eq!(found, wanted, "{table} {:?}", request.conditions);
        if wanted.is_empty() { none += 1 } else { some += 1 }
    }
    assert!(some > 200 && none > 200, "the conditions say little: {some} find rows, {none} do not");
}
