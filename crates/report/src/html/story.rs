//! Every decision as a sentence, with when, why and by what run.

use std::fmt::Write as _;

use tagship_domain::{
    Provenance,
    explanation::{Cause, Explained, Explanation, Standing},
    rollout::{Kind, Phase},
};

use super::{escape, escape::text, metric::class};
use crate::{mark::Mark, sentence::phase_name};

/// Most decisions that are told; of more, the first and the last ones.
const DECISIONS: usize = 160;
/// Most metrics that are told beside one decision.
const EVIDENCE: usize = 6;

/// The section with the list.
pub(super) fn section(explanation: &Explanation) -> String {
    let mut out =
        "<section aria-labelledby=\"h-story\"><h2 id=\"h-story\">Decisions</h2>\n<ol class=\"story\">\n"
            .to_owned();
    if !explanation.complete {
        out.push_str("<li class=\"gap\">The journal goes further back than what was read.</li>\n");
    }
    let count = explanation.decisions.len();
    let hidden = count.saturating_sub(DECISIONS);
    let from = DECISIONS / 2;
    for (at, one) in explanation.decisions.iter().enumerate() {
        if hidden > 0 && at == from {
            let _ = writeln!(
                out,
                "<li class=\"gap\">{hidden} entries are left out here; the text output has them.</li>"
            );
        }
        if hidden > 0 && (from..from + hidden).contains(&at) {
            continue;
        }
        out.push_str(&entry(at + 1, one));
    }
    out + "</ol></section>\n"
}

fn entry(number: usize, one: &Explained) -> String {
    let quiet = if matches!(one.cause, Cause::Looks { .. }) { " quiet" } else { "" };
    let until = one.until.map(|until| format!(" – {}", until.clock())).unwrap_or_default();
    let mut out = format!(
        "<li id=\"d{number}\" class=\"{}{quiet}\"><span class=\"number\">{number}</span><div class=\"what\">\
         <p class=\"head\"><time datetime=\"{}\" title=\"{}\">{}{until}</time><span class=\"chip {}\">{}</span>{}</p>\
         <p class=\"sentence\">{}</p>",
        tone(one),
        one.at,
        one.at.readable(),
        one.at.clock(),
        tone(one),
        one.cause.name(),
        moved(one.before.as_ref(), &one.after),
        text(&one.sentence),
    );
    // A bad metric is in the sentence already.
    let told = one.evidence.iter().filter(|reading| !one.sentence.contains(&reading.message));
    let told: Vec<_> = told.take(EVIDENCE).collect();
    if !told.is_empty() {
        out.push_str("<ul class=\"evidence\">");
        for reading in told {
            let _ = write!(
                out,
                "<li class=\"{}\"><b>{}</b> {}</li>",
                class(Mark::from(reading.phase).tone()),
                text(&reading.name),
                text(&reading.message)
            );
        }
        out.push_str("</ul>");
    }
    if let Some(silence) = one.silence {
        let _ = write!(
            out,
            "<p class=\"silence\">For {silence} no run had written to the journal: none led the rollout, or one died.</p>"
        );
    }
    let _ = writeln!(
        out,
        "<p class=\"foot\">{}<code>{}</code></p></div></li>",
        taken_by(one),
        text(one.commit.short())
    );
    out
}

/// Who took it: a person where one did, and the run where it is known.
fn taken_by(one: &Explained) -> String {
    let person = match &one.cause {
        Cause::Person { by: Some(Provenance { actor, .. }), .. } => format!("{} · ", text(actor)),
        _ => String::new(),
    };
    match &one.run {
        Some(run) => format!("{person}{} · ", escape::link(run, "run")),
        None => person,
    }
}

/// From where to where, as a short change.
fn moved(before: Option<&Standing>, after: &Standing) -> String {
    let mut changes = vec![];
    let phase = phase_name(after.phase);
    match before.filter(|before| before.phase != after.phase) {
        Some(before) => changes.push(format!("{} → {phase}", phase_name(before.phase))),
        None => changes.push(phase.to_owned()),
    }
    if let Some(before) = before.filter(|before| before.desired != after.desired) {
        changes.push(format!("{} → {}", before.desired, after.desired));
    } else {
        changes.push(after.applied.to_string());
    }
    if let Some(step) = after.step {
        changes.push(format!("step {} of {}", step.number, step.count));
    }
    format!("<span class=\"moved\">{}</span>", text(&changes.join(" · ")))
}

/// How a decision feels, as a class.
pub(super) fn tone(one: &Explained) -> &'static str {
    if matches!(one.cause, Cause::Looks { .. }) {
        return "neutral";
    }
    match one.after.phase {
        Phase::RollingBack | Phase::RolledBack => "bad",
        Phase::Pending => "running",
        phase => class(Mark::of_phase(phase, Kind::Deploy).tone()),
    }
}
