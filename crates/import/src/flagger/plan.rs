//! How many checks an analysis makes, how far apart, and what each is made at.

use tagship_domain::Duration;

use crate::{fields::Fields, notes::About};

/// Time between two checks where nothing is said, and the least that is kept there.
const INTERVAL: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_secs(10);
/// Iterations where the routing allows nothing else and nothing is said.
const ITERATIONS: u64 = 10;
/// Most checks that make sense.
const MOST: i64 = 100_000;

/// What the checks are made at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checks {
    /// One at each share of traffic, and one on copies before where that is so.
    Shares(Vec<u8>),
    /// So many without traffic, then everything at once.
    BlueGreen(u64),
    /// So many with the requests that match.
    Matching(u64),
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) interval: Duration,
    pub(super) checks: Checks,
    /// Share of requests that are copied; 0 for none.
    pub(super) mirror: u8,
    /// Failed checks that lead back.
    pub(super) threshold: u64,
}

impl Plan {
    pub(super) fn read(analysis: &Fields<'_>, provider: &str) -> Self {
        let notes = analysis.notes();
        let mut interval = analysis.span("interval").unwrap_or(INTERVAL);
        if interval < SHORTEST {
            let text = format!("{interval} is {SHORTEST} there, and so it is here");
            notes.differs(About::Key("analysis"), analysis.at("interval"), text);
            interval = SHORTEST;
        }
        let threshold = whole(analysis, "threshold").unwrap_or(0);
        let threshold = u64::try_from(threshold).unwrap_or(0).max(1);
        let mirrors = analysis.flag("mirror") == Some(true);
        let share = whole(analysis, "mirrorWeight").map(|share| share.clamp(1, 100));
        let mirror = if mirrors { share.unwrap_or(100) } else { 0 };
        if mirrors && share.is_none() {
            notes.differs(
                About::Key("strategy"),
                analysis.at("mirrorWeight"),
                "without it all requests are copied, here as there",
            );
        }
        let checks = checks(analysis, provider == "kubernetes");
        Self { interval, checks, mirror: u8::try_from(mirror).unwrap_or(100), threshold }
    }

    /// How many checks have to pass.
    pub(super) fn needed(&self) -> u64 {
        match &self.checks {
            Checks::Shares(shares) => shares.len() as u64 + u64::from(self.mirror > 0),
            Checks::BlueGreen(count) | Checks::Matching(count) => *count,
        }
    }
}

fn whole(fields: &Fields<'_>, key: &str) -> Option<i64> {
    let number = fields.number(key)?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let whole = (number.abs() < 1e9).then(|| number.trunc() as i64);
    whole.or_else(|| {
        fields.notes().mistake(fields.at(key), format!("{number} is too large"));
        None
    })
}

fn checks(analysis: &Fields<'_>, only_at_once: bool) -> Checks {
    let notes = analysis.notes();
    let iterations = whole(analysis, "iterations").filter(|count| *count > 0).map(|count| count.min(MOST));
    let iterations = iterations.and_then(|count| u64::try_from(count).ok());
    let matches = !analysis.items("match").is_empty();
    let shares = shares(analysis);
    if only_at_once {
        if matches || !shares.is_empty() {
            let text = "its provider shares no traffic, so that these are ignored there; so they are here";
            notes.left_out(About::Key("strategy"), analysis.here(), text);
        }
        return Checks::BlueGreen(iterations.unwrap_or(ITERATIONS));
    }
    match iterations {
        Some(count) => {
            if !shares.is_empty() {
                let text = "with `iterations`, weights are ignored there; so they are here";
                notes.left_out(About::Key("strategy"), analysis.here(), text);
            }
            if matches { Checks::Matching(count) } else { Checks::BlueGreen(count) }
        }
        None => {
            if shares.is_empty() {
                let text = "it has neither `iterations` nor `stepWeight` nor `stepWeights`, so that it would never go on";
                notes.mistake(analysis.here(), text);
            }
            if matches {
                let text = "without `iterations` it is ignored there, and requests are shared by weight; so they are here";
                notes.left_out(About::Key("strategy"), analysis.at("match"), text);
            }
            Checks::Shares(shares)
        }
    }
}

/// The shares of traffic, one after the other.
fn shares(analysis: &Fields<'_>) -> Vec<u8> {
    let notes = analysis.notes();
    let (step, most) = (whole(analysis, "stepWeight"), whole(analysis, "maxWeight"));
    let listed = analysis.items("stepWeights");
    if !listed.is_empty() {
        for (key, given) in [("stepWeight", step), ("maxWeight", most)] {
            if given.is_some() {
                let text = "with `stepWeights` it is ignored there; so it is here";
                notes.left_out(About::Key("strategy"), analysis.at(key), text);
            }
        }
        let share = |(at, value): (String, &serde_json::Value)| {
            let share = value.as_f64().filter(|share| (0.0..=100.0).contains(share) && share.fract() == 0.0);
            if share.is_none() {
                notes.mistake(&at, format!("a weight is a whole number from 0 to 100, not {value}"));
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range was checked"
            )]
            share.map(|share| share as u8)
        };
        return listed.into_iter().filter_map(share).collect();
    }
    let Some(step) = step.filter(|step| *step > 0) else { return vec![] };
    let most = most.filter(|most| *most > 0).unwrap_or(100).min(100);
    let (mut shares, mut share) = (vec![], 0_i64);
    while share < most {
        share = (share + step).min(100);
        shares.push(u8::try_from(share).unwrap_or(100));
    }
    if share > most {
        let text = format!("steps of {step} go beyond it: the last share is {share}%, here as there");
        notes.differs(About::Key("strategy"), analysis.at("maxWeight"), text);
    }
    shares
}
