//! The options and own commands as a manual page.

use clap::{Arg, Command, CommandFactory};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::{CallLine, OwnLine};

/// When the page last changed in a way that its readers may care about.
const DATE: &str = "2026-11-21";

/// Name, synopsis, options and commands in roff; what follows is for the caller to add.
pub fn manual() -> String {
    let command: Command = CallLine::command().after_help("");
    let source = concat!("zstack-cli ", env!("CARGO_PKG_VERSION"));
    let man = clap_mangen::Man::new(command).date(DATE).source(source).manual("User Commands");
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    let _ = man.render_title(&mut page);
    let _ = man.render_name_section(&mut page);
    let _ = man.render_synopsis_section(&mut page);
    let _ = man.render_options_section(&mut page);
    let mut commands = Roff::new();
    commands.control("SH", ["COMMANDS"]);
    for command in OwnLine::command().get_subcommands() {
        forms(&mut commands, command.get_name(), command);
    }
    let _ = commands.to_writer(&mut page);
    // Each section brings its own copy of the definitions that all of them need.
    let page = String::from_utf8_lossy(&page).into_owned();
    let definitions: String = page.split_inclusive('\n').take_while(|line| !line.starts_with(".TH")).collect();
    let rest = page[definitions.len()..].replace(&definitions, "");
    definitions + &rest
}

/// An entry for each way to write a command, with its words and options below.
fn forms(page: &mut Roff, path: &str, command: &Command) {
    let positionals: Vec<&Arg> = command.get_positionals().collect();
    let groups = command.get_subcommands().next().is_some();
    if !groups || !positionals.is_empty() {
        page.control("TP", []);
        let mut line = vec![bold(path)];
        for argument in &positionals {
            line.push(roman(" "));
            line.extend(shown(argument));
        }
        page.text(line);
        page.text([roman(text(command.get_about()))]);
        let options = command.get_opts().filter(|option| !option.is_global_set() && option.get_id() != "help");
        for (index, argument) in positionals.iter().copied().chain(options).enumerate() {
            if index == 0 {
                page.control("RS", []);
            }
            page.control("TP", []);
            page.text(shown(argument));
            page.text([roman(text(argument.get_help()))]);
        }
        if !positionals.is_empty() || command.get_opts().any(|option| !option.is_global_set()) {
            page.control("RE", []);
        }
    }
    for inner in command.get_subcommands() {
        forms(page, &format!("{path} {}", inner.get_name()), inner);
    }
}

/// An argument as usage writes it.
fn shown(argument: &Arg) -> Vec<Inline> {
    let name = argument.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    if let Some(long) = argument.get_long() {
        let mut option = vec![bold(format!("--{long}"))];
        if argument.get_action().takes_values() {
            option.extend([roman(" "), italic(name)]);
        }
        return option;
    }
    let several = argument.get_num_args().is_some_and(|range| range.max_values() > 1);
    let rest = if several { " ..." } else { "" };
    if argument.is_required_set() {
        vec![italic(name), roman(rest)]
    } else {
        vec![roman("["), italic(name), roman(format!("{rest}]"))]
    }
}

fn text(help: Option<&clap::builder::StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}
