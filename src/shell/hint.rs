//! The hint after the cursor: the parameters that are still missing.

use crate::catalog::Api;
use crate::secret::mask_command;
use crate::syntax::{last_command, lex};
use crate::width::cut;

use super::complete::{Argument, own_command};
use super::list::ELLIPSIS;

/// Returns the required parameters that are missing in `line`: ` name= zoneUuid=`. `look` runs a function on the API of
/// a name.
pub(super) fn missing(
    line: &str,
    look: impl FnOnce(&str, &dyn Fn(&Api) -> Option<String>) -> Option<String>,
) -> Option<String> {
    let line = &line[last_command(line)];
    let lexed = lex(line);
    if lexed.is_incomplete() || lexed.comment.is_some() {
        return None;
    }
    let words = lexed.words;
    let name = words.iter().find(|word| !word.text.starts_with('-'))?.text.clone();
    if own_command(&name).is_some() {
        return None;
    }
    let between = line.ends_with(char::is_whitespace);
    // While a parameter's name or value is being typed, a hint would only be in the way.
    let last = words.last()?;
    let typing = Argument::split(&last.text).is_none_or(|argument| argument.value.is_empty());
    if !between && last.text != name && typing {
        return None;
    }
    let given: Vec<&str> = words.iter().filter_map(|word| Argument::split(&word.text)).map(|it| it.name).collect();
    look(&name, &|api| {
        let required = api.parameters.iter().filter(|parameter| parameter.required);
        let names: Vec<String> = required
            .filter(|parameter| !given.contains(&parameter.name))
            .map(|parameter| format!("{}=", parameter.name))
            .collect();
        if names.is_empty() {
            return None;
        }
        Some(format!("{}{}", if between { "" } else { " " }, names.join(" ")))
    })
}

/// Returns how many bytes of a command may be suggested: those before its first secret.
pub(super) fn open_length(command: &str) -> usize {
    let masked = mask_command(command);
    let same = command.char_indices().zip(masked.chars()).find(|((_, c), shown)| c != shown);
    same.map_or(command.len().min(masked.len()), |((at, _), _)| at)
}

/// Returns as much of a hint as fits in `room` columns; `None` where only the ellipsis would be left.
pub(super) fn fitting(hint: &str, room: usize) -> Option<String> {
    let fits = cut(hint, room, ELLIPSIS);
    let says_something = fits == hint || !fits.trim_end_matches(ELLIPSIS).trim().is_empty();
    says_something.then(|| fits.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn hint(line: &str) -> Option<String> {
        let catalog = Catalog::newest();
        missing(line, |name, look| look(&catalog.api(name)?))
    }

    #[test]
    fn missing_parameters_are_hinted() {
        assert_eq!(hint("CreateCluster").as_deref(), Some(" zoneUuid= name= hypervisorType="));
        assert_eq!(hint("CreateCluster ").as_deref(), Some("zoneUuid= name= hypervisorType="));
        assert_eq!(hint("CreateCluster name=a").as_deref(), Some(" zoneUuid= hypervisorType="));
        assert_eq!(hint("CreateCluster na"), None);
        assert_eq!(hint("QueryZone; CreateCluster name=a").as_deref(), Some(" zoneUuid= hypervisorType="));
        assert_eq!(hint("let x = CreateCluster name=a").as_deref(), Some(" zoneUuid= hypervisorType="));
        assert_eq!(hint("CreateCluster name=a; "), None);
        assert_eq!(hint("CreateCluster name="), None);
        assert_eq!(hint("CreateCluster name='a"), None);
        assert_eq!(hint("QueryZone "), None);
        assert_eq!(hint("help CreateCluster"), None);
        assert_eq!(hint(""), None);
    }

    #[test]
    fn secrets_are_not_proposed() {
        let open = |command: &'static str| &command[..open_length(command)];
        assert_eq!(open("LogIn name=a password=hunter2 x=1"), "LogIn name=a password=");
        assert_eq!(open("LogIn name=a password='hunter2'"), "LogIn name=a password=");
        assert_eq!(open("QueryZone name=é"), "QueryZone name=é");
    }

    #[test]
    fn hints_are_cut_to_the_room() {
        assert_eq!(fitting(" name=", 10).as_deref(), Some(" name="));
        assert_eq!(fitting(" name= zoneUuid=", 8).as_deref(), Some(" name= …"));
        assert_eq!(fitting(" name=", 1), None);
        assert_eq!(fitting(" name=", 0), None);
    }
}
