//! One column: what can be said about it alone.

use std::collections::BTreeMap;

use tagship_domain::drift::{ColumnKind, DriftCode, DriftFinding, DriftProfile, Histogram};
use tagship_stats::drift::{Counts, Gathered, Sample, Tested, two_proportions};

use super::{
    column::{Column, Pair, Side},
    conclude::Settings,
    evidently, histogram,
    test::{Answer, Test, stability_index, standardised_distance},
};

/// Name of the test of categories in the default profile: Pearson's test of the table of counts.
const CONTINGENCY: &str = "contingency";
/// A change of numbers of this size matters: in spreads of the reference.
const SHIFT: f64 = 0.1;
/// A change of categories of this size matters: Cramer's V of sides that weigh the same. As much as the other one: a shift of
/// a normal distribution by `d` deviations is a correlation of `d / sqrt(d^2 + 4)` with the side (J. Cohen, "Statistical Power
/// Analysis for the Behavioral Sciences", 1988, 2.2).
const ASSOCIATION: f64 = 0.05;
/// Numbers with at most so many values are compared as categories.
const FEW_VALUES: usize = 5;
/// Fewest values of a side for a verdict of the default profile.
const FEWEST: u64 = 30;
/// Fewest rows that a cell of a table of counts must expect.
const EXPECTED: f64 = 5.0;
/// Categories that are named in a finding.
const NAMED: usize = 5;

/// What one column shows by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub(super) name: String,
    pub(super) kind: Option<ColumnKind>,
    pub(super) rows: [u64; 2],
    pub(super) n: [u64; 2],
    pub(super) missing: [f64; 2],
    pub(super) histogram: Option<Histogram>,
    pub(super) findings: Vec<DriftFinding>,
    /// Absent where no test applies; a finding says why.
    pub(super) asked: Option<Asked>,
    /// Whether the share of missing values has changed; absent where the profile does not ask.
    pub(super) missing_test: Option<Tested>,
}

/// A test with its answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) test: &'static str,
    pub(super) answer: Answer,
    /// What the test alone says, by its own threshold; the default profile decides later.
    pub(super) verdict: Option<(f64, Option<bool>)>,
    pub(super) effect: Option<f64>,
    /// The smallest effect that matters; what the default profile asks for.
    pub(super) least: f64,
    pub(super) stability_index: Option<f64>,
}

/// Measures a column. Nothing about it stops the others: what cannot be compared is a finding.
#[must_use]
pub fn measure(column: &Column, settings: &Settings) -> Measured {
    let side = |side: &Option<Side>, of: fn(&Side) -> u64| side.as_ref().map_or(0, of);
    let both = |of: fn(&Side) -> u64| [side(&column.reference, of), side(&column.current, of)];
    let shares =
        [&column.reference, &column.current].map(|side| side.as_ref().map_or(0.0, Side::missing_share));
    let mut measured = Measured {
        name: column.name.clone(),
        kind: None,
        rows: both(|side| side.rows),
        n: both(Side::count),
        missing: shares,
        histogram: None,
        findings: vec![],
        asked: None,
        missing_test: None,
    };
    match (&column.reference, &column.current) {
        (Some(reference), Some(current)) => measured.compare(reference, current, settings),
        (Some(_), None) => {
            measured.find(DriftCode::MissingColumn, "the current rows do not have this column");
        }
        (None, _) => measured.find(DriftCode::AddedColumn, "the reference does not have this column"),
    }
    measured
}

/// A column that a table has and that cannot be read; the reason is a sentence.
#[must_use]
pub fn unreadable(name: &str, reason: &str) -> Measured {
    let finding = DriftFinding { code: DriftCode::Unreadable, message: reason.to_owned() };
    Measured {
        name: name.to_owned(),
        kind: None,
        rows: [0, 0],
        n: [0, 0],
        missing: [0.0, 0.0],
        histogram: None,
        findings: vec![finding],
        asked: None,
        missing_test: None,
    }
}

impl Measured {
    fn find(&mut self, code: DriftCode, message: impl Into<String>) {
        self.findings.push(DriftFinding { code, message: message.into() });
    }

    fn compare(&mut self, reference: &Side, current: &Side, settings: &Settings) {
        let Some(pair) = Pair::of(reference, current) else {
            self.find(DriftCode::TypeChanged, "one side holds numbers and the other does not");
            return;
        };
        self.kind = Some(pair.kind());
        self.histogram = histogram::of(&pair);
        self.count_infinite(reference, current);
        if settings.profile == DriftProfile::Default && settings.test.is_none() {
            self.missing_test =
                two_proportions([reference.missing, reference.rows], [current.missing, current.rows]);
        }
        for (side, is) in [("the reference", reference), ("the current rows", current)] {
            if is.count() == 0 {
                self.find(DriftCode::NoValues, format!("{side} hold no value that can be compared"));
            }
        }
        if reference.count() == 0 || current.count() == 0 {
            return;
        }
        self.look_at_values(&pair);
        self.look_at_summary(&pair);
        match (settings.test, settings.profile) {
            (Some(test), _) => self.ask(test, &pair),
            (None, DriftProfile::Evidently) => {
                let distinct = pair.distinct(FEW_VALUES + 1);
                self.ask(evidently::choice(pair.kind(), reference.count(), distinct), &pair);
            }
            (None, DriftProfile::Default) => self.ask_by_default(&pair),
        }
    }

    fn count_infinite(&mut self, reference: &Side, current: &Side) {
        let (before, now) = (reference.infinite, current.infinite);
        if before + now > 0 {
            let message = format!("infinite values are left out: {before} of the reference, {now} current");
            self.find(DriftCode::InfiniteValues, message);
        }
    }

    fn look_at_values(&mut self, pair: &Pair<'_>) {
        match pair {
            Pair::Numbers(reference, current) => self.look_at_range(reference, current),
            Pair::Categories(reference, current) => {
                self.name_categories(DriftCode::NewCategories, "not in the reference", current, reference);
                self.name_categories(DriftCode::GoneCategories, "only in the reference", reference, current);
            }
        }
    }

    /// Where there were too many numbers to hold, it is said how exact their ranks are.
    fn look_at_summary(&mut self, pair: &Pair<'_>) {
        let Pair::Numbers(reference, current) = pair else { return };
        let off = reference.summarised().into_iter().chain(current.summarised()).reduce(f64::max);
        if let Some(off) = off {
            let (exact, percent) = (Gathered::EXACT, off * 100.0);
            let message =
                format!("more than {exact} values: shares up to a value are off by {percent:.4} % at most");
            self.find(DriftCode::Summarised, message);
        }
    }

    fn look_at_range(&mut self, reference: &Sample, current: &Sample) {
        let Some((low, high)) = reference.range() else { return };
        let outside = current.outside(low, high);
        if outside > 0 {
            let all = current.count();
            let message =
                format!("{outside} of {all} values lie outside of {} to {}", short(low), short(high));
            self.find(DriftCode::OutOfRange, message);
        }
    }

    /// Categories that one side has and the other has not, the most frequent by name.
    fn name_categories(
        &mut self,
        code: DriftCode,
        where_: &str,
        has: &BTreeMap<String, u64>,
        has_not: &BTreeMap<String, u64>,
    ) {
        let mut only: Vec<(&String, u64)> = has
            .iter()
            .filter(|(name, _)| !has_not.contains_key(*name))
            .map(|(name, count)| (name, *count))
            .collect();
        if only.is_empty() {
            return;
        }
        only.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let names: Vec<String> =
            only.iter().take(NAMED).map(|(name, count)| format!("{name:?} ({count})")).collect();
        let more = only.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        self.find(code, format!("{where_}: {}{more}", names.join(", ")));
    }

    fn ask(&mut self, test: Test, pair: &Pair<'_>) {
        let answer = if test.fits(pair.kind()) { test.ask(pair) } else { None };
        match answer {
            Some(answer) => {
                let verdict = Some((test.threshold(), test.says_drift(answer.score)));
                self.asked = Some(Asked {
                    test: test.name(),
                    answer,
                    verdict,
                    effect: None,
                    least: 0.0,
                    stability_index: None,
                });
            }
            None => self.find(
                DriftCode::NotApplicable,
                format!("the test {} does not apply to these values", test.name()),
            ),
        }
    }

    fn ask_by_default(&mut self, pair: &Pair<'_>) {
        if self.n[0].min(self.n[1]) < FEWEST {
            let message = format!("a verdict needs {FEWEST} values of each side");
            self.find(DriftCode::TooFewRows, message);
            return;
        }
        let constant = pair.constant();
        let is_many = constant.is_none() && pair.distinct(FEW_VALUES + 1) > FEW_VALUES;
        let asked = match pair {
            Pair::Numbers(reference, current) if is_many => self.of_numbers(reference, current),
            _ => self.of_categories(&constant.unwrap_or_else(|| pair.counts())),
        };
        let Some(mut asked) = asked else { return };
        asked.stability_index = stability_index(pair);
        self.asked = Some(asked);
    }

    /// The test of two distributions; a finding where their distance has no measure.
    fn of_numbers(&mut self, reference: &Sample, current: &Sample) -> Option<Asked> {
        let tested = tagship_stats::drift::kolmogorov_smirnov(reference, current);
        let (Some(tested), Some(effect)) = (tested, standardised_distance(reference, current)) else {
            self.find(DriftCode::NotApplicable, "numbers are too large to be compared by their distance");
            return None;
        };
        Some(by_default(Test::Ks.name(), tested, effect, SHIFT))
    }

    /// The table of counts, with rare categories taken together; a finding where it says nothing.
    fn of_categories(&mut self, counts: &Counts) -> Option<Asked> {
        if counts.categories() < 2 {
            self.find(DriftCode::NotApplicable, "both sides hold one value, and the same");
            return None;
        }
        let merged = counts.merged(EXPECTED);
        let fits = merged.smallest_expected().is_some_and(|expected| expected >= EXPECTED);
        let tested = merged.contingency().filter(|_| fits);
        let (Some(tested), Some(effect)) = (tested, merged.balanced_v()) else {
            self.find(
                DriftCode::TooFewRows,
                format!("a category needs {EXPECTED} expected rows of each side"),
            );
            return None;
        };
        Some(by_default(CONTINGENCY, tested, effect, ASSOCIATION))
    }
}

fn by_default(test: &'static str, tested: Tested, effect: f64, least: f64) -> Asked {
    let answer = Answer { score: tested.p_value, statistic: tested.statistic, p_value: Some(tested.p_value) };
    Asked { test, answer, verdict: None, effect: Some(effect), least, stability_index: None }
}

/// A bound as people read it.
fn short(bound: f64) -> String {
    let size = bound.abs();
    if (1e-3..1e7).contains(&size) || size <= 0.0 {
        let text = format!("{bound:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{bound:.3e}")
    }
}

impl Measured {
    /// By how much the share of missing values has changed, 0 to 1.
    pub(super) fn missing_change(&self) -> f64 {
        (self.missing[1] - self.missing[0]).abs()
    }

    /// The largest number of rows of a side.
    pub(super) fn rows(&self) -> [u64; 2] {
        self.rows
    }

    /// Says in a finding that the share of missing values has changed.
    pub(super) fn find_missing(&mut self, p_value: f64) {
        let [before, now] = self.missing.map(|share| share * 100.0);
        let chance = if p_value < 1e-12 { "p below 1e-12".to_owned() } else { format!("p = {p_value:.1e}") };
        let message = format!("{now:.1} % are missing, {before:.1} % in the reference ({chance})");
        self.find(DriftCode::MissingShare, message);
    }
}
