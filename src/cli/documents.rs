//! The manual page, generated from the options and own commands.

use clap_mangen::roff::{Inline, Roff, bold, italic, line_break, roman};

use super::tree::{Argument, Entry, program};
use super::{ABOUT, FORMS};

/// The date of the last change to the page that matters to its readers.
const DATE: &str = "2026-11-21";

/// Returns name, synopsis, options and commands in roff; the caller appends the other sections.
pub fn manual() -> String {
    let name = program().name();
    let source = concat!("zstack-cli ", env!("CARGO_PKG_VERSION"));
    let mut page = Roff::new();
    page.control("TH", [name, "1", DATE, source, "User Commands"]);
    page.control("SH", ["NAME"]).text([roman(format!("{name} - {ABOUT}"))]);
    let mut synopsis = Vec::new();
    for form in FORMS {
        if !synopsis.is_empty() {
            synopsis.push(line_break());
        }
        synopsis.extend([bold(name), roman(format!(" {form}"))]);
    }
    page.control("SH", ["SYNOPSIS"]).text(synopsis);
    page.control("SH", ["OPTIONS"]);
    let (headed, plain): (Vec<_>, Vec<_>) = program().options().partition(|option| option.heading().is_some());
    let mut heading = None;
    for option in plain.into_iter().chain(headed) {
        if let Some(its) = option.heading().filter(|its| heading.replace(*its) != Some(*its)) {
            page.control("SS", [its]);
        }
        described(&mut page, option);
    }
    page.control("SH", ["COMMANDS"]);
    for command in program().commands() {
        forms(&mut page, command.name(), command);
    }
    page.render()
}

/// Adds an entry for each form of a command, with its arguments and options below.
fn forms(page: &mut Roff, path: &str, command: Entry) {
    let words: Vec<Argument> = command.words().collect();
    let is_group = command.commands().next().is_some();
    if !is_group || !words.is_empty() {
        page.control("TP", []);
        let mut line = vec![bold(path)];
        for word in &words {
            line.push(roman(" "));
            line.extend(shown(*word));
        }
        page.text(line);
        page.text([roman(command.summary())]);
        let arguments: Vec<Argument> = words.into_iter().chain(command.options()).collect();
        if !arguments.is_empty() {
            page.control("RS", []);
            arguments.into_iter().for_each(|argument| described(page, argument));
            page.control("RE", []);
        }
    }
    for inner in command.commands() {
        forms(page, &format!("{path} {}", inner.name()), inner);
    }
}

/// Adds an argument and its description.
fn described(page: &mut Roff, argument: Argument) {
    page.control("TP", []);
    page.text(shown(argument));
    page.text([roman(argument.described())]);
}

/// Returns an argument in the notation of the usage line.
fn shown(argument: Argument) -> Vec<Inline> {
    let value = argument.value_name();
    let mut line = Vec::new();
    for name in argument.names() {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.push(bold(name));
    }
    match (line.is_empty(), argument.is_several(), argument.is_required()) {
        (false, ..) if argument.takes_next_word() => line.extend([roman(" "), italic(value)]),
        (false, ..) if argument.takes_value() => line.extend([roman("[="), italic(value), roman("]")]),
        (false, ..) => {}
        (true, false, true) => line.push(italic(value)),
        (true, true, true) => line.extend([italic(value), roman(" ...")]),
        (true, false, false) => line.extend([roman("["), italic(value), roman("]")]),
        (true, true, false) => line.extend([roman("["), italic(value), roman(" ...]")]),
    }
    line
}
