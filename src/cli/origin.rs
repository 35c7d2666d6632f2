//! Where the value of an option comes from that nobody need have typed.

/// Where the value of an option comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The option itself.
    #[default]
    Typed,
    /// `set`, in the shell or a script.
    Set,
    /// An environment variable.
    Variable(&'static str),
    /// A context.
    Context(String),
    /// What the configuration says for all contexts.
    Defaults,
}

impl Origin {
    /// How to do without the value, as a hint says it; nothing where it was typed.
    pub fn undo(&self, option: &str) -> Option<String> {
        Some(match self {
            Origin::Typed => return None,
            Origin::Set => format!("`set {option} default` undoes it"),
            Origin::Variable(name) => format!("`unset {name}` does without"),
            Origin::Context(context) => format!("`zstack-cli context set {context} {option}=` undoes it"),
            Origin::Defaults => format!("--{option} decides before it"),
        })
    }

    /// What the value is called where it comes from.
    pub fn name(&self, option: &str) -> String {
        match self {
            Origin::Typed => format!("--{option}"),
            Origin::Set => format!("`set {option}`"),
            Origin::Variable(name) => (*name).to_owned(),
            Origin::Context(context) => format!("`{option}` of context {context}"),
            Origin::Defaults => format!("`{option}` of the defaults in config.toml"),
        }
    }
}
