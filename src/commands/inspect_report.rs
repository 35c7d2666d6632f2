//! The findings of `inspect` as a report: what each check found, with a hint what to do.

use crate::cli::Weight;
use crate::json::escape_unprintable;
use crate::render::{Tone, View, wrapped};

use super::inspect::Finding;

/// How many findings of a check are told.
const MOST_TOLD: usize = 10;
/// How many names, where that is all in which the findings of a check differ.
const MOST_NAMES: usize = 40;

/// The width of lines, where the terminal does not say.
const WIDTH: usize = 80;

/// The report, for so many checks. The findings come in the order of their weights, those of a check together.
pub(super) fn text(findings: &[Finding], checks: usize, view: &View) -> String {
    let mut out = String::new();
    for section in findings.chunk_by(|one, next| (one.weight, &one.check) == (next.weight, &next.check)) {
        tell(section, view, &mut out);
        out.push('\n');
    }
    out + &summary(findings, checks) + "\n"
}

/// The findings of a check.
fn tell(section: &[Finding], view: &View, out: &mut String) {
    let [first, others @ ..] = section else { return };
    let tone = match first.weight {
        Weight::Urgent => Tone::Bad,
        Weight::Important => Tone::Between,
        Weight::Normal => Tone::Heading,
    };
    let count = if others.is_empty() { String::new() } else { format!(" ({})", section.len()) };
    out.push_str(&format!("{} {}{count}\n", tone.paint(first.weight.name(), view.colour), first.check));
    let width = view.max_width.or(view.width).unwrap_or(WIDTH);
    let mut add = |text: &str| {
        for (nth, line) in wrapped(&escape_unprintable(text), width.saturating_sub(4)).iter().enumerate() {
            // What goes on stands farther in.
            out.push_str(&format!("{}{line}\n", if nth > 0 { "    " } else { "  " }));
        }
    };
    let same = others.iter().all(|other| other.message == first.message);
    let told = section.len().min(if same { MOST_NAMES } else { MOST_TOLD });
    if same && !others.is_empty() {
        let names: Vec<&str> = section[..told].iter().map(|finding| finding.resource.as_str()).collect();
        add(&format!("{}: {}", names.join(", "), first.message));
    } else {
        section[..told].iter().for_each(|finding| add(&format!("{}: {}", finding.resource, finding.message)));
    }
    if told < section.len() {
        add(&format!("{} more (-o wide shows all)", section.len() - told));
    }
    let whose =
        if others.iter().all(|other| other.hint == first.hint) { "" } else { &format!(" for {}", first.resource) };
    if !first.hint.is_empty() {
        add(&format!("hint{whose}: {}", first.hint));
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
