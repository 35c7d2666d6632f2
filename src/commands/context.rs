//! `context list|set|show`: saved nodes, accounts and preferences.

use crate::config::{Contexts, Folders, Setting};
use crate::error::{Error, OwnError};
use crate::secret::mask_url;

/// The contexts, one a line: a mark at the current one, name, address and account, separated by tabs.
pub(crate) fn list(contexts: &Contexts) -> String {
    let current = contexts.current().map(|context| context.name.as_str());
    contexts
        .all()
        .iter()
        .map(|context| {
            let mark = if Some(context.name.as_str()) == current { '*' } else { ' ' };
            let url = mask_url(context.own.url.as_deref().unwrap_or("-"));
            let account = context.own.account.as_deref().unwrap_or("-");
            format!("{mark} {}\t{url}\t{account}\n", context.name)
        })
        .collect()
}

/// What holds in a context, its own preferences and the defaults: key and value a line, separated by a tab.
pub(crate) fn show(contexts: &Contexts, name: Option<&str>) -> Result<String, Error> {
    let context = match name {
        Some(name) => Some(contexts.find(name)?),
        None => contexts.current(),
    };
    let Some(context) = context else {
        return Err(Error::Own(OwnError::NoContext));
    };
    let preferences = contexts.preferences(Some(&context.name));
    let mut text = format!("name\t{}\n", context.name);
    for setting in Setting::names().filter_map(Setting::of_name) {
        if let Some(value) = preferences.get(setting) {
            text.push_str(&format!("{}\t{}\n", setting.name(), mask_url(&value)));
        }
    }
    Ok(text)
}

/// Creates or changes a context: an address, and `KEY=VALUE` texts of which `KEY=` removes.
pub(crate) fn set(folders: &Folders, name: &str, url: Option<&str>, values: &[String]) -> Result<Contexts, Error> {
    let mut changes: Vec<(&str, Option<&str>)> = url.map(|url| ("url", Some(url))).into_iter().collect();
    for value in values {
        let Some((key, value)) = value.split_once('=') else {
            let problem = "write KEY=VALUE, or KEY= to remove it".to_owned();
            return Err(Error::Own(OwnError::Value { name: value.clone(), problem }));
        };
        changes.push((key, (!value.is_empty()).then_some(value)));
    }
    Ok(Contexts::set(folders, name, &changes)?)
}
