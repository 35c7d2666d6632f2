//! The options as a manual page.

use clap::{Command, CommandFactory};

use super::CallLine;

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
