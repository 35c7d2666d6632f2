//! `completions SHELL`: the completion scripts, which get their candidates from the program.

use crate::cli::Shell;

/// The script of a shell, from the directory `completions`.
pub(super) fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../completions/zstack-cli.bash"),
        Shell::Zsh => include_str!("../../completions/_zstack-cli"),
        Shell::Fish => include_str!("../../completions/zstack-cli.fish"),
    }
}
