//! Determines the settings of a line. In order of precedence: options of the line, `set` and the options of the
//! program, the environment, the context, the defaults.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::{ErrorFormat, Options};
use crate::client::TlsOptions;
use crate::config::{
    Address, Confirm, Context, Contexts, NodeChoice, Origin, Preferences, Sourced, Variables, choose_node,
};
use crate::error::Error;
use crate::secret::Secrets;
use crate::terminal::{Terminal, Ui};

use super::base_options::BaseOptions;

/// The default number of rows per request.
const PAGE_SIZE: u32 = 1000;

/// The settings of a line.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The node.
    pub(crate) target: Target,
    /// The preferences of the context.
    pub(crate) preferences: Preferences,
    /// How results are printed.
    pub(crate) view: ViewSettings,
    /// How calls are made.
    pub(crate) call: CallSettings,
    /// How to talk to the user.
    pub(crate) ui: Ui,
    /// The settings of each context, where the line names several.
    pub(crate) contexts: Vec<Settings>,
}

/// The node of a line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// Its address; `None` for the sandbox.
    pub(crate) address: Option<Address>,
    /// The context whose preferences are used.
    pub(crate) context: Option<String>,
    /// Whether the address is that of the context, and not of an option or the environment.
    pub(crate) is_of_context: bool,
    pub(crate) tls: TlsOptions,
    /// An option that contradicts `--sandbox`.
    pub(crate) contradiction: Option<&'static str>,
    /// Whether an option chooses the node.
    pub(crate) is_named: bool,
    /// The URL and the port of options, for commands that use them otherwise.
    pub(crate) typed_url: Option<String>,
    pub(crate) typed_port: Option<u16>,
}

impl Target {
    /// Whether it is the sandbox.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.address.is_none()
    }

    /// Whether both can use the same connection.
    pub(crate) fn is_same(&self, other: &Target) -> bool {
        self.address == other.address && self.context == other.context && self.tls == other.tls
    }
}

/// How results are printed.
#[derive(Clone, Debug)]
pub(crate) struct ViewSettings {
    pub(crate) output: Option<Sourced<String>>,
    pub(crate) columns: Option<Sourced<String>>,
    /// The columns of single queries, by their names.
    pub(crate) columns_of: BTreeMap<String, Sourced<String>>,
    pub(crate) sort_by: Option<Sourced<String>>,
    pub(crate) jq: Option<String>,
    pub(crate) border: Option<String>,
    pub(crate) max_width: Option<usize>,
    pub(crate) raw: bool,
    pub(crate) summary: bool,
    pub(crate) header: bool,
    pub(crate) wrap: bool,
    /// Whether names stand for uuids on terminals.
    pub(crate) names: bool,
    pub(crate) secrets: Secrets,
    /// Whether an empty result is a failure.
    pub(crate) fail_empty: bool,
}

impl ViewSettings {
    /// As these settings, for the rows of an API: what was set for it alone comes before what was set for all at the same
    /// place.
    pub(crate) fn of_api(&self, api: &str) -> ViewSettings {
        let own = self.columns_of.iter().find(|(query, _)| query.eq_ignore_ascii_case(api)).map(|(_, columns)| columns);
        let columns = match (&self.columns, own) {
            (Some(general), Some(own)) if general.origin.is_nearer(&own.origin) => Some(general),
            (general, own) => own.or(general.as_ref()),
        };
        ViewSettings { columns: columns.cloned(), ..self.clone() }
    }
}

/// How calls are made.
#[derive(Clone, Debug)]
pub(crate) struct CallSettings {
    /// How long to wait for a job.
    pub(crate) timeout: Option<Sourced<Duration>>,
    /// Rows per request.
    pub(crate) page_size: Sourced<u32>,
    /// How many pages are requested at once, where somebody said so.
    pub(crate) page_parallel: Option<u32>,
    /// How often to repeat a query.
    pub(crate) watch: Option<Duration>,
    /// When to ask before something is destroyed, where somebody said so.
    pub(crate) confirm: Option<Sourced<Confirm>>,
    pub(crate) dry_run: bool,
    pub(crate) validate: bool,
    pub(crate) curl_example: bool,
    pub(crate) no_wait: bool,
    pub(crate) no_check: bool,
    /// Whether to wait for long jobs, too.
    pub(crate) follow: bool,
    /// Whether to continue with further calls after a failed one.
    pub(crate) keep_going: bool,
}

impl CallSettings {
    /// How long to wait for a job.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.timeout.as_ref().map(|timeout| timeout.value)
    }
}

/// The configuration for a node.
struct Configured<'a> {
    /// The context, if there is one.
    context: Option<&'a Context>,
    /// Its preferences, completed by the defaults for all contexts.
    preferences: Preferences,
}

impl Configured<'_> {
    fn sourced<T>(&self, of: impl Fn(&Preferences) -> Option<T>) -> Option<Sourced<T>> {
        let value = of(&self.preferences)?;
        let own = self.context.filter(|context| of(&context.own).is_some());
        let origin = own.map_or(Origin::Defaults, |context| Origin::Context(context.name.clone()));
        Some(Sourced { value, origin })
    }
}

/// The sources of settings, in order of precedence.
#[derive(Clone, Copy)]
struct Layers<'a> {
    line: &'a Options,
    base: &'a BaseOptions,
    variables: &'a Variables,
    contexts: &'a Contexts,
}

impl<'a> Layers<'a> {
    /// The value of the line, else that of all lines.
    fn typed<T>(&self, of: impl Fn(&'a Options) -> Option<T>) -> Option<T> {
        of(self.line).or_else(|| of(&self.base.options))
    }

    /// As [`Layers::typed`], with the origin. `option` is the long name.
    fn sourced<T>(&self, option: &str, of: impl Fn(&'a Options) -> Option<T>) -> Option<Sourced<T>> {
        let typed = of(self.line).map(|value| Sourced { value, origin: Origin::Typed });
        let held = || of(&self.base.options).map(|value| Sourced { value, origin: self.base.origin(option) });
        typed.or_else(held)
    }

    /// The value of an environment variable.
    fn variable<T>(name: &'static str, value: Option<T>) -> Option<Sourced<T>> {
        value.map(|value| Sourced { value, origin: Origin::Variable(name) })
    }

    fn flag(&self, of: impl Fn(&Options) -> bool) -> bool {
        of(self.line) || of(&self.base.options)
    }

    fn target(&self) -> Result<Target, Error> {
        let choice = NodeChoice {
            url: self.typed(|options| options.url.clone()),
            host: self.typed(|options| options.host.clone()),
            port: self.typed(|options| options.port),
            context: self.typed(|options| options.context.clone()),
        };
        let named = [
            ("url", choice.url.is_some()),
            ("host", choice.host.is_some()),
            ("port", choice.port.is_some()),
            ("context", choice.context.is_some()),
        ];
        let named = named.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option);
        if self.flag(|options| options.sandbox) {
            return Ok(Target { contradiction: named, is_named: true, ..Target::default() });
        }
        if choice.context.as_ref().is_some_and(|context| context.contains(',')) {
            let problem = "only a query or another read can run in several contexts".to_owned();
            return Err(Error::Option { option: "context", problem });
        }
        let chosen = choose_node(&choice, self.variables, self.contexts)?;
        Ok(Target {
            address: Some(chosen.address),
            context: chosen.context,
            is_of_context: chosen.address_of_context,
            is_named: named.is_some(),
            ..Target::default()
        })
    }

    fn settings(&self, mut target: Target, terminal: Terminal) -> Settings {
        let context = target.context.as_deref();
        let configured = Configured {
            context: context.and_then(|name| self.contexts.get(name)),
            preferences: self.contexts.preferences(context),
        };
        let (view, call, ui) = (self.view(&configured), self.call(&configured), self.ui(&configured, terminal));
        let preferences = configured.preferences;
        target.tls = TlsOptions {
            ca_file: self.typed(|options| options.cacert.clone()).or(preferences.cacert.as_ref().map(PathBuf::from)),
            insecure: self.flag(|options| options.insecure) || preferences.insecure.unwrap_or(false),
        };
        Settings { target, preferences, view, call, ui, contexts: Vec::new() }
    }

    fn view(&self, configured: &Configured<'_>) -> ViewSettings {
        let output = self
            .sourced("output", |options| options.output.clone())
            .or_else(|| Layers::variable("ZSTACK_OUTPUT", self.variables.output.clone()))
            .or_else(|| configured.sourced(|says| says.output.clone()));
        let columns = self
            .sourced("columns", |options| options.columns.clone())
            .or_else(|| configured.sourced(|says| says.columns.clone()));
        ViewSettings {
            output,
            columns,
            columns_of: self.columns_of(configured),
            sort_by: self
                .sourced("sort-by", |options| options.sort_by.clone())
                .or_else(|| configured.sourced(|says| says.sort_by.clone())),
            jq: self.typed(|options| options.jq.clone()),
            border: self.typed(|options| options.border.clone()).or(configured.preferences.border.clone()),
            max_width: self
                .typed(|options| options.max_width)
                .or(configured.preferences.max_width.map(|width| width as usize)),
            raw: self.flag(|options| options.raw),
            summary: self.flag(|options| options.summary),
            header: !self.flag(|options| options.no_header),
            wrap: self.line.wrap
                || match configured.preferences.wrap.filter(|_| !self.base.has_set("wrap")) {
                    Some(wraps) => wraps || self.base.options.wrap,
                    None => self.base.options.wrap,
                },
            names: self.base.names.or(configured.preferences.names).unwrap_or(true),
            secrets: if self.flag(|options| options.no_secure) { Secrets::Shown } else { Secrets::Masked },
            fail_empty: self.flag(|options| options.fail_empty),
        }
    }

    /// The columns of single queries.
    fn columns_of(&self, configured: &Configured<'_>) -> BTreeMap<String, Sourced<String>> {
        let kept = configured.preferences.columns_of.keys();
        let kept =
            kept.filter_map(|query| Some((query, configured.sourced(|says| says.columns_of.get(query).cloned())?)));
        let mut columns: BTreeMap<String, Sourced<String>> =
            kept.map(|(query, columns)| (query.clone(), columns)).collect();
        let set = self.base.columns_of.iter();
        columns.extend(set.map(|(query, value)| {
            let value = Sourced { value: value.clone(), origin: Origin::Set };
            ((*query).to_owned(), value)
        }));
        columns
    }

    fn call(&self, configured: &Configured<'_>) -> CallSettings {
        let confirm = self.base.confirm.map(|value| Sourced { value, origin: Origin::Set });
        CallSettings {
            timeout: self
                .sourced("timeout", |options| options.timeout.map(Duration::from_secs))
                .or_else(|| configured.sourced(|says| says.timeout)),
            page_size: self
                .sourced("page-size", |options| options.page_size)
                .or_else(|| configured.sourced(|says| says.page_size))
                .unwrap_or(Sourced::own(PAGE_SIZE)),
            page_parallel: self.typed(|options| options.page_parallel).or(configured.preferences.page_parallel),
            watch: self.typed(|options| options.watch),
            confirm: confirm.or_else(|| configured.sourced(|says| says.confirm)),
            dry_run: self.flag(|options| options.dry_run),
            validate: self.flag(|options| options.validate),
            curl_example: self.flag(|options| options.curl_example),
            no_wait: self.flag(|options| options.no_wait),
            no_check: self.flag(|options| options.no_check),
            follow: self.flag(|options| options.follow),
            keep_going: self.flag(|options| options.keep_going),
        }
    }

    fn ui(&self, configured: &Configured<'_>, terminal: Terminal) -> Ui {
        // An invalid value was reported when the program started.
        let of_environment = errors_of_environment(self.variables).unwrap_or_default();
        let errors = self
            .sourced("errors", |options| options.errors)
            .or_else(|| Layers::variable("ZSTACK_ERRORS", of_environment))
            .or_else(|| configured.sourced(|says| says.errors));
        let color = self.sourced("color", |options| options.color).or_else(|| configured.sourced(|says| says.color));
        let preferred = configured.preferences.pager.clone();
        let is_off = matches!(preferred.as_deref().map(str::trim), Some("" | "off"));
        let pager = self.variables.pager.clone().or(preferred).unwrap_or_else(|| "less".to_owned());
        Ui {
            terminal,
            quiet: self.flag(|options| options.quiet),
            silent: self.base.silent,
            verbose: self.flag(|options| options.verbose),
            color: color.unwrap_or_default(),
            errors: errors.unwrap_or_default(),
            pager: Some(pager).filter(|_| !is_off && !self.flag(|options| options.no_pager)),
            less: self.variables.less.clone(),
            language: self.variables.language,
            about: None,
        }
    }
}

/// The settings of a line.
///
/// # Errors
/// When the node cannot be determined: a context does not exist, or a variable is invalid.
pub(crate) fn settle(
    line: &Options,
    base: &BaseOptions,
    variables: &Variables,
    contexts: &Contexts,
    terminal: Terminal,
) -> Result<Settings, Error> {
    let layers = Layers { line, base, variables, contexts };
    Ok(layers.settings(layers.target()?, terminal))
}

/// What holds for a line by what was typed alone, for what works whatever the configuration says. No node is meant.
pub(crate) fn settle_typed(line: &Options, base: &BaseOptions, variables: &Variables, terminal: Terminal) -> Settings {
    let layers = Layers { line, base, variables, contexts: &Contexts::default() };
    let target = Target {
        address: Some(Address::Host { host: "localhost".to_owned(), port: 8080 }),
        typed_url: layers.typed(|options| options.url.clone()),
        typed_port: layers.typed(|options| options.port),
        ..Target::default()
    };
    layers.settings(target, terminal)
}

/// The format of errors from the environment.
///
/// # Errors
/// When `ZSTACK_ERRORS` is not a format.
pub(crate) fn errors_of_environment(variables: &Variables) -> Result<Option<ErrorFormat>, Error> {
    let Some(name) = &variables.errors else { return Ok(None) };
    ErrorFormat::from_name(name).map(Some).ok_or_else(|| Error::Preference {
        option: "errors",
        origin: Origin::Variable("ZSTACK_ERRORS"),
        problem: format!("`{name}` is neither text nor json"),
    })
}

/// The format of errors from the options, or else the environment, before the settings are known.
pub(crate) fn error_format(typed: Option<ErrorFormat>, variables: &Variables) -> ErrorFormat {
    typed.or_else(|| errors_of_environment(variables).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Folders;

    fn configured(run: impl FnOnce(&Contexts)) {
        let home = tempfile::tempdir().expect("a directory");
        let folders = Folders::under(home.path());
        let lab = [("url", Some("http://lab/zstack")), ("output", Some("yaml")), ("confirm", Some("strict"))];
        Contexts::set(&folders, "lab", &lab).expect("a context");
        let defaults = [("columns", Some("name")), ("page-size", Some("50")), ("output", Some("csv"))];
        run(&Contexts::set_defaults(&folders, &defaults).expect("defaults"));
    }

    fn settled(line: &Options, base: &BaseOptions, variables: &Variables, contexts: &Contexts) -> Settings {
        settle(line, base, variables, contexts, Terminal::default()).expect("a node")
    }

    fn output(format: &str) -> Options {
        Options { output: Some(format.to_owned()), ..Options::default() }
    }

    #[test]
    fn each_layer_decides_where_those_before_it_do_not() {
        configured(|contexts| {
            let in_environment = Variables { output: Some("tsv".to_owned()), ..Variables::default() };
            let mut set = BaseOptions::new(output("json"));
            set.set("output").output = Some("wide".to_owned());
            let (nothing, none) = (BaseOptions::default(), Variables::default());
            let started = BaseOptions::new(output("json"));
            let elsewhere = Options { url: Some("http://other".to_owned()), ..Options::default() };
            for (line, base, variables, contexts, value, origin) in [
                (&output("value"), &set, &in_environment, contexts, "value", Origin::Typed),
                (&Options::default(), &set, &in_environment, contexts, "wide", Origin::Set),
                (&Options::default(), &started, &in_environment, contexts, "json", Origin::Typed),
                (&elsewhere, &nothing, &in_environment, contexts, "tsv", Origin::Variable("ZSTACK_OUTPUT")),
                (&elsewhere, &nothing, &none, contexts, "yaml", Origin::Context("lab".to_owned())),
            ] {
                let output = settled(line, base, variables, contexts).view.output.expect("a format");
                assert_eq!((output.value.as_str(), output.origin), (value, origin));
            }
            let plain = settled(&Options::default(), &nothing, &none, contexts);
            assert_eq!(plain.view.columns.expect("columns").origin, Origin::Defaults);
            assert_eq!((plain.call.page_size.value, plain.call.page_size.origin), (50, Origin::Defaults));
            assert_eq!(plain.call.confirm.expect("a setting").value, Confirm::Strict);
        });
        let own = settled(&Options::default(), &BaseOptions::default(), &Variables::default(), &Contexts::default());
        assert_eq!((own.call.page_size, own.view.output), (Sourced::own(PAGE_SIZE), None));
    }

    #[test]
    fn a_line_can_name_another_node() {
        configured(|contexts| {
            let target =
                |line: Options| settled(&line, &BaseOptions::default(), &Variables::default(), contexts).target;
            let lab = target(Options::default());
            assert_eq!(lab.address, Some(Address::Url("http://lab/zstack".to_owned())));
            assert!(lab.is_of_context && !lab.is_named && !lab.is_sandbox());
            let other = target(Options { host: Some("h".to_owned()), ..Options::default() });
            assert!(!other.is_of_context && other.is_named && !other.is_same(&lab));
            let sandbox = target(Options { sandbox: true, port: Some(1), ..Options::default() });
            assert!(sandbox.is_sandbox() && sandbox.context.is_none() && sandbox.contradiction == Some("port"));
        });
        let lost = Options { context: Some("nowhere".to_owned()), ..Options::default() };
        let (base, variables) = (BaseOptions::default(), Variables::default());
        assert!(settle(&lost, &base, &variables, &Contexts::default(), Terminal::default()).is_err());
        assert!(!settle_typed(&lost, &base, &variables, Terminal::default()).target.is_of_context);
    }

    #[test]
    fn the_options_of_a_script_hold_for_its_lines() {
        let mut held = BaseOptions::new(Options { quiet: true, ..Options::default() });
        held.set("output").output = Some("wide".to_owned());
        let inside = held.with(&output("csv"));
        let settings = settled(&Options::default(), &inside, &Variables::default(), &Contexts::default());
        let output = settings.view.output.expect("a format");
        assert_eq!((output.value.as_str(), output.origin, settings.ui.quiet), ("csv", Origin::Typed, true));
    }
}
