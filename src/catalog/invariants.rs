//! Checks every entry of every catalog version for what the rest of the program relies on.

use std::collections::{HashMap, HashSet};

use super::{Api, Catalog, Method, Type};

/// The newest, the oldest, and two between them whose requests differ.
fn catalogs() -> Vec<Catalog> {
    ["5.5.6", "5.2.1", "4.3.8", "3.10.0"].into_iter().filter_map(Catalog::of_version).collect()
}

#[test]
fn every_entry_decodes_and_the_index_agrees_with_it() {
    for catalog in catalogs() {
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            assert_eq!(api.name, known.as_str());
            assert!(api.path == known.path() || known.has_changed(), "{}", api.name);
            assert!(api.method == known.method() || known.has_changed(), "{}", api.name);
            assert_eq!(api.since, known.since(), "{}", api.name);
            assert_eq!(api.is_query, known.is_query(), "{}", api.name);
            assert_eq!(api.session, known.needs_session(), "{}", api.name);
            assert_eq!(api.is_async, known.is_async(), "{}", api.name);
            assert_eq!(api.deprecated, known.is_deprecated(), "{}", api.name);
        }
        for name in catalog.inventory_names() {
            assert_eq!(catalog.inventory(name).expect("an indexed inventory is found").name, name);
        }
        for name in catalog.struct_names() {
            assert!(catalog.struct_fields(name).is_some_and(|fields| !fields.is_empty()), "{name}");
        }
        for name in catalog.enum_names() {
            assert!(catalog.enum_values(name).is_some_and(|values| !values.is_empty()), "{name}");
        }
    }
}

#[test]
fn the_catalog_is_complete() {
    let catalog = Catalog::of_version("5.5.6").expect("5.5.6 is carried");
    assert_eq!(catalog.api_names().len(), 1954);
    assert_eq!(catalog.api_names().filter(|api| api.is_query()).count(), 333);
    assert_eq!(catalog.inventory_names().len(), 528);
    assert_eq!(catalog.struct_names().len(), 32);
    assert_eq!(catalog.enum_names().len(), 103);
}

#[test]
fn names_are_unique_also_when_case_is_ignored() {
    for catalog in catalogs() {
        let mut seen = HashSet::new();
        for api in catalog.api_names() {
            assert!(seen.insert(api.as_str().to_lowercase()), "{}", api.as_str());
            assert!(api.as_str().starts_with(|c: char| c.is_ascii_uppercase()), "{}", api.as_str());
        }
    }
}

#[test]
fn parameters_are_unique_and_their_references_resolve() {
    for catalog in catalogs() {
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            let mut seen = HashSet::new();
            for parameter in &api.parameters {
                assert!(seen.insert(parameter.name), "{} {}", api.name, parameter.name);
                if let Some(reference) = parameter.reference {
                    let query = catalog.api(reference);
                    assert!(query.is_some_and(|query| query.is_query), "{} {}", api.name, parameter.name);
                }
                if let Some((least, greatest)) = parameter.range {
                    assert!(least <= greatest, "{} {}", api.name, parameter.name);
                }
                if let Type::Named(name) = parameter.kind {
                    assert!(
                        catalog.enum_values(name).is_some() || catalog.struct_fields(name).is_some(),
                        "{} {}: {name}",
                        api.name,
                        parameter.name
                    );
                }
            }
        }
    }
}

#[test]
fn every_path_variable_is_a_parameter_or_a_field() {
    for catalog in catalogs() {
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            assert!(api.path.starts_with('/') && !api.path.contains("//"), "{}", api.path);
            for variable in api.path_variables() {
                let is_field = || {
                    let inventory = api.inventory.and_then(|name| catalog.inventory(name));
                    inventory.is_some_and(|inventory| inventory.field(variable).is_some())
                };
                assert!(api.parameter(variable).is_some() || is_field(), "{} {variable}", api.name);
            }
        }
    }
}

#[test]
fn verbs_bodies_and_flags_fit_together() {
    for catalog in catalogs() {
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            match api.method {
                Method::Get | Method::Delete => assert_eq!(api.body, "", "{}", api.name),
                Method::Put => {
                    let mut expected = api.name[..1].to_lowercase();
                    expected.push_str(&api.name[1..]);
                    assert_eq!(api.body, expected, "{}", api.name);
                }
                Method::Post => {}
            }
            if api.is_query {
                assert_eq!(api.method, Method::Get, "{}", api.name);
                assert!(api.parameters.is_empty() && !api.is_async, "{}", api.name);
            } else {
                assert!(api.inventory.is_none(), "{}", api.name);
            }
        }
        let null_bodies: Vec<&str> = catalog
            .api_names()
            .filter_map(|known| catalog.api(known.as_str()))
            .filter(|api| api.body == "null")
            .map(|api| api.name)
            .collect();
        assert_eq!(null_bodies, ["AttachIsoToVmInstance", "AttachL2NetworkToCluster"]);
    }
}

#[test]
fn a_verb_and_path_pair_belongs_to_one_body_key() {
    for catalog in catalogs() {
        let mut seen = HashSet::new();
        for known in catalog.api_names() {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            let key = if api.method == Method::Put { api.body } else { "" };
            let shape: Vec<&str> =
                api.path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
            assert!(seen.insert((api.method, shape.join("/"), key)), "{} shares {} {}", api.name, api.method, api.path);
        }
    }
}

#[test]
fn inventories_resolve() {
    for catalog in catalogs() {
        let all: HashSet<&str> = catalog.inventory_names().collect();
        for known in catalog.api_names().filter(|api| api.is_query()) {
            let api = catalog.api(known.as_str()).expect("an indexed API is found");
            if let Some(inventory) = api.inventory {
                assert!(all.contains(inventory), "{} {inventory}", api.name);
            }
        }
        for name in &all {
            let inventory = catalog.inventory(name).expect("an indexed inventory is found");
            let fields: HashSet<&str> = inventory.fields.iter().map(|field| field.name).collect();
            assert_eq!(fields.len(), inventory.fields.len(), "{name} has a field twice");
            for (relation, expanded) in &inventory.expanded {
                assert!(all.contains(expanded.inventory), "{name} {relation}");
            }
            for (short, alias) in &inventory.aliases {
                assert!(all.contains(alias.inventory), "{name} {short}");
                let mut here = inventory.clone();
                for segment in alias.path.split('.') {
                    here = catalog.follow(&here, segment).flatten().unwrap_or_else(|| panic!("{name} {short}"));
                }
                assert_eq!(here.name, alias.inventory, "{name} {short}");
            }
            for parent in &inventory.parents {
                let general = catalog.inventory(parent.inventory);
                assert!(general.is_some_and(|general| general.type_field().is_some()), "{name}");
            }
        }
    }
}

#[test]
fn what_was_observed_is_of_the_catalog() {
    let observed: serde_json::Value = serde_json::from_str(include_str!("data/observed.json")).expect("it is JSON");
    let observed = observed["inventories"].as_object().expect("inventories");
    let catalog = Catalog::newest();
    for (name, said) in observed {
        let inventory = catalog.inventory(name).unwrap_or_else(|| panic!("{name} is no inventory"));
        for (key, names) in said.as_object().expect("what was observed of it") {
            for member in names.as_array().expect("names").iter().map(|name| name.as_str().expect("a name")) {
                let (is_known, is_decoded) = match key.as_str() {
                    "unselectable" => (inventory.field(member).is_some(), inventory.unselectable.contains(&member)),
                    "unsortable" => (inventory.field(member).is_some(), inventory.unsortable.contains(&member)),
                    "broken" => {
                        let is_tag = super::TAG_FIELDS.contains(&member);
                        (is_tag || catalog.follow(&inventory, member).is_some(), inventory.is_broken(member))
                    }
                    other => panic!("{name}: {other} means nothing"),
                };
                assert!(is_known && is_decoded, "{name} {key} {member}");
            }
        }
    }
    // It holds for what specialises them, as far as they have it.
    let special = catalog.inventory("KVMHostInventory").expect("hosts of KVM");
    assert!(special.unselectable.contains(&"totalCpuCapacity") && special.unsortable.contains(&"ipmiPort"));
    assert!(catalog.inventory("CephPrimaryStorageInventory").is_some_and(|ceph| !ceph.unsortable.is_empty()));
    assert!(catalog.inventory("ClusterInventory").is_some_and(|cluster| cluster.unselectable.is_empty()));
}

#[test]
fn versions_are_known_and_in_order() {
    let versions: Vec<&str> = Catalog::versions().collect();
    assert_eq!((versions.first(), versions.last(), versions.len()), (Some(&"5.5.6"), Some(&"3.10.0"), 41));
    let newest = Catalog::newest();
    for known in newest.api_names() {
        let api = newest.api(known.as_str()).expect("an indexed API is found");
        let parameters = api.parameters.iter().filter_map(|parameter| parameter.since);
        for version in parameters.chain(api.since).chain(api.was.iter().map(|was| was.until)) {
            assert!(versions.contains(&version), "{} {version}", api.name);
        }
        assert_eq!(known.has_changed(), !api.was.is_empty(), "{}", api.name);
    }
    for name in newest.inventory_names() {
        let inventory = newest.inventory(name).expect("an indexed inventory is found");
        let fields = inventory.fields.iter().filter_map(|field| field.since);
        let relations = inventory.expanded.values().filter_map(|relation| relation.since);
        for version in fields.chain(relations).chain(inventory.since) {
            assert!(versions.contains(&version), "{name} {version}");
        }
    }
}

#[test]
fn a_version_between_two_that_are_known_counts_as_the_older() {
    for (version, known) in [
        ("5.2.1", "5.2.1"),
        ("4.8", "4.8.0"),
        ("4.8.0-c76", "4.8.0"),
        ("4.6.25", "4.6.21"),
        ("9.0", "5.5.6"),
        ("2.6.0", "3.10.0"),
    ] {
        assert_eq!(Catalog::of_version(version).map(Catalog::version), Some(known), "{version}");
    }
    for text in ["", "latest", "5..1", "x5.2"] {
        assert!(Catalog::of_version(text).is_none(), "{text}");
    }
}

#[test]
fn requests_are_those_of_the_version() {
    let api = |version: &str, name: &str| Catalog::of_version(version).and_then(|catalog| catalog.api(name));
    for (version, body) in [("3.10.0", ""), ("4.6.21", ""), ("4.6.31", "params"), ("5.5.6", "params")] {
        assert_eq!(api(version, "AttachDataVolumeToVm").map(|api| api.body), Some(body), "{version}");
    }
    let capabilities = |version| api(version, "GetVmsCapabilities").map(|api| (api.method, api.body));
    assert_eq!(capabilities("4.8.0"), Some((Method::Post, "params")));
    assert_eq!(capabilities("5.0.0"), Some((Method::Get, "")));
    let gone = "GetMissedElaboration";
    assert!(api("4.0.0", gone).is_some() && api("4.1.0", gone).is_none());
    assert_eq!(Catalog::newest().removed(gone).map(|gone| gone.until), Some("4.0.0"));
}

/// A path of an API, in segments.
struct Route<'a> {
    api: &'a Api,
    path: Vec<&'static str>,
}

impl Route<'_> {
    /// Whether a request to `path` fits; `exactly` where it is the same but for the names of variables.
    fn fits(&self, path: &[&str], exactly: bool) -> bool {
        let is_variable = |part: &str| part.starts_with('{');
        self.path.len() == path.len()
            && self.path.iter().zip(path).all(|(known, part)| match is_variable(known) {
                true => !exactly || is_variable(part),
                false => known == part,
            })
    }
}

/// Whether a node with these paths runs another API when `api`, which it lacks, is sent to it (D2, D3).
fn runs_another(api: &Api, path: &[&str], offered: &[&Route<'_>]) -> bool {
    let on = |exactly: bool| offered.iter().filter(move |route| route.fits(path, exactly));
    let exact: Vec<_> = on(true).collect();
    let candidates = if exact.is_empty() { on(false).collect() } else { exact };
    let is_alone = |route: &Route<'_>| candidates.iter().filter(|other| other.fits(&route.path, true)).count() == 1;
    let is_chosen = |other: &Api| other.method == api.method && (api.method != Method::Put || other.body == api.body);
    candidates.iter().any(|route| is_chosen(route.api) || is_alone(route))
}

#[test]
fn the_apis_that_another_may_run_for_are_marked() {
    let newest = Catalog::newest();
    let all: Vec<Api> = newest.api_names().filter_map(|known| newest.api(known.as_str())).collect();
    let unlisted = |api: &Api| newest.api_name(api.name).is_some_and(|known| known.is_unlisted());
    // Paths that could fit each other have the same number of segments and begin alike.
    let mut routes: HashMap<(usize, &str), Vec<Route<'_>>> = HashMap::new();
    for api in &all {
        for path in std::iter::once(api.path).chain(api.optional_paths.iter().copied()) {
            let path: Vec<&'static str> = path.split('/').collect();
            routes.entry((path.len(), path[1])).or_default().push(Route { api, path });
        }
    }
    let mut mistakable = HashSet::new();
    for version in Catalog::versions() {
        let catalog = Catalog::of_version(version).expect("a known version");
        for only_open in [false, true] {
            let is_offered = |api: &Api| !catalog.lacks(api.since) && (!only_open || api.source == Some("open"));
            for like in routes.values() {
                let offered: Vec<&Route<'_>> = like.iter().filter(|route| is_offered(route.api)).collect();
                let missing = like.iter().filter(|route| !is_offered(route.api) && !unlisted(route.api));
                for Route { api, path } in missing.filter(|route| route.path.join("/") == route.api.path) {
                    if !mistakable.contains(api.name) && runs_another(api, path, &offered) {
                        mistakable.insert(api.name);
                    }
                }
            }
        }
    }
    let marked: HashSet<&str> =
        newest.api_names().filter(|known| known.is_mistakable()).map(|known| known.as_str()).collect();
    let mut difference: Vec<&&str> = mistakable.symmetric_difference(&marked).collect();
    difference.sort();
    assert!(difference.is_empty(), "{difference:?}");
    assert_eq!(marked.len(), 88);
    for seen_on_a_node in ["AddSharedBlockGroupPrimaryStorage", "ChangeHostPassword", "QueryMiniStorage"] {
        assert!(marked.contains(seen_on_a_node), "{seen_on_a_node}");
    }
}

#[test]
fn system_tags_have_patterns() {
    let catalog = Catalog::newest();
    assert!(catalog.api_tags("CreateVmInstance").iter().all(|pattern| pattern.contains("::")));
    assert!(catalog.resource_tags("L3Network").iter().any(|pattern| pattern.contains('{')));
    assert!(catalog.resource_tags("NoSuchKind").is_empty());
}
