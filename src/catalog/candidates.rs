//! Which resources fit a parameter of an action: stopped VMs for `StartVmInstance`.

/// Rules, one a line; the head of the file describes them.
const RULES: &str = include_str!("data/candidates.txt");

/// What fits a parameter. A value that begins with `$` is that of another parameter of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Candidates {
    /// The resources that meet these conditions, each FIELD OPERATOR VALUE.
    Rows(Vec<&'static str>),
    /// The resources that another API lists.
    Listed {
        /// The API.
        api: &'static str,
        /// The member of its reply that has the list.
        member: &'static str,
        /// Its parameters with their values.
        arguments: Vec<(&'static str, &'static str)>,
    },
}

/// What fits a parameter, by the first rule all of whose other parameters `given` has.
pub(crate) fn of_parameter(api: &str, parameter: &str, given: impl Fn(&str) -> Option<String>) -> Option<Candidates> {
    rules().filter(|rule| rule.parameter == parameter && rule.is_for(api)).find_map(|rule| rule.applied(&given))
}

/// One line of the file.
struct Rule {
    api: &'static str,
    parameter: &'static str,
    /// Another parameter and its value, without which the rule does not hold.
    when: Option<(&'static str, &'static str)>,
    candidates: Candidates,
}

fn rules() -> impl Iterator<Item = Rule> {
    RULES.lines().filter(|line| !line.starts_with('#')).filter_map(Rule::read)
}

impl Rule {
    fn read(line: &'static str) -> Option<Rule> {
        let mut words = line.split_ascii_whitespace().peekable();
        let (api, parameter) = (words.next()?, words.next()?);
        let mut after = |keyword: &str| words.next_if_eq(&keyword).and_then(|_| words.next());
        let when = after("when").and_then(|when| when.split_once('='));
        let candidates = match after("from") {
            Some(from) => {
                let (api, member) = from.split_once('.').unwrap_or((from, "inventories"));
                Candidates::Listed { api, member, arguments: words.filter_map(|word| word.split_once('=')).collect() }
            }
            None => Candidates::Rows(words.collect()),
        };
        Some(Rule { api, parameter, when, candidates })
    }

    fn is_for(&self, api: &str) -> bool {
        match self.api.split_once('*') {
            Some((start, end)) => api.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
            None => api == self.api,
        }
    }

    /// What fits, if the line has all parameters that the rule asks for.
    fn applied(self, given: &impl Fn(&str) -> Option<String>) -> Option<Candidates> {
        let holds = self.when.is_none_or(|(name, value)| given(name).is_some_and(|typed| typed == value));
        (holds && self.others().all(|name| given(name).is_some())).then_some(self.candidates)
    }

    /// The other parameters whose values the rule takes.
    fn others(&self) -> impl Iterator<Item = &'static str> {
        let values: Vec<&'static str> = match &self.candidates {
            Candidates::Rows(conditions) => conditions.clone(),
            Candidates::Listed { arguments, .. } => arguments.iter().map(|(_, value)| *value).collect(),
        };
        values.into_iter().filter_map(|text| text.split_once('$').map(|(_, name)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, references};

    #[test]
    fn rules_name_what_the_catalog_has() {
        let catalog = Catalog::newest();
        for rule in rules() {
            let mut apis = catalog.api_names().filter(|api| rule.is_for(api.as_str())).peekable();
            assert!(apis.peek().is_some(), "{}", rule.api);
            let apis = apis.filter_map(|name| catalog.api(name.as_str()));
            let is_pattern = rule.api.contains('*');
            for api in apis.filter(|api| !is_pattern || api.parameter(rule.parameter).is_some()) {
                let at = format!("{} {}", api.name, rule.parameter);
                let parameter = api.parameter(rule.parameter).expect(&at);
                for other in rule.others().chain(rule.when.map(|(name, _)| name).filter(|_| !is_pattern)) {
                    assert!(api.parameter(other).is_some(), "{at}: {other}");
                }
                match &rule.candidates {
                    Candidates::Listed { api, member, arguments } => {
                        let lists = catalog.api(api).expect(&at);
                        assert!(!lists.is_action() && !lists.is_query, "{at}");
                        assert!(lists.result.iter().any(|known| known.name == *member), "{at}: {member}");
                        assert!(arguments.iter().all(|(name, _)| lists.parameter(name).is_some()), "{at}");
                    }
                    Candidates::Rows(conditions) => {
                        let Some(query) = references::query_of_parameter(catalog, &api, parameter) else {
                            assert!(is_pattern, "{at}");
                            continue;
                        };
                        let rows = catalog.api(query).and_then(|query| catalog.inventory(query.inventory?));
                        let rows = rows.expect(&at);
                        for condition in conditions {
                            let end = condition.find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
                            let field = &condition[..end.expect("an operator")];
                            assert!(catalog.field_path(&rows, field).is_ok(), "{at}: {field}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_rule_counts_whose_parameters_are_given() {
        let fits = |parameter: &str, given: &[&str]| {
            of_parameter("AttachIsoToVmInstance", parameter, |name| given.contains(&name).then(|| "x".to_owned()))
        };
        let rows = Candidates::Rows(vec!["format=iso", "state=Enabled", "status=Ready"]);
        assert_eq!(fits("isoUuid", &[]), Some(rows));
        let arguments = vec![("vmInstanceUuid", "$vmInstanceUuid")];
        let listed = Candidates::Listed { api: "GetCandidateIsoForAttachingVm", member: "inventories", arguments };
        assert_eq!(fits("isoUuid", &["vmInstanceUuid"]), Some(listed));
        assert_eq!(fits("systemTags", &[]), None);
        let state = |event: &str| of_parameter("ChangeZoneState", "uuid", |_| Some(event.to_owned()));
        assert_eq!(state("disable"), Some(Candidates::Rows(vec!["state=Enabled"])));
        assert_eq!(state("other"), None);
    }
}
