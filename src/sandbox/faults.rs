//! Fault injection: what goes wrong, for which API and how often.
//!
//! Random decisions depend only on the seed and the requests, so that a run can be repeated.

use std::fmt;
use std::str::FromStr;

use crate::named::named;

named! {
    /// What goes wrong.
    pub enum FaultKind {
        /// The answer comes late: after three seconds, divided by the speed
        Slow = "slow",
        /// The connection is cut before anything is done
        CutBefore = "cut-before",
        /// The connection is cut after the work, before the answer
        CutAfter = "cut-after",
        /// 500 with an empty body; nothing is done
        Empty500 = "empty-500",
        /// A proxy's page with status 502; nothing is done
        Html = "html",
        /// The work is done, and the connection is cut in the middle of the answer
        Truncated = "truncated",
        /// The job runs, but its record is lost: polls find nothing
        JobLost = "job-lost",
        /// The job stays in progress for ever, as one that a crash of the node interrupted
        JobStuck = "job-stuck",
        /// The node is starting: no path has an API yet
        Starting = "starting",
        /// The location of a job names a host that nobody knows, as behind a proxy
        Location = "location",
        /// The node's clock is 20 minutes ahead, whatever API and rate say
        ClockOff = "clock-off",
    }
}

/// The name that selects polls of jobs, which are not API calls.
pub(super) const POLL: &str = "api-jobs";

/// A fault to inject, written as `KIND[:API][:RATE]`: `cut-after:CreateZone`, `slow:0.1`,
/// `empty-500:api-jobs:0.5`. `api-jobs` stands for polls.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// The affected API, ignoring case; all requests if absent.
    pub api: Option<String>,
    /// How often, from 0 (never) to 1 (always).
    pub rate: f64,
}

/// Why a fault cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// There is no such kind.
    #[error("unknown fault `{0}`; there are {kinds}", kinds = FaultKind::NAMES.join(", "))]
    Kind(String),
    /// The rate is not a number from 0 to 1.
    #[error("the rate of a fault is a number from 0 to 1, not `{0}`")]
    Rate(String),
    /// There are more than three parts.
    #[error("a fault is KIND[:API][:RATE], not `{0}`")]
    Shape(String),
}

#[cfg(test)]
impl Fault {
    /// A fault that befalls every request.
    pub(super) fn always(kind: FaultKind) -> Fault {
        Fault { kind, api: None, rate: 1.0 }
    }

    /// A fault that befalls every call of one API.
    pub(super) fn of(kind: FaultKind, api: &str) -> Fault {
        Fault { kind, api: Some(api.to_owned()), rate: 1.0 }
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Fault, FaultError> {
        let parts: Vec<&str> = text.split(':').collect();
        let kind = FaultKind::from_name(parts[0]).ok_or_else(|| FaultError::Kind(parts[0].to_owned()))?;
        let rate = |text: &str| {
            text.parse().ok().filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(|| FaultError::Rate(text.to_owned()))
        };
        // The name of an API never begins as a number does.
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let (api, rate) = match parts[1..] {
            [] => (None, 1.0),
            [one] if is_number(one) => (None, rate(one)?),
            [api] => (Some(api), 1.0),
            [api, number] => (Some(api), rate(number)?),
            _ => return Err(FaultError::Shape(text.to_owned())),
        };
        Ok(Fault { kind, api: api.filter(|api| !api.is_empty()).map(str::to_owned), rate })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if let Some(api) = &self.api {
            write!(f, ":{api}")?;
        }
        if self.rate < 1.0 {
            write!(f, ":{}", self.rate)?;
        }
        Ok(())
    }
}

/// The faults of a node and their draws.
#[derive(Debug)]
pub(super) struct Faults {
    faults: Vec<Fault>,
    state: u64,
}

impl Faults {
    pub(super) fn new(faults: Vec<Fault>, seed: u64) -> Faults {
        Faults { faults, state: seed }
    }

    /// Whether the node's clock is wrong.
    pub(super) fn is_clock_off(&self) -> bool {
        self.faults.iter().any(|fault| fault.kind == FaultKind::ClockOff)
    }

    /// What befalls a call of `api`.
    pub(super) fn draw(&mut self, api: &str) -> Vec<FaultKind> {
        let mut drawn = Vec::new();
        for at in 0..self.faults.len() {
            let fault = &self.faults[at];
            let (kind, rate) = (fault.kind, fault.rate);
            if fault.api.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(api)) && self.next() < rate {
                drawn.push(kind);
            }
        }
        drawn
    }

    /// The next number of a fixed sequence, from 0 to below 1: the splitmix64 generator.
    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // 53 bits are what a double holds.
        #[allow(clippy::cast_precision_loss)]
        let (value, range) = ((mixed >> 11) as f64, (1_u64 << 53) as f64);
        value / range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_written_alike() {
        for text in ["slow", "cut-after:CreateZone", "html:0.25", "empty-500:api-jobs:0.5"] {
            assert_eq!(text.parse::<Fault>().map(|fault| fault.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("slow:CreateZone".parse(), Ok(Fault::of(FaultKind::Slow, "CreateZone")));
        assert_eq!("slow".parse(), Ok(Fault::always(FaultKind::Slow)));
    }

    #[test]
    fn what_is_no_fault_is_said_to_be_none() {
        let error = |text: &str| text.parse::<Fault>().expect_err(text).to_string();
        assert!(error("sloww").starts_with("unknown fault `sloww`; there are slow, cut-before,"), "{}", error("sloww"));
        assert!(error("slow:2").contains("from 0 to 1, not `2`"));
        assert!(error("slow:CreateZone:often").contains("`often`"));
        assert!(error("slow:a:1:b").contains("KIND[:API][:RATE]"));
    }

    #[test]
    fn draws_repeat_with_the_seed_and_keep_to_the_rate() {
        let fault = Fault { kind: FaultKind::Slow, api: None, rate: 0.25 };
        let run = |seed| {
            let mut faults = Faults::new(vec![fault.clone()], seed);
            (0..1000).map(|_| !faults.draw("QueryZone").is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).iter().filter(|hit| **hit).count();
        assert!((200..300).contains(&hits), "{hits}");
    }

    #[test]
    fn faults_befall_the_named_api_only() {
        let mut faults = Faults::new(vec![Fault::of(FaultKind::Html, "createzone")], 0);
        assert_eq!(faults.draw("CreateZone"), [FaultKind::Html]);
        assert_eq!(faults.draw("QueryZone"), []);
    }
}
