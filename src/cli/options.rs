//! The options that may come before or after any command. Their doc comments are the help texts.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use crate::config::{ColorChoice, ErrorFormat, Setting};
use crate::render::{Border, Format};

use super::values::{Lookup, OneOf, Suggested, choices};

/// The program's options as typed; nothing is resolved here.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Management node; default localhost
    #[arg(short = 'H', long, value_name = "HOST", global = true, help_heading = "Node")]
    pub host: Option<String>,
    /// Port of the management node; default 8080
    #[arg(
        short,
        long,
        value_name = "PORT",
        value_parser = |text: &str| whole(text, 0..=u16::MAX),
        allow_negative_numbers = true,
        global = true,
        help_heading = "Node"
    )]
    pub port: Option<u16>,
    /// See [`Setting::Url`].
    #[arg(long, help = Setting::Url.summary(), value_name = "URL", global = true, help_heading = "Node")]
    pub url: Option<String>,
    /// Use a named context; a read also takes several, A,B
    #[arg(long, value_name = Lookup::Contexts.name(), global = true, help_heading = "Node")]
    pub context: Option<String>,
    /// Use the embedded sandbox instead of a server: no setup, no login
    #[arg(long, global = true, help_heading = "Node")]
    pub sandbox: bool,
    /// See [`Setting::Insecure`].
    #[arg(long, help = Setting::Insecure.summary(), global = true, help_heading = "Node")]
    pub insecure: bool,
    /// See [`Setting::CaCert`].
    #[arg(long, help = Setting::CaCert.summary(), value_name = "FILE", global = true, help_heading = "Node")]
    pub cacert: Option<PathBuf>,

    /// See [`Setting::Output`].
    #[arg(
        short,
        long,
        help = Setting::Output.summary(),
        value_name = "FORMAT",
        value_parser = Suggested(|| choices(Format::ALL.map(|format| (format.name(), format.summary())))),
        global = true,
        help_heading = "Output"
    )]
    pub output: Option<String>,
    /// See [`Setting::Columns`].
    #[arg(
        long,
        help = Setting::Columns.summary(),
        value_name = Lookup::Columns.name(),
        global = true,
        help_heading = "Output"
    )]
    pub columns: Option<String>,
    /// See [`Setting::SortBy`].
    #[arg(
        long,
        help = Setting::SortBy.summary(),
        value_name = Lookup::Column.name(),
        global = true,
        help_heading = "Output",
        allow_hyphen_values = true
    )]
    pub sort_by: Option<String>,
    /// Filter the JSON reply with a jq expression before it is printed
    #[arg(long, value_name = Lookup::Filter.name(), global = true, help_heading = "Output")]
    pub jq: Option<String>,
    /// With --jq: print strings without quotes
    #[arg(short, long, global = true, help_heading = "Output")]
    pub raw: bool,
    /// Print totals by state, type and the like, and capacities, instead of the rows
    #[arg(long, global = true, help_heading = "Output")]
    pub summary: bool,
    /// Repeat a query every SECONDS (2) and show what changes; in a pipe one line of JSON for each change
    #[arg(
        long,
        value_name = "SECONDS",
        global = true,
        help_heading = "Output",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2",
        value_parser = seconds
    )]
    pub watch: Option<Duration>,
    /// Leave out the column names
    #[arg(long, global = true, help_heading = "Output")]
    pub no_header: bool,
    /// See [`Setting::MaxWidth`].
    #[arg(
        long,
        help = Setting::MaxWidth.summary(),
        value_name = "WIDTH",
        value_parser = |text: &str| whole(text, 1..=1_000_000_usize),
        allow_negative_numbers = true,
        global = true,
        help_heading = "Output"
    )]
    pub max_width: Option<usize>,
    /// See [`Setting::Wrap`].
    #[arg(long, help = Setting::Wrap.summary(), global = true, help_heading = "Output")]
    pub wrap: bool,
    /// See [`Setting::Border`].
    #[arg(
        long,
        help = Setting::Border.summary(),
        value_name = "STYLE",
        value_parser = Suggested(|| choices(Border::ALL.map(|border| (border.name(), border.summary())))),
        global = true,
        help_heading = "Output"
    )]
    pub border: Option<String>,
    /// See [`Setting::Errors`].
    #[arg(
        long,
        help = Setting::Errors.summary(),
        value_name = "FORMAT",
        value_parser = OneOf {
            from_name: ErrorFormat::from_name,
            choices: || choices(ErrorFormat::ALL.map(|choice| (choice.name(), choice.summary()))),
        },
        global = true,
        help_heading = "Output"
    )]
    pub errors: Option<ErrorFormat>,
    /// See [`Setting::Color`].
    #[arg(
        long,
        help = Setting::Color.summary(),
        value_name = "WHEN",
        value_parser = OneOf {
            from_name: ColorChoice::from_name,
            choices: || choices(ColorChoice::ALL.map(|choice| (choice.name(), choice.summary()))),
        },
        global = true,
        help_heading = "Output"
    )]
    pub color: Option<ColorChoice>,
    /// Do not page long output
    #[arg(long, global = true, help_heading = "Output")]
    pub no_pager: bool,
    /// Do not mask secrets (also keeps them in the history)
    #[arg(short = 's', long, global = true, help_heading = "Output")]
    pub no_secure: bool,
    /// Print no progress and no notices
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Trace HTTP on standard error, secrets masked
    #[arg(short, long, global = true, help_heading = "Output")]
    pub verbose: bool,

    /// Also print the request as a curl command on standard error, secrets masked unless -s
    #[arg(short = 'c', long = "curl-example", visible_alias = "curl", global = true, help_heading = "Calls")]
    pub curl_example: bool,
    /// Print the request and send nothing
    #[arg(long, global = true, help_heading = "Calls")]
    pub dry_run: bool,
    /// Let the node check an action without doing it
    #[arg(long, global = true, help_heading = "Calls")]
    pub validate: bool,
    /// Do not wait for an asynchronous API: print the job
    #[arg(long, global = true, help_heading = "Calls")]
    pub no_wait: bool,
    /// Also wait for a long job to finish, and print its result
    #[arg(long, global = true, help_heading = "Calls")]
    pub follow: bool,
    /// See [`Setting::Timeout`].
    #[arg(
        long,
        help = Setting::Timeout.summary(),
        value_name = "SECONDS",
        value_parser = |text: &str| whole(text, 0..=1_000_000_000_u64),
        allow_negative_numbers = true,
        global = true,
        help_heading = "Calls"
    )]
    pub timeout: Option<u64>,
    /// Send what the catalog does not know (newer nodes), and names as typed
    #[arg(long, global = true, help_heading = "Calls")]
    pub no_check: bool,
    /// See [`Setting::PageSize`].
    #[arg(
        long,
        help = Setting::PageSize.summary(),
        value_name = "N",
        value_parser = |text: &str| whole(text, 1..=i32::MAX.unsigned_abs()),
        allow_negative_numbers = true,
        global = true,
        help_heading = "Calls"
    )]
    pub page_size: Option<u32>,
    /// See [`Setting::PageParallel`].
    #[arg(
        long,
        help = Setting::PageParallel.summary(),
        value_name = "N",
        value_parser = |text: &str| whole(text, 1..=Setting::PageParallel.most()),
        allow_negative_numbers = true,
        global = true,
        help_heading = "Calls"
    )]
    pub page_parallel: Option<u32>,
    /// Exit with status 7 when a query finds no rows
    #[arg(long, global = true, help_heading = "Calls")]
    pub fail_empty: bool,
    /// In batch mode, continue after a failed command
    #[arg(short, long, global = true, help_heading = "Calls")]
    pub keep_going: bool,
}

impl Options {
    /// Merges the options of a single line into these, which apply to all lines; the line's own take precedence.
    pub fn add(&mut self, line: Options) {
        fn replace<T>(here: &mut Option<T>, line: Option<T>) {
            if line.is_some() {
                *here = line;
            }
        }
        let Options {
            host,
            port,
            url,
            context,
            cacert,
            output,
            columns,
            sort_by,
            jq,
            max_width,
            border,
            errors,
            color,
            timeout,
            page_size,
            page_parallel,
            sandbox,
            insecure,
            raw,
            summary,
            watch,
            no_header,
            wrap,
            no_pager,
            no_secure,
            quiet,
            verbose,
            curl_example,
            dry_run,
            validate,
            no_wait,
            follow,
            no_check,
            fail_empty,
            keep_going,
        } = line;
        replace(&mut self.host, host);
        replace(&mut self.port, port);
        replace(&mut self.url, url);
        replace(&mut self.context, context);
        replace(&mut self.cacert, cacert);
        replace(&mut self.output, output);
        replace(&mut self.columns, columns);
        replace(&mut self.sort_by, sort_by);
        replace(&mut self.jq, jq);
        replace(&mut self.max_width, max_width);
        replace(&mut self.border, border);
        replace(&mut self.errors, errors);
        replace(&mut self.color, color);
        replace(&mut self.timeout, timeout);
        replace(&mut self.page_size, page_size);
        replace(&mut self.page_parallel, page_parallel);
        replace(&mut self.watch, watch);
        self.sandbox |= sandbox;
        self.insecure |= insecure;
        self.raw |= raw;
        self.summary |= summary;
        self.no_header |= no_header;
        self.wrap |= wrap;
        self.no_pager |= no_pager;
        self.no_secure |= no_secure;
        self.quiet |= quiet;
        self.verbose |= verbose;
        self.curl_example |= curl_example;
        self.dry_run |= dry_run;
        self.validate |= validate;
        self.no_wait |= no_wait;
        self.follow |= follow;
        self.no_check |= no_check;
        self.fail_empty |= fail_empty;
        self.keep_going |= keep_going;
    }
}

/// Parses a whole number within limits.
pub(super) fn whole<N: FromStr + PartialOrd + Display>(text: &str, limits: RangeInclusive<N>) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| limits.contains(number));
    number.ok_or_else(|| format!("a whole number from {} to {} is expected", limits.start(), limits.end()))
}

/// Parses a number of seconds between two requests; fractions are allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| (0.1..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds from 0.1 to 86400 is expected".to_owned())
}
