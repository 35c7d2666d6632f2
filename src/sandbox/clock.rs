//! The node's clock and its formats of dates.

use jiff::Timestamp;

use super::store::timestamp;

/// Milliseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnixMillis(pub(super) i64);

impl UnixMillis {
    /// The current time of the machine.
    pub(super) fn now() -> UnixMillis {
        UnixMillis(Timestamp::now().as_millisecond())
    }

    /// The time some milliseconds later, or earlier.
    pub(super) fn plus(self, milliseconds: i64) -> UnixMillis {
        UnixMillis(self.0.saturating_add(milliseconds))
    }

    /// The stored form: `2025-03-04 14:12:01`.
    pub(super) fn to_stored(self) -> String {
        timestamp::of(Timestamp::from_millisecond(self.0).unwrap_or_default())
    }

    /// The form in replies (N3): `Mar 4, 2025 2:12:01 PM`.
    pub(super) fn to_shown(self) -> String {
        timestamp::to_wire(&self.to_stored())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rows_and_replies_want_them() {
        for (seconds, stored, shown) in [
            (0, "1970-01-01 00:00:00", "Jan 1, 1970 12:00:00 AM"),
            (1_741_097_521, "2025-03-04 14:12:01", "Mar 4, 2025 2:12:01 PM"),
        ] {
            let moment = UnixMillis(seconds * 1000);
            assert_eq!((moment.to_stored().as_str(), moment.to_shown().as_str()), (stored, shown));
        }
    }
}
