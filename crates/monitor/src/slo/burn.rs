//! Burn rates: how many times faster than allowed the budget of bad requests is spent.

use tagship_domain::{
    Duration,
    slo::{BurnWindow, ObjectiveReport, Severity, SloState},
    tally::Tally,
};
use tagship_stats::scores::matrix::ratio;

/// What is promised of a share of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Its name.
    pub name: String,
    /// Share of good requests, above 0 and below 1.
    pub target: f64,
    /// Requests that take longer than this, in milliseconds, are bad ones; absent where the source says what is bad.
    pub below: Option<f64>,
}

/// What was counted so long ago.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// How long ago.
    pub ago: Duration,
    /// What was there.
    pub seen: Seen,
}

/// What a source answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// Cumulative counts.
    Counted(Tally),
    /// It knows of nothing, or nobody answers; why.
    Absent(String),
    /// It could not be asked; why.
    Failed(String),
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// Length of the budget.
const PERIOD: u64 = 30 * DAY;
const PERIOD_LENGTH: Duration = Duration::from_secs(PERIOD);

/// A pair of windows that alarms where both burn faster than the factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnRule {
    /// How urgent it is then.
    pub severity: Severity,
    /// Length of the long window in seconds.
    pub long: u64,
    /// Length of the short window in seconds.
    pub short: u64,
    /// So many times the pace that spends the budget in 30 days.
    pub factor: f64,
}

/// The pairs of windows, the shortest first.
pub const BURN_RULES: [BurnRule; 4] = [
    BurnRule { severity: Severity::Page, long: HOUR, short: 5 * MINUTE, factor: 14.4 },
    BurnRule { severity: Severity::Page, long: 6 * HOUR, short: 30 * MINUTE, factor: 6.0 },
    BurnRule { severity: Severity::Ticket, long: DAY, short: 2 * HOUR, factor: 3.0 },
    BurnRule { severity: Severity::Ticket, long: 3 * DAY, short: 6 * HOUR, factor: 1.0 },
];

/// Events in the long window, as a multiple of those among which one bad one is allowed, below which bad ones may be chance.
pub const LEAST_EVENTS: f64 = 2.0;

/// How long ago a source is asked about, the newest first.
#[must_use]
pub fn instants() -> Vec<Duration> {
    let windows = BURN_RULES.iter().flat_map(|rule| [rule.long, rule.short]);
    let mut seconds: Vec<u64> = windows.chain([0, PERIOD]).collect();
    seconds.sort_unstable();
    seconds.dedup();
    seconds.into_iter().map(Duration::from_secs).collect()
}

/// Requests and bad ones from some time on.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    all: u64,
    bad: u64,
}

/// Judges a share by looks, the newest first.
///
/// # Errors
/// Where durations cannot be told apart at the promised one; with the bounds that there are.
pub fn judge(share: &Share, looks: &[Look]) -> Result<ObjectiveReport, String> {
    let mut report = ObjectiveReport {
        name: share.name.clone(),
        asked: share.asked(),
        state: SloState::Unknown,
        severity: None,
        value: None,
        windows: vec![],
        budget_left: None,
        reason: String::new(),
    };
    match looks.first().map(|look| &look.seen) {
        Some(Seen::Counted(_)) => {}
        Some(Seen::Absent(why)) => {
            (report.state, report.reason) = (SloState::NoData, format!("no data: {why}"));
            return Ok(report);
        }
        Some(Seen::Failed(why)) => {
            report.reason = format!("the source could not be asked: {why}");
            return Ok(report);
        }
        None => {
            "the source was not asked".clone_into(&mut report.reason);
            return Ok(report);
        }
    }
    let since = share.since(looks)?;
    let budget = 1.0 - share.target;
    report.windows = BURN_RULES.iter().map(|rule| window(rule, &since, budget)).collect();
    let whole = counted(&since, PERIOD);
    report.budget_left = whole.and_then(|counts| Some(1.0 - ratio(counts.bad, counts.all)? / budget));
    conclude(&mut report);
    Ok(report)
}

fn conclude(report: &mut ObjectiveReport) {
    let fires = report.windows.iter().rev().filter(|window| window.fires == Some(true));
    // Of those that are as urgent, the shortest: it says best what goes on now.
    if let Some(window) = fires.max_by_key(|window| window.severity) {
        let [long, short] = window.windows;
        let pace = window.burn.map(|burn| burn.unwrap_or(0.0));
        report.severity = Some(window.severity);
        report.state = SloState::Burning;
        report.reason = format!(
            "{} of {} requests of {long} were bad: {:.1} times the pace that is allowed, {:.1} in the last {short}; {} or more \
             alarms",
            window.bad, window.events, pace[0], pace[1], window.factor
        );
        return;
    }
    let open = report.windows.iter().filter(|window| window.fires.is_none()).count();
    if open == 0 {
        report.state = SloState::Kept;
        "no window alarms".clone_into(&mut report.reason);
    } else {
        report.reason = format!(
            "{open} of {} windows cannot be judged: too few requests, or no answer",
            report.windows.len()
        );
    }
}

fn window(rule: &BurnRule, since: &[(u64, Counts)], budget: f64) -> BurnWindow {
    let BurnRule { severity, long, short, factor } = *rule;
    let counts = [long, short].map(|length| counted(since, length));
    let burn = counts.map(|counts| counts.and_then(|counts| Some(ratio(counts.bad, counts.all)? / budget)));
    let Counts { all: events, bad } = counts[0].unwrap_or_default();
    let is_enough = ratio(events, 1).is_some_and(|events| events >= LEAST_EVENTS / budget);
    let fires = match (counts, burn) {
        ([Some(counts), Some(_)], _) if counts.all > 0 && counts.bad == 0 => Some(false),
        (_, [Some(long), _]) if is_enough && long <= factor => Some(false),
        (_, [Some(long), Some(short)]) if is_enough => Some(long > factor && short > factor),
        // Nothing came lately: what was bad before goes on for nobody.
        ([_, Some(Counts { all: 0, .. })], _) if is_enough => Some(false),
        _ => None,
    };
    BurnWindow { severity, windows: [long, short].map(Duration::from_secs), factor, burn, events, bad, fires }
}

fn counted(since: &[(u64, Counts)], length: u64) -> Option<Counts> {
    since.iter().find(|(ago, _)| *ago == length).map(|(_, counts)| *counts)
}

/// Looks, the newest first, each with the series that an earlier one had and it lacks: what was not asked once, as by a missed
/// scrape, has not begun again.
fn complete(looks: &[Look]) -> Vec<Look> {
    let mut complete: Vec<Look> = looks.to_vec();
    let mut known = Tally::default();
    for look in complete.iter_mut().rev() {
        if let Seen::Counted(tally) = &mut look.seen {
            *tally = std::mem::take(tally).remembering(&known);
            known = tally.clone();
        }
    }
    complete
}

impl Share {
    /// What is asked for, in words.
    #[must_use]
    pub fn asked(&self) -> String {
        let share = format!("{}%", (self.target * 1e6).round() / 1e4);
        match self.below {
            Some(below) => format!("{share} of the requests within {below} ms"),
            None => format!("{share} of the requests good"),
        }
    }

    /// What was counted since each time that the source could answer about. Differences are taken from look to look, so that
    /// a counter may begin again in between.
    fn since(&self, looks: &[Look]) -> Result<Vec<(u64, Counts)>, String> {
        let mut since = vec![];
        let mut sum = Counts::default();
        let mut newer: Option<&Tally> = None;
        let nothing = Tally::default();
        let looks = &complete(looks);
        for (at, look) in looks.iter().enumerate() {
            let was_there = || looks[at..].iter().any(|look| matches!(look.seen, Seen::Counted(_)));
            let tally = match &look.seen {
                Seen::Counted(tally) => tally,
                // A histogram that was not there yet had counted nothing; a gap is no beginning. Of two series the one of bad
                // answers may be missing alone, and then all that was ever counted would seem to have come since.
                // So long ago it may only be forgotten.
                Seen::Absent(_) if self.below.is_some() && !was_there() && look.ago != PERIOD_LENGTH => {
                    &nothing
                }
                Seen::Absent(_) | Seen::Failed(_) => continue,
            };
            if let Some(newer) = newer {
                let came = self.counts(&newer.since(tally))?;
                sum = Counts { all: sum.all + came.all, bad: sum.bad + came.bad };
            }
            newer = Some(tally);
            since.push((look.ago.std().as_secs(), sum));
        }
        Ok(since)
    }

    fn counts(&self, tally: &Tally) -> Result<Counts, String> {
        let Some(below) = self.below else { return Ok(Counts { all: tally.all(), bad: tally.all_bad() }) };
        if tally.latency.is_empty() {
            return Ok(Counts::default());
        }
        let durations = tally.all_durations().ok_or("series of durations have different buckets")?;
        let same = |bound: &f64| (bound - below).abs() <= 1e-9 * below;
        let Some(at) = durations.bounds.iter().position(same) else {
            let bounds = durations.bounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(format!("no bucket ends at {below} ms; choose one of {bounds}"));
        };
        let bad = durations.counts.iter().skip(at + 1).sum();
        Ok(Counts { all: durations.counts.iter().sum(), bad })
    }
}
