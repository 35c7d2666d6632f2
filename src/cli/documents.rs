//! The manual page.

use clap::CommandFactory;

use super::{CallLine, OwnLine};

/// The manual page in roff.
pub fn man_page() -> Vec<u8> {
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    let _ = clap_mangen::Man::new(CallLine::command()).render(&mut page);
    for command in OwnLine::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let man = clap_mangen::Man::new(command.clone());
        let _ = man.render_name_section(&mut page);
        let _ = man.render_synopsis_section(&mut page);
    }
    page
}
