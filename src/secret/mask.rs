//! The mask, and whether secrets are masked.

/// The text that replaces a secret.
pub const MASK: &str = "******";

/// Whether secrets are written or masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// Write secrets: for the wire, or because the user asked for it.
    Shown,
    /// Write [`MASK`] instead of secrets.
    Masked,
}

impl Secrets {
    /// Returns the text to write instead of a secret; `None` where secrets are shown.
    pub fn mask(self) -> Option<&'static str> {
        match self {
            Secrets::Shown => None,
            Secrets::Masked => Some(MASK),
        }
    }
}
