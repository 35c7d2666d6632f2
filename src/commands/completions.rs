//! `completions SHELL`: the completion scripts, which ask the program itself what to offer.

use crate::cli::Shell;

/// The script of a shell, as the folder `completions` holds it.
pub(super) fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../completions/zstack-cli.bash"),
        Shell::Zsh => include_str!("../../completions/_zstack-cli"),
        Shell::Fish => include_str!("../../completions/zstack-cli.fish"),
    }
}
