//! The whole page.

use tagship_domain::{
    explanation::Explanation,
    rollout::{Kind, Phase},
};

use super::{escape, escape::text, frame, metric, story, traffic};
use crate::{mark::Mark, sentence::phase_name};

/// An explanation as a web page of its own.
pub fn explanation(explanation: &Explanation) -> String {
    let title = format!(
        "{} {} in {}: why each step was taken",
        explanation.model, explanation.candidate, explanation.environment
    );
    let inside = format!(
        "{}{}{}{}<footer>Derived from the journal <code>refs/tagship/rollouts/…</code> of rollout <code>{}</code> alone. \
         What it does not say is not told here.</footer>\n",
        head(explanation),
        traffic::section(explanation),
        metric::section(&explanation.metrics),
        story::section(explanation),
        text(&explanation.rollout.0),
    );
    frame::page(&title, "", &inside)
}

fn head(explanation: &Explanation) -> String {
    let Explanation { kind, phase, started, updated, by, .. } = explanation;
    let what = match (kind, &explanation.stable) {
        (Kind::Deploy, Some(stable)) => format!("{stable} → {}", explanation.candidate),
        (Kind::Deploy, None) => format!("first version {}", explanation.candidate),
        (Kind::Rollback, Some(left)) => format!("back from {left} to {}", explanation.candidate),
        (Kind::Rollback, None) => format!("back to {}", explanation.candidate),
    };
    let actor = match &by.run {
        Some(run) => format!("{} ({})", text(&by.actor), escape::link(run, "run")),
        None => text(&by.actor),
    };
    let length = tagship_domain::Duration::from_secs(updated.since(*started).std().as_secs());
    let tone = match phase {
        Phase::RolledBack | Phase::RollingBack | Phase::Failed | Phase::RollbackFailed => "bad",
        phase => metric::class(Mark::of_phase(*phase, *kind).tone()),
    };
    format!(
        "<header><p class=\"over\">{} · {}</p><h1>{} <span class=\"chip {tone}\">{}</span></h1>\
         <p class=\"lead\">{}.</p><dl><div><dt>Started</dt><dd>{}</dd></div><div><dt>Until</dt><dd>{} ({length})</dd></div>\
         <div><dt>By</dt><dd>{actor}</dd></div></dl></header>\n",
        text(explanation.model.as_str()),
        text(explanation.environment.as_str()),
        text(&what),
        phase_name(*phase),
        text(&explanation.sentence),
        started.readable(),
        updated.readable(),
    )
}
