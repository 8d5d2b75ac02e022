//! Every sample report as it is shown: the comment, and the terminal's view of what it is made of. Run with
//! `INSTA_UPDATE=always` after a wanted change, look at the difference, and at the gallery.

mod dashboards;
mod notices;
#[allow(dead_code, reason = "the gallery uses more of it")]
mod samples;

use std::fmt::Write;

use tagship_domain::{
    report::{Section, StatusReport},
    rollout::RolloutState,
};
use tagship_report::{
    markdown::{Limits, comment},
    terminal::{self, Style},
};

fn in_a_terminal(report: &StatusReport) -> String {
    let style = Style { color: false, width: 80, unicode: true };
    let mut text = String::new();
    for section in &report.sections {
        let parts = [
            section.validation.as_ref().map(|validation| terminal::validation(validation, &style)),
            section.gate.as_ref().map(|gate| terminal::gate(gate, &style)),
            section.rollout.as_ref().map(|rollout| in_full(rollout, section, &style)),
        ];
        for part in parts.into_iter().flatten() {
            let _ = writeln!(text, "{part}");
        }
    }
    text
}

fn in_full(rollout: &RolloutState, section: &Section, style: &Style) -> String {
    terminal::rollout(rollout, &section.timeline, &section.series, style)
}

#[test]
fn every_sample_reads_as_it_was_looked_at() {
    for (name, report) in samples::all() {
        insta::assert_snapshot!(format!("{name}.comment"), comment(&report, &Limits::default()));
        insta::assert_snapshot!(format!("{name}.terminal"), in_a_terminal(&report));
    }
}
