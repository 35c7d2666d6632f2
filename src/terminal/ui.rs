//! Messages to the user: verbosity, colours and width.

use std::io::{self, Write};

use crate::cli::{ColorChoice, ErrorFormat};
use crate::config::{Environment, Sourced};
use crate::json::escape_unprintable;
use crate::language::Language;

use super::bar::Bar;
use super::spinner::Spinner;

/// Properties of the terminal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terminal {
    /// Whether standard input is one.
    pub(crate) stdin: bool,
    /// Whether standard output is one.
    pub(crate) stdout: bool,
    /// Whether standard error is one.
    pub(crate) stderr: bool,
    /// Its width and height in characters.
    pub(crate) size: Option<(usize, usize)>,
    /// Whether it has no cursor movement.
    pub(crate) is_dumb: bool,
    /// Whether it supports UTF-8.
    pub(crate) unicode: bool,
    /// Whether the environment wants colours everywhere or nowhere.
    pub(crate) color: Option<bool>,
}

impl Terminal {
    /// The terminal of the process.
    pub(crate) fn of(environment: &Environment) -> Terminal {
        Terminal {
            stdin: environment.stdin_terminal,
            stdout: environment.stdout_terminal,
            stderr: environment.stderr_terminal,
            size: environment.terminal_size,
            is_dumb: environment.is_dumb_terminal(),
            unicode: environment.variables.unicode,
            color: environment.variables.color,
        }
    }
}

/// How to talk to the user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ui {
    pub(crate) terminal: Terminal,
    /// Whether the user wants results and errors only.
    pub(crate) quiet: bool,
    /// Whether to print no messages at all, since they would disturb the command line of another shell.
    pub(crate) silent: bool,
    /// Whether requests and answers are traced.
    pub(crate) verbose: bool,
    pub(crate) color: Sourced<ColorChoice>,
    pub(crate) errors: Sourced<ErrorFormat>,
    /// The pager for long output; `None` for no pager.
    pub(crate) pager: Option<String>,
    /// How the user wants `less`, as `LESS` says.
    pub(crate) less: Option<String>,
    /// The language of messages.
    pub(crate) language: Language,
    /// The context that messages are about, where there are several.
    pub(crate) about: Option<String>,
}

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Whether it is a terminal.
    pub(crate) terminal: bool,
    /// How wide it is, in columns.
    pub(crate) width: Option<usize>,
    /// Whether to colour.
    pub(crate) colour: bool,
    /// Whether to draw in ASCII.
    pub(crate) ascii: bool,
}

impl Ui {
    /// Prints a message in the user's language, unless `--quiet` is set.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            self.insist(&self.said(text));
        }
    }

    /// Prints a message, even if `--quiet` is set.
    pub(crate) fn insist(&self, text: &str) {
        if !self.silent {
            let lines: Vec<_> = text.split('\n').map(escape_unprintable).collect();
            // Nobody reads it where it cannot be written.
            let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
        }
    }

    /// Prints a warning, unless `--quiet` is set.
    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            let label = self.language.choose("warning: ", "警告：");
            self.insist(&format!("{label}{}", self.said(text)));
        }
    }

    fn said(&self, text: &str) -> String {
        let about = self.about.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
        format!("{about}{}", self.language.say(text))
    }

    /// Whether to use colours for a terminal or another output.
    pub(crate) fn colour(&self, to_terminal: bool) -> bool {
        match self.color.value {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => self.terminal.color.unwrap_or(to_terminal && !self.terminal.is_dumb),
        }
    }

    /// Standard output.
    pub(crate) fn screen(&self) -> Screen {
        Screen {
            terminal: self.terminal.stdout,
            width: self.width(),
            colour: self.colour(self.terminal.stdout),
            ascii: !self.terminal.unicode,
        }
    }

    /// A file or a program.
    pub(crate) fn no_screen(&self) -> Screen {
        Screen { terminal: false, width: None, colour: false, ascii: !self.terminal.unicode }
    }

    /// The width of the terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.terminal.size.map(|(width, _)| width)
    }

    /// The progress display for many calls.
    pub(crate) fn bar(&self, of: usize) -> Bar {
        let draws = self.terminal.stderr && !self.terminal.is_dumb && !self.quiet;
        Bar::new(of, self.width().filter(|_| draws), !draws && !self.quiet && !self.silent)
    }

    /// The progress display for jobs.
    pub(crate) fn spinner(&self) -> Spinner<io::Stderr> {
        let draws = self.terminal.stderr && !self.terminal.is_dumb && !self.quiet;
        Spinner::new(io::stderr(), self.width().filter(|_| draws))
    }
}
