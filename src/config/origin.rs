//! The origin of a setting.

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The option itself.
    Typed,
    /// `set`, in the shell or a script.
    Set,
    /// An environment variable.
    Variable(&'static str),
    /// A context.
    Context(String),
    /// The defaults of the configuration.
    Defaults,
    /// The default of the program.
    #[default]
    Program,
}

/// A value and its origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// A default of the program.
    pub fn own(value: T) -> Sourced<T> {
        Sourced { value, origin: Origin::Program }
    }
}

impl Origin {
    /// Whether a value from here holds rather than one from there.
    pub fn is_nearer(&self, there: &Origin) -> bool {
        let distance = |origin: &Origin| match origin {
            Origin::Typed => 0,
            Origin::Set => 1,
            Origin::Variable(_) => 2,
            Origin::Context(_) => 3,
            Origin::Defaults => 4,
            Origin::Program => 5,
        };
        distance(self) < distance(there)
    }

    /// A hint how to remove the value; `None` if it was typed.
    pub fn undo(&self, option: &str) -> Option<String> {
        Some(match self {
            Origin::Typed | Origin::Program => return None,
            Origin::Set => format!("`set {option} default` undoes it"),
            Origin::Variable(name) => format!("`unset {name}` does without"),
            Origin::Context(context) => format!("`zstack-cli context set {context} {option}=` undoes it"),
            Origin::Defaults => format!("--{option} decides before it"),
        })
    }

    /// The name of the setting at its origin.
    pub fn name(&self, option: &str) -> String {
        match self {
            Origin::Typed | Origin::Program => format!("--{option}"),
            Origin::Set => format!("`set {option}`"),
            Origin::Variable(name) => (*name).to_owned(),
            Origin::Context(context) => format!("`{option}` of context {context}"),
            Origin::Defaults => format!("`{option}` of the defaults in config.toml"),
        }
    }
}
