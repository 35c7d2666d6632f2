//! Decides what is secret, for the whole program.
//!
//! Everything that is printed, logged, stored or traced is checked here: member and parameter names, headers, user info
//! in URLs, system tags, the JSON of a reply, and command lines for the history. When in doubt, the rules mask too much
//! rather than too little. The machine-readable formats print a reply unchanged and are not masked.
//!
//! Source: doc/protocol.md, "Secrets".

mod command;
mod json;
mod known;
mod mask;
mod names;
mod sentence;
mod text;
mod value;

pub use command::mask_command;
pub use json::mask_json;
pub use known::{KnownSecrets, secrets_of_value, sha512};
pub use mask::{MASK, Secrets};
pub use names::{Secrecy, header_is_secret, is_session_record, member_is_secret, name_secrecy};
pub(crate) use text::may_hide_secrets;
pub use text::{mask_tag, mask_text, mask_url, mask_value};
pub use value::Secret;
