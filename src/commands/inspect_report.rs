//! The findings of `inspect` as a report: what each check found, with a hint what to do.

use crate::cli::Weight;
use crate::render::{Tone, View};

use super::inspect::Finding;
use super::report::Report;

/// How many findings of a check are told.
const MOST_TOLD: usize = 10;
/// How many names, where that is all in which the findings of a check differ.
const MOST_NAMES: usize = 40;

/// The report, for so many checks. The findings come in the order of their weights, those of a check together.
pub(super) fn text(findings: &[Finding], checks: usize, view: &View) -> String {
    let mut report = Report::new(view);
    for section in findings.chunk_by(|one, next| (one.weight, &one.check) == (next.weight, &next.check)) {
        tell(section, &mut report);
    }
    report.text() + &summary(findings, checks) + "\n"
}

/// The findings of a check.
fn tell(section: &[Finding], report: &mut Report) {
    let [first, others @ ..] = section else { return };
    let tone = match first.weight {
        Weight::Urgent => Tone::Bad,
        Weight::Important => Tone::Between,
        Weight::Normal => Tone::Heading,
    };
    report.section(tone, first.weight.name(), &first.check, section.len());
    let is_same = others.iter().all(|other| other.message == first.message);
    let told = section.len().min(if is_same { MOST_NAMES } else { MOST_TOLD });
    if is_same {
        let names: Vec<String> = section[..told].iter().map(Finding::place).collect();
        report.line(&format!("{}: {}", names.join(", "), first.message));
    } else {
        section[..told].iter().for_each(|one| report.line(&format!("{}: {}", one.place(), one.message)));
    }
    report.more(section.len() - told);
    if !first.hint.is_empty() {
        let is_same = others.iter().all(|other| other.hint == first.hint);
        let whose = if is_same { String::new() } else { format!(" for {}", first.place()) };
        report.line(&format!("hint{whose}: {}", first.hint));
    }
    report.end();
}

impl Finding {
    /// What it is about, after its context.
    fn place(&self) -> String {
        format!("{} {}", self.context, self.resource).trim_start().to_owned()
    }
}

/// How much was found.
fn summary(findings: &[Finding], checks: usize) -> String {
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let of_weight = |weight: Weight| {
        let count = findings.iter().filter(|finding| finding.weight == weight).count();
        (count > 0).then(|| format!("{count} {}", weight.name()))
    };
    let counts: Vec<String> = Weight::ALL.into_iter().filter_map(of_weight).collect();
    match counts.is_empty() {
        true => format!("{} found nothing", plural(checks, "check")),
        false => format!("{}: {}", plural(findings.len(), "finding"), counts.join(", ")),
    }
}
