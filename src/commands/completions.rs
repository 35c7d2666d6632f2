//! `completions SHELL`: the completion scripts, which ask the program itself what to offer.

/// A shell that the program completes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The script of a shell, as the folder `completions` holds it.
pub fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../completions/zstack-cli.bash"),
        Shell::Zsh => include_str!("../../completions/_zstack-cli"),
        Shell::Fish => include_str!("../../completions/zstack-cli.fish"),
    }
}
