//! The mask, and whether it is put on.

/// What stands in place of a secret.
pub const MASK: &str = "******";

/// Whether secrets are written or masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Write them: for the wire, or because the user asked.
    Shown,
    /// Write [`MASK`] in their place.
    Masked,
}

impl Secrets {
    /// What to write in the place of secrets, unless they are shown.
    pub fn mask(self) -> Option<&'static str> {
        match self {
            Secrets::Shown => None,
            Secrets::Masked => Some(MASK),
        }
    }
}
