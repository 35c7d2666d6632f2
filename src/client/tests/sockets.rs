//! The real transport against small servers that misbehave.
