//! The APIs that are used most, which come first among equally good matches.

/// One name per line, the most common subjects first.
const COMMON: &str = include_str!("common.txt");

/// Returns the rank of an API, the lowest first; `usize::MAX` for APIs that are not in the list.
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
