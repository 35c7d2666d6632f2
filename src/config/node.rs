//! Chooses the node of a command: by options, else the environment, else a context, else the default.

use super::contexts::Contexts;
use super::environment::Variables;
use super::error::Error;

/// One source of settings for the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeChoice {
    /// A whole base URL.
    pub url: Option<String>,
    /// A host.
    pub host: Option<String>,
    /// A port.
    pub port: Option<u16>,
    /// A context's name.
    pub context: Option<String>,
}

/// A node's address as it was given, not validated yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A base URL.
    Url(String),
    /// A host and a port, over plain http.
    Host {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
}

/// The node that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenNode {
    /// Its address.
    pub address: Address,
    /// The context whose preferences are used.
    pub context: Option<String>,
    /// Whether the address is that of the context: its credentials are used only then.
    pub address_of_context: bool,
}

/// Chooses the node.
///
/// # Errors
/// When the context does not exist, or `ZSTACK_PORT` is not a port.
pub fn choose_node(options: &NodeChoice, variables: &Variables, contexts: &Contexts) -> Result<ChosenNode, Error> {
    let environment = NodeChoice {
        url: variables.url.clone(),
        host: variables.host.clone(),
        port: variables.port.as_deref().map(port).transpose()?,
        context: variables.context.clone(),
    };
    // The context, and the source that named it.
    let named = options.context.as_ref().or(environment.context.as_ref());
    let context = match named {
        Some(name) => Some(contexts.find(name)?),
        None => contexts.current(),
    };
    let context_url = context.and_then(|context| context.own.url.clone());
    let name = context.map(|context| context.name.clone());
    let given = |address| ChosenNode { address, context: name.clone(), address_of_context: false };
    let of_context = |url| ChosenNode { address: Address::Url(url), context: name.clone(), address_of_context: true };
    let host_and_port = || Address::Host {
        host: options.host.clone().or_else(|| environment.host.clone()).unwrap_or_else(|| "localhost".to_owned()),
        port: options.port.or(environment.port).unwrap_or(8080),
    };
    if let Some(url) = &options.url {
        return Ok(given(Address::Url(url.clone())));
    }
    if options.host.is_some() || options.port.is_some() {
        return Ok(given(host_and_port()));
    }
    if let (Some(_), Some(url)) = (&options.context, &context_url) {
        return Ok(of_context(url.clone()));
    }
    if let Some(url) = &environment.url {
        return Ok(given(Address::Url(url.clone())));
    }
    if environment.host.is_some() || environment.port.is_some() {
        return Ok(given(host_and_port()));
    }
    Ok(context_url.map_or_else(|| given(host_and_port()), of_context))
}

fn port(text: &str) -> Result<u16, Error> {
    text.parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| Error::Variable { name: "ZSTACK_PORT", problem: format!("invalid port `{text}`") })
}

#[cfg(test)]
mod tests {
    use super::super::environment::Folders;
    use super::*;

    fn contexts() -> Contexts {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::under(home.path());
        Contexts::set(&folders, "a", &[("url", Some("http://a/zstack"))]).expect("made");
        Contexts::set(&folders, "b", &[("url", Some("http://b/zstack"))]).expect("made")
    }

    fn choose(options: NodeChoice, variables: Variables) -> (String, bool) {
        let selection = choose_node(&options, &variables, &contexts()).expect("a node");
        let address = match selection.address {
            Address::Url(url) => url,
            Address::Host { host, port } => format!("{host}:{port}"),
        };
        (address, selection.address_of_context)
    }

    #[test]
    fn options_beat_the_environment_and_that_beats_contexts() {
        let text = |text: &str| Some(text.to_owned());
        let none = NodeChoice::default;
        let variables = |url: &str| Variables { url: text(url), ..Variables::default() };
        let table = [
            (none(), Variables::default(), "http://a/zstack", true),
            (none(), Variables { context: text("b"), ..Variables::default() }, "http://b/zstack", true),
            (none(), variables("http://e"), "http://e", false),
            (none(), Variables { host: text("e"), ..Variables::default() }, "e:8080", false),
            (none(), Variables { port: text("9"), ..Variables::default() }, "localhost:9", false),
            (NodeChoice { context: text("b"), ..none() }, variables("http://e"), "http://b/zstack", true),
            (NodeChoice { url: text("http://o"), ..none() }, variables("http://e"), "http://o", false),
            (
                NodeChoice { url: text("http://o"), context: text("b"), ..none() },
                Variables::default(),
                "http://o",
                false,
            ),
            (
                NodeChoice { port: Some(1), ..none() },
                Variables { host: text("e"), ..Variables::default() },
                "e:1",
                false,
            ),
            (NodeChoice { host: text("o"), ..none() }, variables("http://e"), "o:8080", false),
        ];
        for (options, variables, address, of_context) in table {
            assert_eq!(choose(options.clone(), variables), (address.to_owned(), of_context), "{options:?}");
        }
    }

    #[test]
    fn wrong_names_and_ports_are_refused() {
        let wrong = NodeChoice { context: Some("c".into()), ..NodeChoice::default() };
        assert!(matches!(choose_node(&wrong, &Variables::default(), &contexts()), Err(Error::NoContext { .. })));
        for port in ["0", "x", "99999"] {
            let variables = Variables { port: Some(port.into()), ..Variables::default() };
            assert!(choose_node(&NodeChoice::default(), &variables, &contexts()).is_err(), "{port}");
        }
    }
}
