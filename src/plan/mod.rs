//! From a command and the catalog to a request: pure, so that the same input gives the same request.

mod request;

pub use request::{Effect, PathPart, Request, SecretText};
