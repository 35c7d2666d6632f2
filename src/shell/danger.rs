//! Which actions destroy or interrupt something, and the confirmation question asked before them.

use crate::catalog::references::query_of_parameter;
use crate::catalog::{Api, Catalog};
use crate::json::is_unprintable;

/// The harm that a dangerous action does, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Detaches things that belong together; they can be attached again.
    Separates,
    /// Stops something that is running.
    Interrupts,
    /// Removes something for good, or so that it is hard to get back.
    Destroys,
}

/// A dangerous action and the parameters that name its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Danger {
    /// The action as a verb for the question: `delete`.
    pub verb: &'static str,
    /// How much harm it does.
    pub harm: Harm,
    /// The parameters that name the targets, the most important one first.
    pub targets: Vec<Target>,
}

/// A parameter that names a target of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of the parameter.
    pub parameter: &'static str,
    /// The query API that looks the target up; `None` where no such query is known.
    pub query: Option<&'static str>,
}

/// Prefixes of API names, the verb shown to the user, and the harm they do.
const VERBS: [(&str, &str, Harm); 27] = [
    ("BatchDelete", "delete", Harm::Destroys),
    ("Clean", "clean up", Harm::Destroys),
    ("Cleanup", "clean up", Harm::Destroys),
    ("Delete", "delete", Harm::Destroys),
    ("Destroy", "destroy", Harm::Destroys),
    ("Detach", "detach", Harm::Separates),
    ("Eject", "eject", Harm::Separates),
    ("Expunge", "expunge", Harm::Destroys),
    ("Failover", "fail over", Harm::Interrupts),
    ("Pause", "pause", Harm::Interrupts),
    ("PowerOff", "power off", Harm::Interrupts),
    ("PowerReset", "reset", Harm::Interrupts),
    ("Reboot", "reboot", Harm::Interrupts),
    ("Reclaim", "reclaim", Harm::Destroys),
    ("RecoverDatabase", "overwrite", Harm::Destroys),
    ("Reimage", "reimage", Harm::Destroys),
    ("Remove", "remove", Harm::Separates),
    ("Reset", "reset", Harm::Destroys),
    ("Revert", "revert", Harm::Destroys),
    ("Revoke", "revoke", Harm::Separates),
    ("Shrink", "shrink", Harm::Destroys),
    ("Shutdown", "shut down", Harm::Interrupts),
    ("Stop", "stop", Harm::Interrupts),
    ("Terminate", "terminate", Harm::Destroys),
    ("Undo", "undo", Harm::Destroys),
    ("Ungenerate", "take apart", Harm::Separates),
    ("Ungroup", "ungroup", Harm::Separates),
];

/// The last lines of all questions, for the test of the translations.
#[cfg(test)]
pub(crate) fn dangerous_questions() -> Vec<String> {
    let questions = VERBS.map(|(_, verb, _)| {
        [format!("{}{}? [y/N]", verb[..1].to_uppercase(), &verb[1..]), format!("Type {{}} to {verb}:")]
    });
    questions.concat()
}

/// Returns the danger of an API, judged by the verb that its name starts with; `None` where it does no harm.
pub fn danger(catalog: Catalog, api: &Api) -> Option<Danger> {
    if !api.is_action() {
        return None;
    }
    let begins = |verb: &str| {
        let rest = api.name.strip_prefix(verb);
        // `Stop` must not match `Stopwatch…`: the verb ends where the next CamelCase word starts.
        rest.is_some_and(|rest| rest.starts_with(|c: char| !c.is_ascii_lowercase()))
    };
    let found = VERBS.iter().filter(|(prefix, ..)| begins(prefix)).max_by_key(|(prefix, ..)| prefix.len());
    let (_, verb, harm) = *found?;
    let parameters = api.parameters.iter().filter(|parameter| {
        let is_uuid = parameter.name.eq_ignore_ascii_case("uuid") || parameter.name.eq_ignore_ascii_case("uuids");
        let names_uuids = parameter.name.ends_with("Uuid") || parameter.name.ends_with("Uuids");
        is_uuid || (names_uuids && parameter.required) || parameter.reference.is_some()
    });
    let mut targets: Vec<(bool, Target)> = parameters
        .map(|parameter| {
            let query = query_of_parameter(catalog, api, parameter);
            (parameter.required, Target { parameter: parameter.name, query })
        })
        .collect();
    targets.sort_by_key(|(required, _)| !required);
    Some(Danger { verb, harm, targets: targets.into_iter().map(|(_, target)| target).collect() })
}

/// A target of an action that is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The parameter that names it.
    pub parameter: String,
    /// The value that was typed, usually a uuid.
    pub uuid: String,
    /// The name of the resource; `None` where it could not be looked up.
    pub name: Option<String>,
    /// Whether the node was asked and has no such resource.
    pub missing: bool,
}

/// The largest number of resources that a question lists.
const MOST_LISTED: usize = 10;

/// Returns the question shown before a dangerous action: the targets by name, the context, and the question itself
/// without a line end. `belongs` says what belongs to the targets. With `strict` a plain yes is not enough.
pub fn question(
    api: &str,
    danger: &Danger,
    hits: &[Hit],
    belongs: Option<&str>,
    context: &str,
    strict: bool,
) -> String {
    let clean = |text: &str| -> String { text.chars().filter(|c| !is_unprintable(*c)).collect() };
    let mut out = format!("{api} in {}:\n", clean(context));
    for hit in hits.iter().take(MOST_LISTED) {
        let name = match (&hit.name, hit.missing) {
            (_, true) => "not found on the node".to_owned(),
            (Some(name), _) => clean(name),
            (None, _) => "name unknown".to_owned(),
        };
        out.push_str(&format!("  {}  {}  {name}\n", clean(&hit.parameter), clean(&hit.uuid)));
    }
    if hits.len() > MOST_LISTED {
        out.push_str(&format!("  and {} more\n", hits.len() - MOST_LISTED));
    }
    if let Some(belongs) = belongs {
        out.push_str(&format!("{belongs}.\n"));
    }
    match danger.harm {
        Harm::Destroys => out.push_str("It may not be possible to undo this.\n"),
        Harm::Interrupts => out.push_str("What runs there is interrupted.\n"),
        Harm::Separates => {}
    }
    match expected(hits, strict) {
        Some(word) => out.push_str(&format!("Type {} to {}: ", clean(&word), danger.verb)),
        None => {
            let mut verb = danger.verb.to_owned();
            verb[..1].make_ascii_uppercase();
            out.push_str(&format!("{verb}? [y/N] "));
        }
    }
    out
}

/// Whether an answer to that question means yes.
pub fn agrees(answer: &str, hits: &[Hit], strict: bool) -> bool {
    let answer = answer.trim();
    match expected(hits, strict) {
        Some(word) => answer == word.trim(),
        None => matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"),
    }
}

/// Returns what must be typed in a strict context: the name of the only target, or the number of targets.
fn expected(hits: &[Hit], strict: bool) -> Option<String> {
    match hits {
        _ if !strict => None,
        [] => Some("yes".to_owned()),
        [hit] => Some(hit.name.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| hit.uuid.clone())),
        several => Some(several.len().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<Danger> {
        let catalog = Catalog::newest();
        danger(catalog, &catalog.api(name).expect("the API is known"))
    }

    #[test]
    fn destroying_and_interrupting_actions_are_told() {
        for (name, verb, harm, parameter, query) in [
            ("DeleteZone", "delete", Harm::Destroys, "uuid", Some("QueryZone")),
            ("DestroyVmInstance", "destroy", Harm::Destroys, "uuid", Some("QueryVmInstance")),
            ("ExpungeImage", "expunge", Harm::Destroys, "imageUuid", Some("QueryImage")),
            ("DetachL2NetworkFromCluster", "detach", Harm::Separates, "l2NetworkUuid", Some("QueryL2Network")),
            ("PowerOffHost", "power off", Harm::Interrupts, "hostUuids", Some("QueryHost")),
            ("StopVmInstance", "stop", Harm::Interrupts, "uuid", Some("QueryVmInstance")),
            ("BatchDeleteVolumeSnapshot", "delete", Harm::Destroys, "uuids", None),
        ] {
            let danger = of(name).unwrap_or_else(|| panic!("{name} is dangerous"));
            assert_eq!((danger.verb, danger.harm), (verb, harm), "{name}");
            assert_eq!(danger.targets[0].parameter, parameter, "{name}");
            if query.is_some() {
                assert_eq!(danger.targets[0].query, query, "{name}");
            }
        }
    }

    #[test]
    fn other_actions_and_reads_are_not() {
        for name in ["QueryZone", "CreateZone", "UpdateZone", "StartVmInstance", "LogOut", "GetVersion", "PowerOnHost"]
        {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn the_verbs_stand_in_order() {
        assert!(VERBS.is_sorted_by_key(|(prefix, ..)| *prefix));
    }

    fn hit(name: Option<&str>) -> Hit {
        Hit { parameter: "uuid".into(), uuid: "6c1e".into(), name: name.map(str::to_owned), missing: false }
    }

    #[test]
    fn the_question_shows_what_is_hit_and_where() {
        let danger = of("DeleteZone").expect("it is dangerous");
        let hits = [hit(Some("lab"))];
        assert_eq!(
            question("DeleteZone", &danger, &hits, Some("2 hosts belong to it"), "production", false),
            "DeleteZone in production:\n  uuid  6c1e  lab\n2 hosts belong to it.\nIt may not be possible to undo this.\nDelete? [y/N] "
        );
        assert!(question("DeleteZone", &danger, &hits, None, "production", true).ends_with("Type lab to delete: "));
        let many: Vec<Hit> = (0..12).map(|_| hit(None)).collect();
        assert!(question("DeleteZone", &danger, &many, None, "p", true).contains("  and 2 more\n"));
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        let hits = [hit(Some("lab"))];
        assert!(agrees(" Yes\n", &hits, false) && agrees("y", &hits, false));
        assert!(!agrees("", &hits, false) && !agrees("yep", &hits, false) && !agrees("lab", &hits, false));
        assert!(agrees("lab\n", &hits, true) && !agrees("y", &hits, true));
        assert!(agrees("6c1e", &[hit(None)], true));
        assert!(agrees("2", &[hit(None), hit(None)], true));
    }
}
