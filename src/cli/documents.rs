//! The options as a manual page.

use clap::{Command, CommandFactory, Subcommand as _};

use super::{CallLine, OwnCommand};

/// Name, synopsis and options in roff; what follows is for the caller to add.
pub fn options_page() -> String {
    let command: Command = CallLine::command().after_help("");
    let man = clap_mangen::Man::new(command);
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    let _ = man.render_title(&mut page);
    let _ = man.render_name_section(&mut page);
    let _ = man.render_synopsis_section(&mut page);
    let _ = man.render_options_section(&mut page);
    String::from_utf8_lossy(&page).into_owned()
}

/// The options that an own command alone takes, and those of the words behind it: how each is written, and what it
/// does. Empty for one that takes none.
pub fn own_options(command: &str) -> Vec<[String; 2]> {
    let tree = OwnCommand::augment_subcommands(clap::Command::new("commands"));
    let mut rows = Vec::new();
    if let Some(command) = tree.find_subcommand(command) {
        push_options(&mut rows, command, "");
    }
    rows
}

fn push_options(rows: &mut Vec<[String; 2]>, command: &clap::Command, before: &str) {
    for option in command.get_arguments().filter(|argument| !argument.is_positional() && !argument.is_hide_set()) {
        let short = option.get_short().map(|short| format!("-{short}"));
        let long = option.get_long().map(|long| format!("--{long}"));
        let mut written = format!("{before}{}", short.into_iter().chain(long).collect::<Vec<_>>().join(", "));
        if option.get_action().takes_values() {
            for value in option.get_value_names().unwrap_or_default() {
                written.push_str(&format!(" {value}"));
            }
        }
        rows.push([written, option.get_help().map(|help| help.to_string()).unwrap_or_default()]);
    }
    for inner in command.get_subcommands() {
        push_options(rows, inner, &format!("{before}{} ", inner.get_name()));
    }
}
