//! How each measured value went, with the rollouts that may have moved it.

use std::fmt::Write as _;

use tagship_domain::{
    Timestamp,
    incident::{Finding, TrendPoint},
    monitor::{MonitorReport, PastRollout},
    rollout::{Kind, Phase},
};

use super::{
    super::{
        chart::{Plot, millis, picture},
        escape::text,
        legend::legend,
        scale::{Scale, around},
        table::{chip, left_out, section as titled, table},
        thin::{Dot, thin},
    },
    findings::{number, told},
    strip::{Stood, counted, strip, with_gaps},
};
use crate::{mark::urgency, sentence::phase_name};

/// Most topics that are drawn; the bad ones come first.
const TOPICS: usize = 24;
/// Columns that all lines are thinned to, for so many topics; more share them.
const COLUMNS: usize = 120;
const FULL: usize = 8;
/// Rows of the table beside a picture.
const ROWS: usize = 10;
/// Most rollouts that are marked; the newest ones.
const MARKS: usize = 24;
const SIZE: [u32; 2] = [440, 214];
const PLACE: [f64; 2] = [64.0, 430.0];
/// Where the picture of all looks lies.
const WIDE: [f64; 2] = [12.0, 988.0];

/// Looks and rollouts that all pictures share.
struct Past<'a> {
    looks: Vec<TrendPoint>,
    rollouts: Vec<&'a PastRollout>,
    x: Scale,
    ends: [Timestamp; 2],
}

/// The section; empty where there is only one look or none.
pub(super) fn section(report: &MonitorReport) -> String {
    let Some(look) = &report.look else { return String::new() };
    let looks: Vec<TrendPoint> = look.trend.iter().cloned().chain([look.point()]).collect();
    let Some(first) = looks.first().filter(|_| looks.len() > 1) else { return String::new() };
    let ends = [first.at, look.at];
    let x = Scale { range: ends.map(millis), place: PLACE };
    let within = |past: &&PastRollout| past.at >= ends[0] && past.at <= ends[1];
    let rollouts = report.past.iter().filter(within).take(MARKS).collect();
    let past = Past { looks, rollouts, x, ends };
    let mut topics: Vec<&Finding> = look.findings.iter().filter(|finding| past.measures(finding)).collect();
    topics.sort_by_key(|finding| urgency(finding.standing));
    let more = left_out(topics.len(), TOPICS, "are");
    topics.truncate(TOPICS);
    let columns = (COLUMNS * FULL / topics.len().max(FULL)).max(24);
    let cards: String =
        topics.iter().enumerate().map(|(at, topic)| card(at, topic, &past, columns)).collect();
    let names = [
        ("candidate", "value".to_owned()),
        ("limit", "what it was compared with".to_owned()),
        ("roll", "deployed".to_owned()),
        ("roll back", "rolled back, or failed".to_owned()),
    ];
    let cards = format!("{}<div class=\"cards\">{}{cards}</div>\n{more}", legend(&names), whole(&past));
    let note = "<p class=\"note\">A line breaks where nobody looked. The strip below it is thin where a look was good, broken where it could not be judged, \
                and thick where it was bad. Of days more than a week ago the worst look is kept.</p>\n";
    titled("time", "Over time", &(cards + note))
}

impl Past<'_> {
    fn measures(&self, finding: &Finding) -> bool {
        self.looks.iter().any(|look| look.values.contains_key(&finding.topic))
    }

    /// How a topic stood at each look. A look that says nothing about it left it unknown.
    fn stood(&self, topic: &str) -> Vec<(f64, Stood)> {
        let of = |look: &TrendPoint| {
            // Looks of an older program say only how all of it stood.
            let is_untold = look.bad.is_empty() && look.unknown.is_empty() && look.good != Some(true);
            if is_untold {
                Stood::Unknown
            } else if look.bad.contains(topic) {
                Stood::Bad
            } else if look.unknown.contains(topic) || !look.values.contains_key(topic) {
                Stood::Unknown
            } else {
                Stood::Good
            }
        };
        self.looks.iter().map(|look| (millis(look.at), of(look))).collect()
    }

    /// A line for each rollout, with a triangle that points on where something was deployed and back where it was taken back.
    fn marks(&self, scale: Scale, [top, bottom]: [f64; 2]) -> String {
        let mut out = String::new();
        for past in &self.rollouts {
            let x = scale.at(millis(past.at));
            let (class, tip) = if is_back(past) { ("roll back", -9.0) } else { ("roll", 9.0) };
            let _ = write!(
                out,
                "<g><title>{}</title><path class=\"{class}\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>\
                 <path class=\"{class} tip\" d=\"M{x:.1} {top:.1}l{tip} 5l{} 5Z\"/></g>",
                text(&words(past)),
                -tip
            );
        }
        out
    }
}

/// Whether the version did not stay.
pub(super) fn is_back(past: &PastRollout) -> bool {
    past.kind == Kind::Rollback
        || matches!(past.phase, Phase::Failed | Phase::RolledBack | Phase::RollbackFailed)
}

fn words(past: &PastRollout) -> String {
    let what = match past.kind {
        Kind::Deploy => "deploy",
        Kind::Rollback => "rollback to",
    };
    format!("{}: {what} {}, {}", past.at.readable(), past.version, phase_name(past.phase))
}

/// All looks together.
fn whole(past: &Past<'_>) -> String {
    let looks: Vec<_> = past.looks.iter().map(|look| (millis(look.at), Stood::of(look.good))).collect();
    let x = Scale { place: WIDE, ..past.x };
    let plot = Plot { x, y: Scale { range: [0.0, 1.0], place: [64.0, 12.0] } };
    let inside =
        past.marks(x, [12.0, 64.0]) + &strip(&looks, x, 46.0) + &plot.clock(past.ends[0], past.ends[1], 8);
    let rollouts: Vec<String> = past.rollouts.iter().map(|past| words(past)).collect();
    let told = format!(
        "{}. Rollouts: {}.",
        counted(&looks),
        if rollouts.is_empty() { "none".to_owned() } else { rollouts.join("; ") }
    );
    format!(
        "<article class=\"card wide\"><h3>All looks</h3>{}<p class=\"said\">{}</p></article>\n",
        picture("t-all", [1000, 90], "Verdicts of all looks over time", &told, &inside),
        text(&counted(&looks))
    )
}

fn card(at: usize, finding: &Finding, past: &Past<'_>, columns: usize) -> String {
    let topic = finding.topic.as_str();
    let (class, word) = told(finding.standing);
    let of = |look: &TrendPoint| look.values.get(topic).copied().filter(|value| value.is_finite());
    let dots: Vec<Dot> = past.looks.iter().map(|look| (millis(look.at), of(look))).collect();
    let known = || dots.iter().filter_map(|dot| dot.1).chain(finding.limit);
    let least = known().all(|value| value >= 0.0).then_some(0.0);
    let Some(range) = around(known(), least) else { return String::new() };
    let plot = Plot { x: past.x, y: Scale { range, place: [158.0, 14.0] } };
    let looks = past.stood(topic);
    let mut inside = plot.grid(&plot.y.ticks(4.0), |value| number(topic, value));
    inside += &past.marks(past.x, [14.0, 158.0]);
    inside += &finding.limit.map(|limit| plot.level(limit, "limit")).unwrap_or_default();
    // A line through days without a look would say what nobody has seen.
    let dots = with_gaps(&dots, past.x.range[1], None);
    inside += &plot.line(&thin(&dots, columns), "candidate");
    inside += &strip(&looks, past.x, 174.0);
    let clock = Plot { x: past.x, y: Scale { range, place: [186.0, 14.0] } };
    inside += &clock.clock(past.ends[0], past.ends[1], 4);
    let newest = finding.value.map_or_else(|| "no value".to_owned(), |value| number(topic, value));
    let told = format!("Now {newest}; asked for is {}. {}.", finding.threshold, counted(&looks));
    format!(
        "<article class=\"card\"><h3>{}{}</h3><p class=\"allowed\">{}</p>{}{}</article>\n",
        text(topic),
        chip(class, word),
        text(&finding.threshold),
        picture(&format!("t{at}"), SIZE, &format!("{topic} over time"), &told, &inside),
        numbers(topic, past)
    )
}

/// The newest numbers as a table.
fn numbers(topic: &str, past: &Past<'_>) -> String {
    let stood = past.stood(topic);
    let newest = past.looks.iter().zip(stood).rev().take(ROWS);
    let rows: Vec<Vec<String>> = newest
        .map(|(look, (_, stood))| {
            vec![
                text(&look.at.minute()),
                look.values.get(topic).map_or_else(|| "–".to_owned(), |value| text(&number(topic, *value))),
                stood.told()[1].to_owned(),
                look.version
                    .as_ref()
                    .map_or_else(|| "nothing".to_owned(), |version| text(&version.to_string())),
            ]
        })
        .collect();
    let name = format!("Newest numbers of {topic}");
    format!(
        "<details><summary>Numbers</summary>{}</details>",
        table(&name, &["UTC", "Value", "Verdict", "Version"], &rows)
    )
}
