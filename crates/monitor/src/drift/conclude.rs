//! All columns: p-values adjusted for their number, verdicts, and what they mean for the whole.

use std::{borrow::Borrow, collections::BTreeSet};

use tagship_domain::drift::{ColumnDrift, DatasetDrift, DriftCode, DriftProfile, DriftReport, SliceDrift};
use tagship_stats::multiplicity::benjamini_hochberg;

use super::{
    measure::{Asked, Measured},
    test::Test,
};

/// Adjusted p-values up to here are drift, where the change is also large enough.
const LEVEL: f64 = 0.05;
/// A change of the share of missing values that matters.
const MISSING: f64 = 0.01;
/// Share of drifted columns from which the whole has drifted.
const SHARE: f64 = 0.5;

/// How drift is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// By which rules.
    pub profile: DriftProfile,
    /// The one test that is asked about every column, by its own threshold, whatever the profile would choose.
    pub test: Option<Test>,
    /// Columns any of which makes the whole drift.
    pub critical: BTreeSet<String>,
}

/// Judges columns that have been measured with the same settings.
#[must_use]
pub fn conclude(measured: Vec<Measured>, settings: &Settings) -> DriftReport {
    let adjusted = adjusted(&measured);
    let rows = rows(&measured);
    let columns = together(measured, adjusted);
    let dataset = whole(&columns, settings);
    DriftReport { profile: settings.profile, rows, columns, dataset, slices: vec![] }
}

/// Rows that have the same value in a column, measured as all are.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The column.
    pub column: String,
    /// The value.
    pub value: String,
    /// What was measured of the other columns.
    pub measured: Vec<Measured>,
}

/// Judges slices. The tests of all of them are one family: among many slices, one looks changed by chance.
#[must_use]
pub fn conclude_slices(slices: Vec<Slice>, settings: &Settings) -> Vec<SliceDrift> {
    let all: Vec<&Measured> = slices.iter().flat_map(|slice| &slice.measured).collect();
    let mut adjusted = adjusted(&all).into_iter();
    let judge = |slice: Slice| {
        let rows = rows(&slice.measured);
        let own = adjusted.by_ref().take(slice.measured.len()).collect();
        let mut columns = together(slice.measured, own);
        for column in &mut columns {
            // There may be many slices, and the document has to stay small.
            column.histogram = None;
        }
        let dataset = whole(&columns, settings);
        SliceDrift { column: slice.column, value: slice.value, rows, columns, dataset }
    };
    slices.into_iter().map(judge).collect()
}

fn rows(measured: &[Measured]) -> [u64; 2] {
    measured.iter().map(Measured::rows).fold([0, 0], |[n, m], [one, other]| [n.max(one), m.max(other)])
}

fn together(measured: Vec<Measured>, adjusted: Vec<Adjusted>) -> Vec<ColumnDrift> {
    measured.into_iter().zip(adjusted).map(|(column, adjusted)| judged(column, adjusted)).collect()
}

/// P-values of a column's two tests after adjustment.
#[derive(Debug, Clone, Copy)]
struct Adjusted {
    values: f64,
    missing: f64,
}

/// Both tests of all columns are one family. What was not asked is NaN and does not count.
fn adjusted<M: Borrow<Measured>>(measured: &[M]) -> Vec<Adjusted> {
    let undecided = |asked: &&Asked| asked.verdict.is_none();
    let p_of =
        |column: &Measured| column.asked.as_ref().filter(undecided).and_then(|asked| asked.answer.p_value);
    let missing_of = |column: &Measured| column.missing_test.map(|tested| tested.p_value);
    let all: Vec<f64> = measured
        .iter()
        .map(Borrow::borrow)
        .flat_map(|column| [p_of(column), missing_of(column)])
        .map(|p| p.unwrap_or(f64::NAN))
        .collect();
    let all = benjamini_hochberg(&all);
    all.chunks_exact(2).map(|pair| Adjusted { values: pair[0], missing: pair[1] }).collect()
}

fn judged(mut column: Measured, adjusted: Adjusted) -> ColumnDrift {
    let misses = adjusted.missing <= LEVEL && column.missing_change() >= MISSING;
    if misses {
        column.find_missing(adjusted.missing);
    }
    let cannot = column.findings.iter().any(|finding| {
        matches!(finding.code, DriftCode::MissingColumn | DriftCode::AddedColumn | DriftCode::TypeChanged)
    });
    let asked = column.asked.take();
    let (score, threshold, verdict) = match &asked {
        None => (None, None, None),
        Some(Asked { verdict: Some((threshold, verdict)), answer, .. }) => {
            (Some(answer.score), Some(*threshold), *verdict)
        }
        Some(asked) => {
            let large = asked.effect.is_some_and(|effect| effect >= asked.least);
            (Some(adjusted.values), Some(LEVEL), Some(adjusted.values <= LEVEL && large))
        }
    };
    let drifted = if misses && !cannot { Some(true) } else { verdict };
    // JSON has no infinity; a statistic beyond all numbers has a p-value of zero.
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    ColumnDrift {
        name: column.name,
        kind: column.kind,
        test: asked.as_ref().map(|asked| asked.test.to_owned()),
        score: score.and_then(finite),
        statistic: asked.as_ref().and_then(|asked| finite(asked.answer.statistic)),
        p_value: asked.as_ref().and_then(|asked| asked.answer.p_value),
        effect: asked.as_ref().and_then(|asked| asked.effect),
        stability_index: asked.as_ref().and_then(|asked| asked.stability_index),
        threshold,
        drifted,
        n: column.n,
        missing: column.missing,
        histogram: column.histogram,
        findings: column.findings,
    }
}

/// The share counts what has drifted among all columns; that it is below the threshold is only known where the columns that
/// could not be judged would not change it.
#[expect(clippy::cast_precision_loss, reason = "a number of columns")]
fn whole(columns: &[ColumnDrift], settings: &Settings) -> DatasetDrift {
    let count = |is: Option<bool>| columns.iter().filter(|column| column.drifted == is).count();
    let (drifted, unknown, all) = (count(Some(true)), count(None), columns.len().max(1) as f64);
    let is_critical = |column: &&ColumnDrift| settings.critical.contains(&column.name);
    let mut critical = columns.iter().filter(is_critical).map(|column| column.drifted);
    let share = drifted as f64 / all;
    let verdict = if share >= SHARE || critical.clone().any(|drifted| drifted == Some(true)) {
        Some(true)
    } else if columns.is_empty()
        || (drifted + unknown) as f64 / all >= SHARE
        || critical.any(|drifted| drifted.is_none())
    {
        None
    } else {
        Some(false)
    };
    DatasetDrift { drifted: verdict, share, threshold: SHARE }
}
