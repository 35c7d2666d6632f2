use std::{fs, io};

use super::*;
use crate::catalog::{Api, Method, Type};

fn data(name: &str) -> Vec<u8> {
    fs::read(format!("tests/data/sdk/{name}")).expect("the file is there")
}

fn catalog(jar: &str, version: Option<&str>) -> Catalog {
    let imported = import(&data(jar), jar, version).expect("it is an SDK");
    Catalog::with_imported(&imported.text).expect("it can be read again")
}

fn api(name: &str) -> Api {
    catalog("sdk-5.4.1.jar", None).api(name).expect("it is an API")
}

#[test]
fn a_request_is_what_get_rest_info_sets() {
    let create = api("CreateGarden");
    assert_eq!((create.method, create.path, create.body), (Method::Post, "/gardens", "params"));
    assert!(create.session && create.is_async && !create.is_query && !create.deprecated);
    let water = api("WaterGarden");
    assert_eq!((water.method, water.path, water.body), (Method::Put, "/gardens/{uuid}/actions", "waterGarden"));
    let weather = api("GetGardenWeather");
    assert_eq!((weather.method, weather.body, weather.session, weather.is_async), (Method::Get, "", false, false));
    // A path variable without a field is required all the same.
    assert!(weather.parameter("dayNumber").is_some_and(|day| day.required));
    assert!(api("DeleteGarden").deprecated);
}

#[test]
fn parameters_are_the_annotated_fields() {
    let create = api("CreateGarden");
    let names: Vec<&str> = create.parameters.iter().map(|parameter| parameter.name).collect();
    let expected = "name description zoneUuid layout label size share fenced slope mainGardenerUuids beds state \
                    bedStructs gatePassword resourceUuid systemTags userTags";
    assert_eq!(names.join(" "), expected);
    let of = |name: &str| create.parameter(name).cloned().expect("it is a parameter");
    let name = of("name");
    assert_eq!((name.required, name.max_length, name.min_length), (true, Some(255), Some(2)));
    assert!(name.no_empty_string && !name.no_trim && !name.secret && !name.nonempty);
    let description = of("description");
    assert_eq!((description.required, description.max_length, description.min_length), (false, Some(70000), None));
    assert_eq!(of("layout").values, ["Flat", "Terraced"]);
    assert_eq!(of("label").regex.as_deref(), Some("[a-z]+-[0-9]+"));
    assert_eq!(of("size").range, Some((1, i64::MAX)));
    assert!(of("mainGardenerUuids").nonempty);
    assert!(of("gatePassword").secret && of("gatePassword").no_trim);
    assert_eq!(of("zoneUuid").reference, Some("QueryZone"));
    let kinds = ["size", "share", "fenced", "slope", "mainGardenerUuids", "beds", "state", "bedStructs", "systemTags"];
    let kinds: Vec<String> = kinds.iter().map(|name| of(name).kind.to_string()).collect();
    let expected =
        ["long", "int", "bool", "double", "list<string>", "map<string,list<long>>", "GardenState", "list<Bed>", "list"];
    assert_eq!(kinds, expected);
    let defaults = ["layout", "share", "fenced", "slope", "state", "label"].map(|name| of(name).default);
    let expected = [Some("Flat"), Some("40"), Some("true"), Some("1.5"), Some("Growing"), None];
    assert_eq!(defaults.each_ref().map(|default| default.as_deref()), expected);
    // An inherited parameter, and a bare `uuid` whose query follows from the API's name.
    let water = api("WaterGarden");
    let uuid = water.parameter("uuid").expect("it is inherited");
    assert_eq!((uuid.required, uuid.reference), (true, Some("QueryGarden")));
    assert_eq!(water.parameter("litres").and_then(|litres| litres.default.as_deref()), Some("1000"));
}

#[test]
fn records_and_enums_are_taken_over() {
    let catalog = catalog("sdk-5.4.1.jar", None);
    assert_eq!(catalog.enum_values("GardenState"), Some(vec!["Growing", "Resting"]));
    let bed = catalog.struct_fields("Bed").expect("a struct");
    assert_eq!(bed.iter().map(|field| field.name).collect::<Vec<_>>(), ["name", "rows", "seeds"]);
    assert_eq!(bed[2].kind, Type::List(Some(Box::new(Type::Named("Seed")))));
    assert!(catalog.struct_fields("Seed").is_some());
    let query = catalog.api("QueryGarden").expect("a query");
    assert!(query.is_query && query.parameters.is_empty());
    assert_eq!(query.inventory, Some("GardenInventory"));
    let garden = catalog.inventory("GardenInventory").expect("an inventory");
    let fields: Vec<&str> = garden.fields.iter().map(|field| field.name).collect();
    assert_eq!(fields.join(" "), "zoneUuid size share fenced state mainGardenerUuids uuid name createDate");
    assert_eq!(api("CreateGarden").result[0].type_name, "GardenInventory");
}

#[test]
fn what_a_jar_cannot_tell_stays_as_the_program_knows_it() {
    let catalog = catalog("sdk-5.4.1.jar", None);
    assert_eq!((catalog.version(), catalog.imported_from()), ("5.4.1", Some("sdk-5.4.1.jar")));
    let zone = catalog.api("CreateZone").expect("a known API");
    assert!(zone.parameter("isDefault").is_none() && zone.parameter("climate").is_some_and(|climate| climate.required));
    assert_eq!(zone.parameter("tagUuids").and_then(|tags| tags.reference), Some("QueryTag"));
    assert_eq!(zone.parameter("systemTags").map(|tags| tags.kind.to_string()).as_deref(), Some("list<string>"));
    let inventory = catalog.inventory("ZoneInventory").expect("a known inventory");
    assert!(inventory.expanded.contains_key("cluster") && inventory.field("state").is_some());
    assert_eq!(inventory.field("climate").and_then(|climate| climate.since), Some("5.4.1"));
    assert_eq!(catalog.api("QueryZone").and_then(|query| query.inventory), Some("ZoneInventory"));
    // What the jar does not have is there, with its versions.
    let newest = Catalog::newest();
    for known in newest.api_names() {
        let (own, here) = (known, catalog.api_name(known.as_str()).expect("it is kept"));
        assert_eq!(own.since().is_some(), here.since().is_some(), "{known:?}");
        if known.as_str() != "CreateZone" {
            assert_eq!((own.since(), own.path()), (here.since(), here.path()), "{known:?}");
        }
        assert_eq!((own.is_unlisted(), own.is_mistakable()), (here.is_unlisted(), here.is_mistakable()), "{known:?}");
    }
    assert!(catalog.lacks(Some("5.4.2")) && !catalog.lacks(Some("5.4.0")) && !catalog.lacks(Some("5.4.1")));
    assert_eq!(catalog.api_name("CreateGarden").and_then(|api| api.since()), Some("5.4.1"));
}

#[test]
fn class_files_of_any_version_say_the_same() {
    let (old, new) = (catalog("sdk-5.4.1.jar", None), catalog("newer.jar", Some("5.4.1")));
    for known in old.api_names() {
        assert_eq!(old.source_text(known.as_str()), new.source_text(known.as_str()));
    }
    for name in old.inventory_names() {
        assert_eq!(old.source_text(name), new.source_text(name));
    }
}

#[test]
fn every_entry_decodes() {
    let catalog = catalog("sdk-5.4.1.jar", None);
    assert!(catalog.api_names().all(|known| catalog.api(known.as_str()).is_some()));
    assert!(catalog.inventory_names().all(|name| catalog.inventory(name).is_some()));
    assert!(catalog.struct_names().all(|name| catalog.struct_fields(name).is_some()));
    assert!(catalog.enum_names().all(|name| catalog.enum_values(name).is_some()));
}

#[test]
fn what_is_no_api_is_left_out_with_a_reason() {
    let imported = import(&data("sdk-5.4.1.jar"), "sdk-5.4.1.jar", None).expect("it is an SDK");
    let left: Vec<String> = imported.skipped.iter().map(|(class, reason)| format!("{class}: {reason}")).collect();
    assert_eq!(
        left,
        [
            "PatchGardenAction: its verb is none that an API has",
            "PlainAction: its getRestInfo does more than set constants"
        ]
    );
    assert_eq!((imported.apis, imported.inventories, imported.unreadable), (8, 3, 0));
    assert_eq!(imported.new_apis.len(), 6);
    assert_eq!(imported.changed_apis, ["CreateZone"]);
    assert_eq!(imported.new_inventories, ["GardenInventory", "PlaceInventory"]);
}

#[test]
fn the_version_is_in_the_name_or_in_the_jar() {
    for (name, expected) in [
        ("sdk-5.4.0.jar", Some("5.4.0")),
        ("zstack-sdk-4.8.0.12-SNAPSHOT.jar", Some("4.8.0.12")),
        ("sdk.jar", None),
        ("sdk-5.jar", None),
        ("sdk2-4.1.jar", Some("4.1")),
        ("sdk-99999999999.1.jar", None),
        ("5..1.jar", None),
    ] {
        assert_eq!(version_of_name(name).as_deref(), expected, "{name}");
    }
    for (text, expected) in [
        ("Manifest-Version: 1.0\r\nImplementation-Version: 5.4.2-b7\r\n", Some("5.4.2")),
        ("#Maven\nversion=4.8.0\ngroupId=org.zstack\n", Some("4.8.0")),
        ("Manifest-Version: 1.0\n", None),
    ] {
        assert_eq!(version_said(text.as_bytes()).as_deref(), expected, "{text}");
    }
    assert!(is_about_the_jar("META-INF/maven/org.zstack/sdk/pom.properties"));
    assert!(!is_about_the_jar("META-INF/maven/com.google.code.gson/gson/pom.properties"));
    assert!(is_version("5.4.0-h7") && is_version("5.4"));
    for text in ["", "5.4/..", "../5.4", "latest", "5.4.0\n", "5.4 0", "0"] {
        assert!(!is_version(text), "{text}");
    }
}

#[test]
fn what_is_no_sdk_is_refused_with_the_reason() {
    let refused = |bytes: &[u8]| import(bytes, "sdk-5.4.1.jar", None).expect_err("it is no SDK").to_string();
    assert_eq!(refused(b""), "it is empty");
    assert_eq!(refused(b"GIF89a"), "it is not a jar file");
    let jar = data("sdk-5.4.1.jar");
    assert_eq!(refused(&jar[..jar.len() / 2]), "it is cut short or damaged");
    assert_eq!(refused(&data("other-1.0.jar")), "it has no class of an API, such as CreateZoneAction");
    let war = bomb("WEB-INF/lib/sdk-5.4.0.jar", 1 << 20, 1);
    assert!(refused(&war).ends_with("; take WEB-INF/lib/sdk-5.4.0.jar out of it, which is an SDK by its name"));
    assert_eq!(import(&data("newer.jar"), "newer.jar", None).expect_err("no version"), ImportError::NoVersion);
}

#[test]
fn what_an_annotation_leaves_out_is_as_its_class_says() {
    let mut classes: Vec<class::Class> = class_files("sdk-5.4.1.jar").iter().filter_map(|file| read(file)).collect();
    let at = classes.iter().position(|class| class.name.ends_with("/Param")).expect("the annotation");
    let said = &classes[at].annotation;
    assert_eq!((said.required, said.empty_string, said.no_trim), (Some(true), Some(true), Some(false)));
    assert_eq!(said.max_length, Some(i64::from(i32::MIN)));
    classes[at].annotation.required = Some(false);
    let imported = Sdk::new(&classes).import("sdk", "5.4.1".to_owned(), 0).expect("a catalog");
    let create =
        Catalog::with_imported(&imported.text).and_then(|catalog| catalog.api("CreateGarden")).expect("an API");
    let required = create.parameters.iter().filter(|parameter| parameter.required).map(|parameter| parameter.name);
    assert_eq!(required.collect::<Vec<_>>(), ["zoneUuid"]);
}

#[test]
fn requests_that_are_put_together_of_constants_are_read() {
    let water = api("WaterGarden");
    assert_eq!(water.path, "/gardens/{uuid}/actions");
    let moved = api("MoveGarden");
    assert_eq!((moved.method, moved.path, moved.body), (Method::Post, "/gardens/{uuid}/move", "params"));
    assert!(moved.session && moved.is_async);
}

/// A jar of `copies` entries that all refer to one file of `times` deflated zeros.
fn bomb(name: &str, times: usize, copies: u16) -> Vec<u8> {
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut io::Read::take(io::repeat(0), times as u64), &mut packed).expect("it fits");
    let packed = packed.finish().expect("it fits");
    let mut crc = flate2::Crc::new();
    let zeros = vec![0; 1 << 20];
    (0..times / zeros.len()).for_each(|_| crc.update(&zeros));
    let name = name.as_bytes();
    let mut sizes = Vec::new();
    for number in [crc.sum(), packed.len() as u32, times as u32] {
        sizes.extend(number.to_le_bytes());
    }
    let head = [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &sizes, &[name.len() as u8, 0, 0, 0]].concat();
    let mut jar = [b"PK\x03\x04", &head[..], name, &packed].concat();
    let directory = jar.len() as u32;
    // All entries of the directory refer to the same bytes.
    for _ in 0..copies {
        jar.extend([b"PK\x01\x02", &[20, 0][..], &head, &[0; 14], name].concat());
    }
    let length = jar.len() as u32 - directory;
    jar.extend(b"PK\x05\x06\0\0\0\0");
    jar.extend([copies.to_le_bytes(), copies.to_le_bytes()].concat());
    jar.extend([length.to_le_bytes(), directory.to_le_bytes()].concat());
    jar.extend([0, 0]);
    jar
}

#[test]
fn a_jar_that_unpacks_to_too_much_is_refused() {
    let one = bomb("A.class", 16 << 20, 1);
    assert!(one.len() < 100_000);
    let left = import(&one, "sdk-5.4.1.jar", None).expect_err("it has no class");
    assert_eq!(
        left.to_string(),
        "it has no class of an API, such as CreateZoneAction; 1 of its classes cannot be read"
    );
    assert_eq!(
        import(&bomb("A.class", 2 << 20, 60_000), "sdk-5.4.1.jar", None).expect_err("too much"),
        ImportError::TooMuch
    );
}

/// Returns the class files of a jar.
fn class_files(jar: &str) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    let keep = |_: &str, content: &[u8]| {
        files.push(content.to_vec());
        Ok(())
    };
    jar::each_file(&data(jar), |name| name.ends_with(".class"), keep).expect("a jar");
    files
}

fn read(file: &[u8]) -> Option<class::Class> {
    class::read(file, &mut Budget(MAX_KEPT)).ok()
}

#[test]
fn class_files_that_make_no_sense_break_nothing() {
    for file in class_files("sdk-5.4.1.jar") {
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= [1, 4, 0x80, 0xff][at % 4];
            let _ = read(&damaged);
            assert!(read(&file[..at]).is_none(), "a class file that is cut short is none");
        }
        assert!(read(&file).is_some());
    }
}

#[test]
fn what_is_left_of_damaged_classes_makes_a_catalog() {
    let files = class_files("sdk-5.4.1.jar");
    let mut classes: Vec<class::Class> = files.iter().filter_map(|file| read(file)).collect();
    let damaged = classes.iter().position(|class| class.name.ends_with("/CreateGardenAction")).expect("a class");
    let mut count = 0;
    // With a prime step, every part of regularly repeated structures is hit.
    for at in (0..files[damaged].len()).step_by(7) {
        let mut file = files[damaged].clone();
        file[at] ^= 0x55;
        let Some(class) = read(&file) else { continue };
        classes[damaged] = class;
        let imported = Sdk::new(&classes).import("sdk-5.4.1.jar", "5.4.1".to_owned(), 0).expect("other APIs are left");
        assert!(serde_json::from_str::<serde_json::Value>(&imported.text).is_ok(), "{at}");
        // A catalog stays in memory for good, so only some are loaded.
        if at % 50 == 0 {
            let catalog = Catalog::with_imported(&imported.text).expect("a catalog");
            assert!(catalog.api_names().all(|known| catalog.api(known.as_str()).is_some()), "{at}");
        }
        count += 1;
    }
    assert!(count > 100, "{count}");
}

#[test]
fn jars_that_are_damaged_anywhere_are_read_or_refused() {
    let jar = data("tiny-5.4.1.jar");
    let mut read = 0;
    for at in 0..jar.len() {
        let mut damaged = jar.clone();
        damaged[at] ^= 0xff;
        read += usize::from(import(&damaged, "sdk-5.4.1.jar", None).is_ok());
        assert!(at % 5 > 0 || import(&jar[..at], "sdk-5.4.1.jar", None).is_err(), "{at}");
    }
    assert!(read > 0);
}

#[test]
fn types_that_nest_without_end_are_anything() {
    let classes = Vec::new();
    let sdk = Sdk::new(&classes);
    let deep = format!("{}I{}", "Ljava/util/List<".repeat(200), ">;".repeat(200));
    let words = |signature: &str| types::in_words(signature, sdk.classes());
    assert_eq!(words(&deep), "any");
    for (signature, expected) in [
        ("Ljava/util/Set<+Ljava/lang/Long;>;", "list<long>"),
        ("Ljava/util/Map<Ljava/lang/String;[[B>;", "map<string,list<list<int>>>"),
        ("Ljava/util/Map;", "map"),
        ("Ljava/util/List<*>;", "list"),
        ("TT;", "any"),
        ("Lorg/Other<TT;>.Inner<I>;", "any"),
        ("[Ljava/lang/String;", "list<string>"),
        ("Lorg/zstack/sdk/ZoneInventory;", "ZoneInventory"),
        ("Ljava/util/List<", "any"),
        ("L", "any"),
        ("", "any"),
        ("[", "any"),
    ] {
        assert_eq!(words(signature), expected, "{signature}");
    }
}
