//! Whether all is well with a model in an environment, in one headline. Only what was measured, and lately, can be well.

use tagship_domain::{
    Duration,
    drift::ColumnDrift,
    incident::{IncidentPhase, Standing, WatchReport},
    monitor::MonitorReport,
    rollout::Phase,
};

use crate::{
    mark::{Mark, Tone},
    text::counted,
};

/// Where the pace of looks is not known, a look is old after a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A look is never old before an hour.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Looks that the pace is taken from.
const LOOKS: usize = 20;
/// So many missed looks make the last one old.
const MISSED: u64 = 3;

/// How a model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStanding {
    /// How it feels.
    pub tone: Tone,
    /// In one word.
    pub word: &'static str,
    /// As a headline.
    pub headline: String,
    /// What that rests on.
    pub sentence: String,
}

impl ModelStanding {
    /// Its symbol.
    pub(crate) fn mark(&self) -> Mark {
        match self.tone {
            Tone::Good => Mark::Passed,
            Tone::Bad => Mark::Failed,
            Tone::Waiting => Mark::Waiting,
            _ => Mark::Unknown,
        }
    }
}

/// How a model in an environment stands at the time of the report.
pub fn standing(report: &MonitorReport) -> ModelStanding {
    let Some(look) = &report.look else {
        let sentence = "No look is remembered. `tagship monitor check` makes one.".to_owned();
        return said(Tone::Unknown, "unknown", "Nobody has looked yet".to_owned(), sentence);
    };
    // Also of the same version: nobody has looked at it since it came back.
    if let Some(newer) = report.past.iter().find(|past| past.phase == Phase::Succeeded && past.at > look.at) {
        let sentence =
            format!("It serves since {}. The last look was at what served before.", newer.at.readable());
        return said(
            Tone::Unknown,
            "unknown",
            format!("Nobody has looked at {} yet", newer.version),
            sentence,
        );
    }
    let age = report.at.since(look.at);
    if age <= old_after(look) {
        let standing = standing_of(look);
        return match (standing.tone, unjudged(report)) {
            (Tone::Good, unjudged @ 1..) => {
                let sentence =
                    format!("{} could not be judged, and nothing else is bad.", counted(unjudged, "column"));
                said(Tone::Good, "good", "What could be judged is well".to_owned(), sentence)
            }
            _ => standing,
        };
    }
    // It was looked at, but who knows what became of it since.
    let was = standing_of(look);
    let age = Duration::from_secs(age.std().as_secs() / 60 * 60);
    let sentence = format!("The last look is {age} old. It said: {}", was.sentence);
    match was.tone {
        Tone::Bad => said(Tone::Bad, "bad, and old", was.headline, sentence),
        _ => said(Tone::Unknown, "unknown", "Nobody has looked lately".to_owned(), sentence),
    }
}

/// How a model stood at a look.
pub(crate) fn standing_of(look: &WatchReport) -> ModelStanding {
    let count = |standing| look.findings.iter().filter(|finding| finding.standing == standing).count();
    let (bad, silent, unknown) = (count(Standing::Bad), count(Standing::NoData), count(Standing::Unknown));
    let all = look.findings.len();
    let open = look.incidents.iter().filter(|incident| incident.phase == IncidentPhase::Open).count();
    let gaps = match (silent, unknown) {
        (0, 0) => String::new(),
        (silent, 0) => format!(" {silent} without data."),
        (0, unknown) => format!(" {unknown} could not be judged."),
        (silent, unknown) => format!(" {silent} without data, {unknown} could not be judged."),
    };
    match look.good {
        Some(false) => {
            let first = look.findings.iter().find(|finding| finding.standing == Standing::Bad);
            let why = first.map_or_else(String::new, |finding| format!("{}.", finding.sentence));
            let verb = if bad == 1 { "is" } else { "are" };
            said(Tone::Bad, "bad", format!("{bad} of {all} {verb} bad"), format!("{why}{gaps}"))
        }
        None => {
            let sentence =
                format!("{} of {} measured and good.{gaps}", all - silent - unknown, counted(all, "thing"));
            said(Tone::Unknown, "unknown", "Whether all is well cannot be said".to_owned(), sentence)
        }
        Some(true) if open > 0 => {
            let sentence = "It closes once it has been good for long enough.".to_owned();
            said(
                Tone::Waiting,
                "recovering",
                format!("Good again, {} still open", counted(open, "incident")),
                sentence,
            )
        }
        Some(true) => {
            let sentence = format!(
                "All that is watched was measured, and all of it is good: {}.",
                counted(all, "thing")
            );
            said(Tone::Good, "good", "All is well".to_owned(), sentence)
        }
    }
}

/// Columns of the whole and of slices that drift could not be judged in.
fn unjudged(report: &MonitorReport) -> usize {
    let drift = report.details.as_ref().and_then(|details| details.drift.as_ref());
    let of = |columns: &[ColumnDrift]| columns.iter().filter(|column| column.drifted.is_none()).count();
    drift.map_or(0, |drift| {
        of(&drift.columns) + drift.slices.iter().map(|slice| of(&slice.columns)).sum::<usize>()
    })
}

fn said(tone: Tone, word: &'static str, headline: String, sentence: String) -> ModelStanding {
    ModelStanding { tone, word, headline, sentence }
}

/// After what time without another one a look says nothing about now: where three are missing at the usual pace.
fn old_after(look: &WatchReport) -> Duration {
    let newest = look.trend.iter().rev().take(LOOKS).map(|point| point.at);
    let times: Vec<_> = [look.at].into_iter().chain(newest).collect();
    let mut gaps: Vec<Duration> = times.windows(2).map(|pair| pair[0].since(pair[1])).collect();
    gaps.sort_unstable();
    match gaps.get(gaps.len() / 2) {
        None => DAY,
        Some(usual) => Duration::from_secs(usual.std().as_secs() * MISSED).max(HOUR),
    }
}
