//! The same scores for parts of the rows. Intervals are wider by the number of parts (Bonferroni), so that a hundred good slices
//! do not give five bad ones by chance.

use std::collections::BTreeMap;

use tagship_domain::quality::{QualityCode, QualityFinding, QualitySlice};
use tagship_stats::scores::matrix::ratio;

use super::{
    Settings, bounds,
    rows::{Labelled, Prediction, Unusable},
    score,
};

/// Most parts of a column: a column of ids is none to divide by.
const MOST: usize = 50;

/// The slices by all columns, the largest of a column first.
pub(super) fn all(
    predictions: &[Prediction],
    columns: &[String],
    settings: &Settings,
    findings: &mut Vec<QualityFinding>,
) -> Vec<QualitySlice> {
    let mut parts = vec![];
    for (at, column) in columns.iter().enumerate() {
        let mut by_value: BTreeMap<Option<&str>, Vec<&Prediction>> = BTreeMap::new();
        for row in predictions {
            by_value.entry(row.parts.get(at).and_then(Option::as_deref)).or_default().push(row);
        }
        let mut of_column: Vec<_> = by_value.into_iter().collect();
        of_column.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
        if of_column.len() > MOST {
            let message =
                format!("{column} has {} values; the {MOST} most frequent are told", of_column.len());
            findings.push(QualityFinding { code: QualityCode::TooManySlices, message });
            of_column.truncate(MOST);
        }
        parts.extend(of_column.into_iter().map(|(value, rows)| (column, value, rows)));
    }
    let error = (1.0 - settings.confidence) / ratio(parts.len().max(1) as u64, 1).unwrap_or(1.0);
    let settings = Settings { confidence: 1.0 - error, ..settings.clone() };
    let told = parts.into_iter().map(|(column, value, rows)| slice(column, value, &rows, &settings));
    let told: Vec<QualitySlice> = told.collect();
    for slice in &told {
        let bad = slice.scores.iter().filter(|score| score.good == Some(false));
        findings.extend(bad.map(|score| {
            let part = slice.value.as_deref().unwrap_or("no value");
            let value = score.value.map_or_else(String::new, |value| format!(" {value:.4}"));
            let asked = score.bound.map_or_else(String::new, |bound| format!("; {bound} is asked for"));
            let message = format!("{} = {part}: {}{value}{asked}", slice.column, score.metric);
            QualityFinding { code: QualityCode::SliceIsBad, message }
        }));
    }
    told
}

fn slice(column: &str, value: Option<&str>, rows: &[&Prediction], settings: &Settings) -> QualitySlice {
    let mut unusable = Unusable::default();
    let labelled: Vec<Labelled<'_>> =
        rows.iter().filter_map(|row| row.labelled(settings, &mut unusable)).collect();
    let mut scores = score::all(&labelled, settings);
    let too_few = (labelled.len() as u64) < settings.min_labels;
    let why = too_few.then(|| format!("{} labels; a verdict needs {}", labelled.len(), settings.min_labels));
    for score in &mut scores {
        bounds::judge(score, settings, why.as_deref());
    }
    QualitySlice {
        column: column.to_owned(),
        value: value.map(str::to_owned),
        rows: rows.len() as u64,
        labelled: labelled.len() as u64,
        scores,
    }
}
