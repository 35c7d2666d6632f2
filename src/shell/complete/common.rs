//! The APIs that most people use most.

/// Their names, the commonest subjects first.
const COMMON: &str = include_str!("common.txt");

/// Where an API stands among them; the others stand behind.
pub(super) fn place(api: &str) -> usize {
    COMMON.lines().position(|name| name == api).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn they_are_known() {
        for name in COMMON.lines() {
            assert!(Catalog::newest().api(name).is_some(), "{name}");
        }
    }
}
