//! The definitions of the program's own commands. Their doc comments are the help texts.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use jiff::SignedDuration;

use crate::catalog::{Catalog, Method};
use crate::dates;
use crate::named::named;
use crate::sandbox::{Edition, FaultKind};
use crate::secret::Secret;

use super::options::whole;
use super::values::{Lookup, OneOf, Suggested, choices};

/// One of the program's own commands.
#[derive(Clone, Debug, Subcommand)]
pub enum OwnCommand {
    /// Describe an API, a command or a topic
    Help {
        /// An API, a topic, or a command with its subcommand
        #[arg(value_name = Lookup::ApiOrTopic.name())]
        subject: Vec<String>,
    },
    /// Open a session; the password is asked for
    Login(Box<LoginWith>),
    /// Close the session
    Logout,
    /// Manage saved nodes, accounts and preferences
    #[command(subcommand)]
    Context(ContextCommand),
    /// Show asynchronous jobs that this machine submitted
    Job(JobLine),
    /// Show an earlier result again, or list them
    More {
        /// The number of the result, or -1 for the last, -2 for the one before; without it, all are listed
        #[arg(value_name = Lookup::Result.name(), allow_negative_numbers = true, value_parser = |text: &str| whole(text, -100_000_i64..=i64::MAX))]
        number: Option<i64>,
    },
    /// Write earlier results to files
    Save {
        /// Numbers of results: 3, 3,5 or 3-7
        #[arg(value_name = Lookup::Results.name())]
        numbers: String,
        /// A file, or a directory for several results; default the current directory
        #[arg(value_name = "FILE|DIR")]
        target: Option<PathBuf>,
        /// The word json_only: write the reply without the command
        #[arg(value_name = "json_only", value_parser = Suggested(|| vec![PossibleValue::new("json_only")]))]
        json_only: Option<String>,
    },
    /// Show the commands that were typed
    History {
        /// Only the last COUNT commands
        #[arg(value_parser = |text: &str| whole(text, 0..=usize::MAX))]
        count: Option<usize>,
    },
    /// Show or change a setting of the shell
    Set {
        /// Keep it for good, for all contexts; `context set` keeps it for one
        #[arg(long)]
        save: bool,
        /// The setting; without it, all are shown
        #[arg(value_name = Lookup::Setting.name())]
        name: Option<String>,
        /// Its new value; `default` resets it; without it, the value is shown. Before columns the name of a query: they hold
        /// for that one only
        #[arg(value_name = Lookup::SettingValue.name())]
        value: Vec<String>,
    },
    /// Run LINE once for each row of a file or of standard input
    Each(Box<EachLine>),
    /// Run the commands in a file
    Run {
        /// The file; `-` is standard input
        file: PathBuf,
        /// Words that $1 to $9 and $* stand for in the file
        #[arg(value_name = "WORD")]
        words: Vec<String>,
    },
    /// Keep the result of a command, for which $NAME stands; list what is kept
    Let {
        /// The name; without it, all variables are listed
        name: Option<String>,
        /// = COMMAND, or = COMMAND | JQ to keep what the filter yields
        #[arg(value_name = "= COMMAND")]
        line: Vec<String>,
    },
    /// Forget a variable
    Unlet {
        /// The name
        #[arg(value_name = Lookup::Variable.name())]
        name: String,
    },
    /// Keep a command of your own for good; list those that are kept
    Alias {
        /// The name; without it, all aliases are listed
        #[arg(value_name = Lookup::Alias.name())]
        name: Option<String>,
        /// = LINE, in which $1 to $9 and $* are the words given
        #[arg(value_name = "= LINE")]
        line: Vec<String>,
    },
    /// Forget an alias
    Unalias {
        /// The name
        #[arg(value_name = Lookup::Alias.name())]
        name: String,
    },
    /// Run a statement in ZQL, the node's query language
    Zql {
        /// The statement
        #[arg(required = true)]
        query: Vec<String>,
    },
    /// Run a SELECT over the inventories, which are its tables
    Sql {
        /// The statement; in front of it EXPLAIN shows the requests and sends nothing
        #[arg(required = true)]
        statement: Vec<String>,
    },
    /// Look for what is wrong in the cloud
    Inspect(InspectLine),
    /// Run a script in a copy of the node, and show what would be different
    Rehearse(RehearseLine),
    /// Send any request to the node and wait for its job
    Raw(RawLine),
    /// Show the capacity of hosts, primary and backup storage
    Capacity,
    /// Show a resource, what it belongs to and what belongs to it
    Describe {
        /// Its kind, such as vm, host, network or any name that ZQL has
        #[arg(value_name = Lookup::Kind.name())]
        kind: String,
        /// Its name or its uuid
        #[arg(value_name = Lookup::Resource.name())]
        name: String,
    },
    /// Show the course of metrics of a resource, or list the metrics of a kind
    Metrics(MetricsLine),
    /// Show how busy hosts or VMs are, the busiest first; on a terminal again and again
    Top {
        /// What to show
        #[arg(value_name = "hosts|vms", hide_possible_values = true)]
        of: TopOf,
    },
    /// Show events, alarms and audits together, the newest last; --follow continues
    Events {
        /// How far back: 30m, 12h, 7d, 2w
        #[arg(long, value_name = "TIME", default_value = "1d", allow_hyphen_values = true, value_parser = past)]
        since: SignedDuration,
    },
    /// Show the APIs that the program knows
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Print what Tab would offer at the end of LINE
    Complete {
        /// The line
        line: Vec<String>,
    },
    /// Print a completion script
    Completions {
        /// The shell
        #[arg(value_name = "bash|zsh|fish", hide_possible_values = true)]
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// Run a local management node, for trying and testing
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Leave the shell, or end a script with the code of its last failure
    Exit {
        /// The exit code instead, from 0 to 255
        code: Option<u8>,
    },
    /// Leave the shell
    Quit,
}

/// Returns the ZStack versions in the catalog.
fn versions() -> Vec<PossibleValue> {
    Catalog::versions().map(PossibleValue::new).collect()
}

/// Returns the HTTP methods of raw requests.
fn methods() -> Vec<PossibleValue> {
    [Method::Get, Method::Post, Method::Put, Method::Delete].map(|method| PossibleValue::new(method.as_str())).to_vec()
}

/// How to log in.
#[derive(Args, Clone, Debug, Default)]
pub struct LoginWith {
    /// The account; default the one of the context, or admin
    pub account: Option<String>,
    /// Log in as a user of the account
    #[arg(long, value_name = "USER", group = "who")]
    pub user: Option<String>,
    /// Log in through LDAP with this uid
    #[arg(long, value_name = "UID", group = "who", conflicts_with = "account")]
    pub ldap: Option<String>,
    /// Log in as an IAM2 virtual id
    #[arg(long, value_name = "NAME", group = "who", conflicts_with = "account")]
    pub iam2: Option<String>,
    /// Log in as an IAM2 virtual id that LDAP knows by this uid
    #[arg(long, value_name = "UID", group = "who", conflicts_with = "account")]
    pub iam2_ldap: Option<String>,
    /// Log in through the CAS server of this name; --type is its type
    #[arg(long, value_name = "NAME", group = "who", conflicts_with = "account", requires = "kind")]
    pub cas: Option<String>,
    /// The login type, for the account or for --cas
    #[arg(long = "type", id = "kind", value_name = "TYPE", conflicts_with_all = ["user", "ldap", "iam2", "iam2_ldap"])]
    pub kind: Option<String>,
    /// Work in the IAM2 project of this name
    #[arg(long, value_name = "NAME", conflicts_with = "platform")]
    pub project: Option<String>,
    /// Work on the whole IAM2 platform
    #[arg(long)]
    pub platform: bool,
    /// The code of the second factor, if one is required; a terminal prompts for it
    #[arg(long, value_name = "DIGITS", value_parser = |text: &str| Ok::<_, Infallible>(Secret::from(text)))]
    pub code: Option<Secret>,
    /// Use the access key of this id instead of a session; the secret is asked for
    #[arg(long, value_name = "ID", conflicts_with_all = ["who", "account", "kind", "project", "platform", "code"])]
    pub access_key: Option<String>,
}

/// `metrics KIND [NAME [METRIC…]]`
#[derive(Args, Clone, Debug)]
pub struct MetricsLine {
    /// Its kind, such as vm, host or any name that ZQL has
    #[arg(value_name = Lookup::Kind.name())]
    pub kind: String,
    /// Its name or its uuid; without it, the metrics of the kind are listed
    #[arg(value_name = Lookup::Resource.name())]
    pub name: Option<String>,
    /// The metrics; without them, those of the kind are listed
    #[arg(value_name = Lookup::Metric.name())]
    pub metric: Vec<String>,
    /// How far back: 30m, 12h, 7d, 2w
    #[arg(long, value_name = "TIME", default_value = "1h", allow_hyphen_values = true, value_parser = past)]
    pub since: SignedDuration,
}

/// Parses how long ago something was, with or without a `-` before it.
fn past(text: &str) -> Result<SignedDuration, String> {
    let span = dates::span(text.strip_prefix('-').unwrap_or(text)).filter(SignedDuration::is_positive);
    span.ok_or_else(|| "a time such as 30m, 12h, 7d or 2w is expected".to_owned())
}

/// What `top` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum TopOf {
    #[value(alias = "host")]
    Hosts,
    #[value(alias = "vm")]
    Vms,
}

/// `each [OPTIONS] LINE`
#[derive(Args, Clone, Debug)]
pub struct EachLine {
    /// Run up to N rows at the same time (1), also -p N behind `each`
    #[arg(
        long,
        value_name = "N",
        value_parser = |text: &str| whole(text, 1..=MOST_PARALLEL),
        allow_negative_numbers = true,
        default_value = "1",
        hide_default_value = true
    )]
    pub parallel: usize,
    /// The rows: .csv with a header row, .jsonl, .json; else its content decides; - is standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Write the outcome of each row to a new file, as one line of JSON
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub results: Option<PathBuf>,
    /// Continue a run from its results file: rows that are done are skipped, unknown ones looked up first
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// The call of an API; {column} is a value of the row, {} the whole row, {{ a brace
    #[arg(required = true, value_name = "LINE")]
    pub line: Vec<String>,
}

/// The largest number of rows of `each` that run at the same time.
const MOST_PARALLEL: usize = 64;

/// `raw METHOD PATH [BODY]`
#[derive(Args, Clone, Debug)]
pub struct RawLine {
    /// The HTTP method
    #[arg(value_parser = Suggested(methods))]
    pub method: String,
    /// The path below /v1, with its query string: 'zones?q=name=lab'
    #[arg(value_name = Lookup::Path.name())]
    pub path: String,
    /// JSON, @FILE, or @- for standard input: '{"params":{"name":"lab"}}'
    pub body: Option<String>,
}

/// `context …`
#[derive(Clone, Debug, Subcommand)]
pub enum ContextCommand {
    /// List the contexts
    List,
    /// Make a context the current one
    Use {
        /// The name of the context
        #[arg(value_name = Lookup::Context.name())]
        name: String,
    },
    /// Create or change a context; --url is the URL of its node
    Set {
        /// The name of the context
        #[arg(value_name = Lookup::Context.name())]
        name: String,
        /// Preferences, such as account=admin output=table; KEY= removes one
        #[arg(value_name = Lookup::ContextKeys.name())]
        values: Vec<String>,
    },
    /// Show a context
    Show {
        /// The name of the context; default the current one
        #[arg(value_name = Lookup::Context.name())]
        name: Option<String>,
    },
    /// Delete a context
    Delete {
        /// The name of the context
        #[arg(value_name = Lookup::Context.name())]
        name: String,
    },
}

/// `inspect …`
#[derive(Args, Clone, Debug)]
pub struct InspectLine {
    /// The checks to make; default all
    #[arg(value_name = "CHECK")]
    pub names: Vec<String>,
    /// Exit with 8 if something is found that is this or worse
    #[arg(long, value_name = "WEIGHT", value_parser = OneOf {
        from_name: Weight::from_name,
        choices: || choices(Weight::ALL.map(|choice| (choice.name(), choice.summary()))),
    })]
    pub fail_on: Option<Weight>,
    /// Make the checks of this file, too
    #[arg(long, value_name = "FILE")]
    pub checks: Option<PathBuf>,
    /// List the checks; nothing is sent
    #[arg(long)]
    pub list: bool,
}

named! {
    /// How much a finding matters.
    #[derive(PartialOrd, Ord)]
    pub enum Weight {
        /// Something does not work
        Urgent = "urgent",
        /// Something will not work before long
        Important = "important",
        /// Something could be better
        Normal = "normal",
    }
}

/// `job …`
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct JobLine {
    /// What to do; a uuid alone shows the job, and without arguments the jobs are listed
    #[command(subcommand)]
    pub command: Option<JobCommand>,
    /// The uuid of a job to show, or its first characters; without it, the jobs are listed
    #[arg(value_name = Lookup::Job.name())]
    pub uuid: Option<String>,
}

/// What to do with jobs.
#[derive(Clone, Debug, Subcommand)]
pub enum JobCommand {
    /// List the jobs that this machine submitted
    List,
    /// Show the progress or the result of a job
    Show {
        /// The uuid, or its first characters
        #[arg(value_name = Lookup::Job.name())]
        uuid: String,
    },
    /// Wait for jobs to finish; print the result of a single one
    Wait {
        /// The uuids, or their first characters
        #[arg(required = true, value_name = Lookup::Job.name())]
        uuids: Vec<String>,
    },
}

/// `catalog …`
#[derive(Clone, Debug, Subcommand)]
pub enum CatalogCommand {
    /// List the APIs
    List {
        /// Only APIs whose names contain this
        part: Option<String>,
        /// Only APIs that are new in this ZStack version or later
        #[arg(long, value_name = "VERSION", value_parser = Suggested(versions), hide_possible_values = true)]
        since: Option<String>,
    },
    /// Show an API or inventory as JSON
    Show {
        /// The name of the API or inventory
        #[arg(value_name = Lookup::ApiOrInventory.name())]
        name: String,
    },
    /// List the ZStack versions that the program knows
    Version,
    /// Read the APIs of a node from its Java SDK, sdk-VERSION.jar
    Import {
        /// The jar, as it lies on a management node
        file: PathBuf,
        /// Its ZStack version, where neither its name nor its manifest says it
        #[arg(long = "version", value_name = "VERSION")]
        of: Option<String>,
    },
    /// List what was added, removed or changed between two ZStack versions
    Diff {
        /// A ZStack version, such as 4.8.0
        #[arg(value_name = Lookup::CatalogVersion.name())]
        from: String,
        /// The version to compare it with
        #[arg(value_name = Lookup::OtherCatalogVersion.name())]
        to: String,
    },
    /// Use the catalog of a ZStack version; auto asks the node
    Use {
        /// A ZStack version, such as 4.8.0, or auto
        #[arg(value_name = Lookup::CatalogVersionOrAuto.name())]
        version: String,
    },
    /// Ask the node which APIs it has, and list those that it lacks
    Sync,
}

/// `sandbox …`
#[derive(Clone, Debug, Subcommand)]
pub enum SandboxCommand {
    /// Serve the sandbox to other clients; --port sets the port (8080)
    Serve(ServeOptions),
    /// Delete its data and start again
    Reset,
    /// Create the resources of the small cloud again, or add VMs
    Seed {
        /// The number of VMs to add
        #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1..=1_000_000_000_000_u64))]
        vms: Option<u64>,
    },
    /// Copy what the queries of a node tell into the sandbox; nothing is changed on the node
    Clone {
        /// Only these kinds, such as host,vm
        #[arg(long, value_name = "KIND[,KIND...]")]
        only: Option<String>,
        /// Replace the sandbox without asking
        #[arg(long)]
        yes: bool,
    },
    /// Save its state under a name
    Save {
        /// The name
        name: String,
    },
    /// Replace it by a saved state
    Load {
        /// The name of the state
        name: String,
        /// Replace the sandbox without asking
        #[arg(long)]
        yes: bool,
    },
    /// List the saved states
    List,
    /// Show what is different between two states
    Changes {
        /// The name of a state
        before: String,
        /// The name of another one; without it, the present state
        after: Option<String>,
    },
    /// Print the path of its database
    Path,
}

/// `rehearse …`
#[derive(Args, Clone, Debug)]
pub struct RehearseLine {
    /// In a saved state of the sandbox instead of a new copy
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// Then ask, and run it for real
    #[arg(long)]
    pub then_run: bool,
    /// With --then-run: do not ask
    #[arg(long)]
    pub yes: bool,
    /// A file with commands, or a command
    #[arg(required = true, value_name = "FILE|LINE", value_hint = ValueHint::AnyPath)]
    pub line: Vec<String>,
}

/// `sandbox serve …`; the port is the program's `--port`.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: String,
    /// The edition to simulate; open lacks the premium APIs
    #[arg(
        long,
        value_name = "EDITION",
        value_parser = Suggested(|| choices(Edition::ALL.map(|edition| (edition.name(), edition.summary()))))
    )]
    pub edition: Option<String>,
    /// The ZStack version to simulate, such as 4.8.0
    #[arg(long = "version", value_name = "VERSION", value_parser = Suggested(versions), hide_possible_values = true)]
    pub plays: Option<String>,
    /// The speed-up factor of jobs
    #[arg(
        long,
        value_name = "N",
        value_parser = |text: &str| text.parse::<f64>().map_err(|_| "a number is expected")
    )]
    pub speed: Option<f64>,
    /// Inject a fault, for one API or all, at a rate from 0 to 1
    #[arg(
        long,
        value_name = "KIND[:API][:RATE]",
        value_parser = Suggested(|| choices(FaultKind::ALL.map(|kind| (kind.name(), kind.summary()))))
    )]
    pub fault: Vec<String>,
    /// Seed of the random numbers for faults
    #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 0..=u64::MAX))]
    pub seed: Option<u64>,
}

/// A shell that has completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}
