//! Which APIs a path belongs to.
//!
//! APIs are decoded when a path with the same first segment is first looked up, since decoding the whole catalog takes
//! long.

use std::collections::HashMap;
use std::rc::Rc;

use super::api::Api;
use super::index::Catalog;

/// One path of an API, in segments.
struct Route {
    segments: Vec<Segment>,
    api: Rc<Api>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    Fixed(&'static str),
    /// A variable, and the text before it: one path of the catalog has some.
    Variable(&'static str, &'static str),
}

impl Segment {
    fn parse(text: &'static str) -> Segment {
        match text.strip_suffix('}').and_then(|rest| rest.split_once('{')) {
            Some((before, name)) => Segment::Variable(before, name),
            None => Segment::Fixed(text),
        }
    }
}

/// An API that a path belongs to, with the values of the path's variables.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) api: Rc<Api>,
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// An API as a node has it; nothing for one that it lacks.
type Offered = dyn Fn(&str) -> Option<Api>;

/// The table of paths, filled on demand.
pub(crate) struct Routes {
    catalog: Catalog,
    offered: Box<Offered>,
    /// By the first segment of their paths, which all paths of one API share.
    by_head: HashMap<String, Rc<Vec<Route>>>,
}

impl Routes {
    /// The paths of a node that has every API of the catalog.
    pub(crate) fn new(catalog: Catalog) -> Routes {
        Routes::offering(catalog, move |name| catalog.api(name))
    }

    /// The paths of a node that has the APIs for which `offered` returns one.
    pub(crate) fn offering(catalog: Catalog, offered: impl Fn(&str) -> Option<Api> + 'static) -> Routes {
        Routes { catalog, offered: Box::new(offered), by_head: HashMap::new() }
    }

    /// The APIs that a node runs at a path such as `/zones/0b5c…` belongs to: none, one or several (D1 to D3).
    ///
    /// A path as it stands beats one with variables, and of those the one whose text comes first. Patterns
    /// that differ in the names of their variables only are one path: the node could not tell them apart.
    /// Doubled slashes count once; a slash at the end counts (R21).
    pub(crate) fn find(&mut self, path: &str) -> Vec<Candidate> {
        let Some(rest) = path.strip_prefix('/') else { return Vec::new() };
        let last = rest.matches('/').count();
        let parts = rest.split('/').enumerate().filter(|(at, part)| !part.is_empty() || *at == last);
        let parts: Vec<&str> = parts.map(|(_, part)| part).collect();
        let routes = self.routes(parts[0]);
        let best = routes
            .iter()
            .filter(|route| matches(&route.segments, &parts))
            .map(|route| shape(&route.segments))
            // `true` stands for a variable, so fixed segments sort first.
            .min();
        let Some(best) = best else { return Vec::new() };
        let mut candidates: Vec<Candidate> = Vec::new();
        for route in routes.iter().filter(|route| matches(&route.segments, &parts) && shape(&route.segments) == best) {
            // An API may list a path twice.
            if candidates.iter().any(|candidate| candidate.api.name == route.api.name) {
                continue;
            }
            let variables = route
                .segments
                .iter()
                .zip(&parts)
                .filter_map(|(segment, part)| match segment {
                    Segment::Variable(before, name) => Some((*name, part[before.len()..].to_owned())),
                    Segment::Fixed(_) => None,
                })
                .collect();
            candidates.push(Candidate { api: Rc::clone(&route.api), variables });
        }
        candidates
    }

    fn routes(&mut self, head: &str) -> Rc<Vec<Route>> {
        if let Some(routes) = self.by_head.get(head) {
            return Rc::clone(routes);
        }
        let begins = |path: &str| path[1..].split('/').next() == Some(head);
        // Some APIs have other paths in older versions.
        let names = self.catalog.api_names().filter(|name| name.has_changed() || begins(name.path()));
        let mut routes = Vec::new();
        for api in names.filter_map(|name| (self.offered)(name.as_str())).map(Rc::new) {
            for path in std::iter::once(&api.path).chain(&api.optional_paths).filter(|path| begins(path)) {
                let segments = path[1..].split('/').map(Segment::parse).collect();
                routes.push(Route { segments, api: Rc::clone(&api) });
            }
        }
        let routes = Rc::new(routes);
        // Only first segments that the catalog has are cached, so that clients cannot grow the table.
        if !routes.is_empty() {
            self.by_head.insert(head.to_owned(), Rc::clone(&routes));
        }
        routes
    }
}

/// A variable stands for one segment that is not empty (D1).
fn matches(segments: &[Segment], parts: &[&str]) -> bool {
    segments.len() == parts.len()
        && segments.iter().zip(parts).all(|(segment, part)| match segment {
            Segment::Fixed(text) => text == part,
            Segment::Variable(before, _) => part.starts_with(before) && part.len() > before.len(),
        })
}

fn shape(segments: &[Segment]) -> Vec<bool> {
    segments.iter().map(|segment| matches!(segment, Segment::Variable(..))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Method;

    fn routes() -> Routes {
        Routes::new(Catalog::newest())
    }

    fn names(path: &str) -> Vec<&'static str> {
        routes().find(path).iter().map(|candidate| candidate.api.name).collect()
    }

    #[test]
    fn every_path_of_an_api_begins_alike() {
        let catalog = Catalog::newest();
        for api in catalog.api_names().filter_map(|name| catalog.api(name.as_str())) {
            let head = |path: &'static str| path[1..].split('/').next();
            assert!(api.path.starts_with('/'), "{}", api.name);
            for path in &api.optional_paths {
                assert!(path.starts_with('/'), "{}", api.name);
                assert_eq!(head(path), head(api.path), "{}", api.name);
            }
        }
    }

    #[test]
    fn every_api_is_found_by_its_own_path() {
        let catalog = Catalog::newest();
        let mut routes = routes();
        for name in catalog.api_names() {
            let mut path = name.path().to_owned();
            while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
                path.replace_range(start..=end, "0b5c1de0c6f54a1f9b7d0a4f3d1c2b61");
            }
            let found = routes.find(&path);
            assert!(found.iter().any(|candidate| candidate.api.name == name.as_str()), "{path}: {found:?}");
        }
    }

    #[test]
    fn a_trailing_slash_matches_only_where_the_path_has_one() {
        assert_eq!(names("/zones/"), [""; 0]);
        assert_eq!(names("/cas/login/"), ["LoginByCas"]);
        assert_eq!(names("/cas/login"), [""; 0]);
        assert_eq!(names("/nothing"), [""; 0]);
        assert_eq!(names(""), [""; 0]);
    }

    #[test]
    fn doubled_slashes_count_once() {
        assert_eq!(names("/zones//x"), names("/zones/x"));
        assert_eq!(names("//zones"), names("/zones"));
        assert_eq!(names("/zones//"), [""; 0]);
    }

    #[test]
    fn a_missing_api_leaves_its_path_to_others() {
        let catalog = Catalog::newest();
        let open = move |name: &str| catalog.api(name).filter(|api| api.source == Some("open"));
        let found = |path: &str| -> Vec<&'static str> {
            Routes::offering(catalog, open).find(path).iter().map(|candidate| candidate.api.name).collect()
        };
        let path = "/primary-storage/sharedblockgroup";
        assert!(names(path).contains(&"AddSharedBlockGroupPrimaryStorage"));
        assert_eq!(found(path), ["DeletePrimaryStorage"]);
        assert_eq!(found("/licenses"), [""; 0]);
    }

    #[test]
    fn fixed_text_beats_variables() {
        assert_eq!(names("/backup-storage/image-store/x/actions").len(), 4);
        assert!(names("/hosts/kvm").iter().all(|name| name.contains("KVM")), "{:?}", names("/hosts/kvm"));
    }

    #[test]
    fn paths_that_differ_in_variable_names_are_one() {
        let found = routes().find("/vm-instances/abc/actions");
        let of = |name: &str| found.iter().find(|candidate| candidate.api.name == name).map(|found| &found.variables);
        assert_eq!(of("StopVmInstance"), Some(&vec![("uuid", "abc".to_owned())]));
        let found = routes().find("/hybrid/aliyun/access-pointabc/remote");
        assert_eq!(
            found.first().map(|found| found.variables.clone()),
            Some(vec![("dataCenterUuid", "abc".to_owned())])
        );
        assert_eq!(of("MigrateVm"), Some(&vec![("vmInstanceUuid", "abc".to_owned())]));
    }

    #[test]
    fn lone_deletes_are_where_the_protocol_says() {
        for path in [
            "/primary-storage/x",
            "/accounts/sessions/x",
            "/tags/x",
            "/nics/x",
            "/volumes/x/vm-instances",
            "/volumes/x/hosts",
            "/vm-instances/x/iso",
            "/vm-instances/x/static-ips",
            "/vm-instances/x/console-password",
            "/vm-instances/x/bootmode",
            "/eips/x/vm-instances/nics",
            "/port-forwarding/x/vm-instances/nics",
            "/l3-networks/x/dns/y",
        ] {
            let found = routes().find(path);
            assert_eq!(
                found.iter().map(|candidate| candidate.api.method).collect::<Vec<_>>(),
                [Method::Delete],
                "{path}"
            );
        }
    }
}
