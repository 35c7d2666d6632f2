//! The program's own commands, as typed.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::options::whole;
use crate::secret::Secret;

/// One of the program's own commands.
#[derive(Clone, Debug, Subcommand)]
pub enum OwnCommand {
    /// What an API takes and returns, or a topic
    Help {
        /// The name of an API, a command or a topic
        #[arg(value_name = "API|TOPIC")]
        subject: Vec<String>,
    },
    /// Open a session; the password is asked for
    Login(Box<LoginWith>),
    /// Close the session
    Logout,
    /// Saved nodes, accounts and preferences
    #[command(subcommand)]
    Context(ContextCommand),
    /// Asynchronous jobs that this machine submitted; a uuid shows one
    Job(JobLine),
    /// Show an earlier result again, or list them
    More {
        /// The number of the result; none lists them
        #[arg(value_name = "N", value_parser = |text: &str| whole(text, 1..=u64::MAX))]
        number: Option<u64>,
    },
    /// Write earlier results to files
    Save {
        /// Numbers of results: 3, or 3,5, or 3-7
        #[arg(value_name = "N[,N...]")]
        numbers: String,
        /// A file, or a folder for several; default the current folder
        #[arg(value_name = "FILE|DIR")]
        target: Option<PathBuf>,
        /// The word json_only: write the reply alone, without the command that led to it
        #[arg(value_name = "json_only")]
        json_only: Option<String>,
    },
    /// Show the commands typed before
    History {
        /// How many of them, the latest; default all
        #[arg(value_parser = |text: &str| whole(text, 0..=usize::MAX))]
        count: Option<usize>,
    },
    /// Show or change a setting of the shell
    Set {
        /// The setting; none shows all
        name: Option<String>,
        /// Its new value; none shows it
        value: Vec<String>,
    },
    /// Run the commands of a file
    Run {
        /// The file; `-` is standard input
        file: PathBuf,
    },
    /// Send a statement of the node's query language ZQL
    Zql {
        /// The statement
        #[arg(required = true)]
        query: Vec<String>,
    },
    /// Send any request to the node, and wait for its job
    Raw(RawLine),
    /// How full hosts, primary and backup storages are
    Capacity,
    /// What the program knows of the APIs
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// What Tab would offer at the end of LINE
    Complete {
        /// The line
        line: Vec<String>,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        #[arg(value_name = "bash|zsh|fish")]
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// A management node of your own, for trying and testing
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Leave the shell
    Exit,
    /// Leave the shell
    Quit,
}

impl OwnCommand {
    /// The names of all own commands.
    pub const NAMES: [&'static str; 21] = [
        "capacity",
        "catalog",
        "complete",
        "completions",
        "context",
        "exit",
        "help",
        "history",
        "job",
        "login",
        "logout",
        "man",
        "more",
        "quit",
        "raw",
        "run",
        "sandbox",
        "save",
        "set",
        "zql",
        "?",
    ];
}

/// How to log in.
#[derive(Args, Clone, Debug, Default)]
pub struct LoginWith {
    /// The account; default that of the context, or admin
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
    /// Log in by a CAS server with this name; --type says of which kind
    #[arg(long, value_name = "NAME", group = "who", conflicts_with = "account", requires = "kind")]
    pub cas: Option<String>,
    /// The type of log-in, for the account or for --cas
    #[arg(long = "type", id = "kind", value_name = "TYPE", conflicts_with_all = ["user", "ldap", "iam2", "iam2_ldap"])]
    pub kind: Option<String>,
    /// Then work in an IAM2 project of this name
    #[arg(long, value_name = "NAME", conflicts_with = "platform")]
    pub project: Option<String>,
    /// Then work on the whole IAM2 platform
    #[arg(long)]
    pub platform: bool,
    /// The code of the second factor, where one is due; on a terminal it is asked for
    #[arg(long, value_name = "DIGITS", value_parser = |text: &str| Ok::<_, Infallible>(Secret::from(text)))]
    pub code: Option<Secret>,
    /// Use an access key instead of a session: its id; the secret is asked for
    #[arg(long, value_name = "ID", conflicts_with_all = ["who", "account", "kind", "project", "platform", "code"])]
    pub access_key: Option<String>,
}

/// `raw METHOD PATH [BODY]`
#[derive(Args, Clone, Debug)]
pub struct RawLine {
    /// The verb: GET, POST, PUT or DELETE
    pub method: String,
    /// The path below /v1, with its query string: 'zones?q=name=lab'
    pub path: String,
    /// JSON text, @FILE or @- for standard input: '{"params":{"name":"lab"}}'
    pub body: Option<String>,
}

/// `context …`
#[derive(Clone, Debug, Subcommand)]
pub enum ContextCommand {
    /// List the contexts
    List,
    /// Use a context from now on
    Use {
        /// The name of a context
        name: String,
    },
    /// Create or change a context; --url names its node
    Set {
        /// The name of a context
        name: String,
        /// Preferences, such as account=admin output=table
        #[arg(value_name = "KEY=VALUE")]
        values: Vec<String>,
    },
    /// Show a context
    Show {
        /// The name of a context; default the one in use
        name: Option<String>,
    },
    /// Delete a context
    Delete {
        /// The name of a context
        name: String,
    },
}

/// `job …`
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct JobLine {
    /// What to do; a uuid alone shows the job, nothing at all lists them
    #[command(subcommand)]
    pub command: Option<JobCommand>,
    /// The uuid of a job to show, or how it begins; without one the jobs are listed
    pub uuid: Option<String>,
}

/// What to do with jobs.
#[derive(Clone, Debug, Subcommand)]
pub enum JobCommand {
    /// List the jobs that this machine submitted
    List,
    /// Show how far a job is, or what came of it
    Show {
        /// Its uuid, or how it begins
        uuid: String,
    },
    /// Wait for the end of jobs, and print the result where it is one
    Wait {
        /// Their uuids, or how they begin
        #[arg(required = true, value_name = "UUID")]
        uuids: Vec<String>,
    },
}

/// `catalog …`
#[derive(Clone, Debug, Subcommand)]
pub enum CatalogCommand {
    /// List the APIs
    List {
        /// Only those with this in their name
        part: Option<String>,
        /// Only APIs that are new in this ZStack version or a later one
        #[arg(long, value_name = "VERSION")]
        since: Option<String>,
    },
    /// Show an API or inventory as JSON
    Show {
        /// The name of an API or inventory
        name: String,
    },
    /// The ZStack versions that the program knows
    Version,
    /// Read the APIs of a node from its Java SDK, sdk-VERSION.jar
    Import {
        /// The jar, as it lies on a management node
        file: PathBuf,
        /// Its ZStack version, where neither its name nor its manifest says it
        #[arg(long = "version", value_name = "VERSION")]
        of: Option<String>,
    },
    /// List what is new, gone or changed between two ZStack versions
    Diff {
        /// A ZStack version, such as 4.8.0
        #[arg(value_name = "VERSION")]
        from: String,
        /// Another one
        #[arg(value_name = "OTHER")]
        to: String,
    },
    /// Use the catalog of one ZStack version; auto asks the node
    Use {
        /// A ZStack version, such as 4.8.0, or auto
        #[arg(value_name = "VERSION|auto")]
        version: String,
    },
    /// Ask the node what it offers, and list the APIs that it lacks
    Sync,
}

/// `sandbox …`
#[derive(Clone, Debug, Subcommand)]
pub enum SandboxCommand {
    /// Serve the sandbox to other clients; --port tells where (8080)
    Serve(ServeOptions),
    /// Throw its state away and begin anew
    Reset,
    /// Fill it with the small cloud again, or a large one
    Seed {
        /// How many VMs
        #[arg(long, value_name = "N", value_parser = |text: &str| whole(text, 1..=1_000_000_000_000_u64))]
        vms: Option<u64>,
    },
    /// Where its state lies
    Path,
}

/// `sandbox serve …`; the port is the program's `--port`.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: String,
    /// The edition to simulate: full, or open, which lacks the premium APIs
    #[arg(long, value_name = "EDITION")]
    pub edition: Option<String>,
    /// The ZStack version to simulate, such as 4.8.0, without what is newer
    #[arg(long = "version", value_name = "VERSION")]
    pub plays: Option<String>,
    /// How much faster than in life jobs run
    #[arg(
        long,
        value_name = "N",
        value_parser = |text: &str| text.parse::<f64>().map_err(|_| "a number is expected")
    )]
    pub speed: Option<f64>,
    /// Trouble on demand, for one API, at a rate of 0 to 1: slow, cut-before, cut-after, empty-500, html, truncated,
    /// job-lost, starting, location, clock-off
    #[arg(long, value_name = "KIND[:API][:RATE]")]
    pub fault: Vec<String>,
    /// Seed of the faults' chance
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
