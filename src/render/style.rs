//! Colours by meaning.
//!
//! The colours are of medium lightness from the 256-colour palette, so that they are readable on light and dark
//! backgrounds; each of the basic 16 colours is unreadable on one of the two.

/// What a value means to an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Healthy.
    Good,
    /// Off on purpose.
    Quiet,
    /// In transition, or a warning.
    Between,
    /// Broken or unknown.
    Bad,
    /// A heading.
    Heading,
    /// A new row.
    New,
    /// A removed row.
    Gone,
    /// A changed value.
    Changed,
}

impl Tone {
    pub(super) fn start(self) -> &'static str {
        match self {
            Tone::Good => "\u{1b}[38;5;28m",
            Tone::Quiet => "\u{1b}[38;5;244m",
            Tone::Between => "\u{1b}[38;5;130m",
            Tone::Bad => "\u{1b}[38;5;160m",
            Tone::Heading => "\u{1b}[1m",
            // Also distinguishable without colours.
            Tone::New => "\u{1b}[1;4m",
            Tone::Gone => "\u{1b}[2;9m",
            Tone::Changed => "\u{1b}[7m",
        }
    }

    /// The text in this tone, where there are colours.
    pub(crate) fn paint(self, text: &str, colour: bool) -> String {
        if colour { format!("{}{text}{PLAIN}", self.start()) } else { text.to_owned() }
    }
}

/// Resets the colour.
pub(super) const PLAIN: &str = "\u{1b}[0m";

/// Whether a member is a state, by the last word of its name.
pub(super) fn is_state(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with("state") || lower.ends_with("status") || lower == "emergencylevel"
}

/// The meaning of a state's value; `None` for an unknown one.
pub(super) fn tone(state: &str) -> Option<Tone> {
    let lower = state.to_ascii_lowercase();
    Some(match lower.as_str() {
        "running" | "connected" | "enabled" | "ready" | "succeeded" | "success" | "active" | "up" | "ok"
        | "healthy" | "normal" | "completed" | "finished" | "done" | "online" | "available" | "in_use" | "inuse"
        | "master" | "attached" | "bound" | "enable" | "normalized" | "power_on" | "on" => Tone::Good,
        "stopped" | "disabled" | "canceled" | "cancelled" | "destroyed" | "deleted" | "notinstantiated" | "disable"
        | "detached" | "closed" | "power_off" | "off" | "shutdown" | "idle" | "muted" | "notinstalled" => Tone::Quiet,
        "error" | "failed" | "fail" | "disconnected" | "unknown" | "crashed" | "nostate" | "alarm" | "down"
        | "unhealthy" | "emergent" | "critical" | "faulty" | "abnormal" | "offline" | "lost" | "expired"
        | "insufficientdata" => Tone::Bad,
        "paused" | "suspended" | "maintenance" | "premaintenance" | "degraded" | "waiting" | "pending" | "created"
        | "important" | "warning" | "partial" | "backup" | "volumemigrating" | "nosuchdevice" => Tone::Between,
        // Connecting, Starting, Migrating, PreparingMaintenance, ...
        other if other.ends_with("ing") => Tone::Between,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_mean_what_they_say() {
        for (state, expected) in [
            ("Running", Some(Tone::Good)),
            ("Connected", Some(Tone::Good)),
            ("Stopped", Some(Tone::Quiet)),
            ("Disconnected", Some(Tone::Bad)),
            ("Unknown", Some(Tone::Bad)),
            ("Connecting", Some(Tone::Between)),
            ("VolumeMigrating", Some(Tone::Between)),
            ("Frobnicated", None),
            ("", None),
        ] {
            assert_eq!(tone(state), expected, "{state}");
        }
        assert!(is_state("state") && is_state("haStatus") && !is_state("statement") && !is_state("name"));
    }
}
